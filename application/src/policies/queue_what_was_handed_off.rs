//! What was handed to the humans waits at the desk, from the moment of the hand-off.

use domain::conversation::event::ConversationEvent;
use domain::desk::command::DeskCommand;
use domain::ids::ConversationId;
use domain::time::Timestamp;

use super::Caused;
use crate::log::stream::StreamKey;

/// Priority of a customer without a tier; smaller goes first.
const PRIORITY_DEFAULT: u8 = 100;

pub(super) fn react(conversation: ConversationId, event: &ConversationEvent, at: Timestamp, caused: &mut Vec<Caused>) {
    if let ConversationEvent::HandedOff(handed) = event {
        let enqueue =
            DeskCommand::Enqueue { conversation, chat: handed.chat, group: handed.group, priority: PRIORITY_DEFAULT, enqueued_at: at };
        caused.push(Caused::new(StreamKey::Desk, enqueue));
    }
}
