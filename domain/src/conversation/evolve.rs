//! How facts change what a conversation remembers.

use std::collections::BTreeSet;

use super::event::{CloseReason, ConversationEvent};
use super::state::{ConversationState, Robot, Session, Stage};
use super::ticket::Ticket;

pub(super) fn evolve(state: &mut ConversationState, event: &ConversationEvent) {
    if let ConversationEvent::ConversationOpened(opened) = event {
        let session = Session {
            chat: opened.chat,
            shop: opened.shop,
            customer: opened.customer,
            task: None,
            group: opened.entry.group,
            flow: None,
            robot: None,
            human_wanted: false,
            told_to_wait: 0,
            left_message: false,
            last_served: None,
            provider_answer: None,
            last_assignment: 0,
            rated: None,
            invited: None,
            answers_rated: BTreeSet::new(),
            ticket: None,
            ticket_changes: 0,
        };
        *state = ConversationState::Open { session, stage: Stage::Reception };
        return;
    }
    let (session, stage) = match std::mem::take(state) {
        ConversationState::Unopened => return,
        ConversationState::Open { session, stage } => (session, Some(stage)),
        ConversationState::Closed { session } => (session, None),
    };
    let (session, stage) = step(session, stage, event);
    *state = match stage {
        Some(stage) => ConversationState::Open { session, stage },
        None => ConversationState::Closed { session },
    };
}

fn step(mut session: Session, stage: Option<Stage>, event: &ConversationEvent) -> (Session, Option<Stage>) {
    let stage = match event {
        ConversationEvent::ConversationOpened(_) => stage,
        ConversationEvent::HandedOff(handed) => {
            session.task = Some(handed.task);
            session.group = Some(handed.group);
            session.flow = handed.route.as_ref().map(|route| route.flow);
            session.robot = None;
            session.human_wanted = false;
            session.told_to_wait = 0;
            session.left_message = handed.left_message;
            if handed.left_message {
                Ticket::left(&mut session.ticket);
            }
            stage.map(|_| Stage::Waiting { group: handed.group })
        }
        ConversationEvent::HandOffRefused(_) => {
            session.human_wanted = false;
            stage
        }
        ConversationEvent::HumanWanted(_) => {
            session.human_wanted = true;
            stage
        }
        ConversationEvent::RobotEngaged(engaged) => {
            session.robot =
                Some(Robot { name: engaged.robot.clone(), answered_seq: 0, unknown: 0, without_button: engaged.without_button });
            stage
        }
        ConversationEvent::RobotAnswered(answered) => {
            if let Some(robot) = &mut session.robot {
                robot.answered_seq = answered.seq;
                robot.unknown = if answered.known { 0 } else { robot.unknown.saturating_add(1) };
            }
            stage
        }
        ConversationEvent::AnswerRated(rated) => {
            session.answers_rated.insert(rated.seq);
            stage
        }
        ConversationEvent::StillWaiting(waiting) => {
            session.told_to_wait = session.told_to_wait.max(waiting.notice.saturating_add(1));
            stage
        }
        ConversationEvent::MessageLeft(_) => {
            session.left_message = true;
            Ticket::left(&mut session.ticket);
            stage
        }
        ConversationEvent::ConversationMoved(moved) => {
            session.group = Some(moved.group);
            stage.map(|stage| match stage {
                Stage::Waiting { .. } => Stage::Waiting { group: moved.group },
                other @ (Stage::Reception | Stage::Serving { .. }) => other,
            })
        }
        ConversationEvent::AgentAssigned(assigned) => {
            session.last_served = Some((assigned.agent, assigned.assignment));
            session.last_assignment = session.last_assignment.max(assigned.assignment);
            session.left_message = false;
            session.robot = None;
            session.provider_answer = None;
            if let Some(ticket) = &mut session.ticket {
                ticket.given_to(assigned.agent);
            }
            stage.map(|_| Stage::Serving { agent: assigned.agent, assignment: assigned.assignment })
        }
        ConversationEvent::ProviderAnswered(answered) => {
            session.provider_answer = Some(answered.answer);
            stage
        }
        ConversationEvent::AgentReleased(released) => {
            session.group = released.group.or(session.group);
            stage.map(|_| session.group.map_or(Stage::Reception, |group| Stage::Waiting { group }))
        }
        ConversationEvent::RatingInvited(_) => {
            session.invited = session.last_served.map(|(_, assignment)| assignment);
            stage
        }
        ConversationEvent::ConversationRated(_) => {
            session.rated = session.last_served.map(|(_, assignment)| assignment);
            stage
        }
        ConversationEvent::TicketChanged(changed) => {
            session.ticket.get_or_insert_default().changed(changed);
            session.ticket_changes = session.ticket_changes.saturating_add(1);
            stage
        }
        ConversationEvent::ConversationClosed(closed) => {
            session.robot = None;
            if let Some(ticket) = &mut session.ticket {
                ticket.ended(closed.reason);
            }
            if closed.reason == CloseReason::EndedByAgent {
                session.task = None;
            }
            None
        }
        ConversationEvent::ConversationReopened(_) => {
            session.human_wanted = false;
            Some(Stage::Reception)
        }
        ConversationEvent::CustomerReplaced(replaced) => {
            session.customer = replaced.into;
            stage
        }
    };
    (session, stage)
}
