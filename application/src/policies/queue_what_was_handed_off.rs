//! What was handed to the humans waits at the desk, from the moment of the hand-off, before others if the shop's flow says so.

use domain::conversation::event::ConversationEvent;
use domain::desk::command::DeskCommand;
use domain::desk::event::Scores;
use domain::flow::assignment::PRIORITY_DEFAULT;
use domain::ids::ConversationId;
use domain::time::Timestamp;

use super::{Caused, PolicyView};
use crate::log::stream::StreamKey;

pub(super) fn needs_flow(event: &ConversationEvent) -> bool {
    matches!(event, ConversationEvent::HandedOff(_))
}

pub(super) fn react(
    conversation: ConversationId,
    event: &ConversationEvent,
    at: Timestamp,
    view: &dyn PolicyView,
    caused: &mut Vec<Caused>,
) {
    if let ConversationEvent::HandedOff(handed) = event {
        let following = view.assignment();
        let priority = following.map_or(PRIORITY_DEFAULT, |following| following.flow.priority(&following.case));
        let (shop, last_served) = following.map_or((None, None), |following| (Some(following.case.shop), following.case.last_served));
        let (chat, group, left_message) = (handed.chat, handed.group, handed.left_message);
        let enqueue = DeskCommand::Enqueue {
            conversation,
            chat,
            group,
            priority,
            enqueued_at: at,
            left_message,
            shop,
            last_served,
            language: following.and_then(|following| following.case.language.clone()),
            skills: handed.skills.clone(),
            // Whoever carries it out asks for them, where the flow wants it.
            scores: Scores::new(),
        };
        caused.push(Caused::new(StreamKey::Desk, enqueue));
    }
}
