//! The rules of a desk, each where it holds and where it stops.

mod agents;
mod flows;
mod handing_over;
mod properties;
mod queues;
mod scale;

use crate::decider::Decider;
use crate::desk::Desk;
use crate::desk::command::{AgentChange, DeskCommand, Service, TransferTarget};
use crate::desk::event::{
    AgentUpdated, AssignmentRule, Candidate, ConversationAssigned, ConversationQueued, ConversationReleased, ConversationRequeued,
    Decision, DeskEvent, FlowAdopted, FlowDropped, LastServed, LosingReason, QueueKind, RequeueReason,
};
use crate::desk::rules::QueueBook;
use crate::ids::{ChatId, ConversationId, GroupId, UserId};
use crate::testing::{self, Given, NOW};
use crate::time::{Millis, Timestamp};
use crate::user::abilities::Abilities;

const ALICE: UserId = UserId::from_u128(1);
const BOB: UserId = UserId::from_u128(2);
const CAROL: UserId = UserId::from_u128(3);
const SUPERVISOR: UserId = UserId::from_u128(9);
const PRIORITY: u8 = 100;

fn given(history: impl IntoIterator<Item = DeskEvent>) -> Given<Desk> {
    testing::given(history)
}

fn sales() -> GroupId {
    "sales".parse().unwrap()
}

fn support() -> GroupId {
    "support".parse().unwrap()
}

fn conversation(number: u128) -> ConversationId {
    ConversationId::from_u128(100 + number)
}

fn chat(number: u128) -> ChatId {
    ChatId::from_u128(200 + number)
}

/// Later numbers came later, unless a test says otherwise.
fn came(number: u128) -> Timestamp {
    NOW + Millis::minutes(i64::try_from(number).unwrap())
}

/// On service and connected.
fn on_duty<const N: usize>(agent: UserId, capacity: u32, groups: [GroupId; N]) -> AgentUpdated {
    AgentUpdated {
        agent,
        on_service: true,
        online: true,
        capacity,
        groups: groups.to_vec(),
        abilities: Abilities::default(),
        provider: None,
    }
}

fn queued(number: u128, group: GroupId) -> ConversationQueued {
    ConversationQueued {
        conversation: conversation(number),
        chat: chat(number),
        group,
        queue: QueueKind::Online,
        priority: PRIORITY,
        enqueued_at: came(number),
        shop: None,
        last_served: None,
        language: None,
        skills: vec![],
        scores: std::collections::BTreeMap::new(),
        moved_from: None,
        overflow_at: None,
    }
}

fn assigned(number: u128, agent: UserId, assignment: u64, decision: Decision) -> ConversationAssigned {
    ConversationAssigned {
        conversation: conversation(number),
        chat: chat(number),
        agent,
        assignment,
        previous: None,
        accept_within: None,
        answer_within: None,
        provider: false,
        decision,
    }
}

/// In a history it does not matter why an agent was chosen.
fn served(number: u128, agent: UserId, assignment: u64) -> DeskEvent {
    assigned(number, agent, assignment, named(AssignmentRule::Recorded, 0, winner(agent, 0, 1))).into()
}

fn requeued(number: u128, agent: UserId, assignment: u64, group: GroupId, reason: RequeueReason) -> DeskEvent {
    ConversationRequeued { conversation: conversation(number), chat: chat(number), agent, assignment, group, reason, overflow_at: None }
        .into()
}

fn released(number: u128, owner: Option<(UserId, u64)>) -> DeskEvent {
    let (agent, assignment) = owner.unzip();
    ConversationReleased { conversation: conversation(number), chat: chat(number), agent, assignment }.into()
}

fn winner(agent: UserId, load: u32, capacity: u32) -> Candidate {
    Candidate { agent, load, capacity, lost: None, score: None }
}

fn loser(agent: UserId, load: u32, capacity: u32, reason: LosingReason) -> Candidate {
    Candidate { agent, load, capacity, lost: Some(reason), score: None }
}

fn named(rule: AssignmentRule, desk_version: u64, winner: Candidate) -> Decision {
    Decision { rule, flow_version: 0, flow_shop: None, desk_version, losing: vec![], candidates: vec![winner] }
}

fn by_load<const N: usize>(desk_version: u64, losing: Vec<(LosingReason, u32)>, candidates: [Candidate; N]) -> Decision {
    Decision { rule: AssignmentRule::LeastLoaded, flow_version: 0, flow_shop: None, desk_version, losing, candidates: candidates.to_vec() }
}

fn update(agent: UserId, change: AgentChange) -> DeskCommand {
    DeskCommand::UpdateAgent { agent, change }
}

fn start(agent: UserId) -> DeskCommand {
    update(agent, AgentChange::Service(Service::Started))
}

fn enqueue(number: u128, group: GroupId) -> DeskCommand {
    enqueue_with(number, group, PRIORITY, came(number))
}

fn enqueue_with(number: u128, group: GroupId, priority: u8, enqueued_at: Timestamp) -> DeskCommand {
    let (conversation, chat) = (conversation(number), chat(number));
    DeskCommand::Enqueue {
        conversation,
        chat,
        group,
        priority,
        enqueued_at,
        left_message: false,
        shop: None,
        last_served: None,
        language: None,
        skills: vec![],
        scores: std::collections::BTreeMap::new(),
    }
}

fn leave_message(number: u128, group: GroupId) -> DeskCommand {
    let (conversation, chat) = (conversation(number), chat(number));
    DeskCommand::Enqueue {
        conversation,
        chat,
        group,
        priority: 0,
        enqueued_at: came(number),
        left_message: true,
        shop: None,
        last_served: None,
        language: None,
        skills: vec![],
        scores: std::collections::BTreeMap::new(),
    }
}

fn release(number: u128) -> DeskCommand {
    DeskCommand::Release { conversation: conversation(number) }
}

fn transfer(number: u128, by: Option<UserId>, to: TransferTarget) -> DeskCommand {
    DeskCommand::Transfer { conversation: conversation(number), by, to }
}

fn take_over(number: u128, by: UserId) -> DeskCommand {
    DeskCommand::TakeOver { conversation: conversation(number), by }
}

fn assign_recorded(number: u128, agent: UserId) -> DeskCommand {
    DeskCommand::AssignRecorded { conversation: conversation(number), agent }
}

/// Who has which conversation, and who waits for which group: the outcome of a longer story.
#[track_caller]
fn assert_stands<const S: usize, const W: usize>(desk: &Given<Desk>, serves: [(u128, UserId); S], waits: [(u128, GroupId); W]) {
    let tickets = &desk.state().tickets;
    let owner = |number| tickets.get(&conversation(number)).and_then(|ticket| ticket.owner).map(|(agent, _)| agent);
    for (number, agent) in serves {
        assert_eq!(owner(number), Some(agent), "owner of {number}");
    }
    for (number, group) in waits {
        assert!(desk.state().queue(group).iter().any(|(.., waiting)| *waiting == conversation(number)), "{number} waits for {group}");
    }
    assert_eq!(tickets.len(), S + W, "nothing else is at the desk: {tickets:?}");
}
