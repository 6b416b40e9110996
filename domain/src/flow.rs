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

use serde::{Deserialize, Serialize};

use self::assignment::AssignmentFlow;
use self::check::{Fault, Known, check_assignment, check_reception};
use self::reception::ReceptionFlow;

#[cfg(test)]
mod tests;

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

/// One of the two documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// How customers are received.
    Reception(Box<ReceptionFlow>),
    /// How conversations find an agent.
    Assignment(Box<AssignmentFlow>),
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
