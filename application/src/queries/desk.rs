//! How a desk stands right now.

use domain::desk::event::QueueKind;
use domain::ids::{ChatId, ConversationId, GroupId, UserId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its chat.
    pub chat: ChatId,
    /// The group.
    pub group: GroupId,
    /// The queue.
    pub queue: QueueKind,
    /// Smaller is served first.
    pub priority: u8,
    /// Since when.
    pub enqueued_at: Timestamp,
}

/// An agent as the desk sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    /// Who.
    pub agent: UserId,
    /// Takes conversations.
    pub on_service: bool,
    /// Connected.
    pub online: bool,
    /// Most at a time.
    pub capacity: u32,
    /// Conversations now.
    pub carries: Vec<ConversationId>,
    /// The groups they serve.
    pub groups: Vec<GroupId>,
}

/// How a group stands right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardRow {
    /// The group.
    pub group: GroupId,
    /// Conversations that wait for it, without left messages.
    pub waiting: u64,
    /// Messages that were left for it and that nobody has taken up.
    pub left_messages: u64,
    /// Since when the one waits that has waited longest. An instant; an age is computed when it is shown.
    pub oldest_at: Option<Timestamp>,
    /// Agents who serve it, on service or not.
    pub agents: u64,
    /// Of them, those who take conversations and are connected.
    pub on_service: u64,
    /// Conversations that those could take at once.
    pub free_slots: u64,
    /// Its conversations that somebody serves.
    pub in_service: u64,
}

impl BoardRow {
    /// A group where nobody waits and nobody serves.
    #[must_use]
    pub const fn empty(group: GroupId) -> Self {
        Self { group, waiting: 0, left_messages: 0, oldest_at: None, agents: 0, on_service: 0, free_slots: 0, in_service: 0 }
    }
}
