//! Customers, agents, supervisors and machines: who they are, where they are signed in, whether they serve.
//!
//! One stream per user. Connections are signals and stay outside; that somebody can be reached is a fact and is in here. What a
//! role may do is decided in `application::access`, who gets which conversation by the desk.

pub mod abilities;
mod block;
pub mod command;
pub mod decide;
pub mod describe;
pub mod error;
pub mod event;
pub mod evolve;
pub mod state;

#[cfg(test)]
mod tests;

use crate::decider::Decider;
use crate::time::Timestamp;

/// The decider of one user.
#[derive(Clone, Copy, Debug)]
pub struct User;

impl Decider for User {
    type Command = command::UserCommand;
    type Event = event::UserEvent;
    type State = state::UserState;
    type Error = error::UserError;

    fn decide(command: &Self::Command, state: &Self::State, at: Timestamp) -> Result<Vec<Self::Event>, Self::Error> {
        decide::decide(command, state, at)
    }

    fn evolve(state: &mut Self::State, event: &Self::Event, at: Timestamp) {
        evolve::evolve(state, event, at);
    }
}
