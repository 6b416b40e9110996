//! A platform campaign: one message to many customers of a shop, said in each one's own chat, throttled, stopped and taken up again.
//!
//! One stream per campaign. Who gets it is listed before it starts and never changed afterwards; how far it is, is a fact now and
//! then. It must not know chats: that a message is posted once, whatever is repeated, is the chat's rule.

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

/// The decider of one campaign.
#[derive(Clone, Copy, Debug)]
pub struct Campaign;

impl Decider for Campaign {
    type Command = command::CampaignCommand;
    type Event = event::CampaignEvent;
    type State = state::CampaignState;
    type Error = error::CampaignError;

    fn decide(command: &Self::Command, state: &Self::State, at: Timestamp) -> Result<Vec<Self::Event>, Self::Error> {
        decide::decide(command, state, at)
    }

    fn evolve(state: &mut Self::State, event: &Self::Event, at: Timestamp) {
        evolve::evolve(state, event, at);
    }
}
