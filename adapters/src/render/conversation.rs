//! What items tell of a conversation.

use domain::conversation::event::{CloseReason, ConversationEvent, ProviderAnswer};
use domain::conversation::ticket::TicketState;
use domain::ids::{ChatId, ConversationId, TaskId, UserId};
use serde::Serialize;

use super::View;
use crate::masking::shown_agent;

#[derive(Default, Serialize)]
pub(super) struct ConversationDetails<'a> {
    chat: Option<ChatId>,
    conversation: Option<ConversationId>,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<CloseReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_message: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<TicketState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<UserId>,
}

pub(super) fn conversation_details(conversation: ConversationId, event: &ConversationEvent, view: View) -> ConversationDetails<'_> {
    let staff = view == View::Staff;
    let of = |chat, event| ConversationDetails { chat: Some(chat), conversation: Some(conversation), event, ..Default::default() };
    match event {
        ConversationEvent::ConversationOpened(event) => of(event.chat, "opened"),
        ConversationEvent::HandedOff(event) => {
            let left_message = event.left_message.then_some(true);
            ConversationDetails { group: Some(event.group.as_str()), task: Some(event.task), left_message, ..of(event.chat, "handed_off") }
        }
        ConversationEvent::HandOffRefused(event) => {
            ConversationDetails { opens_at: event.opens_at.map(|at| at.0), ..of(event.chat, "hand_off_refused") }
        }
        ConversationEvent::RobotEngaged(event) => of(event.chat, "robot_engaged"),
        ConversationEvent::RobotAnswered(event) => of(event.chat, "robot_answered"),
        ConversationEvent::AnswerRated(event) => of(event.chat, "answer_rated"),
        ConversationEvent::HumanWanted(event) => of(event.chat, "human_wanted"),
        ConversationEvent::StillWaiting(event) => of(event.chat, "still_waiting"),
        ConversationEvent::MessageLeft(event) => ConversationDetails { left_message: Some(true), ..of(event.chat, "message_left") },
        ConversationEvent::ConversationMoved(event) => ConversationDetails { group: Some(event.group.as_str()), ..of(event.chat, "moved") },
        ConversationEvent::AgentAssigned(event) => ConversationDetails {
            agent: Some(shown_agent(event.agent, event.chat, view)),
            assignment: staff.then_some(event.assignment),
            ..of(event.chat, "agent_assigned")
        },
        ConversationEvent::ProviderAnswered(event) => ConversationDetails {
            agent: Some(shown_agent(event.agent, event.chat, view)),
            agent_name: event.private.known().and_then(|words| words.name.as_deref()),
            assignment: staff.then_some(event.assignment),
            position: if let ProviderAnswer::Queueing(position) = event.answer { Some(position) } else { None },
            ..of(
                event.chat,
                match event.answer {
                    ProviderAnswer::Accepted => "provider_accepted",
                    ProviderAnswer::Queueing(_) => "provider_queueing",
                    // These are in no feed; if they ever were, they would still say nothing.
                    ProviderAnswer::Refused | ProviderAnswer::Failed | ProviderAnswer::Resting => "provider_gave_back",
                },
            )
        },
        ConversationEvent::AgentReleased(event) => ConversationDetails {
            agent: Some(shown_agent(event.agent, event.chat, view)),
            assignment: staff.then_some(event.assignment),
            ..of(event.chat, "agent_released")
        },
        ConversationEvent::RatingInvited(event) => of(event.chat, "rating_invited"),
        ConversationEvent::ConversationRated(event) => ConversationDetails {
            agent: Some(shown_agent(event.agent, event.chat, view)),
            score: Some(event.score),
            ..of(event.chat, "rated")
        },
        // It is in no customer's feed; if it ever were, it would still say nothing.
        ConversationEvent::TicketChanged(event) => ConversationDetails {
            ticket: staff.then_some(event.state),
            owner: event.owner.filter(|_| staff),
            ..of(event.chat, "ticket_changed")
        },
        ConversationEvent::ConversationClosed(event) => ConversationDetails { reason: Some(event.reason), ..of(event.chat, "closed") },
        ConversationEvent::ConversationReopened(event) => of(event.chat, "reopened"),
        ConversationEvent::CustomerReplaced(event) => of(event.chat, "customer_replaced"),
    }
}
