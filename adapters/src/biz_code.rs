//! What the long poll calls a feed item (业务类型码): one word by which a client tells what happened to its session.

use application::queries::FeedKind;
use domain::conversation::event::{CloseReason, ConversationEvent, ProviderAnswer};
use domain::event::Event;

/// The word for an item. A fact that has none is a `notice`.
#[must_use]
pub fn biz_code(kind: FeedKind, event: &Event) -> &'static str {
    match kind {
        FeedKind::Message => "message",
        FeedKind::Recalled => "recalled",
        FeedKind::Hidden => "hidden",
        FeedKind::Read => "read",
        FeedKind::Joined => "joined_chat",
        FeedKind::MemberJoined => "member_joined",
        FeedKind::MemberLeft => "member_left",
        FeedKind::MergedInto => "merged",
        FeedKind::Thread => "thread",
        FeedKind::Conversation => match event {
            Event::Conversation(event) => of_conversation(event),
            Event::Chat(_) | Event::User(_) | Event::Desk(_) | Event::Tenant(_) | Event::Campaign(_) | Event::Retrieval(_) => "notice",
        },
    }
}

fn of_conversation(event: &ConversationEvent) -> &'static str {
    match event {
        ConversationEvent::ConversationOpened(_) | ConversationEvent::ConversationReopened(_) => "joined",
        ConversationEvent::HandedOff(handed) => {
            if handed.left_message {
                "left_message"
            } else {
                "queueing"
            }
        }
        ConversationEvent::ConversationMoved(_) => "queueing",
        ConversationEvent::MessageLeft(_) => "left_message",
        ConversationEvent::HandOffRefused(_) => "refused",
        // At a provider's desk nobody is there before it has accepted.
        ConversationEvent::AgentAssigned(assigned) => {
            if assigned.provider {
                "queueing"
            } else {
                "agent_joined"
            }
        }
        ConversationEvent::ProviderAnswered(answered) => match answered.answer {
            ProviderAnswer::Accepted => "agent_joined",
            ProviderAnswer::Queueing(_) => "queueing",
            ProviderAnswer::Refused | ProviderAnswer::Failed | ProviderAnswer::Resting => "notice",
        },
        ConversationEvent::AgentReleased(_) => "agent_left",
        ConversationEvent::RatingInvited(_) | ConversationEvent::ConversationRated(_) => "rating",
        ConversationEvent::ConversationClosed(closed) => match closed.reason {
            CloseReason::Expired | CloseReason::Unanswered => "timeout",
            CloseReason::Left
            | CloseReason::Blocked
            | CloseReason::EndedByCustomer
            | CloseReason::EndedByAgent
            | CloseReason::EndedBySupervisor
            | CloseReason::Abandoned => "end",
        },
        ConversationEvent::StillWaiting(_)
        | ConversationEvent::RobotEngaged(_)
        | ConversationEvent::RobotAnswered(_)
        | ConversationEvent::AnswerRated(_)
        | ConversationEvent::TicketChanged(_)
        | ConversationEvent::HumanWanted(_)
        | ConversationEvent::CustomerReplaced(_) => "notice",
    }
}
