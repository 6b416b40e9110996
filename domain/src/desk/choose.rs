//! The full table behind an assignment: every agent, and why each one did not get the conversation.
//!
//! A stored decision keeps the winner, the counts and the first candidates; this table, computed from the desk as it stood at
//! the decision's version, must yield the same winner.

use super::event::{AssignmentRule, Candidate, Decision, LosingReason};
use super::state::{Agent, DeskState};
use crate::ids::{GroupId, UserId};

/// Candidates that a stored decision keeps.
pub const CANDIDATES_KEPT: usize = 16;

/// Every agent in the order of the choice: the winner first (if anybody is eligible), then eligible ones by load and id, then
/// the others by id.
#[must_use]
pub fn least_loaded(state: &DeskState, group: GroupId) -> Vec<Candidate> {
    let mut table: Vec<Candidate> = state
        .agents
        .iter()
        .map(|(id, agent)| Candidate { agent: *id, load: agent.load(), capacity: agent.capacity, lost: ineligible(agent, group) })
        .collect();
    table.sort_by_key(|candidate| (candidate.lost.is_some(), candidate.load, candidate.agent));
    let winner_load = table.first().map(|winner| winner.load);
    for candidate in table.iter_mut().skip(1).filter(|candidate| candidate.lost.is_none()) {
        let tied = Some(candidate.load) == winner_load;
        candidate.lost = Some(if tied { LosingReason::TieBroken } else { LosingReason::MoreLoaded });
    }
    table
}

fn ineligible(agent: &Agent, group: GroupId) -> Option<LosingReason> {
    if !agent.groups.contains(&group) {
        Some(LosingReason::OtherGroup)
    } else if !agent.on_service {
        Some(LosingReason::NotOnService)
    } else if !agent.online {
        Some(LosingReason::Offline)
    } else if agent.load() >= agent.capacity {
        Some(LosingReason::AtCapacity)
    } else {
        None
    }
}

/// What is stored of a choice by least load.
pub(super) fn decision_by_load(state: &DeskState, group: GroupId) -> Decision {
    let mut candidates = least_loaded(state, group);
    let mut losing: Vec<(LosingReason, u32)> = Vec::new();
    for reason in candidates.iter().filter_map(|candidate| candidate.lost) {
        match losing.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => losing.push((reason, 1)),
        }
    }
    losing.sort_unstable();
    candidates.truncate(CANDIDATES_KEPT);
    Decision { rule: AssignmentRule::LeastLoaded, flow_version: 0, desk_version: state.version, losing, candidates }
}

/// What is stored of a choice by name.
pub(super) fn decision_by_name(state: &DeskState, rule: AssignmentRule, agent: UserId) -> Decision {
    let winner = state.agents.get(&agent).map(|known| Candidate { agent, load: known.load(), capacity: known.capacity, lost: None });
    Decision { rule, flow_version: 0, desk_version: state.version, losing: vec![], candidates: winner.into_iter().collect() }
}
