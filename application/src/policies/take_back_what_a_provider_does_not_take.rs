//! A conversation that its provider does not take, or could not be told of, goes to the next seat at once.

use domain::conversation::event::ConversationEvent;
use domain::desk::command::DeskCommand;
use domain::desk::event::RequeueReason;
use domain::ids::ConversationId;

use super::Caused;
use crate::log::stream::StreamKey;

pub(super) fn react(conversation: ConversationId, event: &ConversationEvent, caused: &mut Vec<Caused>) {
    if let ConversationEvent::ProviderAnswered(answered) = event
        && !answered.answer.keeps_it()
    {
        let (assignment, reason) = (answered.assignment, RequeueReason::NotAccepted);
        caused.push(Caused::new(StreamKey::Desk, DeskCommand::TimeOut { conversation, assignment, reason }));
    }
}
