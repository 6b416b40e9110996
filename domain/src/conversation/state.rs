//! What a conversation needs to remember in order to decide.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::event::ProviderAnswer;
use super::ticket::Ticket;
use crate::flow::FlowVersion;
use crate::ids::{ChatId, GroupId, ShopId, TaskId, UserId};
use crate::labels::Label;

/// A conversation's life.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum ConversationState {
    /// Nobody opened it.
    #[default]
    Unopened,
    /// It runs.
    Open {
        /// What stays through the stages.
        session: Session,
        /// Where it stands.
        stage: Stage,
    },
    /// It ended; it may be rated, and reopened.
    Closed {
        /// What stays through the stages.
        session: Session,
    },
}

/// Where an open conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// The reception flow has it: a robot, or nobody yet.
    Reception,
    /// It waits for a human.
    Waiting {
        /// Of this group.
        group: GroupId,
    },
    /// A human has it.
    Serving {
        /// Who.
        agent: UserId,
        /// Under which assignment.
        assignment: u64,
    },
}

/// A robot that receives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robot {
    /// Its name among the tenant's seats.
    pub name: Label,
    /// The place of what it last did something with.
    pub answered_seq: u64,
    /// How many answers on end it did not know.
    pub unknown: u32,
    /// Whether the customer cannot ask for a human by the button.
    pub without_button: bool,
}

/// What stays through the stages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The chat it runs in.
    pub chat: ChatId,
    /// The shop.
    pub shop: ShopId,
    /// The customer.
    pub customer: UserId,
    /// The problem, from the first hand-off until the last agent ends it.
    pub task: Option<TaskId>,
    /// The group that was asked last.
    pub group: Option<GroupId>,
    /// The version of the flow that sent it to the humans.
    pub flow: Option<FlowVersion>,
    /// The robot that has it, and how it fares.
    pub robot: Option<Robot>,
    /// Whether a human is wanted, and nobody was asked for one yet.
    pub human_wanted: bool,
    /// How many notices of waiting were told since it was handed off.
    pub told_to_wait: u32,
    /// Whether it is answered like a left message.
    pub left_message: bool,
    /// The agent who served last, and under which assignment.
    pub last_served: Option<(UserId, u64)>,
    /// How it stands at the provider that has it.
    pub provider_answer: Option<ProviderAnswer>,
    /// The largest assignment number seen.
    pub last_assignment: u64,
    /// The assignment whose service was rated.
    pub rated: Option<u64>,
    /// The assignment for whose service a rating was invited.
    pub invited: Option<u64>,
    /// The places of the robot's answers that were rated.
    pub answers_rated: BTreeSet<u64>,
    /// Its ticket, once a message was left.
    pub ticket: Option<Ticket>,
    /// How often staff changed it.
    pub ticket_changes: u32,
}

impl ConversationState {
    /// What stays through the stages, if it was opened.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match self {
            Self::Unopened => None,
            Self::Open { session, .. } | Self::Closed { session } => Some(session),
        }
    }
}
