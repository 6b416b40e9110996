//! The robots that tenants have elsewhere.

use domain::flow::check::Known;
use domain::labels::Label;
use domain::tenant::event::{RobotProtocol, RobotUse};
use domain::tenant::flows::known_to_flows;
use domain::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

use super::{EventRef, TenantRow};

/// A robot that a tenant has elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotRow {
    /// Its name among the tenant's seats.
    pub robot: Label,
    /// How it is talked with.
    pub protocol: RobotProtocol,
    /// What it is there for.
    pub uses: Vec<RobotUse>,
    /// How long it may take for an answer.
    pub time_out: Millis,
    /// Where its address is.
    pub settings: EventRef,
    /// Where its secret is, if it has one.
    pub secret: Option<EventRef>,
    /// When it was last connected.
    pub connected_at: Timestamp,
}

impl TenantRow {
    /// One of its robots that is there for something.
    #[must_use]
    pub fn robot(&self, robot: &Label, for_what: RobotUse) -> Option<&RobotRow> {
        self.robots.iter().find(|known| known.robot == *robot && known.uses.contains(&for_what))
    }

    /// The robots that may receive customers, beside the built-in one.
    pub fn seats(&self) -> impl Iterator<Item = &Label> {
        self.robots_for(RobotUse::Seat)
    }

    fn robots_for(&self, wanted: RobotUse) -> impl Iterator<Item = &Label> {
        self.robots.iter().filter(move |robot| robot.uses.contains(&wanted)).map(|robot| &robot.robot)
    }

    /// What a flow of the tenant may name.
    #[must_use]
    pub fn known_to_flows(&self) -> Known {
        let groups = self.groups.iter().map(|(group, _)| *group);
        known_to_flows(groups, self.seats().cloned(), self.robots_for(RobotUse::Scorer).cloned())
    }
}
