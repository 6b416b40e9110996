//! Which rule of the campaign refused.

use crate::campaign::event::Place;
use crate::message::ContentRefused;

/// Why a command to a campaign was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CampaignError {
    /// There is no such campaign.
    #[error("there is no such campaign")]
    Unwritten,
    /// Another campaign has this id.
    #[error("the campaign is written already, and says something else")]
    WrittenOtherwise,
    /// What it says cannot be posted.
    #[error(transparent)]
    Content(#[from] ContentRefused),
    /// The pace is zero or above its maximum.
    #[error("per_second must be between 1 and {max}, not {per_second}")]
    PaceOutOfRange {
        /// What was asked for.
        per_second: u32,
        /// The largest allowed.
        max: u32,
    },
    /// The list is closed when the campaign begins: it is what the campaign is judged by.
    #[error("recipients are listed before a campaign starts")]
    NotADraft,
    /// Nobody, or too many, in one addition.
    #[error("1 to {max} recipients are added at a time")]
    PartSize {
        /// The largest addition.
        max: usize,
    },
    /// Too many on the list.
    #[error("a campaign has at most {max} recipients")]
    TooManyRecipients {
        /// The limit.
        max: u64,
    },
    /// Nobody would hear it.
    #[error("the campaign has no recipients")]
    NoRecipients,
    /// It is over.
    #[error("the campaign is over")]
    Over,
    /// What has not begun is not paused.
    #[error("the campaign has not started")]
    NotStarted,
    /// Chats would not remember what was posted first.
    #[error("the campaign began too long ago; what is left needs a new one")]
    TookTooLong,
    /// Somebody else carried it on.
    #[error("the campaign is at part {}, offset {}", place.part, place.offset)]
    ElsewhereAlready {
        /// How far it is.
        place: Place,
    },
    /// Such a place is not behind the noted one, or not on the list.
    #[error("a campaign goes on, within its list, by as many as were counted")]
    NotOnward,
}
