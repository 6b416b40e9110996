//! What a robot elsewhere is told of a question, and what it may answer.

use domain::conversation::event::EntryPage;
use domain::ids::{AttachmentId, ChatId, ConversationId, ShopId};
use domain::labels::Language;
use domain::message::{Category, Kind};
use domain::tenant::event::RobotUse;
use domain::time::Millis;
use uuid::Uuid;

use crate::http::error::ApiError;
use crate::outgoing::SendError;

/// Something that was said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its place in the chat.
    pub seq: u64,
    /// By whom.
    pub from: Category,
    /// What it is.
    pub kind: Kind,
    /// The words.
    pub text: String,
    /// The attachment that it shows.
    pub attachment: Option<AttachmentId>,
}

/// A question.
#[derive(Clone, Debug)]
pub struct Asking {
    /// Its id: the same however often it is asked.
    pub id: Uuid,
    /// What the answer is for.
    pub purpose: RobotUse,
    /// The conversation.
    pub conversation: ConversationId,
    /// Its chat.
    pub chat: ChatId,
    /// The shop.
    pub shop: ShopId,
    /// The page from which they came.
    pub entry: EntryPage,
    /// The customer's language, if it is known.
    pub language: Option<Language>,
    /// Its place in the chat.
    pub seq: u64,
    /// What it is.
    pub kind: Kind,
    /// The words.
    pub text: String,
    /// What was said before, oldest first: what the customer can see of this conversation, the last of it.
    pub history: Vec<Turn>,
}

/// What a robot answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// An answer.
    Words {
        /// What is said.
        words: String,
        /// How sure it is, in percent.
        confidence: u8,
        /// Questions to go on with.
        hints: Vec<String>,
    },
    /// It does not know.
    Unknown {
        /// Questions that come near.
        hints: Vec<String>,
    },
    /// A human should have them.
    GiveWay,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RobotError {
    /// It failed too often, and is left alone for now.
    #[error("the robot rests, because it failed too often")]
    Resting,
    /// Too much of the tenant is asked at a time.
    #[error("too many questions are asked at a time")]
    Busy,
    /// It took too long.
    #[error("the robot did not answer within {} ms", time_out.0)]
    TimedOut {
        /// How long it may.
        time_out: Millis,
    },
    /// It cannot be asked, or says too much.
    #[error(transparent)]
    Send(#[from] SendError),
    /// It refuses.
    #[error("the robot answers {0}")]
    Status(axum::http::StatusCode),
    /// It says something that is no answer.
    #[error("the robot's answer makes no sense: {0}")]
    Garbage(&'static str),
    /// It has no secret with which it could be asked.
    #[error("the robot has no secret")]
    WithoutSecret,
    /// What is known of it cannot be read.
    #[error("what is known of the robot cannot be read")]
    LookUp(#[source] Box<ApiError>),
}

impl RobotError {
    /// Whether the robot is to blame, as against this server.
    #[must_use]
    pub const fn is_its_fault(&self) -> bool {
        match self {
            Self::Resting | Self::Busy | Self::WithoutSecret | Self::LookUp(_) => false,
            Self::TimedOut { .. } | Self::Send(_) | Self::Status(_) | Self::Garbage(_) => true,
        }
    }
}
