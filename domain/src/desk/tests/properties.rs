//! What holds for a desk under any commands in any order, and for any history.

use std::collections::{BTreeMap, BTreeSet};

use imbl::{OrdMap, OrdSet};
use proptest::prelude::*;

use super::*;
use crate::desk::choose::{CANDIDATES_KEPT, table};
use crate::desk::roster::Roster;
use crate::desk::state::{Agent, DeskState, Place, Ticket};
use crate::flow::FlowVersion;
use crate::flow::assignment::{AssignmentFlow, ChoiceStep, QueueRules};
use crate::testing::assert_survives_a_snapshot;

fn agent() -> impl Strategy<Value = UserId> {
    (1_u128..6).prop_map(UserId::from_u128)
}

fn number() -> impl Strategy<Value = u128> {
    0_u128..24
}

fn group() -> impl Strategy<Value = GroupId> {
    prop_oneof![Just(sales()), Just(support()), Just("night".parse().unwrap())]
}

fn change() -> impl Strategy<Value = AgentChange> {
    prop_oneof![
        4 => Just(AgentChange::Service(Service::Started)),
        1 => Just(AgentChange::Service(Service::Paused)),
        1 => Just(AgentChange::Service(Service::Stopped)),
        4 => Just(AgentChange::Online(true)),
        1 => Just(AgentChange::Online(false)),
        2 => (0_u32..5).prop_map(AgentChange::Capacity),
        4 => proptest::collection::vec(group(), 0..4).prop_map(AgentChange::Groups),
    ]
}

fn target() -> impl Strategy<Value = TransferTarget> {
    prop_oneof![agent().prop_map(TransferTarget::Agent), group().prop_map(TransferTarget::Group)]
}

fn step() -> impl Strategy<Value = ChoiceStep> {
    prop_oneof![
        Just(ChoiceStep::LastAgent { within: "1s".parse().unwrap() }),
        Just(ChoiceStep::RoundRobin),
        Just(ChoiceStep::LeastLoaded),
        Just(ChoiceStep::Rank),
    ]
}

/// Few versions, so that older ones come after newer ones.
fn flow() -> impl Strategy<Value = DeskCommand> {
    let version = || (1_u32..6).prop_map(|version| FlowVersion { shop: None, version });
    prop_oneof![
        3 => (version(), proptest::collection::vec(step(), 0..3)).prop_map(|(flow, choose)| {
            let default = QueueRules { choose, ..QueueRules::default() };
            DeskCommand::AdoptFlow { flow, rules: AssignmentFlow { default, ..AssignmentFlow::default() }.into() }
        }),
        1 => version().prop_map(|flow| DeskCommand::DropFlow { flow }),
    ]
}

/// Somebody who was served before, lately or long ago.
fn known_customer() -> impl Strategy<Value = DeskCommand> {
    (number(), group(), agent(), proptest::sample::select(vec![0, 1_000, 1_001])).prop_map(|(number, group, agent, ago)| {
        let (conversation, chat, enqueued_at) = (conversation(number), chat(number), came(number));
        let last_served = Some(LastServed { agent, at: enqueued_at - Millis(ago) });
        DeskCommand::Enqueue { conversation, chat, group, priority: 1, enqueued_at, left_message: false, shop: None, last_served }
    })
}

fn command() -> impl Strategy<Value = DeskCommand> {
    prop_oneof![
        8 => (agent(), change()).prop_map(|(agent, change)| update(agent, change)),
        // Few priorities and instants, so that every tie-breaker has to work.
        10 => (number(), group(), 0_u8..3, 0_u128..5).prop_map(|(number, group, priority, at)| enqueue_with(number, group, priority, came(at))),
        3 => (number(), group()).prop_map(|(number, group)| leave_message(number, group)),
        4 => known_customer(),
        2 => flow(),
        4 => number().prop_map(release),
        3 => (number(), proptest::option::of(agent()), target()).prop_map(|(number, by, to)| transfer(number, by, to)),
        1 => (number(), agent()).prop_map(|(number, by)| take_over(number, by)),
        1 => (number(), agent()).prop_map(|(number, agent)| assign_recorded(number, agent)),
    ]
}

/// Whether the agent may get a conversation of this group now, by the words of the design and not by the decider's code.
fn is_eligible(agent: &Agent, group: GroupId) -> bool {
    agent.on_service && agent.online && agent.groups.contains(&group) && agent.carries.len() < agent.capacity as usize
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
    let mut waiting: OrdMap<GroupId, OrdSet<Place>> = OrdMap::new();
    for (place, group) in places_waiting(state) {
        waiting.entry(group).or_default().insert(place);
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
                roster.free.insert((agent.load(), *id));
                roster.by_turn.insert((agent.last_given, *id));
            } else {
                roster.at_capacity += 1;
            }
        }
    }
    assert_eq!(state.waiting, waiting, "waiting");
    assert_eq!(state.rosters, rosters, "rosters");
    assert_eq!(state.agents_by_load, state.agents.iter().map(|(id, agent)| (agent.load(), *id)).collect(), "agents by load");
    let owned: BTreeSet<_> = state.tickets.iter().filter_map(|(id, ticket)| Some((ticket.owner?.0, *id))).collect();
    let carried: BTreeSet<_> = state.agents.iter().flat_map(|(id, agent)| agent.carries.iter().map(|carries| (*id, *carries))).collect();
    assert_eq!(owned, carried, "who carries what");
}

fn assert_nobody_waits_beside_a_free_agent(state: &DeskState) {
    for ((.., conversation), group) in places_waiting(state) {
        let free = state.agents.iter().find(|(_, agent)| is_eligible(agent, group));
        assert!(free.is_none(), "{conversation} waits for {group} beside {free:?}");
    }
}

/// The stored decision is the one that the desk at its version yields.
fn assert_decision_is_explained(before: &DeskState, assigned: &ConversationAssigned, steps: &[ChoiceStep]) {
    let decision = &assigned.decision;
    assert_eq!(decision.desk_version, before.version);
    assert_eq!(decision.candidates[0].agent, assigned.agent);
    if !decision.rule.is_chosen() {
        return;
    }
    let ticket = &before.tickets[&assigned.conversation];
    let table = table(before, ticket);
    assert_eq!((table[0].agent, table[0].lost), (assigned.agent, None), "the winner is recomputed");
    assert_eq!(table.len(), before.agents.len(), "the full table has everybody");
    assert_eq!(decision.candidates, table[..table.len().min(CANDIDATES_KEPT)]);
    let mut losing: BTreeMap<LosingReason, u32> = BTreeMap::new();
    for reason in table.iter().filter_map(|candidate| candidate.lost) {
        *losing.entry(reason).or_default() += 1;
    }
    assert_eq!(decision.losing, losing.into_iter().collect::<Vec<_>>());

    let eligible = |group| before.agents.values().any(|agent| is_eligible(agent, group));
    let first = places_waiting(before).filter(|(_, group)| eligible(*group)).map(|(place, _)| place).min();
    assert_eq!(first, Some(place(assigned.conversation, ticket)), "the first in line of all who can be served");
    assert_eq!(expected(before, ticket, steps), Some((assigned.agent, decision.rule)));
}

/// Whom the flow's words give it to, by looking at everybody.
fn expected(before: &DeskState, ticket: &Ticket, steps: &[ChoiceStep]) -> Option<(UserId, AssignmentRule)> {
    let eligible = || before.agents.iter().filter(|(_, agent)| is_eligible(agent, ticket.group));
    let by = |step: &ChoiceStep| match step {
        ChoiceStep::LastAgent { within } => {
            let last = ticket.last_served.filter(|last| ticket.enqueued_at.0 - last.at.0 <= within.millis().0)?;
            eligible().any(|(id, _)| *id == last.agent).then_some((last.agent, AssignmentRule::LastAgent))
        }
        ChoiceStep::RoundRobin => {
            eligible().map(|(id, agent)| (agent.last_given, *id)).min().map(|(_, id)| (id, AssignmentRule::RoundRobin))
        }
        ChoiceStep::LeastLoaded => {
            eligible().map(|(id, agent)| (agent.carries.len(), *id)).min().map(|(_, id)| (id, AssignmentRule::LeastLoaded))
        }
        ChoiceStep::Language { .. } | ChoiceStep::Skills { .. } | ChoiceStep::Rank | ChoiceStep::Weighted | ChoiceStep::Scorer { .. } => {
            None
        }
    };
    steps.iter().find_map(by).or_else(|| by(&ChoiceStep::LeastLoaded))
}

/// Owners as the events alone tell them, kept apart from the state on purpose.
#[derive(Default)]
struct Witness {
    owner: BTreeMap<ConversationId, Option<(UserId, u64)>>,
    since: BTreeMap<ConversationId, (u8, Timestamp)>,
    last_assignment: u64,
    /// What the tenant's flow says for every queue.
    steps: Vec<ChoiceStep>,
    version: u32,
    given: BTreeMap<UserId, u64>,
}

impl Witness {
    fn see(&mut self, event: &DeskEvent, before: &DeskState) {
        match event {
            DeskEvent::AgentUpdated(_) => {}
            DeskEvent::ConversationQueued(queued) => {
                let at = (queued.priority, queued.enqueued_at);
                assert!(!self.owner.get(&queued.conversation).is_some_and(Option::is_some), "what is served is not queued");
                assert_eq!(*self.since.entry(queued.conversation).or_insert(at), at, "moving keeps the place in time");
                self.owner.insert(queued.conversation, None);
            }
            DeskEvent::ConversationAssigned(assigned) => {
                let previous = self.owner[&assigned.conversation].map(|(agent, _)| agent);
                assert_eq!(assigned.previous, previous, "one owner at a time");
                assert_ne!(previous, Some(assigned.agent), "nobody gets what they have");
                assert!(assigned.assignment > self.last_assignment, "assignment numbers strictly grow");
                self.last_assignment = assigned.assignment;
                let agent = before.agents.get(&assigned.agent).cloned().unwrap_or_default();
                assert!(agent.carries.len() < agent.capacity as usize, "no assignment is made above capacity");
                self.owner.insert(assigned.conversation, Some((assigned.agent, assigned.assignment)));
                assert_decision_is_explained(before, assigned, &self.steps);
                assert_eq!(assigned.decision.flow_version, self.version);
                assert_eq!(agent.last_given, self.given.insert(assigned.agent, assigned.assignment).unwrap_or(0));
            }
            DeskEvent::FlowAdopted(adopted) => {
                assert!(adopted.flow.version > self.version, "an older flow does not come back");
                (self.version, self.steps) = (adopted.flow.version, adopted.default.choose.clone());
            }
            DeskEvent::FlowDropped(dropped) => {
                assert_eq!(dropped.flow.version, self.version);
                (self.version, self.steps) = (0, vec![]);
            }
            DeskEvent::ConversationRequeued(requeued) => {
                let owner = self.owner.insert(requeued.conversation, None);
                assert_eq!(owner, Some(Some((requeued.agent, requeued.assignment))), "only the owner gives back");
            }
            DeskEvent::ConversationReleased(released) => {
                let owner = self.owner.remove(&released.conversation).expect("only what is there leaves");
                assert_eq!(released.agent.zip(released.assignment), owner);
                self.since.remove(&released.conversation);
            }
        }
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
        | DeskCommand::DropFlow { .. } => None,
    }
}

fn any_event() -> impl Strategy<Value = DeskEvent> {
    let updated = (agent(), any::<bool>(), any::<bool>(), 0_u32..4, proptest::collection::vec(group(), 0..4));
    prop_oneof![
        4 => updated.prop_map(|(agent, on_service, online, capacity, groups)| {
            AgentUpdated { agent, on_service, online, capacity, groups }.into()
        }),
        4 => (number(), group(), any::<u8>(), any::<i64>()).prop_map(|(number, group, priority, at)| {
            ConversationQueued { priority, enqueued_at: Timestamp(at), ..queued(number, group) }.into()
        }),
        4 => (number(), agent(), any::<u64>()).prop_map(|(number, agent, assignment)| served(number, agent, assignment)),
        2 => (number(), agent(), any::<u64>(), group())
            .prop_map(|(number, agent, assignment, group)| requeued(number, agent, assignment, group, RequeueReason::AgentLost)),
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
            assert_nobody_waits_beside_a_free_agent(&state);
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
