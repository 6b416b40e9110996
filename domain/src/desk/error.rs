//! Why a desk refuses.

use crate::ids::{ConversationId, GroupId, UserId};

/// The rule that refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// The desk does not have this conversation: it ended, or never waited.
    #[error("conversation {conversation} is not at the desk")]
    NotAtTheDesk {
        /// Which.
        conversation: ConversationId,
    },
    /// Somebody else owns it.
    #[error("this conversation is not yours any more")]
    NotYoursAnyMore {
        /// Who owns it.
        current: Option<UserId>,
    },
    /// The agent carries as many as they may.
    #[error("agent {agent} is at capacity")]
    AgentAtCapacity {
        /// Who.
        agent: UserId,
        /// Most at a time.
        limit: u32,
    },
    /// The agent is not on service, or not connected.
    #[error("agent {agent} is not available")]
    AgentNotAvailable {
        /// Who.
        agent: UserId,
    },
    /// Nobody picks from this queue: the desk gives.
    #[error("agents do not pick from the queue of {group}")]
    NotPicked {
        /// Whose queue.
        group: GroupId,
    },
    /// The agent does not serve the group.
    #[error("agent {agent} does not serve {group}")]
    OtherGroup {
        /// Who.
        agent: UserId,
        /// For whom the conversation waits.
        group: GroupId,
    },
    /// The tenant has too many conversations waiting.
    #[error("no more than {limit} conversations can be at the desk")]
    DeskFull {
        /// The limit.
        limit: usize,
    },
}
