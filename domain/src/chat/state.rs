//! What a chat needs to remember in order to decide.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::contact::Contact;
use super::notes::Notes;
use super::permissions::Permissions;
use crate::ids::{ClientMessageId, ConversationId, MessageId, ShopId, UserId};
use crate::labels::Label;
use crate::message::{ChatRole, ContentDigest, Visibility};
use crate::time::{Millis, Timestamp};

/// How long client message ids are remembered per sender.
pub const CLIENT_IDS_KEPT_FOR: Millis = Millis::hours(72);
/// How far ahead of the server's clock a client id may have been minted: clocks of phones are wrong by days. What is remembered is
/// forgotten by the order of ids, so those from a far future would stand in the way of all that follow.
pub const CLIENT_IDS_AHEAD_MAX: Millis = Millis::days(7);
/// How many client message ids are remembered per sender.
pub const CLIENT_IDS_KEPT: usize = 4_096;
/// Most members of a chat with a customer: the customer, the agent, and a few who watch.
pub const MEMBERS_MAX: usize = 64;
/// Most members of a group thread: every message is an item of each member's feed, so 500 members make one message 500 items.
pub const THREAD_MEMBERS_MAX: usize = 500;
/// Longest title of a group thread in bytes: it fits a line of a page in any script.
pub const TITLE_BYTES_MAX: usize = 256;
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
    /// With whom it is, and what only such a chat knows.
    pub kind: ChatKind,
    /// Place of the last message; 0 before the first.
    pub last_seq: u64,
    /// Everybody who takes part now.
    pub members: BTreeMap<UserId, Member>,
    /// What each sender posted lately.
    pub sent: BTreeMap<UserId, SentMessages>,
}

/// The two kinds of chats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "nearly every chat is one with a customer")]
pub enum ChatKind {
    /// Between a customer and a shop.
    Service(ServiceChat),
    /// Between whoever was invited.
    Group(GroupThread),
}

/// What only a chat with a customer knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceChat {
    /// The shop.
    pub shop: ShopId,
    /// The customer.
    pub customer: UserId,
    /// The anonymous account that the customer had before they signed in. There is at most one: an identified account is not merged.
    pub customer_before: Option<UserId>,
    /// The conversation that is open, or the last one.
    pub session: Session,
    /// Which agent serves, under which assignment.
    pub serving: Option<(UserId, u64)>,
    /// What is asked of them.
    pub terms: Terms,
    /// The largest assignment number seen.
    pub last_assignment: u64,
    /// Where its notes are.
    pub notes: Notes,
    /// What the outreach rule asks for.
    pub contact: Contact,
}

/// The life of a group thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupThread {
    /// Its members talk.
    Live {
        /// Who answers for it; always a member.
        owner: UserId,
    },
    /// Its members read.
    Dissolved,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// As what.
    pub part: Part,
    /// Read up to here.
    pub read_seq: u64,
    /// Places removed from their sight.
    pub hidden: BTreeSet<u64>,
}

/// A member's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// In a chat with a customer.
    Seat(ChatRole),
    /// In a group thread.
    Participant(Participant),
}

/// A member's part in a group thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// What they are to the others.
    pub label: Label,
    /// What they may do.
    pub permissions: Permissions,
    /// The last place that they do not see.
    pub floor: u64,
    /// They do not want to be notified.
    pub muted: bool,
    /// They put the thread aside.
    pub archived: bool,
}

impl Member {
    /// Somebody who has just come.
    #[must_use]
    pub const fn new(part: Part) -> Self {
        let read_seq = match &part {
            Part::Seat(_) => 0,
            Part::Participant(participant) => participant.floor,
        };
        Self { part, read_seq, hidden: BTreeSet::new() }
    }

    /// The last place that they do not see.
    #[must_use]
    pub const fn floor(&self) -> u64 {
        match &self.part {
            Part::Seat(_) => 0,
            Part::Participant(participant) => participant.floor,
        }
    }

    /// Their part in a group thread.
    #[must_use]
    pub const fn participant(&self) -> Option<&Participant> {
        match &self.part {
            Part::Seat(_) => None,
            Part::Participant(participant) => Some(participant),
        }
    }
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
        /// What its shop's flow says of silence.
        silence: Silence,
    },
    /// The last one ended.
    Ended {
        /// Which.
        conversation: ConversationId,
        /// When.
        at: Timestamp,
    },
}

/// What is said of a conversation's silence, and what was done about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// After how long the customer is asked whether there is more.
    pub remind_after: Option<Millis>,
    /// After how long it has run out, where the flow says so.
    pub close_after: Option<Millis>,
    /// Whether the customer was asked since anybody last wrote.
    pub reminded: bool,
    /// Whether the answer that the customer waits for is known to be overdue.
    pub overdue: bool,
    /// Whether a robot has the conversation.
    pub robot: bool,
    /// Whether the robot has said something since the customer last wrote.
    pub robot_spoke: bool,
}

impl Silence {
    /// Whether a robot answered what the customer wrote last: that is answered, as long as it is the robot that has the conversation.
    #[must_use]
    pub const fn is_answered_by_robot(&self) -> bool {
        self.robot && self.robot_spoke
    }
}

/// What is asked of the agent who serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Since when they have the conversation.
    pub since: Timestamp,
    /// How long they have to accept; `None` once they did.
    pub accept_within: Option<Millis>,
    /// How long they may let the customer wait for an answer.
    pub answer_within: Option<Millis>,
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

/// The client ids that a sender used lately. A busy chat remembers thousands, and thousands of chats are in memory at a time; a
/// sorted queue takes half of what a tree takes for them, and ids mostly come in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SentMessages {
    /// What is remembered, in the order of the ids, which is that of their minting.
    by_client_id: VecDeque<(ClientMessageId, SentMessage)>,
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
    /// Who may see it, and so learns when it is taken back.
    pub visibility: Visibility,
    /// Whether it was taken back.
    pub recalled: bool,
}

impl OpenChat {
    /// What only a chat with a customer knows, if it is one.
    #[must_use]
    pub const fn service(&self) -> Option<&ServiceChat> {
        match &self.kind {
            ChatKind::Service(service) => Some(service),
            ChatKind::Group(_) => None,
        }
    }

    /// The life of a group thread, if it is one.
    #[must_use]
    pub const fn thread(&self) -> Option<GroupThread> {
        match &self.kind {
            ChatKind::Service(_) => None,
            ChatKind::Group(thread) => Some(*thread),
        }
    }

    /// The message that this sender posted under this client id, if it is remembered. What an anonymous customer posted is
    /// remembered of the account that they are now, and answered to both.
    #[must_use]
    pub fn sent_message(&self, sender: UserId, client_message: ClientMessageId) -> Option<&SentMessage> {
        let author = match &self.kind {
            ChatKind::Service(service) if service.customer_before == Some(sender) => service.customer,
            ChatKind::Service(_) | ChatKind::Group(_) => sender,
        };
        self.sent.get(&author)?.get(client_message)
    }
}

impl SentMessages {
    /// How many are remembered.
    #[must_use]
    pub fn count(&self) -> usize {
        self.by_client_id.len()
    }

    /// All that are remembered.
    pub(super) fn messages(&self) -> impl Iterator<Item = &SentMessage> {
        self.by_client_id.iter().map(|(_, sent)| sent)
    }

    /// Where it is, or where it would be. Ids grow with the time at which they were minted, so nearly all of them are the last or
    /// come after it, and thousands of others need not be looked at.
    fn place(&self, client_message: ClientMessageId) -> Result<usize, usize> {
        let count = self.count();
        match self.by_client_id.back().map(|(newest, _)| newest.cmp(&client_message)) {
            None | Some(Ordering::Less) => Err(count),
            Some(Ordering::Equal) => Ok(count - 1),
            Some(Ordering::Greater) => self.by_client_id.binary_search_by_key(&client_message, |(id, _)| *id),
        }
    }

    fn get(&self, client_message: ClientMessageId) -> Option<&SentMessage> {
        let place = self.place(client_message).ok()?;
        self.by_client_id.get(place).map(|(_, sent)| sent)
    }

    fn insert(&mut self, client_message: ClientMessageId, sent: SentMessage) {
        if self.by_client_id.len() == self.by_client_id.capacity() {
            // By a quarter instead of doubling: most chats stay as they are from here on.
            self.by_client_id.reserve_exact(self.by_client_id.len() / 4 + 4);
        }
        match self.place(client_message) {
            Ok(place) => self.by_client_id[place].1 = sent,
            Err(place) => self.by_client_id.insert(place, (client_message, sent)),
        }
    }

    /// Notes that a message was taken back.
    pub(super) fn recall(&mut self, message: MessageId) {
        if let Some((_, sent)) = self.by_client_id.iter_mut().find(|(_, sent)| sent.message == message) {
            sent.recalled = true;
        }
    }

    /// Remembers one more and forgets what is over the limits.
    pub(super) fn remember(&mut self, client_message: ClientMessageId, sent: SentMessage) {
        self.insert(client_message, sent);
        self.forget_beyond_limits(sent.at);
    }

    /// Remembers also what another account of the same person posted, so that a retry from either is recognised.
    pub(super) fn absorb(&mut self, other: Self, now: Timestamp) {
        self.floor = self.floor.max(other.floor);
        other.by_client_id.into_iter().for_each(|(client_message, sent)| self.insert(client_message, sent));
        self.forget_beyond_limits(now);
    }

    /// Whether nothing is remembered that the age limit alone would not refuse.
    pub(super) fn is_forgotten(&self, now: Timestamp) -> bool {
        let limit = now - CLIENT_IDS_KEPT_FOR;
        self.floor <= limit && self.by_client_id.back().is_none_or(|(newest, _)| minted_at(*newest) <= limit)
    }

    fn forget_beyond_limits(&mut self, now: Timestamp) {
        while let Some((oldest, _)) = self.by_client_id.front() {
            let minted = minted_at(*oldest);
            let expired = minted <= now - CLIENT_IDS_KEPT_FOR;
            if !expired && self.by_client_id.len() <= CLIENT_IDS_KEPT {
                break;
            }
            self.floor = self.floor.max(minted);
            self.by_client_id.pop_front();
        }
    }

    /// Ids minted at or before this instant are refused at `now`.
    pub(super) fn floor_at(&self, now: Timestamp) -> Timestamp {
        self.floor.max(now - CLIENT_IDS_KEPT_FOR)
    }

    /// The id before which another one would be forgotten as soon as it is remembered, if there is no room for it.
    pub(super) fn full_from(&self) -> Option<ClientMessageId> {
        let (oldest, _) = self.by_client_id.front().filter(|_| self.by_client_id.len() >= CLIENT_IDS_KEPT)?;
        Some(*oldest)
    }
}

/// When a client id was minted, by its own account.
pub(super) fn minted_at(client_message: ClientMessageId) -> Timestamp {
    Timestamp(client_message.minted_at_ms().and_then(|ms| i64::try_from(ms).ok()).unwrap_or(0))
}
