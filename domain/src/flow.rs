//! What a tenant writes down about its service: how customers are received, and how conversations find an agent.
//!
//! Two documents, the *reception flow* and the *assignment flow*, for the tenant or for one of its shops. Here is what may be in
//! them ([`reception`], [`assignment`], and the [`condition`]s and [`hours`] they share), what is wrong with one ([`check`]), and
//! what follows from one. How they are written as text is not known here; where a fault lies is said as a path.

pub mod assignment;
pub mod check;
pub mod condition;
pub mod hours;
pub mod reception;
pub mod words;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use self::assignment::AssignmentFlow;
use self::check::{Fault, Known, check_assignment, check_reception};
use self::condition::Condition;
use self::reception::ReceptionFlow;
use crate::ids::{GroupId, ShopId};
use crate::labels::Label;

#[cfg(test)]
mod tests;

/// Largest document in bytes: a flow that anybody still understands has a tenth of it.
pub const FLOW_BYTES_MAX: usize = 128 * 1024;

/// Which of the two documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowKind {
    /// How customers are received.
    Reception,
    /// How conversations find an agent.
    Assignment,
}

impl FlowKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Reception, Self::Assignment];

    /// Its name, as a document says it under `flow`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reception => "reception",
            Self::Assignment => "assignment",
        }
    }
}

/// Which version of a tenant's flow something follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowVersion {
    /// The shop whose own it is; without one, the tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopId>,
    /// Its number; 0 for the built-in flow, which sends everybody to the humans.
    pub version: u32,
}

/// The way that a reception flow took for a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTaken {
    /// By which version.
    pub flow: FlowVersion,
    /// Which rule of `route` held, from 0.
    pub rule: u32,
    /// The destinations that were tried, in order; the last is where it came to, if it came anywhere.
    pub tried: Vec<Label>,
}

/// One of the two documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// How customers are received.
    Reception(Box<ReceptionFlow>),
    /// How conversations find an agent.
    Assignment(Box<AssignmentFlow>),
}

/// What a flow needs to know before its rules can be tried: more than what every conversation brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// How these queues stand.
    pub queues: BTreeSet<GroupId>,
    /// What the customer wrote last.
    pub words: bool,
}

impl Asked {
    fn by<'a>(conditions: impl Iterator<Item = &'a Condition>) -> Self {
        let mut asked = Self::default();
        for condition in conditions {
            condition.queues(&mut asked.queues);
            asked.words |= condition.asks_for_words();
        }
        asked
    }
}

impl ReceptionFlow {
    /// What its rules ask for.
    #[must_use]
    pub fn asked(&self) -> Asked {
        let welcome = self.welcome.iter().map(|rule| &rule.when);
        let robot = self.robot.iter().map(|rule| &rule.when);
        let route = self.route.iter().map(|rule| &rule.when);
        let destinations = self.destinations.values().map(|destination| &destination.when);
        Asked::by(welcome.chain(robot).chain(route).chain(destinations))
    }
}

impl AssignmentFlow {
    /// What its rules ask for.
    #[must_use]
    pub fn asked(&self) -> Asked {
        Asked::by(self.priority.iter().map(|rule| &rule.when))
    }
}

impl Flow {
    /// Which it is.
    #[must_use]
    pub const fn kind(&self) -> FlowKind {
        match self {
            Self::Reception(_) => FlowKind::Reception,
            Self::Assignment(_) => FlowKind::Assignment,
        }
    }

    /// Everything that is wrong with it.
    #[must_use]
    pub fn check(&self, known: &Known) -> Vec<Fault> {
        match self {
            Self::Reception(flow) => check_reception(flow, known),
            Self::Assignment(flow) => check_assignment(flow, known),
        }
    }
}
