//! What holds for a desk under any commands in any order, and for any history.

mod commands;

use std::collections::{BTreeMap, BTreeSet};

use imbl::OrdMap;
use proptest::prelude::*;

use self::commands::{accept_within, agent, command, group, number};
use super::*;
use crate::desk::choose::{CANDIDATES_KEPT, table};
use crate::desk::roster::{Roster, Seat};
use crate::desk::state::{Agent, DeskState, Place, Ticket};
use crate::flow::FlowVersion;
use crate::flow::assignment::{AssignmentFlow, ChoiceStep, Overflow, QueueRules, Taking};
use crate::labels::{Label, Language};
use crate::testing::assert_survives_a_snapshot;

/// Whether the agent may get a conversation of this group now, by the words of the design and not by the decider's code.
fn is_eligible(agent: &Agent, group: GroupId) -> bool {
    agent.on_service && agent.online && agent.groups.contains(&group) && agent.carries.len() < agent.capacity as usize
}

/// Whether they may get this conversation now: eligible, and what its flow insists on is so, and they did not just let it time out.
fn may_get(state: &DeskState, rules: &QueueRules, conversation: ConversationId, id: UserId) -> bool {
    let (agent, ticket) = (&state.agents[&id], &state.tickets[&conversation]);
    let speaks = |wanted: &Language| {
        agent.abilities.languages.iter().any(|spoken| {
            let (spoken, wanted) = (spoken.as_str(), wanted.as_str());
            spoken == wanted || spoken.starts_with(&format!("{wanted}-")) || wanted.starts_with(&format!("{spoken}-"))
        })
    };
    let insists = rules.choose.iter().all(|step| match step {
        ChoiceStep::Language { strict: true } => ticket.language.as_ref().is_none_or(speaks),
        ChoiceStep::Skills { strict: true } => ticket.skills.iter().all(|skill| agent.abilities.skills.contains(skill)),
        ChoiceStep::Language { strict: false }
        | ChoiceStep::Skills { strict: false }
        | ChoiceStep::LastAgent { .. }
        | ChoiceStep::Rank
        | ChoiceStep::LeastLoaded
        | ChoiceStep::RoundRobin
        | ChoiceStep::Weighted
        | ChoiceStep::Scorer { .. } => true,
    });
    is_eligible(agent, ticket.group) && insists && !agent.passed.contains(&conversation)
}

fn place(conversation: ConversationId, ticket: &Ticket) -> Place {
    (ticket.left_message, ticket.priority, ticket.enqueued_at, conversation)
}

fn places_waiting(state: &DeskState) -> impl Iterator<Item = (Place, GroupId)> {
    let waiting = state.tickets.iter().filter(|(_, ticket)| ticket.owner.is_none());
    waiting.map(|(conversation, ticket)| (place(*conversation, ticket), ticket.group))
}

/// Queues and rosters are what a recount from tickets and agents gives, and both sides agree on who carries what.
fn assert_indices_are_right(state: &DeskState) {
    let mut waiting: BTreeMap<GroupId, Vec<Place>> = BTreeMap::new();
    for (place, group) in places_waiting(state) {
        waiting.entry(group).or_default().push(place);
    }
    for group in [sales(), support(), "night".parse().unwrap()] {
        let mut places = waiting.remove(&group).unwrap_or_default();
        places.sort_unstable();
        assert_eq!(state.queue(group), places, "waiting for {group}");
    }
    let mut rosters: OrdMap<GroupId, Roster> = OrdMap::new();
    for (id, agent) in &state.agents {
        for group in &agent.groups {
            let roster = rosters.entry(*group).or_default();
            if !agent.on_service {
                roster.not_on_service += 1;
            } else if !agent.online {
                roster.offline += 1;
            } else if is_eligible(agent, *group) {
                let Abilities { rank, weight, .. } = agent.abilities;
                roster.free.insert(*id, Seat { load: agent.load(), last_given: agent.last_given, rank, weight });
            } else {
                roster.at_capacity += 1;
            }
        }
    }
    assert_eq!(state.rosters, rosters, "rosters");
    assert_eq!(state.agents_by_load, state.agents.iter().map(|(id, agent)| (agent.load(), *id)).collect(), "agents by load");
    let owned: BTreeSet<_> = state.tickets.iter().filter_map(|(id, ticket)| Some((ticket.owner?.0, *id))).collect();
    let carried: BTreeSet<_> = state.agents.iter().flat_map(|(id, agent)| agent.carries.iter().map(|carries| (*id, *carries))).collect();
    assert_eq!(owned, carried, "who carries what");
    let passed: BTreeSet<_> = state.tickets.iter().flat_map(|(id, ticket)| ticket.passed.iter().map(|passed| (*passed, *id))).collect();
    let let_go: BTreeSet<_> = state.agents.iter().flat_map(|(id, agent)| agent.passed.iter().map(|passed| (*id, *passed))).collect();
    assert_eq!(passed, let_go, "who let what time out");
}

fn assert_nobody_waits_beside_a_free_agent(state: &DeskState, rules: &QueueRules) {
    if rules.take == Taking::Picked {
        return;
    }
    for ((.., conversation), group) in places_waiting(state) {
        let free = state.agents.keys().find(|id| may_get(state, rules, conversation, **id));
        assert!(free.is_none(), "{conversation} waits for {group} beside {free:?}");
    }
}

/// The stored decision is the one that the desk at its version yields.
fn assert_decision_is_explained(before: &DeskState, assigned: &ConversationAssigned, rules: &QueueRules) {
    let decision = &assigned.decision;
    assert_eq!(decision.desk_version, before.version);
    assert_eq!(decision.candidates[0].agent, assigned.agent);
    if !decision.rule.is_chosen() {
        return;
    }
    assert_eq!(rules.take, Taking::Given, "nothing is given from a queue of which agents pick");
    let ticket = &before.tickets[&assigned.conversation];
    let table = table(before, assigned.conversation, ticket);
    assert_eq!((table[0].agent, table[0].lost), (assigned.agent, None), "the winner is recomputed");
    assert_eq!(table.len(), before.agents.len(), "the full table has everybody");
    assert_eq!(decision.candidates, table[..table.len().min(CANDIDATES_KEPT)]);
    let mut losing: BTreeMap<LosingReason, u32> = BTreeMap::new();
    for reason in table.iter().filter_map(|candidate| candidate.lost) {
        *losing.entry(reason).or_default() += 1;
    }
    assert_eq!(decision.losing, losing.into_iter().collect::<Vec<_>>());

    let anybody = |conversation| before.agents.keys().any(|id| may_get(before, rules, conversation, *id));
    let first = places_waiting(before).map(|(place, _)| place).filter(|(.., conversation)| anybody(*conversation)).min();
    assert_eq!(first, Some(place(assigned.conversation, ticket)), "the first in line of all who can be served");
    assert_is_chosen_by_the_words(before, assigned, rules);
}

/// Whom the flow's words give it to, by looking at everybody. Chance is only asked to fall on somebody who has a weight.
fn assert_is_chosen_by_the_words(before: &DeskState, assigned: &ConversationAssigned, rules: &QueueRules) {
    let ticket = &before.tickets[&assigned.conversation];
    let of = |id: &UserId| before.agents[id].clone();
    let mut left: Vec<UserId> = before.agents.keys().copied().filter(|id| may_get(before, rules, assigned.conversation, *id)).collect();
    for step in rules.choose.iter().chain([&ChoiceStep::LeastLoaded]) {
        let some: Vec<UserId> = match step {
            ChoiceStep::LastAgent { within } => {
                let last = ticket.last_served.filter(|last| ticket.enqueued_at.0 - last.at.0 <= within.millis().0);
                left.iter().copied().filter(|id| last.is_some_and(|last| last.agent == *id)).collect()
            }
            ChoiceStep::Language { .. } => {
                let language = ticket.language.clone();
                left.iter().copied().filter(|id| language.as_ref().is_some_and(|language| of(id).abilities.speak(language))).collect()
            }
            ChoiceStep::Skills { .. } => left.iter().copied().filter(|id| of(id).abilities.have(&ticket.skills)).collect(),
            ChoiceStep::Rank => {
                let best = left.iter().map(|id| of(id).abilities.rank).min();
                left.iter().copied().filter(|id| Some(of(id).abilities.rank) == best).collect()
            }
            ChoiceStep::LeastLoaded => {
                let best = left.iter().map(|id| of(id).carries.len()).min();
                left.iter().copied().filter(|id| Some(of(id).carries.len()) == best).collect()
            }
            ChoiceStep::RoundRobin => {
                let best = left.iter().map(|id| of(id).last_given).min();
                left.iter().copied().filter(|id| Some(of(id).last_given) == best).collect()
            }
            ChoiceStep::Weighted => {
                let some: Vec<UserId> = left.iter().copied().filter(|id| of(id).abilities.weight > 0).collect();
                if !some.is_empty() {
                    assert!(some.contains(&assigned.agent), "{:?} weighs nothing", assigned.agent);
                    return;
                }
                some
            }
            ChoiceStep::Scorer { .. } => {
                let best = left.iter().filter_map(|id| ticket.scores.get(id)).max();
                left.iter().copied().filter(|id| best.is_some() && ticket.scores.get(id) == best).collect()
            }
        };
        if !some.is_empty() {
            left = some;
        }
        if step.is_order() {
            break;
        }
    }
    assert_eq!(left.iter().min(), Some(&assigned.agent), "by the words of {:?}", rules.choose);
}

/// Owners as the events alone tell them, kept apart from the state on purpose.
#[derive(Default)]
struct Witness {
    owner: BTreeMap<ConversationId, Option<(UserId, u64)>>,
    since: BTreeMap<ConversationId, (u8, Timestamp)>,
    last_assignment: u64,
    /// What the tenant's flow says for every queue.
    rules: QueueRules,
    version: u32,
    given: BTreeMap<UserId, u64>,
    /// What providers let pass since they last came, and nobody had in earnest since.
    let_pass: BTreeSet<(UserId, ConversationId)>,
}

impl Witness {
    fn see(&mut self, event: &DeskEvent, before: &DeskState) {
        match event {
            DeskEvent::AgentUpdated(updated) => {
                let was_there = before.agents.get(&updated.agent).is_some_and(|agent| agent.on_service && agent.online);
                if updated.on_service && updated.online && !was_there {
                    self.let_pass.retain(|(agent, _)| *agent != updated.agent);
                }
            }
            DeskEvent::ConversationQueued(queued) => {
                let at = (queued.priority, queued.enqueued_at);
                assert!(!self.owner.get(&queued.conversation).is_some_and(Option::is_some), "what is served is not queued");
                assert_eq!(*self.since.entry(queued.conversation).or_insert(at), at, "moving keeps the place in time");
                self.owner.insert(queued.conversation, None);
                self.had_in_earnest(queued.conversation);
            }
            DeskEvent::ConversationAssigned(assigned) => {
                let previous = self.owner[&assigned.conversation].map(|(agent, _)| agent);
                assert_eq!(assigned.previous, previous, "one owner at a time");
                assert_ne!(previous, Some(assigned.agent), "nobody gets what they have");
                assert!(assigned.assignment > self.last_assignment, "assignment numbers strictly grow");
                self.last_assignment = assigned.assignment;
                let agent = before.agents.get(&assigned.agent).cloned().unwrap_or_default();
                assert!(agent.carries.len() < agent.capacity as usize, "no assignment is made above capacity");
                assert_eq!(assigned.provider, agent.provider.is_some());
                assert!(agent.provider.is_none_or(|within| assigned.accept_within == Some(within)), "a provider accepts, in its own time");
                let let_it_pass = self.let_pass.contains(&(assigned.agent, assigned.conversation));
                assert!(!let_it_pass || !assigned.decision.rule.is_chosen(), "a provider is not offered again what it let pass");
                self.owner.insert(assigned.conversation, Some((assigned.agent, assigned.assignment)));
                assert_decision_is_explained(before, assigned, &self.rules);
                assert_eq!(assigned.decision.flow_version, self.version);
                assert_eq!(agent.last_given, self.given.insert(assigned.agent, assigned.assignment).unwrap_or(0));
            }
            DeskEvent::FlowAdopted(adopted) => {
                assert!(adopted.flow.version > self.version, "an older flow does not come back");
                (self.version, self.rules) = (adopted.flow.version, adopted.default.clone());
            }
            DeskEvent::FlowDropped(dropped) => {
                assert_eq!(dropped.flow.version, self.version);
                (self.version, self.rules) = (0, QueueRules::default());
            }
            DeskEvent::ConversationRequeued(requeued) => {
                let owner = self.owner.insert(requeued.conversation, None);
                assert_eq!(owner, Some(Some((requeued.agent, requeued.assignment))), "only the owner gives back");
                if !requeued.reason.is_timeout() {
                    self.had_in_earnest(requeued.conversation);
                } else if before.agents[&requeued.agent].provider.is_some() {
                    self.let_pass.insert((requeued.agent, requeued.conversation));
                }
            }
            DeskEvent::ConversationReleased(released) => {
                let owner = self.owner.remove(&released.conversation).expect("only what is there leaves");
                assert_eq!(released.agent.zip(released.assignment), owner);
                self.since.remove(&released.conversation);
                self.had_in_earnest(released.conversation);
            }
        }
    }

    fn had_in_earnest(&mut self, conversation: ConversationId) {
        self.let_pass.retain(|(_, passed)| *passed != conversation);
    }

    fn assert_agrees_with(&self, state: &DeskState) {
        let owners: BTreeMap<_, _> = state.tickets.iter().map(|(id, ticket)| (*id, ticket.owner)).collect();
        let since: BTreeMap<_, _> = state.tickets.iter().map(|(id, ticket)| (*id, (ticket.priority, ticket.enqueued_at))).collect();
        assert_eq!((&owners, &since), (&self.owner, &self.since));
    }
}

/// Whoever is told to stop, or is lost, carries nothing afterwards.
fn gives_everything_back(command: &DeskCommand) -> Option<UserId> {
    match command {
        DeskCommand::UpdateAgent { agent, change: AgentChange::Online(false) | AgentChange::Service(Service::Stopped) } => Some(*agent),
        DeskCommand::UpdateAgent { .. }
        | DeskCommand::Enqueue { .. }
        | DeskCommand::Release { .. }
        | DeskCommand::Transfer { .. }
        | DeskCommand::TakeOver { .. }
        | DeskCommand::AssignRecorded { .. }
        | DeskCommand::AdoptFlow { .. }
        | DeskCommand::DropFlow { .. }
        | DeskCommand::Pick { .. }
        | DeskCommand::TimeOut { .. }
        | DeskCommand::LeaveMessage { .. }
        | DeskCommand::Overflow { .. } => None,
    }
}

fn any_event() -> impl Strategy<Value = DeskEvent> {
    let provider = proptest::option::of(accept_within());
    let updated = (agent(), any::<bool>(), any::<bool>(), 0_u32..4, proptest::collection::vec(group(), 0..4), provider);
    prop_oneof![
        4 => updated.prop_map(|(agent, on_service, online, capacity, groups, provider)| {
            AgentUpdated { agent, on_service, online, capacity, groups, abilities: Abilities::default(), provider }.into()
        }),
        4 => (number(), group(), any::<u8>(), any::<i64>()).prop_map(|(number, group, priority, at)| {
            ConversationQueued { priority, enqueued_at: Timestamp(at), ..queued(number, group) }.into()
        }),
        4 => (number(), agent(), any::<u64>()).prop_map(|(number, agent, assignment)| served(number, agent, assignment)),
        2 => (number(), agent(), any::<u64>(), group())
            .prop_map(|(number, agent, assignment, group)| requeued(number, agent, assignment, group, RequeueReason::AgentLost)),
        2 => (number(), agent(), any::<u64>(), group())
            .prop_map(|(number, agent, assignment, group)| requeued(number, agent, assignment, group, RequeueReason::NotAccepted)),
        2 => (number(), proptest::option::of((agent(), any::<u64>()))).prop_map(|(number, owner)| released(number, owner)),
    ]
}

proptest! {
    #[test]
    fn a_desk_keeps_its_invariants_under_any_commands(commands in proptest::collection::vec(command(), 1..100)) {
        let mut state = DeskState::default();
        let mut witness = Witness::default();
        for command in commands {
            let events = Desk::decide(&command, &state, NOW).unwrap_or_default();
            for event in &events {
                witness.see(event, &state);
                Desk::evolve(&mut state, event, NOW);
            }
            assert_indices_are_right(&state);
            assert_nobody_waits_beside_a_free_agent(&state, &witness.rules);
            witness.assert_agrees_with(&state);
            if let Some(gone) = gives_everything_back(&command) {
                prop_assert!(state.agents[&gone].carries.is_empty(), "{gone} is gone and carries something");
            }
        }
        assert_survives_a_snapshot(&state);
    }

    #[test]
    fn any_history_is_taken_in_and_kept_and_its_indices_are_right(history in proptest::collection::vec(any_event(), 0..80)) {
        let mut state = DeskState::default();
        for event in history {
            Desk::evolve(&mut state, &event, NOW);
            assert_indices_are_right(&state);
        }
        assert_survives_a_snapshot(&state);
    }
}
