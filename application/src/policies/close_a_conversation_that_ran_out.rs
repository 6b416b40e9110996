//! A conversation that ran out in its chat is closed: as expired, or as unanswered when the customer was still waiting.

use domain::chat::event::ChatEvent;
use domain::conversation::command::{Closer, ConversationCommand};

use super::Caused;
use crate::log::stream::StreamKey;

pub(super) fn react(event: &ChatEvent, caused: &mut Vec<Caused>) {
    if let ChatEvent::ConversationIdled(idled) = event {
        let by = if idled.unanswered { Closer::Unanswered } else { Closer::Expiry };
        let close = ConversationCommand::Close { by, seen_seq: idled.last_seq, label: None };
        caused.push(Caused::new(StreamKey::Conversation(idled.conversation), close));
    }
}
