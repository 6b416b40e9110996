//! How the agents of one group stand, kept in step with every change, so that a choice does not look at every agent.
//!
//! Derived from the agents; it must not know conversations.

use imbl::OrdSet;
use serde::{Deserialize, Serialize};

use super::event::AssignmentRule;
use super::state::{Agent, Standing};
use crate::ids::UserId;

/// The agents of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Roster {
    /// Those who could take one more, in the order of the choice: load, then id.
    pub free: OrdSet<(u32, UserId)>,
    /// The same, whoever was given none for the longest time first: the number of their last assignment, then id.
    pub by_turn: OrdSet<(u64, UserId)>,
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
            Standing::Free => drop((self.free.insert((agent.load(), id)), self.by_turn.insert((agent.last_given, id)))),
            Standing::AtCapacity => self.at_capacity += 1,
            Standing::Offline => self.offline += 1,
            Standing::NotOnService => self.not_on_service += 1,
        }
    }

    /// Takes out an agent who entered as they stand now.
    pub fn leave(&mut self, id: UserId, agent: &Agent) {
        match agent.standing() {
            Standing::Free => drop((self.free.remove(&(agent.load(), id)), self.by_turn.remove(&(agent.last_given, id)))),
            Standing::AtCapacity => self.at_capacity -= 1,
            Standing::Offline => self.offline -= 1,
            Standing::NotOnService => self.not_on_service -= 1,
        }
    }

    /// How many could take one more.
    pub fn free_count(&self) -> u32 {
        u32::try_from(self.free.len()).unwrap_or(u32::MAX)
    }

    /// How many are in the group.
    pub fn members(&self) -> u32 {
        self.free_count() + self.at_capacity + self.offline + self.not_on_service
    }

    /// Whether anybody is on service and connected, free or not.
    pub fn on_duty(&self) -> bool {
        !self.free.is_empty() || self.at_capacity > 0
    }

    /// How many of those who could take one more a rule finds as good as the one it takes, who is among them.
    pub fn tied(&self, rule: AssignmentRule) -> u32 {
        fn first<T: Ord + Copy>(order: &OrdSet<(T, UserId)>) -> usize {
            order.get_min().map_or(0, |(best, _)| order.iter().take_while(|(as_good, _)| as_good == best).count())
        }
        let tied = match rule {
            AssignmentRule::RoundRobin => first(&self.by_turn),
            AssignmentRule::LastAgent => 1,
            AssignmentRule::LeastLoaded | AssignmentRule::Transfer | AssignmentRule::TakeOver | AssignmentRule::Recorded => {
                first(&self.free)
            }
        };
        u32::try_from(tied).unwrap_or(u32::MAX)
    }
}
