//! Chats and their members, as the read models answer them.

use domain::chat::permissions::Permissions;
use domain::ids::{ChatId, ConversationId, ShopId, UserId};
use domain::labels::Label;
use domain::message::{ChatRole, Visibility};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::EventRef;

/// A member of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: ChatRole,
    /// Read up to here.
    pub read_seq: u64,
    /// And up to here as far as those know who see no notes.
    pub shown_seq: u64,
    /// Their part in a group thread.
    pub participant: Option<ParticipantRow>,
}

impl MemberRow {
    /// The last place that they do not see.
    #[must_use]
    pub fn floor(&self) -> u64 {
        self.participant.as_ref().map_or(0, |participant| participant.floor)
    }

    /// Whether they have read the message at a place: one that they never saw they have not.
    #[must_use]
    pub fn has_read(&self, seq: u64) -> bool {
        self.floor() < seq && seq <= self.read_seq
    }
}

/// A member's part in a group thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantRow {
    /// What they are to the others.
    pub label: Label,
    /// What they may do.
    pub permissions: Permissions,
    /// The last place that was said before they came.
    pub floor: u64,
    /// They do not want to be notified.
    pub muted: bool,
    /// They put the thread aside.
    pub archived: bool,
}

/// A message that uses an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentPlace {
    /// Its place in the chat.
    pub seq: u64,
    /// Who may see it.
    pub visibility: Visibility,
}

/// The messages that use an attachment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentUses {
    /// Their chat.
    pub chat: ChatId,
    /// They, in their order; of a great many the last ones.
    pub places: Vec<AttachmentPlace>,
}

/// With whom a chat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatRowKind {
    /// Between a customer and a shop.
    Service {
        /// The shop.
        shop: ShopId,
        /// The customer.
        customer: UserId,
    },
    /// A group thread.
    Group(ThreadRow),
}

/// A group thread, beside what every chat has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadRow {
    /// Where its title is.
    pub title: EventRef,
    /// Who owns it; nobody any more once it was dissolved.
    pub owner: Option<UserId>,
    /// Since when it exists.
    pub created_at: Timestamp,
}

/// A chat and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRow {
    /// Its id.
    pub chat: ChatId,
    /// With whom it is.
    pub kind: ChatRowKind,
    /// Everybody who takes part now.
    pub members: Vec<MemberRow>,
    /// Place of the last message.
    pub last_seq: u64,
    /// Place of the last message that everybody may see.
    pub last_shown_seq: u64,
    /// Where the last message that everybody may see is.
    pub last_message: Option<EventRef>,
    /// When it was posted.
    pub last_message_at: Option<Timestamp>,
    /// The open conversation.
    pub conversation: Option<ConversationId>,
    /// The last conversation, open or ended.
    pub last_conversation: Option<ConversationId>,
}

impl ChatRow {
    /// The shop, if it is a chat with a customer.
    #[must_use]
    pub const fn shop(&self) -> Option<ShopId> {
        match self.kind {
            ChatRowKind::Service { shop, .. } => Some(shop),
            ChatRowKind::Group(_) => None,
        }
    }

    /// The customer, if it is a chat with one.
    #[must_use]
    pub const fn customer(&self) -> Option<UserId> {
        match self.kind {
            ChatRowKind::Service { customer, .. } => Some(customer),
            ChatRowKind::Group(_) => None,
        }
    }

    /// What only a group thread has, if it is one.
    #[must_use]
    pub const fn thread(&self) -> Option<&ThreadRow> {
        match &self.kind {
            ChatRowKind::Service { .. } => None,
            ChatRowKind::Group(thread) => Some(thread),
        }
    }

    /// A member.
    #[must_use]
    pub fn member(&self, user: UserId) -> Option<&MemberRow> {
        self.members.iter().find(|member| member.user == user)
    }
}
