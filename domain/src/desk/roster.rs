//! How the agents of one group stand, kept in step with every change, so that a choice looks only at those who could take one more.
//!
//! Derived from the agents; it must not know conversations.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::state::{Agent, Standing};
use crate::ids::UserId;

/// What a choice goes by, of one agent who could take one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seat {
    /// How many conversations they carry.
    pub load: u32,
    /// The number of the last assignment that they were given.
    pub last_given: u64,
    /// Smaller is asked first.
    pub rank: u8,
    /// How often they are drawn beside others.
    pub weight: u16,
}

/// The agents of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Roster {
    /// Those who could take one more.
    pub free: OrdMap<UserId, Seat>,
    /// How many carry as many as they may.
    pub at_capacity: u32,
    /// How many are on service without a connection.
    pub offline: u32,
    /// How many are not on service.
    pub not_on_service: u32,
}

impl Roster {
    pub fn enter(&mut self, id: UserId, agent: &Agent) {
        match agent.standing() {
            Standing::Free => drop(self.free.insert(id, agent.seat())),
            Standing::AtCapacity => self.at_capacity += 1,
            Standing::Offline => self.offline += 1,
            Standing::NotOnService => self.not_on_service += 1,
        }
    }

    /// Takes out an agent who entered as they stand now.
    pub fn leave(&mut self, id: UserId, agent: &Agent) {
        match agent.standing() {
            Standing::Free => drop(self.free.remove(&id)),
            Standing::AtCapacity => self.at_capacity -= 1,
            Standing::Offline => self.offline -= 1,
            Standing::NotOnService => self.not_on_service -= 1,
        }
    }

    /// How many are in the group.
    pub fn members(&self) -> u32 {
        u32::try_from(self.free.len()).unwrap_or(u32::MAX) + self.at_capacity + self.offline + self.not_on_service
    }

    /// Whether anybody is on service and connected, free or not.
    pub fn on_duty(&self) -> bool {
        !self.free.is_empty() || self.at_capacity > 0
    }
}
