//! Ratings: of the agent who served, and of single answers of the robot. What a flow says of them comes with the command.

use super::Decided;
use crate::conversation::command::Rating;
use crate::conversation::error::ConversationError;
use crate::conversation::event::{AnswerRated, ConversationRated, HumanReason, HumanWanted, RatingComment, RatingInvited};
use crate::conversation::state::{ConversationState, Session, Stage};
use crate::ids::UserId;
use crate::message::Party;
use crate::private::Private;

/// Most tags of a rating.
pub const TAGS_MAX: usize = 16;
/// Longest comment in bytes.
pub const COMMENT_BYTES_MAX: usize = 4 * 1024;
/// Most answers of the robot that are rated in one conversation, because their places stay in the state.
pub const ANSWERS_RATED_MAX: usize = 1_000;

pub(super) fn invite(state: &ConversationState, by: Party) -> Decided {
    let session = state.session().ok_or(ConversationError::NotOpened)?;
    let (_, assignment) = session.last_served.ok_or(ConversationError::NothingToRate)?;
    if session.rated == Some(assignment) {
        return Err(ConversationError::AlreadyRated);
    }
    if session.invited == Some(assignment) {
        return Ok(vec![]);
    }
    Ok(vec![RatingInvited { chat: session.chat, by }.into()])
}

pub(super) fn rate(state: &ConversationState, rating: &Rating) -> Decided {
    let session = of_customer(state, rating.by)?;
    check_score(rating.score)?;
    check_words(rating)?;
    let (agent, assignment) = session.last_served.ok_or(ConversationError::NothingToRate)?;
    if session.rated == Some(assignment) {
        return Err(ConversationError::AlreadyRated);
    }
    Ok(vec![
        ConversationRated {
            chat: session.chat,
            by: rating.by,
            agent,
            score: rating.score,
            tags: rating.tags.clone(),
            solved: rating.solved,
            invited: session.invited == Some(assignment),
            private: Private::Known(RatingComment { comment: rating.comment.clone() }),
        }
        .into(),
    ])
}

/// A bad one brings a human, for as long as the robot has the conversation; later there is nobody to take it from.
pub(super) fn rate_answer(state: &ConversationState, by: UserId, answer: Option<u64>, score: u8, bad_at_most: Option<u8>) -> Decided {
    let session = of_customer(state, by)?;
    check_score(score)?;
    let seq = answer.ok_or(ConversationError::NotAnAnswer)?;
    if session.answers_rated.contains(&seq) {
        return Err(ConversationError::AnswerAlreadyRated);
    }
    if session.answers_rated.len() >= ANSWERS_RATED_MAX {
        return Err(ConversationError::TooManyAnswersRated { limit: ANSWERS_RATED_MAX });
    }
    let mut events = vec![AnswerRated { chat: session.chat, seq, by, score }.into()];
    let has_robot = matches!(state, ConversationState::Open { stage: Stage::Reception, .. }) && session.robot.is_some();
    if has_robot && !session.human_wanted && bad_at_most.is_some_and(|most| score <= most) {
        events.push(HumanWanted { chat: session.chat, reason: HumanReason::BadRating }.into());
    }
    Ok(events)
}

fn of_customer(state: &ConversationState, by: UserId) -> Result<&Session, ConversationError> {
    let session = state.session().ok_or(ConversationError::NotOpened)?;
    if session.customer == by { Ok(session) } else { Err(ConversationError::NotTheCustomer) }
}

fn check_score(score: u8) -> Result<(), ConversationError> {
    if (1..=5).contains(&score) { Ok(()) } else { Err(ConversationError::InvalidScore { score }) }
}

fn check_words(rating: &Rating) -> Result<(), ConversationError> {
    if rating.tags.len() > TAGS_MAX {
        return Err(ConversationError::RatingTooLong { what: "tags", limit: TAGS_MAX });
    }
    if rating.comment.len() > COMMENT_BYTES_MAX {
        return Err(ConversationError::RatingTooLong { what: "bytes in the comment", limit: COMMENT_BYTES_MAX });
    }
    match rating.tags.iter().find(|tag| !rating.choices.is_empty() && !rating.choices.contains(tag)) {
        Some(tag) => Err(ConversationError::TagNotOffered { tag: tag.clone() }),
        None => Ok(()),
    }
}
