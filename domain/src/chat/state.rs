//! What a chat needs to remember in order to decide.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{ClientMessageId, ConversationId, MessageId, ShopId, UserId};
use crate::message::{ChatRole, ContentDigest};
use crate::time::{Millis, Timestamp};

/// How long client message ids are remembered per sender.
pub const CLIENT_IDS_KEPT_FOR: Millis = Millis::hours(72);
/// How many client message ids are remembered per sender.
pub const CLIENT_IDS_KEPT: usize = 4_096;
/// Most members of a chat with a customer: the customer, the agent, and a few who watch.
pub const MEMBERS_MAX: usize = 64;
/// Most messages that one member may hide in a chat.
pub const HIDDEN_MAX: usize = 10_000;

/// A chat's life: it opens once and stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum ChatState {
    /// Nobody opened it.
    #[default]
    Unopened,
    /// It is there.
    Open(Box<OpenChat>),
}

impl ChatState {
    /// The chat, if it is there.
    #[must_use]
    pub fn open(&self) -> Option<&OpenChat> {
        match self {
            Self::Unopened => None,
            Self::Open(chat) => Some(chat),
        }
    }
}

/// An open chat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenChat {
    /// The shop.
    pub shop: ShopId,
    /// The customer.
    pub customer: UserId,
    /// Place of the last message; 0 before the first.
    pub last_seq: u64,
    /// Everybody who takes part now.
    pub members: BTreeMap<UserId, Member>,
    /// The conversation that is open, or the last one.
    pub session: Session,
    /// Which agent serves, under which assignment.
    pub serving: Option<(UserId, u64)>,
    /// The largest assignment number seen.
    pub last_assignment: u64,
    /// What each sender posted lately.
    pub sent: BTreeMap<UserId, SentMessages>,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// As what.
    pub role: ChatRole,
    /// Read up to here.
    pub read_seq: u64,
    /// Places removed from their sight.
    pub hidden: BTreeSet<u64>,
}

/// The chat's view of its conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Session {
    /// There was none yet.
    None,
    /// One is open.
    Open {
        /// Which.
        conversation: ConversationId,
        /// Place of the customer's last message in it; 0 when there is none.
        last_customer_seq: u64,
        /// Since when the customer waits for an answer.
        unanswered_since: Option<Timestamp>,
        /// When anybody last wrote, or when it began.
        last_activity: Timestamp,
    },
    /// The last one ended.
    Ended {
        /// Which.
        conversation: ConversationId,
        /// When.
        at: Timestamp,
    },
}

impl Session {
    /// The open conversation.
    #[must_use]
    pub const fn conversation(&self) -> Option<ConversationId> {
        match self {
            Self::Open { conversation, .. } => Some(*conversation),
            Self::None | Self::Ended { .. } => None,
        }
    }
}

/// The client ids that a sender used lately, in order of minting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SentMessages {
    /// What is remembered.
    pub by_client_id: BTreeMap<ClientMessageId, SentMessage>,
    /// Ids minted at or before this instant may have been forgotten.
    pub floor: Timestamp,
}

/// One remembered message.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SentMessage {
    /// Its id.
    pub message: MessageId,
    /// Its place.
    pub seq: u64,
    /// Its content's digest.
    pub digest: ContentDigest,
    /// When it was posted.
    pub at: Timestamp,
    /// Whether it was taken back.
    pub recalled: bool,
}

impl OpenChat {
    /// The message that this sender posted under this client id, if it is remembered.
    #[must_use]
    pub fn sent_message(&self, sender: UserId, client_message: ClientMessageId) -> Option<&SentMessage> {
        self.sent.get(&sender)?.by_client_id.get(&client_message)
    }
}

impl SentMessages {
    /// Remembers one more and forgets what is over the limits.
    pub(super) fn remember(&mut self, client_message: ClientMessageId, sent: SentMessage) {
        self.by_client_id.insert(client_message, sent);
        self.forget_beyond_limits(sent.at);
    }

    /// Remembers also what another account of the same person posted, so that a retry from either is recognised.
    pub(super) fn absorb(&mut self, other: Self, now: Timestamp) {
        self.floor = self.floor.max(other.floor);
        self.by_client_id.extend(other.by_client_id);
        self.forget_beyond_limits(now);
    }

    /// Whether nothing is remembered that the age limit alone would not refuse.
    pub(super) fn is_forgotten(&self, now: Timestamp) -> bool {
        let limit = now - CLIENT_IDS_KEPT_FOR;
        self.floor <= limit && self.by_client_id.last_key_value().is_none_or(|(newest, _)| minted_at(*newest) <= limit)
    }

    fn forget_beyond_limits(&mut self, now: Timestamp) {
        while let Some((oldest, _)) = self.by_client_id.first_key_value() {
            let minted = minted_at(*oldest);
            let expired = minted <= now - CLIENT_IDS_KEPT_FOR;
            if !expired && self.by_client_id.len() <= CLIENT_IDS_KEPT {
                break;
            }
            self.floor = self.floor.max(minted);
            self.by_client_id.pop_first();
        }
    }

    /// Ids minted at or before this instant are refused at `now`.
    pub(super) fn floor_at(&self, now: Timestamp) -> Timestamp {
        self.floor.max(now - CLIENT_IDS_KEPT_FOR)
    }
}

/// When a client id was minted, by its own account.
pub(super) fn minted_at(client_message: ClientMessageId) -> Timestamp {
    Timestamp(client_message.minted_at_ms().and_then(|ms| i64::try_from(ms).ok()).unwrap_or(0))
}
