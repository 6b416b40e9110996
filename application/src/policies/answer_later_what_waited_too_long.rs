//! A customer whose answer is overdue has left a message: it is answered after everybody who waits, by whoever comes to it.

use domain::chat::event::ChatEvent;
use domain::conversation::command::ConversationCommand;
use domain::conversation::event::ConversationEvent;
use domain::desk::command::DeskCommand;
use domain::ids::ConversationId;

use super::Caused;
use crate::log::stream::StreamKey;

pub(super) fn react_to_chat(event: &ChatEvent, caused: &mut Vec<Caused>) {
    if let ChatEvent::AnswerOverdue(overdue) = event {
        caused.push(Caused::new(StreamKey::Conversation(overdue.conversation), ConversationCommand::LeaveMessage));
    }
}

pub(super) fn react(conversation: ConversationId, event: &ConversationEvent, caused: &mut Vec<Caused>) {
    if let ConversationEvent::MessageLeft(_) = event {
        caused.push(Caused::new(StreamKey::Desk, DeskCommand::LeaveMessage { conversation }));
    }
}
