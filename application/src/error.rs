//! Why a command was not carried out: refused by a rule, to be tried again, or broken.

use domain::campaign::error::CampaignError;
use domain::chat::error::ChatError;
use domain::conversation::error::ConversationError;
use domain::desk::error::DeskError;
use domain::retrieval::error::RetrievalError;
use domain::tenant::error::TenantError;
use domain::user::error::UserError;

/// The rule of an aggregate that refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// A chat's.
    #[error(transparent)]
    Chat(#[from] ChatError),
    /// A conversation's.
    #[error(transparent)]
    Conversation(#[from] ConversationError),
    /// A user's.
    #[error(transparent)]
    User(#[from] UserError),
    /// A desk's.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// A tenant's.
    #[error(transparent)]
    Tenant(#[from] TenantError),
    /// A campaign's.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// By a tenant's articles.
    #[error(transparent)]
    Retrieval(#[from] RetrievalError),
}

/// Why a command has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// A rule refused; trying again changes nothing.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The same idempotency key came with another content.
    #[error("this idempotency key was used for another request")]
    IdempotencyMismatch,
    /// The command was sent to a stream of another aggregate: a fault of this program.
    #[error("command does not fit the stream {stream}")]
    WrongStream {
        /// The stream's name.
        stream: String,
    },
    /// Too much is waiting; try again in a moment.
    #[error("too much is waiting for tenant")]
    Busy,
    /// The tenant's people post more messages than it may; try again in a moment.
    #[error("the tenant posts more messages a second than it may")]
    OverQuota,
    /// Other writers were faster too often; try again.
    #[error("the aggregate changed too often meanwhile")]
    Contended,
    /// The log cannot be written or read now. Certainly not carried out.
    #[error("event log is unavailable: {reason}")]
    Unavailable {
        /// The engine's words.
        reason: String,
    },
    /// Nobody knows yet whether it was carried out: repeat it with the same id.
    #[error("it is unknown whether the command was carried out; repeat it with the same key")]
    InDoubt,
    /// The log is damaged at this place.
    #[error("event log is damaged at {place}")]
    Damaged {
        /// File, record and offset.
        place: String,
    },
    /// There is no key to seal what is said to this person, and none was destroyed: the key store is not that of this log.
    #[error("the key of this person is missing")]
    KeyMissing,
    /// The aggregate was ended for good.
    #[error("gone")]
    Gone,
    /// The person was erased: nothing can be sealed for them any more.
    #[error("the person was erased")]
    Erased,
    /// The command's events are over the limit of a commit.
    #[error("the command is too large")]
    TooLarge,
    /// This process does not own the tenant's shard (any more).
    #[error("not the owner of this shard")]
    NotOwner,
    /// The process is shutting down.
    #[error("shutting down")]
    ShuttingDown,
}

impl CommandError {
    /// Whether the same command may well be carried out later. What may not pass stays as it is however often it is asked.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Busy
            | Self::OverQuota
            | Self::Contended
            | Self::Unavailable { .. }
            | Self::KeyMissing
            | Self::InDoubt
            | Self::NotOwner
            | Self::ShuttingDown => true,
            Self::Refused(_)
            | Self::IdempotencyMismatch
            | Self::WrongStream { .. }
            | Self::Damaged { .. }
            | Self::Gone
            | Self::Erased
            | Self::TooLarge => false,
        }
    }
}
