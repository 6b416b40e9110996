//! The shape every aggregate has: state, command and time in; events or a refusal out.
//!
//! After Jérémie Chassaing, "Functional Event Sourcing Decider".

use crate::time::Timestamp;

/// One aggregate as three pure functions.
pub trait Decider {
    /// What may be asked.
    type Command;
    /// What has happened.
    type Event;
    /// What `decide` needs to know of the past, and nothing more.
    type State: Clone + Default;
    /// Which rule refused.
    type Error: std::error::Error;

    /// Answers a command given at `at` with new facts. Already true is `Ok(vec![])`; not allowed is `Err`.
    ///
    /// # Errors
    /// The rule that refuses.
    fn decide(command: &Self::Command, state: &Self::State, at: Timestamp) -> Result<Vec<Self::Event>, Self::Error>;

    /// Takes a fact that happened at `at` into the state. Never refuses and never panics: history has happened.
    fn evolve(state: &mut Self::State, event: &Self::Event, at: Timestamp);
}
