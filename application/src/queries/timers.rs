//! What the passing of time will bring about.

use domain::ids::{ChatId, ConversationId, EventId, GroupId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a timer will ask for when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TimerName {
    /// Silence has lasted for the limit, or the customer has waited for an answer beyond it.
    IdleExpiry {
        /// Where.
        chat: ChatId,
        /// In which conversation.
        conversation: ConversationId,
    },
    /// The customer may be asked whether there is more.
    IdleReminder {
        /// Where.
        chat: ChatId,
        /// In which conversation.
        conversation: ConversationId,
    },
    /// The agent should have accepted, or answered.
    Assignment {
        /// Where.
        chat: ChatId,
        /// Under which assignment.
        assignment: u64,
    },
    /// The customer who waits may be told that it takes longer.
    Busy {
        /// In which conversation.
        conversation: ConversationId,
        /// Which of the flow's notices.
        notice: u32,
    },
    /// The customer has waited so long that they leave a message.
    LeaveMessage {
        /// In which conversation.
        conversation: ConversationId,
    },
    /// The customer has waited too long for this group.
    Overflow {
        /// In which conversation.
        conversation: ConversationId,
        /// For which group.
        group: GroupId,
    },
}

/// A timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerRow {
    /// When.
    pub due_at: Timestamp,
    /// The event that set it; its firing is a command derived from it.
    pub cause: EventId,
    /// What for.
    pub name: TimerName,
}
