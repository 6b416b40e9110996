//! What a conversation answers.

mod provider;
pub(crate) mod rating;

use super::Decided;
use super::command::{Closer, ConversationCommand};
use super::error::ConversationError;
use super::event::{
    AgentAssigned, AgentReleased, CloseReason, ConversationClosed, ConversationEvent, ConversationMoved, ConversationOpened,
    ConversationReopened, CustomerReplaced, Entry, HandOffRefused, HandedOff, HumanReason, HumanWanted, MessageLeft, RobotAnswered,
    RobotEngaged, StillWaiting,
};
use super::state::{ConversationState, Session, Stage};
use super::ticket;
use crate::flow::FlowVersion;
use crate::ids::{ChatId, GroupId, ShopId, TaskId, UserId};
use crate::labels::Label;
use crate::message::Party;

pub(super) fn decide(command: &ConversationCommand, state: &ConversationState) -> Decided {
    match command {
        ConversationCommand::Open { chat, shop, customer, entry } => open(state, *chat, *shop, *customer, entry),
        ConversationCommand::HandOff { task, group, left_message, route, skills, patience } => {
            let handed = |chat, known: Option<TaskId>| HandedOff {
                chat,
                task: known.unwrap_or(*task),
                group: *group,
                left_message: *left_message,
                route: route.clone(),
                skills: skills.clone(),
                patience: patience.clone(),
                robot: state.session().and_then(|session| session.robot.as_ref()).map(|robot| robot.name.clone()),
            };
            in_reception(state, |session| handed(session.chat, session.task).into())
        }
        ConversationCommand::RefuseHandOff { route, opens_at } => {
            in_reception(state, |session| HandOffRefused { chat: session.chat, route: route.clone(), opens_at: *opens_at }.into())
        }
        ConversationCommand::EngageRobot { robot, flow, without_button } => engage_robot(state, robot, *flow, *without_button),
        ConversationCommand::NoteRobotAnswer { seq, confidence, known, article, unknown_max } => {
            let answered = |chat| RobotAnswered { chat, seq: *seq, known: *known, confidence: *confidence, article: article.clone() };
            note_robot_answer(state, *unknown_max, answered)
        }
        ConversationCommand::WantHuman { reason } => want_human(state, *reason),
        ConversationCommand::TellToWait { notice } => tell_to_wait(state, *notice),
        ConversationCommand::LeaveMessage => leave_message(state),
        ConversationCommand::FollowMove { group } => follow_move(state, *group),
        ConversationCommand::FollowAssignment { agent, assignment, provider } => follow_assignment(state, *agent, *assignment, *provider),
        ConversationCommand::NoteProvider { agent, assignment, answer, words } => {
            provider::note(state, *agent, *assignment, *answer, words)
        }
        ConversationCommand::FollowRelease { assignment, group } => follow_release(state, *assignment, *group),
        ConversationCommand::InviteRating { by } => rating::invite(state, *by),
        ConversationCommand::Rate(rating) => rating::rate(state, rating),
        ConversationCommand::RateAnswer { by, seq, score, bad_at_most } => rating::rate_answer(state, *by, *seq, *score, *bad_at_most),
        ConversationCommand::ChangeTicket(change) => ticket::change(state, change),
        ConversationCommand::Close { by, seen_seq, label } => close(state, *by, *seen_seq, label.as_ref()),
        ConversationCommand::Reopen => reopen(state),
        ConversationCommand::ReplaceCustomer { from, into } => replace_customer(state, *from, *into),
    }
}

fn open(state: &ConversationState, chat: ChatId, shop: ShopId, customer: UserId, entry: &Entry) -> Decided {
    match state.session() {
        None => Ok(vec![ConversationOpened { chat, shop, customer, entry: entry.clone() }.into()]),
        Some(session) if session.chat == chat && session.customer == customer => Ok(vec![]),
        Some(_) => Err(ConversationError::BelongsToAnother),
    }
}

/// What the reception flow decides holds for as long as it has the conversation.
fn in_reception(state: &ConversationState, event: impl FnOnce(&Session) -> ConversationEvent) -> Decided {
    match state {
        ConversationState::Unopened => Err(ConversationError::NotOpened),
        ConversationState::Closed { .. } => Err(ConversationError::Closed),
        ConversationState::Open { stage: Stage::Waiting { .. } | Stage::Serving { .. }, .. } => Ok(vec![]),
        ConversationState::Open { session, stage: Stage::Reception } => Ok(vec![event(session)]),
    }
}

fn engage_robot(state: &ConversationState, robot: &Label, flow: FlowVersion, without_button: bool) -> Decided {
    if state.session().is_some_and(|session| session.robot.as_ref().is_some_and(|engaged| engaged.name == *robot)) {
        return Ok(vec![]);
    }
    in_reception(state, |session| RobotEngaged { chat: session.chat, robot: robot.clone(), flow, without_button }.into())
}

/// Wanted once, until somebody was asked: the flow's route is tried once for it.
fn want_human(state: &ConversationState, reason: HumanReason) -> Decided {
    if state.session().is_some_and(|session| session.human_wanted) {
        return Ok(vec![]);
    }
    let without_button = state.session().and_then(|session| session.robot.as_ref()).is_some_and(|robot| robot.without_button);
    if reason == HumanReason::Button && without_button {
        return Err(ConversationError::NoButton);
    }
    in_reception(state, |session| HumanWanted { chat: session.chat, reason }.into())
}

/// What comes late, or again, was done by then.
fn note_robot_answer(state: &ConversationState, unknown_max: Option<u32>, answered: impl FnOnce(ChatId) -> RobotAnswered) -> Decided {
    let ConversationState::Open { session, stage: Stage::Reception } = state else {
        return if *state == ConversationState::Unopened { Err(ConversationError::NotOpened) } else { Ok(vec![]) };
    };
    let answered = answered(session.chat);
    let Some(robot) = session.robot.as_ref().filter(|robot| robot.answered_seq < answered.seq) else { return Ok(vec![]) };
    let known = answered.known;
    let mut events = vec![answered.into()];
    if !known && !session.human_wanted && unknown_max.is_some_and(|most| robot.unknown.saturating_add(1) >= most) {
        events.push(HumanWanted { chat: session.chat, reason: HumanReason::UnknownAnswers }.into());
    }
    Ok(events)
}

/// Each notice is told once, and only to somebody who waits for an agent.
fn tell_to_wait(state: &ConversationState, notice: u32) -> Decided {
    match state {
        ConversationState::Open { session, stage: Stage::Waiting { .. } } if notice >= session.told_to_wait && !session.left_message => {
            Ok(session.flow.map(|flow| StillWaiting { chat: session.chat, notice, flow }.into()).into_iter().collect())
        }
        ConversationState::Unopened => Err(ConversationError::NotOpened),
        ConversationState::Open { .. } | ConversationState::Closed { .. } => Ok(vec![]),
    }
}

fn leave_message(state: &ConversationState) -> Decided {
    match state {
        ConversationState::Open { session, stage: Stage::Waiting { .. } | Stage::Serving { .. } } if !session.left_message => {
            Ok(vec![MessageLeft { chat: session.chat }.into()])
        }
        ConversationState::Unopened => Err(ConversationError::NotOpened),
        ConversationState::Open { .. } | ConversationState::Closed { .. } => Ok(vec![]),
    }
}

fn follow_move(state: &ConversationState, group: GroupId) -> Decided {
    match state {
        ConversationState::Open { session, stage: Stage::Waiting { group: before } } if *before != group => {
            Ok(vec![ConversationMoved { chat: session.chat, group }.into()])
        }
        ConversationState::Unopened => Err(ConversationError::NotOpened),
        ConversationState::Open { .. } | ConversationState::Closed { .. } => Ok(vec![]),
    }
}

/// The desk decides who owns a conversation. A decision that arrives after the end, or out of date, changes nothing.
fn follow_assignment(state: &ConversationState, agent: UserId, assignment: u64, provider: bool) -> Decided {
    match state {
        ConversationState::Unopened => Err(ConversationError::NotOpened),
        ConversationState::Closed { .. } => Ok(vec![]),
        ConversationState::Open { session, .. } if assignment <= session.last_assignment => Ok(vec![]),
        // The desk only assigns what was handed off: before that, it can only be about the time before a reopening.
        ConversationState::Open { stage: Stage::Reception, .. } => Ok(vec![]),
        ConversationState::Open { session, .. } => Ok(vec![AgentAssigned { chat: session.chat, agent, assignment, provider }.into()]),
    }
}

fn follow_release(state: &ConversationState, released: u64, group: Option<GroupId>) -> Decided {
    match state {
        ConversationState::Open { session, stage: Stage::Serving { agent, assignment } } if *assignment == released => {
            let group = group.filter(|group| session.group != Some(*group));
            Ok(vec![AgentReleased { chat: session.chat, agent: *agent, assignment: released, group }.into()])
        }
        ConversationState::Unopened => Err(ConversationError::NotOpened),
        ConversationState::Open { .. } | ConversationState::Closed { .. } => Ok(vec![]),
    }
}

fn close(state: &ConversationState, by: Closer, seen_seq: u64, label: Option<&Label>) -> Decided {
    let (session, stage) = match state {
        ConversationState::Unopened => return Err(ConversationError::NotOpened),
        ConversationState::Closed { session } => return already_closed(session, by),
        ConversationState::Open { session, stage } => (session, stage),
    };
    let (reason, by) = match by {
        Closer::Customer(user) if user != session.customer => return Err(ConversationError::NotTheCustomer),
        Closer::Leaving(user) if user != session.customer => return Err(ConversationError::NotTheCustomer),
        Closer::Leaving(user) => match stage {
            Stage::Reception => (CloseReason::Left, Party::User(user)),
            Stage::Waiting { .. } | Stage::Serving { .. } => return Ok(vec![]),
        },
        Closer::Customer(user) if session.last_served.is_none() => (CloseReason::Abandoned, Party::User(user)),
        Closer::Customer(user) => (CloseReason::EndedByCustomer, Party::User(user)),
        Closer::Agent(user) => match stage {
            Stage::Serving { agent, .. } if *agent == user => (CloseReason::EndedByAgent, Party::User(user)),
            Stage::Serving { agent, .. } => return Err(ConversationError::NotYoursAnyMore { current: Some(*agent) }),
            Stage::Reception | Stage::Waiting { .. } => return Err(ConversationError::NotYoursAnyMore { current: None }),
        },
        Closer::Supervisor(user) => (CloseReason::EndedBySupervisor, Party::User(user)),
        Closer::Expiry => (CloseReason::Expired, Party::System),
        Closer::Unanswered => (CloseReason::Unanswered, Party::System),
        Closer::Block => (CloseReason::Blocked, Party::System),
    };
    let in_reception = matches!(stage, Stage::Reception);
    Ok(vec![ConversationClosed { chat: session.chat, reason, by, seen_seq, in_reception, label: label.cloned() }.into()])
}

/// Ending what has ended is already true; only a stranger is still told that it is not theirs.
fn already_closed(session: &Session, by: Closer) -> Decided {
    match by {
        Closer::Customer(user) | Closer::Leaving(user) if user != session.customer => Err(ConversationError::NotTheCustomer),
        Closer::Leaving(_)
        | Closer::Customer(_)
        | Closer::Agent(_)
        | Closer::Supervisor(_)
        | Closer::Expiry
        | Closer::Unanswered
        | Closer::Block => Ok(vec![]),
    }
}

fn reopen(state: &ConversationState) -> Decided {
    match state {
        ConversationState::Unopened => Err(ConversationError::NotOpened),
        ConversationState::Open { .. } => Ok(vec![]),
        ConversationState::Closed { session } => Ok(vec![ConversationReopened { chat: session.chat, group: session.group }.into()]),
    }
}

fn replace_customer(state: &ConversationState, from: UserId, into: UserId) -> Decided {
    let session = state.session().ok_or(ConversationError::NotOpened)?;
    if session.customer == into {
        return Ok(vec![]);
    }
    if session.customer != from {
        return Err(ConversationError::NotTheCustomer);
    }
    Ok(vec![CustomerReplaced { chat: session.chat, into }.into()])
}
