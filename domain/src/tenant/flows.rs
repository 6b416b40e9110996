//! Which flows of a tenant are in force: published as documents, numbered, taken back.
//!
//! A document is kept as its author wrote it, in the private half: it holds what customers are told. Whoever follows a flow looks
//! it up and says by number which one it was.

use serde::{Deserialize, Serialize};

use super::error::TenantError;
use super::event::{FlowPublished, FlowText, FlowWithdrawn, RobotUse, TenantEvent};
use super::state::CreatedTenant;
use crate::flow::check::Known;
use crate::flow::{FLOW_BYTES_MAX, Flow, FlowKind};
use crate::ids::{GroupId, ShopId};
use crate::labels::Label;
use crate::private::Private;

/// The group that every tenant has from the beginning.
pub const DEFAULT_GROUP: &str = "main";

/// See [`DEFAULT_GROUP`].
///
/// # Panics
/// Never: it is a constant.
#[must_use]
pub fn default_group() -> GroupId {
    DEFAULT_GROUP.parse().expect("a constant slug")
}

/// What is remembered of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowStand {
    /// Which of the two documents.
    pub kind: FlowKind,
    /// The shop that it is for; without one, every shop that has none of its own.
    pub shop: Option<ShopId>,
    /// The number of the last version, from 1. It is never used again.
    pub last_version: u32,
    /// Whether that version is in force.
    pub in_force: bool,
}

impl CreatedTenant {
    fn flow(&self, kind: FlowKind, shop: Option<ShopId>) -> Option<&FlowStand> {
        self.flows.iter().find(|stand| (stand.kind, stand.shop) == (kind, shop))
    }

    /// Remembers how a flow stands from here on.
    pub(super) fn set_flow(&mut self, stand: FlowStand) {
        match self.flows.iter_mut().find(|known| (known.kind, known.shop) == (stand.kind, stand.shop)) {
            Some(known) => *known = stand,
            None => self.flows.push(stand),
        }
    }

    /// What a document of this tenant may name.
    #[must_use]
    pub fn known_to_flows(&self) -> Known {
        let [seats, scorers] = [RobotUse::Seat, RobotUse::Scorer].map(|wanted| self.robots_for(wanted).cloned());
        known_to_flows(self.groups.iter().copied(), seats, scorers)
    }
}

/// What a document may name in a tenant with these groups, these robots that receive, beside the built-in one, and these that score.
///
/// # Panics
/// Never: the robot's name is a constant.
pub fn known_to_flows(
    groups: impl IntoIterator<Item = GroupId>,
    seats: impl IntoIterator<Item = Label>,
    scorers: impl IntoIterator<Item = Label>,
) -> Known {
    let groups = groups.into_iter().chain([default_group()]).collect();
    let faq: Label = crate::flow::reception::RobotRule::FAQ.parse().expect("a constant label");
    let robots = seats.into_iter().chain([faq]).collect();
    Known { groups: Some(groups), robots: Some(robots), scorers: Some(scorers.into_iter().collect()) }
}

pub(super) fn publish(tenant: &CreatedTenant, flow: &Flow, shop: Option<ShopId>, text: &FlowText) -> Result<Vec<TenantEvent>, TenantError> {
    if let Some(shop) = shop.filter(|shop| !tenant.shops.contains(shop)) {
        return Err(TenantError::NoSuchShop { shop });
    }
    if text.text.len() > FLOW_BYTES_MAX {
        return Err(TenantError::TextTooLong { field: "text", bytes_max: FLOW_BYTES_MAX });
    }
    if let Some(fault) = flow.check(&tenant.known_to_flows()).into_iter().next() {
        return Err(TenantError::FlowFaulty { fault: Box::new(fault) });
    }
    let version = tenant.flow(flow.kind(), shop).map_or(0, |stand| stand.last_version) + 1;
    Ok(vec![FlowPublished { kind: flow.kind(), shop, version, private: Private::Known(text.clone()) }.into()])
}

pub(super) fn withdraw(tenant: &CreatedTenant, kind: FlowKind, shop: Option<ShopId>) -> Vec<TenantEvent> {
    let stand = tenant.flow(kind, shop).filter(|stand| stand.in_force);
    stand.map(|stand| FlowWithdrawn { kind, shop, version: stand.last_version }.into()).into_iter().collect()
}
