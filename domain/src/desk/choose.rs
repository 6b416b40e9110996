//! Who gets a conversation, and why the others did not.
//!
//! A stored decision keeps the winner, the counts and the first candidates; the full table, computed from the desk as it stood at
//! the decision's version, must yield the same winner.

use super::event::{AssignmentRule, Candidate, Decision, LosingReason};
use super::lines::Line;
use super::roster::{Roster, Seat};
use super::rules::Step;
use super::state::{Agent, DeskState, Standing, Ticket};
use crate::ids::{ConversationId, UserId};

/// Candidates that a stored decision keeps.
pub const CANDIDATES_KEPT: usize = 16;

/// Who gets a conversation, by which rule, and at which step each of the others who could have taken it was left out.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Who.
    pub agent: UserId,
    /// By which rule: that of the last step that left somebody out.
    pub rule: AssignmentRule,
    /// The others who could have taken it, with their load; whoever came nearest last.
    left_out: Vec<(LosingReason, u32, UserId)>,
}

/// The choice for a conversation, if anybody could take it.
#[must_use]
pub fn choose(state: &DeskState, conversation: ConversationId, ticket: &Ticket) -> Option<Choice> {
    let line = state.line_of(ticket);
    let roster = state.rosters.get(&line.group)?;
    let fits = |id: &UserId| misfit(state, &line, *id).is_none();
    let mut field = Field {
        left: roster.free.iter().map(|(id, seat)| (*id, *seat)).filter(|(id, _)| fits(id)).collect(),
        left_out: vec![],
        rule: None,
    };
    let (_, queue) = state.rules.of(ticket);
    for step in queue.steps.iter().chain([&Step::LeastLoaded]) {
        if field.left.is_empty() {
            return None;
        }
        field.take(state, conversation, ticket, step);
        if step.is_last() {
            field.rule = field.rule.or(step.rule());
            break;
        }
    }
    field.winner()
}

/// Those among whom is chosen.
struct Field {
    /// Those who are left, by id.
    left: Vec<(UserId, Seat)>,
    left_out: Vec<(LosingReason, u32, UserId)>,
    rule: Option<AssignmentRule>,
}

impl Field {
    fn take(&mut self, state: &DeskState, conversation: ConversationId, ticket: &Ticket, step: &Step) {
        match step {
            Step::LastAgent { within } => {
                let last = ticket.last_served.filter(|last| ticket.enqueued_at - last.at <= *within).map(|last| last.agent);
                if let Some(last) = last.filter(|last| self.left.iter().any(|(id, _)| id == last)) {
                    self.keep(LosingReason::NotLastAgent, |id, _| id == last);
                    self.rule = Some(AssignmentRule::LastAgent);
                }
            }
            Step::Language { .. } => {
                if let Some(language) = &ticket.language {
                    self.prefer(LosingReason::OtherLanguage, AssignmentRule::Language, |id| {
                        state.agents.get(&id).is_some_and(|agent| agent.abilities.speak(language))
                    });
                }
            }
            Step::Skills { .. } => self.prefer(LosingReason::LacksSkill, AssignmentRule::Skills, |id| {
                state.agents.get(&id).is_some_and(|agent| agent.abilities.have(&ticket.skills))
            }),
            Step::Rank => self.best(LosingReason::LowerRank, AssignmentRule::Rank, |seat| u64::from(seat.rank)),
            Step::LeastLoaded => self.best(LosingReason::MoreLoaded, AssignmentRule::LeastLoaded, |seat| u64::from(seat.load)),
            Step::RoundRobin => self.best(LosingReason::GivenLater, AssignmentRule::RoundRobin, |seat| seat.last_given),
            Step::Scorer => {
                let best = self.left.iter().filter_map(|(id, _)| ticket.scores.get(id)).max().copied();
                if let Some(best) = best
                    && self.keep(LosingReason::LowerScore, |id, _| ticket.scores.get(&id) == Some(&best))
                {
                    self.rule = Some(AssignmentRule::Scorer);
                }
            }
            Step::Weighted => {
                if let Some(drawn) = drawn(&self.left, conversation, state.last_assignment + 1) {
                    self.keep(LosingReason::NotDrawn, |id, _| id == drawn);
                    self.rule = Some(AssignmentRule::Weighted);
                }
            }
        }
    }

    /// Leaves out whoever is not to be kept; answers whether there was anybody.
    fn keep(&mut self, reason: LosingReason, kept: impl Fn(UserId, Seat) -> bool) -> bool {
        let before = self.left_out.len();
        let left_out = &mut self.left_out;
        self.left.retain(|(id, seat)| {
            let kept = kept(*id, *seat);
            if !kept {
                left_out.push((reason, seat.load, *id));
            }
            kept
        });
        self.left_out.len() > before
    }

    /// Those of whom something is so; everybody, if it is so of nobody.
    fn prefer(&mut self, reason: LosingReason, rule: AssignmentRule, is_so: impl Fn(UserId) -> bool) {
        if self.left.iter().any(|(id, _)| is_so(*id)) && self.keep(reason, |id, _| is_so(id)) {
            self.rule = Some(rule);
        }
    }

    /// Those for whom a number is smallest.
    fn best(&mut self, reason: LosingReason, rule: AssignmentRule, by: impl Fn(Seat) -> u64) {
        let best = self.left.iter().map(|(_, seat)| by(*seat)).min();
        if self.keep(reason, |_, seat| Some(by(seat)) == best) {
            self.rule = Some(rule);
        }
    }

    /// Ties go to the smaller id.
    fn winner(mut self) -> Option<Choice> {
        let agent = self.left.iter().map(|(id, _)| *id).min()?;
        self.keep(LosingReason::TieBroken, |id, _| id == agent);
        Some(Choice { agent, rule: self.rule.unwrap_or(AssignmentRule::LeastLoaded), left_out: self.left_out })
    }
}

/// One of them by chance, in proportion to their weights; nobody, if all weigh nothing. Chance is a hash of the conversation and of
/// the number of the decision, so that it is the same whenever it is looked at again.
fn drawn(left: &[(UserId, Seat)], conversation: ConversationId, number: u64) -> Option<UserId> {
    let total: u64 = left.iter().map(|(_, seat)| u64::from(seat.weight)).sum();
    let (high, low) = conversation.uuid().as_u64_pair();
    let mut point = mixed(mixed(mixed(high) ^ low) ^ number).checked_rem(total)?;
    left.iter().find_map(|(id, seat)| {
        let here = point < u64::from(seat.weight);
        point = point.saturating_sub(u64::from(seat.weight));
        here.then_some(*id)
    })
}

/// The finaliser of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Every agent in the order of the choice: the winner first (if anybody is eligible), then those who came nearest, by load and id
/// among those who were left out for the same reason, then those who could not take it by load and id.
#[must_use]
pub fn table(state: &DeskState, conversation: ConversationId, ticket: &Ticket) -> Vec<Candidate> {
    let line = state.line_of(ticket);
    let Some(choice) = choose(state, conversation, ticket) else { return scored(ticket, outsiders(state, &line)).collect() };
    scored(ticket, in_order(state, &choice, usize::MAX).chain(outsiders(state, &line))).collect()
}

/// What is stored of a choice: an extract of [`table`], made without looking at everybody.
pub(super) fn decision(state: &DeskState, ticket: &Ticket, choice: &Choice) -> Decision {
    let (flow, _) = state.rules.of(ticket);
    let line = state.line_of(ticket);
    let first = in_order(state, choice, CANDIDATES_KEPT).chain(outsiders(state, &line)).take(CANDIDATES_KEPT);
    Decision {
        rule: choice.rule,
        flow_version: flow.version,
        flow_shop: flow.shop,
        desk_version: state.version,
        losing: losing_counts(state, &line, choice),
        candidates: scored(ticket, first).collect(),
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
        candidates: scored(ticket, [candidate(agent, &known, None)]).collect(),
    }
}

fn candidate(agent: UserId, known: &Agent, lost: Option<LosingReason>) -> Candidate {
    Candidate { agent, load: known.load(), capacity: known.capacity, lost, score: None }
}

/// Candidates with their scores.
fn scored(ticket: &Ticket, candidates: impl IntoIterator<Item = Candidate>) -> impl Iterator<Item = Candidate> {
    candidates.into_iter().map(|candidate| Candidate { score: ticket.scores.get(&candidate.agent).copied(), ..candidate })
}

/// The winner, then the first of those who were left out.
fn in_order<'a>(state: &'a DeskState, choice: &Choice, kept: usize) -> impl Iterator<Item = Candidate> + 'a {
    // The later a step, the nearer whoever it left out.
    let mut steps: Vec<LosingReason> = choice.left_out.iter().map(|(reason, ..)| *reason).collect();
    steps.dedup();
    let nearness = |reason: &LosingReason| steps.iter().rev().position(|step| step == reason);
    let mut others: Vec<_> = choice.left_out.iter().map(|(reason, load, id)| (nearness(reason), *load, *id, *reason)).collect();
    if others.len() > kept {
        others.select_nth_unstable(kept);
        others.truncate(kept);
    }
    others.sort_unstable();
    let others = others.into_iter().map(|(.., id, reason)| (id, Some(reason)));
    std::iter::once((choice.agent, None)).chain(others).filter_map(|(id, lost)| Some(candidate(id, state.agents.get(&id)?, lost)))
}

/// Those who could not take it, by load and id.
fn outsiders<'a>(state: &'a DeskState, line: &'a Line) -> impl Iterator<Item = Candidate> + 'a {
    state.agents_by_load.iter().filter_map(move |(_, id)| {
        let agent = state.agents.get(id)?;
        Some(candidate(*id, agent, Some(ineligible(state, line, *id, agent)?)))
    })
}

fn ineligible(state: &DeskState, line: &Line, id: UserId, agent: &Agent) -> Option<LosingReason> {
    if !agent.groups.contains(&line.group) {
        return Some(LosingReason::OtherGroup);
    }
    match agent.standing() {
        Standing::Free => misfit(state, line, id),
        Standing::AtCapacity => Some(LosingReason::AtCapacity),
        Standing::Offline => Some(LosingReason::Offline),
        Standing::NotOnService => Some(LosingReason::NotOnService),
    }
}

/// Why somebody who could take one more cannot take those of a line, which insist on something.
fn misfit(state: &DeskState, line: &Line, id: UserId) -> Option<LosingReason> {
    if line.passed.contains(&id) {
        return Some(LosingReason::LetItTimeOut);
    }
    if line.language.is_none() && line.skills.is_empty() {
        return None;
    }
    let abilities = &state.agents.get(&id)?.abilities;
    if line.language.as_ref().is_some_and(|language| !abilities.speak(language)) {
        return Some(LosingReason::OtherLanguage);
    }
    (!abilities.have(&line.skills)).then_some(LosingReason::LacksSkill)
}

/// In the order of [`LosingReason`].
fn losing_counts(state: &DeskState, line: &Line, choice: &Choice) -> Vec<(LosingReason, u32)> {
    let everybody = u32::try_from(state.agents.len()).unwrap_or(u32::MAX);
    let roster = state.rosters.get(&line.group).cloned().unwrap_or_default();
    let Roster { at_capacity, not_on_service, offline, .. } = roster;
    let mut counts = std::collections::BTreeMap::from([
        (LosingReason::AtCapacity, at_capacity),
        (LosingReason::NotOnService, not_on_service),
        (LosingReason::Offline, offline),
        (LosingReason::OtherGroup, everybody - roster.members()),
    ]);
    let misfits = roster.free.keys().filter_map(|id| misfit(state, line, *id));
    for reason in choice.left_out.iter().map(|(reason, ..)| *reason).chain(misfits) {
        *counts.entry(reason).or_default() += 1;
    }
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}
