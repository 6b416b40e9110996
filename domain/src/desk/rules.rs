//! The rules of a tenant's assignment flows, as far as the desk chooses by them.
//!
//! They are facts of the desk itself, so that a decision and its explanation need nothing else. What is chosen is in `choose`.

use std::collections::BTreeMap;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::event::FlowAdopted;
use super::state::Ticket;
use crate::flow::FlowVersion;
use crate::flow::assignment::{ChoiceStep, QueueRules};
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
    /// Whoever was given none for the longest time.
    RoundRobin,
    /// Whoever carries the fewest.
    LeastLoaded,
}

/// A flow that the desk follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// Its number.
    version: u32,
    queues: OrdMap<GroupId, Vec<Step>>,
    default: Vec<Step>,
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
        let queues = event.queues.iter().map(|(group, rules)| (*group, steps(rules))).collect();
        let adopted = Adopted { version: event.flow.version, queues, default: steps(&event.default) };
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

    /// The flow that a conversation follows, and the steps for its queue; none without a flow.
    pub(super) fn of(&self, ticket: &Ticket) -> (FlowVersion, &[Step]) {
        let shop = ticket.shop.filter(|shop| self.shops.contains_key(shop));
        let Some(adopted) = self.own(shop) else { return (FlowVersion::default(), &[]) };
        let steps = adopted.queues.get(&ticket.group).unwrap_or(&adopted.default);
        (FlowVersion { shop, version: adopted.version }, steps)
    }
}

/// The steps that the desk can take. Whatever a flow says beyond them narrows nothing yet.
fn steps(rules: &QueueRules) -> Vec<Step> {
    let step = |step: &ChoiceStep| match step {
        ChoiceStep::LastAgent { within } => Some(Step::LastAgent { within: within.millis() }),
        ChoiceStep::RoundRobin => Some(Step::RoundRobin),
        ChoiceStep::LeastLoaded => Some(Step::LeastLoaded),
        ChoiceStep::Language { .. } | ChoiceStep::Skills { .. } | ChoiceStep::Rank | ChoiceStep::Weighted | ChoiceStep::Scorer { .. } => {
            None
        }
    };
    rules.choose.iter().filter_map(step).collect()
}

/// The queues of a flow, as a fact of the desk.
pub type QueueBook = BTreeMap<GroupId, QueueRules>;
