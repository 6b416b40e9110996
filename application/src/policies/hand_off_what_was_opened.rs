//! The built-in reception flow: what is opened or reopened goes to the humans at once, to the group that was asked for.

use domain::conversation::command::ConversationCommand;
use domain::conversation::event::ConversationEvent;
use domain::ids::{ConversationId, EventId, GroupId, TaskId};

use super::{Caused, derived};
use crate::log::stream::StreamKey;

/// The group that every tenant has from the beginning.
pub const DEFAULT_GROUP: &str = "main";

pub(super) fn react(conversation: ConversationId, event: &ConversationEvent, cause: EventId, caused: &mut Vec<Caused>) {
    let asked_for = match event {
        ConversationEvent::ConversationOpened(opened) => opened.entry.group,
        ConversationEvent::ConversationReopened(reopened) => reopened.group,
        ConversationEvent::HandedOff(_)
        | ConversationEvent::AgentAssigned(_)
        | ConversationEvent::AgentReleased(_)
        | ConversationEvent::RatingInvited(_)
        | ConversationEvent::ConversationRated(_)
        | ConversationEvent::ConversationClosed(_)
        | ConversationEvent::CustomerReplaced(_) => return,
    };
    let group = asked_for.unwrap_or_else(default_group);
    let task = TaskId::from_uuid(derived(cause, "task"));
    caused.push(Caused::new(StreamKey::Conversation(conversation), ConversationCommand::HandOff { task, group }));
}

/// See [`DEFAULT_GROUP`].
pub fn default_group() -> GroupId {
    DEFAULT_GROUP.parse().expect("a constant slug")
}
