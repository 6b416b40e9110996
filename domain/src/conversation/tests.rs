//! The rules of a conversation, each where it holds and where it stops.

mod properties;
mod providers;
mod ratings;
mod robots;
mod stages;
mod tickets;

use crate::conversation::Conversation;
use crate::conversation::command::{Closer, ConversationCommand, Rating};
use crate::conversation::event::{
    AgentAssigned, AgentReleased, AnswerRated, CloseReason, ConversationClosed, ConversationEvent, ConversationMoved, ConversationOpened,
    ConversationRated, ConversationReopened, CustomerReplaced, Entry, HandedOff, HumanReason, HumanWanted, MessageLeft, Patience,
    RatingComment, RatingInvited, RobotAnswered, StillWaiting,
};
use crate::flow::FlowVersion;
use crate::ids::{ChatId, GroupId, ShopId, TaskId, UserId};
use crate::message::Party;
use crate::private::Private;
use crate::testing::{self, Given};

const CHAT: ChatId = ChatId::from_u128(10);
const BUYER: UserId = UserId::from_u128(1);
const ALICE: UserId = UserId::from_u128(2);
const BOB: UserId = UserId::from_u128(3);
const SUPERVISOR: UserId = UserId::from_u128(4);
const SIGNED_IN_BUYER: UserId = UserId::from_u128(7);
const STRANGER: UserId = UserId::from_u128(9);
const PROBLEM: TaskId = TaskId::from_u128(50);
const NEXT_PROBLEM: TaskId = TaskId::from_u128(51);
const SEEN: u64 = 3;

fn given(history: impl IntoIterator<Item = ConversationEvent>) -> Given<Conversation> {
    testing::given(history)
}

fn shop() -> ShopId {
    "flowers".parse().unwrap()
}

fn sales() -> GroupId {
    "sales".parse().unwrap()
}

fn complaints() -> GroupId {
    "complaints".parse().unwrap()
}

fn opened() -> ConversationEvent {
    ConversationOpened { chat: CHAT, shop: shop(), customer: BUYER, entry: Entry::default() }.into()
}

fn handed_off(task: TaskId, group: GroupId) -> ConversationEvent {
    HandedOff { chat: CHAT, task, group, left_message: false, route: None, skills: vec![], patience: Patience::default(), robot: None }
        .into()
}

fn assigned_to(agent: UserId, assignment: u64) -> ConversationEvent {
    AgentAssigned { chat: CHAT, agent, assignment, provider: false }.into()
}

fn released(agent: UserId, assignment: u64) -> ConversationEvent {
    AgentReleased { chat: CHAT, agent, assignment, group: None }.into()
}

fn closed(reason: CloseReason, by: Party) -> ConversationEvent {
    ConversationClosed { chat: CHAT, reason, by, seen_seq: SEEN, in_reception: false, label: None }.into()
}

fn closed_in_reception(reason: CloseReason, by: Party) -> ConversationEvent {
    ConversationClosed { chat: CHAT, reason, by, seen_seq: SEEN, in_reception: true, label: None }.into()
}

fn closed_by_alice() -> ConversationEvent {
    closed(CloseReason::EndedByAgent, Party::User(ALICE))
}

fn closed_by_buyer() -> ConversationEvent {
    closed(CloseReason::EndedByCustomer, Party::User(BUYER))
}

fn reopened(group: Option<GroupId>) -> ConversationEvent {
    ConversationReopened { chat: CHAT, group }.into()
}

fn invited() -> ConversationEvent {
    RatingInvited { chat: CHAT, by: Party::System }.into()
}

fn rating(agent: UserId, score: u8) -> ConversationRated {
    ConversationRated {
        chat: CHAT,
        by: BUYER,
        agent,
        score,
        tags: vec![],
        solved: None,
        invited: false,
        private: Private::Known(RatingComment::default()),
    }
}

fn rated(agent: UserId, score: u8) -> ConversationEvent {
    rating(agent, score).into()
}

fn replaced(into: UserId) -> ConversationEvent {
    CustomerReplaced { chat: CHAT, into }.into()
}

fn open() -> ConversationCommand {
    ConversationCommand::Open { chat: CHAT, shop: shop(), customer: BUYER, entry: Entry::default() }
}

fn hand_off(task: TaskId, group: GroupId) -> ConversationCommand {
    ConversationCommand::HandOff { task, group, left_message: false, route: None, skills: vec![], patience: Patience::default() }
}

fn follow_assignment(agent: UserId, assignment: u64) -> ConversationCommand {
    ConversationCommand::FollowAssignment { agent, assignment, provider: false }
}

fn follow_release(assignment: u64) -> ConversationCommand {
    ConversationCommand::FollowRelease { assignment, group: None }
}

fn invite() -> ConversationCommand {
    ConversationCommand::InviteRating { by: Party::System }
}

fn rate(by: UserId, score: u8) -> ConversationCommand {
    ConversationCommand::Rate(Rating { by, score, tags: vec![], choices: vec![], solved: None, comment: String::new() })
}

/// A score of 2 or less is a bad one.
fn rate_answer(by: UserId, seq: Option<u64>, score: u8) -> ConversationCommand {
    ConversationCommand::RateAnswer { by, seq, score, bad_at_most: Some(2) }
}

fn close(by: Closer) -> ConversationCommand {
    ConversationCommand::Close { by, seen_seq: SEEN, label: None }
}

fn replace(from: UserId, into: UserId) -> ConversationCommand {
    ConversationCommand::ReplaceCustomer { from, into }
}

fn engage_robot() -> ConversationCommand {
    ConversationCommand::EngageRobot { robot: "faq".parse().unwrap(), flow: FlowVersion { shop: None, version: 3 }, without_button: false }
}

/// After two answers on end that it did not know, a human is wanted.
fn robot_answer(seq: u64, known: bool) -> ConversationCommand {
    let article = known.then(|| "FAQ-1".parse().unwrap());
    ConversationCommand::NoteRobotAnswer { seq, confidence: 50, known, article, unknown_max: Some(2) }
}

fn in_reception() -> Given<Conversation> {
    given([opened()])
}

fn waiting() -> Given<Conversation> {
    in_reception().and([handed_off(PROBLEM, sales())])
}

fn alice_serves() -> Given<Conversation> {
    waiting().and([assigned_to(ALICE, 1)])
}
