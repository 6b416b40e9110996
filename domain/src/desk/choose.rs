//! The full table behind an assignment: every agent, and why each one did not get the conversation.
//!
//! A stored decision keeps the winner, the counts and the first candidates; this table, computed from the desk as it stood at
//! the decision's version, must yield the same winner.

use super::event::{AssignmentRule, Candidate, Decision, LosingReason};
use super::roster::Roster;
use super::state::{Agent, DeskState, Standing};
use crate::ids::{GroupId, UserId};

/// Candidates that a stored decision keeps.
pub const CANDIDATES_KEPT: usize = 16;

/// Every agent in the order of the choice: the winner first (if anybody is eligible), then eligible ones by load and id, then
/// the others by load and id.
#[must_use]
pub fn least_loaded(state: &DeskState, group: GroupId) -> Vec<Candidate> {
    let mut table: Vec<Candidate> = state
        .agents
        .iter()
        .map(|(id, agent)| Candidate { agent: *id, load: agent.load(), capacity: agent.capacity, lost: ineligible(agent, group) })
        .collect();
    table.sort_by_key(|candidate| (candidate.lost.is_some(), candidate.load, candidate.agent));
    let least = table.first().map(|winner| winner.load);
    for candidate in table.iter_mut().skip(1).filter(|candidate| candidate.lost.is_none()) {
        candidate.lost = Some(beaten(candidate.load, least));
    }
    table
}

fn ineligible(agent: &Agent, group: GroupId) -> Option<LosingReason> {
    if !agent.groups.contains(&group) {
        return Some(LosingReason::OtherGroup);
    }
    match agent.standing() {
        Standing::Free => None,
        Standing::AtCapacity => Some(LosingReason::AtCapacity),
        Standing::Offline => Some(LosingReason::Offline),
        Standing::NotOnService => Some(LosingReason::NotOnService),
    }
}

/// Why a free agent with this load did not win.
fn beaten(load: u32, least: Option<u32>) -> LosingReason {
    if Some(load) == least { LosingReason::TieBroken } else { LosingReason::MoreLoaded }
}

/// What is stored of a choice by least load: an extract of the table of [`least_loaded`], made without looking at everybody.
pub(super) fn decision_by_load(state: &DeskState, group: GroupId) -> Decision {
    let roster = state.rosters.get(&group).cloned().unwrap_or_default();
    Decision {
        rule: AssignmentRule::LeastLoaded,
        flow_version: 0,
        desk_version: state.version,
        losing: losing_counts(state, &roster),
        candidates: first_candidates(state, group, &roster),
    }
}

/// In the order of [`LosingReason`].
fn losing_counts(state: &DeskState, roster: &Roster) -> Vec<(LosingReason, u32)> {
    let everybody = u32::try_from(state.agents.len()).unwrap_or(u32::MAX);
    let tied = roster.least_load().map_or(0, |(_, tied)| tied);
    let mut counts = vec![
        (LosingReason::MoreLoaded, roster.free_count() - tied),
        (LosingReason::TieBroken, tied.saturating_sub(1)),
        (LosingReason::AtCapacity, roster.at_capacity),
        (LosingReason::NotOnService, roster.not_on_service),
        (LosingReason::Offline, roster.offline),
        (LosingReason::OtherGroup, everybody - roster.members()),
    ];
    counts.retain(|(_, count)| *count > 0);
    counts
}

fn first_candidates(state: &DeskState, group: GroupId, roster: &Roster) -> Vec<Candidate> {
    let least = roster.least_load().map(|(load, _)| load);
    let known = |id: &UserId| state.agents.get(id).map(|agent| (*id, agent));
    let free = roster.free.iter().filter_map(|(_, id)| known(id)).enumerate().map(|(rank, (id, agent))| {
        let lost = (rank > 0).then(|| beaten(agent.load(), least));
        Candidate { agent: id, load: agent.load(), capacity: agent.capacity, lost }
    });
    let others = state.agents_by_load.iter().filter_map(|(_, id)| known(id)).filter_map(|(id, agent)| {
        let lost = Some(ineligible(agent, group)?);
        Some(Candidate { agent: id, load: agent.load(), capacity: agent.capacity, lost })
    });
    free.chain(others).take(CANDIDATES_KEPT).collect()
}

/// What is stored of a choice by name.
pub(super) fn decision_by_name(state: &DeskState, rule: AssignmentRule, agent: UserId) -> Decision {
    let known = state.agents.get(&agent).cloned().unwrap_or_default();
    let winner = Candidate { agent, load: known.load(), capacity: known.capacity, lost: None };
    Decision { rule, flow_version: 0, desk_version: state.version, losing: vec![], candidates: vec![winner] }
}
