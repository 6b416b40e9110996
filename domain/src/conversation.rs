//! One service session inside a chat: received, handed to humans, served, rated, closed, reopened.
//!
//! The conversation follows the desk: it must not choose agents, know queues, or judge capacity.

pub mod command;
pub(crate) mod decide;
pub mod error;
pub mod event;
mod evolve;
pub mod state;
#[cfg(test)]
mod tests;
pub mod ticket;

use crate::decider::Decider;
use crate::time::Timestamp;

type Decided = Result<Vec<event::ConversationEvent>, error::ConversationError>;

/// The conversation aggregate.
pub struct Conversation;

impl Decider for Conversation {
    type Command = command::ConversationCommand;
    type Event = event::ConversationEvent;
    type State = state::ConversationState;
    type Error = error::ConversationError;

    fn decide(command: &Self::Command, state: &Self::State, _at: Timestamp) -> Result<Vec<Self::Event>, Self::Error> {
        decide::decide(command, state)
    }

    fn evolve(state: &mut Self::State, event: &Self::Event, _at: Timestamp) {
        evolve::evolve(state, event);
    }
}
