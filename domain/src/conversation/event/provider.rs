//! What providers say of conversations that they have, as it is stored.

use serde::{Deserialize, Serialize};

use crate::ids::{ChatId, UserId};

/// The provider that has the conversation said how it stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderAnswered {
    /// The chat it runs in.
    pub chat: ChatId,
    /// The provider.
    pub agent: UserId,
    /// Under which assignment.
    pub assignment: u64,
    /// How it stands.
    pub answer: ProviderAnswer,
}

/// How a conversation stands at a provider's desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderAnswer {
    /// Somebody has it.
    Accepted,
    /// It waits in a queue there, at this place, from 1.
    Queueing(u32),
}
