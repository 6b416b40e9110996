//! Why a conversation refuses.

use crate::ids::UserId;
use crate::labels::Label;

/// The rule that refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// No such conversation.
    #[error("conversation was never opened")]
    NotOpened,
    /// It exists in another chat or for another customer.
    #[error("conversation belongs to another chat")]
    BelongsToAnother,
    /// It ended.
    #[error("conversation is closed")]
    Closed,
    /// It is not theirs to end or to rate.
    #[error("conversation does not belong to this customer")]
    NotTheCustomer,
    /// Another agent has it, or none.
    #[error("this conversation is not yours any more")]
    NotYoursAnyMore {
        /// Who has it.
        current: Option<UserId>,
    },
    /// The shop's flow has no button for a human.
    #[error("this shop does not let its customers ask for a human by a button")]
    NoButton,
    /// No human has served yet.
    #[error("nobody has served yet, so there is nothing to rate")]
    NothingToRate,
    /// This human session was rated.
    #[error("this service was already rated")]
    AlreadyRated,
    /// The score is no score.
    #[error("a score is 1 to 5, not {score}")]
    InvalidScore {
        /// What was given.
        score: u8,
    },
    /// Nobody left a message in it.
    #[error("nobody left a message in this conversation, so it has no ticket")]
    NoTicket,
    /// Its ticket changed too often.
    #[error("a ticket changes {limit} times at most")]
    TooManyTicketChanges {
        /// How often.
        limit: usize,
    },
    /// The shop's flow offers other tags.
    #[error("the tag `{tag}` is not among those that this shop offers")]
    TagNotOffered {
        /// Which.
        tag: Label,
    },
    /// The message is none of the robot's, or of another conversation.
    #[error("this message is no answer of the robot in this conversation")]
    NotAnAnswer,
    /// The answer was rated.
    #[error("this answer was already rated")]
    AnswerAlreadyRated,
    /// Nobody rates so many in earnest.
    #[error("no more than {limit} answers of a conversation are rated")]
    TooManyAnswersRated {
        /// How many.
        limit: usize,
    },
    /// Too many tags, or too long a comment.
    #[error("rating has more than {limit} of {what}")]
    RatingTooLong {
        /// Which part.
        what: &'static str,
        /// Its limit.
        limit: usize,
    },
}
