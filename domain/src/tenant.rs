//! A company on the platform: its shops, reception groups, API keys, limits, channels, flows, robots, providers, and an operator's decisions about its consumers.
//!
//! One stream per tenant. It must not know people (they are users) or who serves whom (that is the desk's).

pub mod blocks;
pub mod command;
pub mod decide;
pub mod error;
pub mod event;
pub mod evolve;
pub mod flows;
pub mod providers;
pub mod robots;
pub mod state;

#[cfg(test)]
mod tests;

use crate::decider::Decider;
use crate::time::Timestamp;

/// The decider of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Tenant;

impl Decider for Tenant {
    type Command = command::TenantCommand;
    type Event = event::TenantEvent;
    type State = state::TenantState;
    type Error = error::TenantError;

    fn decide(command: &Self::Command, state: &Self::State, at: Timestamp) -> Result<Vec<Self::Event>, Self::Error> {
        decide::decide(command, state, at)
    }

    fn evolve(state: &mut Self::State, event: &Self::Event, at: Timestamp) {
        evolve::evolve(state, event, at);
    }
}
