//! When a conversation that a human served ends, the customer is asked to rate it, if the shop's flow says so; and what the flow says
//! is said once they are asked. Whether there is anything to rate, the conversation decides.

use domain::chat::command::Speaker;
use domain::conversation::command::ConversationCommand;
use domain::conversation::event::{CloseReason, ConversationEvent};
use domain::flow::condition::Circumstances;
use domain::flow::reception::RatingInvitation;
use domain::ids::ConversationId;
use domain::message::Party;

use super::following::Following;
use super::notices::{self, Said};
use super::{Caused, Fact, PolicyView};
use crate::log::stream::StreamKey;

/// What a flow may have a word about.
enum About {
    /// Somebody ended it. What ran out is not asked about: nobody is there.
    End,
    /// The flow asked for a rating.
    Asked(domain::ids::ChatId),
}

fn about(event: &ConversationEvent) -> Option<About> {
    match event {
        ConversationEvent::ConversationClosed(closed) => match closed.reason {
            CloseReason::EndedByAgent | CloseReason::EndedByCustomer | CloseReason::EndedBySupervisor => Some(About::End),
            CloseReason::Left | CloseReason::Abandoned | CloseReason::Expired | CloseReason::Unanswered | CloseReason::Blocked => None,
        },
        ConversationEvent::RatingInvited(invited) => (invited.by == Party::System).then_some(About::Asked(invited.chat)),
        ConversationEvent::ConversationOpened(_)
        | ConversationEvent::HandedOff(_)
        | ConversationEvent::HandOffRefused(_)
        | ConversationEvent::RobotEngaged(_)
        | ConversationEvent::RobotAnswered(_)
        | ConversationEvent::AnswerRated(_)
        | ConversationEvent::TicketChanged(_)
        | ConversationEvent::HumanWanted(_)
        | ConversationEvent::StillWaiting(_)
        | ConversationEvent::MessageLeft(_)
        | ConversationEvent::ConversationMoved(_)
        | ConversationEvent::AgentAssigned(_)
        | ConversationEvent::AgentReleased(_)
        | ConversationEvent::ProviderAnswered(_)
        | ConversationEvent::ConversationRated(_)
        | ConversationEvent::ConversationReopened(_)
        | ConversationEvent::CustomerReplaced(_) => None,
    }
}

pub(super) fn needs_flow(event: &ConversationEvent) -> bool {
    about(event).is_some()
}

pub(super) fn react(
    fact: &Fact<'_>,
    conversation: ConversationId,
    event: &ConversationEvent,
    view: &dyn PolicyView,
    caused: &mut Vec<Caused>,
) {
    let Some((about, Following { flow, case, .. })) = about(event).zip(view.reception()) else { return };
    match about {
        About::End if flow.rating.invite == RatingInvitation::OnClose => {
            caused.push(Caused::new(StreamKey::Conversation(conversation), ConversationCommand::InviteRating { by: Party::System }));
        }
        About::End => {}
        About::Asked(chat) => {
            if let Some(words) = flow.rating.say.as_ref().and_then(|say| say.said_in(case.language(), &flow.languages)) {
                let said = Said { what: "rating", words, ext: None, after_end: true, speaker: Speaker::Flow };
                caused.push(Caused::new(StreamKey::Chat(chat), notices::of(fact, conversation, case.shop_account, &said)));
            }
        }
    }
}
