//! What happened in a period, taken from the log.

mod recorder;

use std::sync::Arc;

use domain::desk::command::AgentChange;
use domain::desk::event::{DeskEvent, LastServed};
use domain::desk::state::DeskState;
use domain::flow::FlowVersion;
use domain::flow::assignment::AssignmentFlow;
use domain::ids::{ShopId, UserId};
use domain::time::{Millis, Timestamp};
use hashbrown::HashMap;

pub use self::recorder::Recorder;
use super::visit::{Order, Visit};

/// Within which a reply counts.
pub const REPLY_WINDOW: Millis = Millis::hours(24);

/// Something that came to the desk from outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// An agent changed.
    Agent(UserId, AgentChange),
    /// A conversation came, or was refused: the visit at this place of [`Recording::visits`].
    Arrive(usize),
    /// A flow was adopted.
    Adopt(FlowVersion, Arc<AssignmentFlow>),
    /// A flow was dropped.
    Drop(FlowVersion),
}

/// An input, when, and where among the recorded facts.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// When.
    pub at: Timestamp,
    /// Its place.
    pub order: Order,
    /// What.
    pub input: Input,
}

/// A visit that was under way when the period began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Which.
    pub visit: usize,
    /// Waits that had begun.
    pub waits: usize,
    /// Services that had begun.
    pub services: usize,
    /// Stretches of service that were over.
    pub stretches: usize,
    /// How much of the one under way was done in services before the one under way.
    pub done: Millis,
    /// Times that it was to go on to another group.
    pub overflows: usize,
    /// When it is to go on to another group, if it is.
    pub overflow_at: Option<Timestamp>,
    /// Since when it waits, or is served.
    pub since: Timestamp,
}

/// A period of service.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Visits that came from here on are counted.
    pub from: Timestamp,
    /// Visits that came before are counted.
    pub to: Timestamp,
    /// Nothing is known beyond.
    pub end: Timestamp,
    /// The desk as the period began.
    pub desk: DeskState,
    /// The flows it followed then.
    pub flows: Vec<(FlowVersion, Arc<AssignmentFlow>)>,
    /// What was under way then.
    pub carried: Vec<Carried>,
    /// What came from outside, in order.
    pub inputs: Vec<Recorded>,
    /// Every visit that the period has to do with.
    pub visits: Vec<Visit>,
    /// What the desk did.
    pub facts: Vec<(Timestamp, DeskEvent)>,
    /// Who served whom last in which shop, as the period began.
    pub last_served: HashMap<(UserId, ShopId), LastServed>,
}
