//! One tenant's dispatch: who waits, who serves, who may take more. The only authority on who owns a conversation.
//!
//! Its invariants hold after every command (which is one commit): one owner at a time; no assignment is made above
//! capacity; nobody waits while an eligible agent has a free slot; an agent takes the smallest (priority, original enqueue
//! time) over all of their groups. The desk must not know messages, texts or connections.

pub mod choose;
pub mod command;
mod decide;
pub mod error;
pub mod event;
mod evolve;
mod lines;
mod roster;
pub mod rules;
pub mod state;
#[cfg(test)]
mod tests;

use crate::decider::Decider;
use crate::time::Timestamp;

/// The desk aggregate.
pub struct Desk;

impl Decider for Desk {
    type Command = command::DeskCommand;
    type Event = event::DeskEvent;
    type State = state::DeskState;
    type Error = error::DeskError;

    fn decide(command: &Self::Command, state: &Self::State, at: Timestamp) -> Result<Vec<Self::Event>, Self::Error> {
        decide::decide(command, state, at)
    }

    fn evolve(state: &mut Self::State, event: &Self::Event, _at: Timestamp) {
        evolve::evolve(state, event);
    }
}
