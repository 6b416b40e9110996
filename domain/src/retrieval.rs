//! What a tenant lets be looked up: the articles from which its robot answers.
//!
//! One stream per tenant. An article is known by the name that the tenant's own systems give it; the words of all of them are
//! private, and nothing is decided by what they say.

pub mod command;
pub mod decide;
pub mod error;
pub mod event;
pub mod evolve;
pub mod state;

#[cfg(test)]
mod tests;

use crate::decider::Decider;
use crate::time::Timestamp;

/// The decider of a tenant's articles.
#[derive(Clone, Copy, Debug)]
pub struct Retrieval;

impl Decider for Retrieval {
    type Command = command::RetrievalCommand;
    type Event = event::RetrievalEvent;
    type State = state::RetrievalState;
    type Error = error::RetrievalError;

    fn decide(command: &Self::Command, state: &Self::State, _at: Timestamp) -> Result<Vec<Self::Event>, Self::Error> {
        decide::decide(command, state)
    }

    fn evolve(state: &mut Self::State, event: &Self::Event, _at: Timestamp) {
        evolve::evolve(state, event);
    }
}
