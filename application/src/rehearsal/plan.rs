//! What is to be otherwise than it was.

use std::sync::Arc;

use domain::desk::command::{AgentChange, Service};
use domain::flow::assignment::AssignmentFlow;
use domain::flow::hours::ServiceHours;
use domain::flow::reception::ReceptionFlow;
use domain::ids::{GroupId, ShopId, UserId};
use domain::labels::{Label, Language};
use domain::time::{Millis, Timestamp};
use domain::user::abilities::{Abilities, RANK_DEFAULT, WEIGHT_DEFAULT};
use domain::user::state::CAPACITY_DEFAULT;
use serde::Deserialize;

/// Most agents of a roster.
pub const ROSTER_AGENTS_MAX: u32 = 10_000;
/// What the ids of a roster's agents begin at; minted ids carry a time, and so are far larger.
const ROSTER_IDS: u128 = 1;

/// What is otherwise; nothing is as it was.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The shop whose flows are replaced; without one, those of the tenant and of every shop.
    pub shop: Option<ShopId>,
    /// The assignment flow instead.
    pub assignment: Option<Arc<AssignmentFlow>>,
    /// The reception flow instead: where conversations go that are handed to the humans.
    pub reception: Option<Arc<ReceptionFlow>>,
    /// Who is there instead.
    pub roster: Option<Roster>,
    /// How many conversations everybody takes at a time instead.
    pub capacity: Option<u32>,
    /// What chance begins with.
    pub seed: u64,
}

impl Plan {
    /// Whether nothing is otherwise.
    #[must_use]
    pub const fn is_as_recorded(&self) -> bool {
        self.assignment.is_none() && self.reception.is_none() && self.roster.is_none() && self.capacity.is_none()
    }

    /// Whether it replaces the flows that a shop follows, or those of the tenant.
    #[must_use]
    pub fn is_for(&self, shop: Option<ShopId>) -> bool {
        self.shop.is_none() || self.shop == shop
    }
}

/// Who is there, and when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    /// Agents, alike by line.
    pub roster: Vec<RosterLine>,
}

/// Agents who are alike.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterLine {
    /// What they are called in the figures.
    pub name: Label,
    /// How many.
    #[serde(default = "one")]
    pub agents: u32,
    /// The groups they serve.
    pub groups: Vec<GroupId>,
    /// How many conversations each takes at a time.
    #[serde(default = "capacity")]
    pub capacity: u32,
    /// When they are there; without hours, always. At the end of a shift they keep what they have and take no more.
    #[serde(default)]
    pub hours: Option<ServiceHours>,
    /// What they know.
    #[serde(default)]
    pub skills: Vec<Label>,
    /// What they speak.
    #[serde(default)]
    pub languages: Vec<Language>,
    /// Smaller is asked first, where a flow goes by rank.
    #[serde(default = "rank")]
    pub rank: u8,
    /// How often they are drawn, where a flow goes by weight.
    #[serde(default = "weight")]
    pub weight: u16,
}

const fn one() -> u32 {
    1
}

const fn capacity() -> u32 {
    CAPACITY_DEFAULT
}

const fn rank() -> u8 {
    RANK_DEFAULT
}

const fn weight() -> u16 {
    WEIGHT_DEFAULT
}

/// Why a roster cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// Nobody is in it.
    #[error("the roster has no agents")]
    Empty,
    /// Too many are.
    #[error("the roster has more than {ROSTER_AGENTS_MAX} agents")]
    TooMany,
}

impl Roster {
    /// Whether it can be followed.
    ///
    /// # Errors
    /// [`RosterError`].
    pub fn check(&self) -> Result<(), RosterError> {
        let agents = self.roster.iter().map(|line| u64::from(line.agents)).sum::<u64>();
        match agents {
            0 => Err(RosterError::Empty),
            agents if agents > u64::from(ROSTER_AGENTS_MAX) => Err(RosterError::TooMany),
            _ => Ok(()),
        }
    }

    /// Every agent, with their line and their number in it, from 1.
    pub fn agents(&self) -> impl Iterator<Item = (UserId, &RosterLine, u32)> {
        let lines = self.roster.iter().flat_map(|line| (1..=line.agents).map(move |number| (line, number)));
        lines.zip(0_u128..).map(|((line, number), index)| (UserId::from_u128(ROSTER_IDS + index), line, number))
    }

    /// What becomes of everybody between two instants.
    #[must_use]
    pub fn changes(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, UserId, AgentChange)> {
        let mut changes = vec![];
        for (agent, line, _) in self.agents() {
            let RosterLine { skills, languages, rank, weight, .. } = line.clone();
            let begins = [
                AgentChange::Groups(line.groups.clone()),
                AgentChange::Capacity(line.capacity),
                AgentChange::Abilities(Abilities { skills, languages, rank, weight }),
                AgentChange::Online(true),
            ];
            changes.extend(begins.map(|change| (from, agent, change)));
            for (at, begins) in line.shifts(from, to) {
                let service = if begins { Service::Started } else { Service::Paused };
                changes.push((at, agent, AgentChange::Service(service)));
            }
        }
        changes.sort_by_key(|(at, ..)| *at);
        changes
    }
}

impl RosterLine {
    /// When a shift begins (`true`) or ends.
    fn shifts(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, bool)> {
        let Some(hours) = &self.hours else { return vec![(from, true)] };
        let mut shifts = vec![];
        let mut at = from;
        while let Some(begin) = hours.next_open(at).filter(|begin| *begin < to) {
            shifts.push((begin, true));
            // Hours begin and end with a minute.
            let minute = Millis::minutes(1);
            let mut end = Timestamp(begin.0 - begin.0.rem_euclid(minute.0)) + minute;
            while end < to && hours.is_open(end) {
                end = end + minute;
            }
            if end >= to {
                break;
            }
            shifts.push((end, false));
            at = end;
        }
        shifts
    }
}
