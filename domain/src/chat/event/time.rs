//! What the passing of time brings to a conversation in its chat, as it is stored.

use serde::{Deserialize, Serialize};

use crate::ids::{ConversationId, UserId};
use crate::time::Millis;

/// The shop's flow says how long this conversation may be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleLimitsSet {
    /// Which.
    pub conversation: ConversationId,
    /// After how long the customer is asked whether there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_after: Option<Millis>,
    /// After how long it has run out; without it, after the tenant's limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_after: Option<Millis>,
}

/// A robot receives the customer: it is asked whatever they write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotEngaged {
    /// In which conversation.
    pub conversation: ConversationId,
}

/// The robot is asked no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotDismissed {
    /// In which conversation.
    pub conversation: ConversationId,
}

/// The robot is asked what the customer wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionAsked {
    /// In which conversation.
    pub conversation: ConversationId,
    /// Its place in the chat.
    pub seq: u64,
}

/// Nobody wrote for a while, and no answer is due: the customer shall be asked whether there is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleReminded {
    /// Which.
    pub conversation: ConversationId,
}

/// The customer has waited for an answer beyond the tenant's limit of silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerOverdue {
    /// Which.
    pub conversation: ConversationId,
}

/// The agent who got the conversation said that they have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentAccepted {
    /// Which.
    pub conversation: ConversationId,
    /// Who.
    pub agent: UserId,
    /// Under which assignment.
    pub assignment: u64,
}

/// What an agent did not do in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Omission {
    /// They did not accept.
    NotAccepted,
    /// They did not answer a waiting customer.
    NotAnswered,
}

/// The agent let their time pass: the desk shall find another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentTimedOut {
    /// Which.
    pub conversation: ConversationId,
    /// Who.
    pub agent: UserId,
    /// Under which assignment.
    pub assignment: u64,
    /// What they did not do.
    pub reason: Omission,
}
