//! What a provider says of a conversation that the desk gave it.

use crate::conversation::Decided;
use crate::conversation::error::ConversationError;
use crate::conversation::event::{ProviderAnswer, ProviderAnswered, ProviderWords};
use crate::conversation::state::{ConversationState, Stage};
use crate::ids::UserId;
use crate::private::Private;

/// Only whoever has it says how it stands.
pub(super) fn note(state: &ConversationState, agent: UserId, assignment: u64, answer: ProviderAnswer, words: &ProviderWords) -> Decided {
    let current = match state {
        ConversationState::Unopened => return Err(ConversationError::NotOpened),
        ConversationState::Closed { .. } => None,
        ConversationState::Open { session, stage: Stage::Serving { agent: serving, assignment: current } } => {
            if (agent, assignment) == (*serving, *current) {
                let private = Private::Known(words.clone());
                let answered = ProviderAnswered { chat: session.chat, agent, assignment, answer, private };
                return Ok(is_news(session.provider_answer, answer)?.then(|| answered.into()).into_iter().collect());
            }
            Some(*serving)
        }
        ConversationState::Open { stage: Stage::Reception | Stage::Waiting { .. }, .. } => None,
    };
    Err(ConversationError::NotYoursAnyMore { current })
}

/// What was accepted queues no more, whatever comes late, but may be given back. What was given back is not its own any more,
/// although the desk may not have taken it back yet.
fn is_news(before: Option<ProviderAnswer>, answer: ProviderAnswer) -> Result<bool, ConversationError> {
    use ProviderAnswer::{Accepted, Failed, Queueing, Refused, Resting};
    match (before, answer) {
        (None, _) => Ok(true),
        // What the provider said itself counts for more than that it could not be told.
        (Some(_), Failed | Resting) | (Some(Refused | Failed | Resting), Refused) => Ok(false),
        (Some(Refused | Failed | Resting), Accepted | Queueing(_)) => Err(ConversationError::NotYoursAnyMore { current: None }),
        (Some(Accepted), Accepted | Queueing(_)) => Ok(false),
        (Some(Queueing(before)), Queueing(after)) => Ok(before != after),
        (Some(Accepted | Queueing(_)), Refused) | (Some(Queueing(_)), Accepted) => Ok(true),
    }
}
