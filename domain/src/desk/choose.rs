//! Who gets a conversation, and why the others did not.
//!
//! A stored decision keeps the winner, the counts and the first candidates; the full table, computed from the desk as it stood at
//! the decision's version, must yield the same winner.

use super::event::{AssignmentRule, Candidate, Decision, LosingReason};
use super::roster::Roster;
use super::rules::Step;
use super::state::{Agent, DeskState, Standing, Ticket};
use crate::ids::{GroupId, UserId};

/// Candidates that a stored decision keeps.
pub const CANDIDATES_KEPT: usize = 16;

/// Who gets it, and by which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Who.
    pub agent: UserId,
    /// By which rule: that of the step that decided.
    pub rule: AssignmentRule,
}

/// The choice for a conversation, if anybody of its group could take it.
#[must_use]
pub fn choose(state: &DeskState, ticket: &Ticket) -> Option<Choice> {
    let roster = state.rosters.get(&ticket.group)?;
    let (_, steps) = state.rules.of(ticket);
    steps.iter().find_map(|step| take(state, roster, ticket, *step)).or_else(|| take(state, roster, ticket, Step::LeastLoaded))
}

/// Whom a step takes; nobody, where the next one decides.
fn take(state: &DeskState, roster: &Roster, ticket: &Ticket, step: Step) -> Option<Choice> {
    let (agent, rule) = match step {
        Step::LastAgent { within } => {
            let last = ticket.last_served.filter(|last| ticket.enqueued_at - last.at <= within)?;
            let is_free = state.agents.get(&last.agent).is_some_and(|agent| roster.free.contains(&(agent.load(), last.agent)));
            (is_free.then_some(last.agent)?, AssignmentRule::LastAgent)
        }
        Step::RoundRobin => (roster.by_turn.get_min()?.1, AssignmentRule::RoundRobin),
        Step::LeastLoaded => (roster.free.get_min()?.1, AssignmentRule::LeastLoaded),
    };
    Some(Choice { agent, rule })
}

/// Every agent in the order of the choice: the winner first (if anybody is eligible), then eligible ones in the order in which they
/// would have been chosen, then the others by load and id.
#[must_use]
pub fn table(state: &DeskState, ticket: &Ticket) -> Vec<Candidate> {
    let Some(choice) = choose(state, ticket) else { return outsiders(state, ticket.group).collect() };
    let roster = state.rosters.get(&ticket.group).cloned().unwrap_or_default();
    eligible(state, &roster, choice).chain(outsiders(state, ticket.group)).collect()
}

/// What is stored of a choice: an extract of [`table`], made without looking at everybody.
pub(super) fn decision(state: &DeskState, ticket: &Ticket, choice: Choice) -> Decision {
    let roster = state.rosters.get(&ticket.group).cloned().unwrap_or_default();
    let (flow, _) = state.rules.of(ticket);
    Decision {
        rule: choice.rule,
        flow_version: flow.version,
        flow_shop: flow.shop,
        desk_version: state.version,
        losing: losing_counts(state, &roster, choice),
        candidates: eligible(state, &roster, choice).chain(outsiders(state, ticket.group)).take(CANDIDATES_KEPT).collect(),
    }
}

/// What is stored of a choice by name.
pub(super) fn decision_by_name(state: &DeskState, ticket: &Ticket, rule: AssignmentRule, agent: UserId) -> Decision {
    let known = state.agents.get(&agent).cloned().unwrap_or_default();
    let (flow, _) = state.rules.of(ticket);
    Decision {
        rule,
        flow_version: flow.version,
        flow_shop: flow.shop,
        desk_version: state.version,
        losing: vec![],
        candidates: vec![candidate(agent, &known, None)],
    }
}

fn candidate(agent: UserId, known: &Agent, lost: Option<LosingReason>) -> Candidate {
    Candidate { agent, load: known.load(), capacity: known.capacity, lost }
}

/// Those who could take one more: the winner, then the others in the order of the rule.
fn eligible<'a>(state: &'a DeskState, roster: &'a Roster, choice: Choice) -> impl Iterator<Item = Candidate> + 'a {
    let by_turn = choice.rule == AssignmentRule::RoundRobin;
    let turns = roster.by_turn.iter().filter(move |_| by_turn).map(|(_, id)| *id);
    let loads = roster.free.iter().filter(move |_| !by_turn).map(|(_, id)| *id);
    let others = turns.chain(loads).filter(move |id| *id != choice.agent);
    let winner = state.agents.get(&choice.agent);
    let known = move |id: UserId| Some((id, state.agents.get(&id)?));
    std::iter::once(choice.agent).chain(others).filter_map(known).map(move |(id, agent)| {
        let lost = (id != choice.agent).then(|| beaten(agent, winner, choice.rule));
        candidate(id, agent, lost)
    })
}

/// Why somebody who could have taken it did not win.
fn beaten(agent: &Agent, winner: Option<&Agent>, rule: AssignmentRule) -> LosingReason {
    let as_good = |of: fn(&Agent) -> u64| winner.is_some_and(|winner| of(winner) == of(agent));
    match rule {
        AssignmentRule::RoundRobin if as_good(|agent| agent.last_given) => LosingReason::TieBroken,
        AssignmentRule::RoundRobin => LosingReason::GivenLater,
        AssignmentRule::LastAgent => LosingReason::NotLastAgent,
        AssignmentRule::LeastLoaded if as_good(|agent| agent.load().into()) => LosingReason::TieBroken,
        AssignmentRule::LeastLoaded | AssignmentRule::Transfer | AssignmentRule::TakeOver | AssignmentRule::Recorded => {
            LosingReason::MoreLoaded
        }
    }
}

/// Those who could not take it, by load and id.
fn outsiders(state: &DeskState, group: GroupId) -> impl Iterator<Item = Candidate> + '_ {
    state.agents_by_load.iter().filter_map(move |(_, id)| {
        let agent = state.agents.get(id)?;
        Some(candidate(*id, agent, Some(ineligible(agent, group)?)))
    })
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

/// In the order of [`LosingReason`].
fn losing_counts(state: &DeskState, roster: &Roster, choice: Choice) -> Vec<(LosingReason, u32)> {
    let everybody = u32::try_from(state.agents.len()).unwrap_or(u32::MAX);
    let (free, tied) = (roster.free_count(), roster.tied(choice.rule));
    let beaten = match choice.rule {
        AssignmentRule::LastAgent => [(LosingReason::NotLastAgent, free.saturating_sub(1)), (LosingReason::TieBroken, 0)],
        AssignmentRule::RoundRobin => [(LosingReason::TieBroken, tied.saturating_sub(1)), (LosingReason::GivenLater, free - tied)],
        AssignmentRule::LeastLoaded | AssignmentRule::Transfer | AssignmentRule::TakeOver | AssignmentRule::Recorded => {
            [(LosingReason::MoreLoaded, free - tied), (LosingReason::TieBroken, tied.saturating_sub(1))]
        }
    };
    let mut counts = Vec::from(beaten);
    counts.extend([
        (LosingReason::AtCapacity, roster.at_capacity),
        (LosingReason::NotOnService, roster.not_on_service),
        (LosingReason::Offline, roster.offline),
        (LosingReason::OtherGroup, everybody - roster.members()),
    ]);
    counts.retain(|(_, count)| *count > 0);
    counts.sort_unstable();
    counts
}
