//! A chat asks the robot for as long as the conversation has one.

use domain::chat::command::ChatCommand;
use domain::conversation::event::ConversationEvent;
use domain::ids::ConversationId;

use super::Caused;
use crate::log::stream::StreamKey;

pub(super) fn react(conversation: ConversationId, event: &ConversationEvent, caused: &mut Vec<Caused>) {
    if let ConversationEvent::RobotEngaged(engaged) = event {
        caused.push(Caused::new(StreamKey::Chat(engaged.chat), ChatCommand::EngageRobot { conversation }));
    }
    if let ConversationEvent::HandedOff(handed) = event
        && handed.robot.is_some()
    {
        caused.push(Caused::new(StreamKey::Chat(handed.chat), ChatCommand::DismissRobot { conversation }));
    }
}
