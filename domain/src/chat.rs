//! What is said: members, messages, receipts. Between a customer and a shop, where it is also decided which conversation is
//! open; or in a group thread, whose members decide who is in it.
//!
//! A chat outlives its conversations and is the authority on its message sequence and on the one open conversation. It must
//! not know queues, capacity or who should answer: it follows the desk's assignments.

pub mod command;
pub mod contact;
mod decide;
pub mod error;
pub mod event;
mod evolve;
pub mod notes;
pub mod permissions;
pub mod state;
#[cfg(test)]
mod tests;

use crate::decider::Decider;
use crate::time::Timestamp;

/// The chat aggregate.
pub struct Chat;

impl Decider for Chat {
    type Command = command::ChatCommand;
    type Event = event::ChatEvent;
    type State = state::ChatState;
    type Error = error::ChatError;

    fn decide(command: &Self::Command, state: &Self::State, at: Timestamp) -> Result<Vec<Self::Event>, Self::Error> {
        decide::decide(command, state, at)
    }

    fn evolve(state: &mut Self::State, event: &Self::Event, at: Timestamp) {
        evolve::evolve(state, event, at);
    }
}
