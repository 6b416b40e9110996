//! Whoever was handed off, or could not be, is told what the flow says of the destination: once it is a fact, so that nobody is told of
//! what did not happen.

use domain::chat::command::Speaker;
use domain::conversation::event::ConversationEvent;
use domain::flow::condition::Circumstances;
use domain::flow::{FlowVersion, RouteTaken};
use domain::ids::{ChatId, ConversationId};

use super::following::Following;
use super::notices::{self, Said};
use super::{Caused, Fact, PolicyView};
use crate::log::stream::StreamKey;

fn route(event: &ConversationEvent) -> Option<(ChatId, &RouteTaken)> {
    match event {
        ConversationEvent::HandedOff(handed) => Some((handed.chat, handed.route.as_ref()?)),
        ConversationEvent::HandOffRefused(refused) => Some((refused.chat, &refused.route)),
        ConversationEvent::ConversationOpened(_)
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
        | ConversationEvent::RatingInvited(_)
        | ConversationEvent::ConversationRated(_)
        | ConversationEvent::ConversationClosed(_)
        | ConversationEvent::ConversationReopened(_)
        | ConversationEvent::CustomerReplaced(_) => None,
    }
}

/// The version by which it was routed.
pub(super) fn needs_flow(event: &ConversationEvent) -> Option<FlowVersion> {
    route(event).map(|(_, route)| route.flow)
}

pub(super) fn react(
    fact: &Fact<'_>,
    conversation: ConversationId,
    event: &ConversationEvent,
    view: &dyn PolicyView,
    caused: &mut Vec<Caused>,
) {
    let Some(((chat, route), Following { flow, case, .. })) = route(event).zip(view.reception()) else { return };
    let destination = route.tried.last().and_then(|name| flow.destinations.get(name));
    if let Some(words) = destination.and_then(|destination| destination.say.as_ref()?.said_in(case.language(), &flow.languages)) {
        let said = Said { what: "arrival", words, ext: None, after_end: false, speaker: Speaker::Flow };
        caused.push(Caused::new(StreamKey::Chat(chat), notices::of(fact, conversation, case.shop_account, &said)));
    }
}
