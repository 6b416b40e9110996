//! A closed conversation leaves the desk, which frees its slot, and ends in its chat.

use domain::chat::command::ChatCommand;
use domain::conversation::event::ConversationEvent;
use domain::desk::command::DeskCommand;
use domain::ids::ConversationId;

use super::Caused;
use crate::log::stream::StreamKey;

pub(super) fn react(conversation: ConversationId, event: &ConversationEvent, caused: &mut Vec<Caused>) {
    if let ConversationEvent::ConversationClosed(closed) = event {
        caused.push(Caused::new(StreamKey::Desk, DeskCommand::Release { conversation }));
        let end = ChatCommand::EndConversation { conversation, seen_seq: closed.seen_seq };
        caused.push(Caused::new(StreamKey::Chat(closed.chat), end));
    }
}
