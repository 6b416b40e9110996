//! Conversation and chat follow every decision of the desk, carrying its assignment number.

use domain::chat::command::ChatCommand;
use domain::conversation::command::ConversationCommand;
use domain::desk::event::DeskEvent;
use domain::ids::{ChatId, ConversationId, GroupId};

use super::Caused;
use crate::log::stream::StreamKey;

pub(super) fn react(event: &DeskEvent, caused: &mut Vec<Caused>) {
    match event {
        DeskEvent::ConversationAssigned(assigned) => {
            let (conversation, agent, assignment) = (assigned.conversation, assigned.agent, assigned.assignment);
            let (accept_within, answer_within) = (assigned.accept_within, assigned.answer_within);
            let follow = ConversationCommand::FollowAssignment { agent, assignment, provider: assigned.provider };
            caused.push(Caused::new(StreamKey::Conversation(conversation), follow));
            let follow = ChatCommand::FollowAssignment { conversation, agent, assignment, accept_within, answer_within };
            caused.push(Caused::new(StreamKey::Chat(assigned.chat), follow));
        }
        DeskEvent::ConversationRequeued(requeued) => {
            over(requeued.conversation, requeued.chat, requeued.assignment, Some(requeued.group), caused)
        }
        // The end of the conversation says so, too; but a late assignment must always be followed by its end.
        DeskEvent::ConversationReleased(released) => {
            if let Some(assignment) = released.assignment {
                over(released.conversation, released.chat, assignment, None, caused);
            }
        }
        DeskEvent::ConversationQueued(queued) if queued.moved_from.is_some() => {
            let follow = ConversationCommand::FollowMove { group: queued.group };
            caused.push(Caused::new(StreamKey::Conversation(queued.conversation), follow));
        }
        DeskEvent::AgentUpdated(_) | DeskEvent::ConversationQueued(_) | DeskEvent::FlowAdopted(_) | DeskEvent::FlowDropped(_) => {}
    }
}

/// An assignment is over: whoever followed it stops.
fn over(conversation: ConversationId, chat: ChatId, assignment: u64, group: Option<GroupId>, caused: &mut Vec<Caused>) {
    caused.push(Caused::new(StreamKey::Conversation(conversation), ConversationCommand::FollowRelease { assignment, group }));
    caused.push(Caused::new(StreamKey::Chat(chat), ChatCommand::FollowRelease { assignment }));
}
