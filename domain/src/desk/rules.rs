//! The rules of a tenant's assignment flows, as far as the desk chooses by them.
//!
//! They are facts of the desk itself, so that a decision and its explanation need nothing else. What is chosen is in `choose`.

use std::collections::BTreeMap;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::event::{AssignmentRule, FlowAdopted};
use super::lines::Line;
use super::state::Ticket;
use crate::flow::FlowVersion;
use crate::flow::assignment::{ChoiceStep, QueueRules, Taking};
use crate::flow::words::Span;
use crate::ids::{GroupId, ShopId};
use crate::time::Millis;

/// A step of a choice. A flow's own steps are written so that what is left out is left out, which a snapshot cannot follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The agent who served the customer last, if that was not longer ago.
    LastAgent {
        /// How long an agent is remembered.
        within: Millis,
    },
    /// Those who speak the customer's language.
    Language {
        /// Or nobody.
        strict: bool,
    },
    /// Those with every skill that is asked for.
    Skills {
        /// Or nobody.
        strict: bool,
    },
    /// Those of the highest rank.
    Rank,
    /// Whoever was given none for the longest time.
    RoundRobin,
    /// Whoever carries the fewest.
    LeastLoaded,
    /// One of them by chance.
    Weighted,
    /// Those whom a service of the tenant's scored highest.
    Scorer,
}

impl Step {
    /// Whether nothing is left to decide after it but ties.
    pub(super) const fn is_last(&self) -> bool {
        self.rule().is_some()
    }

    /// The rule of a step that orders everybody.
    pub(super) const fn rule(&self) -> Option<AssignmentRule> {
        match self {
            Self::RoundRobin => Some(AssignmentRule::RoundRobin),
            Self::LeastLoaded => Some(AssignmentRule::LeastLoaded),
            Self::Weighted => Some(AssignmentRule::Weighted),
            Self::LastAgent { .. } | Self::Language { .. } | Self::Skills { .. } | Self::Rank | Self::Scorer => None,
        }
    }
}

/// What holds for one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// How an agent is chosen.
    pub steps: Vec<Step>,
    /// Whether agents take conversations themselves.
    pub picked: bool,
    /// How long an agent has to accept.
    pub accept_within: Option<Millis>,
    /// How long an agent has to answer.
    pub answer_within: Option<Millis>,
    /// After how long whoever still waits goes to which group.
    pub overflow: Option<(Millis, GroupId)>,
}

/// What holds without a flow.
static BUILT_IN: Queue = Queue { steps: vec![], picked: false, accept_within: None, answer_within: None, overflow: None };

impl From<&QueueRules> for Queue {
    fn from(rules: &QueueRules) -> Self {
        Self {
            steps: steps(rules),
            picked: rules.take == Taking::Picked,
            accept_within: rules.accept_within.map(Span::millis),
            answer_within: rules.answer_within.map(Span::millis),
            overflow: rules.overflow.as_ref().map(|overflow| (overflow.after.millis(), overflow.to)),
        }
    }
}

/// A flow that the desk follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// Its number.
    version: u32,
    queues: OrdMap<GroupId, Queue>,
    default: Queue,
}

/// Every flow that the desk follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    tenant: Option<Adopted>,
    shops: OrdMap<ShopId, Adopted>,
}

impl Rules {
    /// The number of the flow that is followed for a shop, or for all that have none of their own.
    pub(super) fn version(&self, shop: Option<ShopId>) -> Option<u32> {
        self.own(shop).map(|adopted| adopted.version)
    }

    fn own(&self, shop: Option<ShopId>) -> Option<&Adopted> {
        shop.map_or(self.tenant.as_ref(), |shop| self.shops.get(&shop))
    }

    pub(super) fn adopt(&mut self, event: &FlowAdopted) {
        let queues = event.queues.iter().map(|(group, rules)| (*group, Queue::from(rules))).collect();
        let adopted = Adopted { version: event.flow.version, queues, default: Queue::from(&event.default) };
        match event.flow.shop {
            None => self.tenant = Some(adopted),
            Some(shop) => drop(self.shops.insert(shop, adopted)),
        }
    }

    pub(super) fn drop_flow(&mut self, shop: Option<ShopId>) {
        match shop {
            None => self.tenant = None,
            Some(shop) => drop(self.shops.remove(&shop)),
        }
    }

    /// The line in which a conversation waits.
    pub(super) fn line_of(&self, ticket: &Ticket) -> Line {
        let (_, queue) = self.of(ticket);
        let insists = |on: Step| queue.steps.contains(&on);
        Line {
            group: ticket.group,
            picked: queue.picked,
            language: ticket.language.clone().filter(|_| insists(Step::Language { strict: true })),
            skills: if insists(Step::Skills { strict: true }) { ticket.skills.clone() } else { vec![] },
            passed: ticket.passed.clone(),
        }
    }

    /// The flow that a conversation follows, and what holds for its queue.
    pub(super) fn of(&self, ticket: &Ticket) -> (FlowVersion, &Queue) {
        let shop = ticket.shop.filter(|shop| self.shops.contains_key(shop));
        let Some(adopted) = self.own(shop) else { return (FlowVersion::default(), &BUILT_IN) };
        let queue = adopted.queues.get(&ticket.group).unwrap_or(&adopted.default);
        (FlowVersion { shop, version: adopted.version }, queue)
    }
}

/// The steps as the desk takes them. Who asks the scorer, and how long, is not its business.
fn steps(rules: &QueueRules) -> Vec<Step> {
    let step = |step: &ChoiceStep| match step {
        ChoiceStep::LastAgent { within } => Step::LastAgent { within: within.millis() },
        ChoiceStep::RoundRobin => Step::RoundRobin,
        ChoiceStep::LeastLoaded => Step::LeastLoaded,
        ChoiceStep::Language { strict } => Step::Language { strict: *strict },
        ChoiceStep::Skills { strict } => Step::Skills { strict: *strict },
        ChoiceStep::Rank => Step::Rank,
        ChoiceStep::Weighted => Step::Weighted,
        ChoiceStep::Scorer { .. } => Step::Scorer,
    };
    rules.choose.iter().map(step).collect()
}

/// The queues of a flow, as a fact of the desk.
pub type QueueBook = BTreeMap<GroupId, QueueRules>;
