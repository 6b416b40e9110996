//! What providers say of conversations that they have, as it is stored.

use serde::{Deserialize, Serialize};

use crate::ids::{ChatId, UserId};
use crate::private::Private;
use crate::remark::Remark;

/// How a conversation stands at the provider that was given it became known.
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
    /// Under which name, and why.
    #[serde(skip)]
    pub private: Private<ProviderWords>,
}

/// How a conversation stands at a provider's desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderAnswer {
    /// Somebody has it.
    Accepted,
    /// It waits in a queue there, at this place, from 1.
    Queueing(u32),
    /// Nobody there will have it.
    Refused,
    /// The provider could not be told of it, or said nothing that makes sense.
    Failed,
    /// The provider was not told of it: it failed too often, and is left alone for a while.
    Resting,
}

impl ProviderAnswer {
    /// Whether it is the provider's for now; otherwise somebody else is to have it.
    #[must_use]
    pub const fn keeps_it(self) -> bool {
        match self {
            Self::Accepted | Self::Queueing(_) => true,
            Self::Refused | Self::Failed | Self::Resting => false,
        }
    }
}

/// What goes with a provider's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderWords {
    /// Its name for customers, as it stood then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why nobody there will have it; for the eyes of staff alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Remark>,
}
