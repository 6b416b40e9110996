//! What follows from the passing of time: reminders, ends, and agents who let their time pass. A timer that comes too late, or too
//! early, finds nothing to say.

use super::Decided;
use crate::chat::error::ChatError;
use crate::chat::event::{
    AnswerOverdue, AssignmentAccepted, AssignmentTimedOut, ConversationIdled, IdleLimitsSet, IdleReminded, Omission, QuestionAsked,
    RobotDismissed, RobotEngaged,
};
use crate::chat::state::{OpenChat, ServiceChat, Session};
use crate::ids::{ConversationId, UserId};
use crate::time::{Millis, Timestamp};

/// Silence ends what owes nobody an answer. A customer who waits is never left alone by it: beyond the limit their answer is overdue,
/// and only much later it is given up.
pub(super) fn expire_idle(
    chat: &OpenChat,
    service: &ServiceChat,
    expected: ConversationId,
    (idle, unanswered): (Millis, Millis),
    at: Timestamp,
) -> Decided {
    let Session::Open { conversation, unanswered_since, last_activity, silence, .. } = service.session else {
        return Ok(vec![]);
    };
    if conversation != expected {
        return Ok(vec![]);
    }
    let ended = |unanswered| Ok(vec![ConversationIdled { conversation, unanswered, last_seq: chat.last_seq }.into()]);
    match unanswered_since.filter(|_| !silence.is_answered_by_robot()) {
        Some(since) if at - since >= unanswered => ended(true),
        Some(since) if at - since >= idle && !silence.overdue => Ok(vec![AnswerOverdue { conversation }.into()]),
        None if at - last_activity >= silence.close_after.unwrap_or(idle) => ended(false),
        Some(_) | None => Ok(vec![]),
    }
}

pub(super) fn set_idle_limits(service: &ServiceChat, limits: &IdleLimitsSet) -> Decided {
    match service.session {
        Session::Open { conversation, silence, .. }
            if conversation == limits.conversation
                && (silence.remind_after, silence.close_after) != (limits.remind_after, limits.close_after) =>
        {
            Ok(vec![(*limits).into()])
        }
        Session::Open { .. } | Session::Ended { .. } | Session::None => Ok(vec![]),
    }
}

/// What the customer wrote before the robot came is asked at once.
pub(super) fn engage_robot(service: &ServiceChat, expected: ConversationId) -> Decided {
    let Session::Open { conversation, last_customer_seq, unanswered_since, silence, .. } = service.session else { return Ok(vec![]) };
    if conversation != expected || silence.robot || service.serving.is_some() {
        return Ok(vec![]);
    }
    let mut events = vec![RobotEngaged { conversation }.into()];
    if unanswered_since.is_some() && last_customer_seq > 0 {
        events.push(QuestionAsked { conversation, seq: last_customer_seq }.into());
    }
    Ok(events)
}

pub(super) fn dismiss_robot(service: &ServiceChat, expected: ConversationId) -> Decided {
    match service.session {
        Session::Open { conversation, silence, .. } if conversation == expected && silence.robot => {
            Ok(vec![RobotDismissed { conversation }.into()])
        }
        Session::Open { .. } | Session::Ended { .. } | Session::None => Ok(vec![]),
    }
}

pub(super) fn remind_idle(service: &ServiceChat, expected: ConversationId, at: Timestamp) -> Decided {
    match service.session {
        Session::Open { conversation, unanswered_since, last_activity, silence, .. }
            if conversation == expected
                && (unanswered_since.is_none() || silence.is_answered_by_robot())
                && !silence.reminded
                && silence.remind_after.is_some_and(|remind_after| at - last_activity >= remind_after) =>
        {
            Ok(vec![IdleReminded { conversation }.into()])
        }
        Session::Open { .. } | Session::Ended { .. } | Session::None => Ok(vec![]),
    }
}

pub(super) fn accept_assignment(service: &ServiceChat, agent: UserId) -> Decided {
    match (service.serving, service.session.conversation()) {
        (Some((serving, assignment)), Some(conversation)) if serving == agent => {
            let accepted = AssignmentAccepted { conversation, agent, assignment };
            Ok(service.terms.accept_within.map(|_| accepted.into()).into_iter().collect())
        }
        (serving, _) => Err(ChatError::NotYoursAnyMore { current: serving.map(|(_, assignment)| assignment) }),
    }
}

pub(super) fn time_out_assignment(service: &ServiceChat, expected: u64, at: Timestamp) -> Decided {
    let Session::Open { conversation, unanswered_since, .. } = service.session else { return Ok(vec![]) };
    let Some((agent, assignment)) = service.serving.filter(|(_, assignment)| *assignment == expected) else { return Ok(vec![]) };
    let terms = service.terms;
    let passed = |since: Timestamp, within: Option<Millis>| within.is_some_and(|within| at - since >= within);
    let reason = if passed(terms.since, terms.accept_within) {
        Omission::NotAccepted
    } else if unanswered_since.is_some_and(|since| passed(since.max(terms.since), terms.answer_within)) {
        Omission::NotAnswered
    } else {
        return Ok(vec![]);
    };
    Ok(vec![AssignmentTimedOut { conversation, agent, assignment, reason }.into()])
}
