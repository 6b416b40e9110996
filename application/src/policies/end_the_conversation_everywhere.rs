//! A closed conversation leaves the desk, if it was there, which frees its slot, and ends in its chat.

use domain::chat::command::ChatCommand;
use domain::conversation::event::ConversationEvent;
use domain::desk::command::DeskCommand;
use domain::ids::ConversationId;

use super::Caused;
use crate::log::stream::StreamKey;

pub(super) fn react(conversation: ConversationId, event: &ConversationEvent, caused: &mut Vec<Caused>) {
    if let ConversationEvent::ConversationClosed(closed) = event {
        // Only what is there: an order that finds nothing leaves no trace, and carried out again, after the conversation came back, it
        // would take away what came to the desk since.
        if !closed.in_reception {
            caused.push(Caused::new(StreamKey::Desk, DeskCommand::Release { conversation }));
        }
        let end = ChatCommand::EndConversation { conversation, seen_seq: closed.seen_seq };
        caused.push(Caused::new(StreamKey::Chat(closed.chat), end));
    }
}
