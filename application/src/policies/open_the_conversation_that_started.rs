//! A conversation that starts in a chat is opened; one that is resumed is reopened.

use domain::chat::event::ChatEvent;
use domain::conversation::command::ConversationCommand;
use domain::ids::ChatId;

use super::Caused;
use crate::log::stream::StreamKey;

pub(super) fn react(chat: ChatId, event: &ChatEvent, caused: &mut Vec<Caused>) {
    match event {
        ChatEvent::ConversationStarted(started) => caused.push(Caused::new(
            StreamKey::Conversation(started.conversation),
            ConversationCommand::Open { chat, shop: started.shop, customer: started.customer, entry: started.entry.clone() },
        )),
        ChatEvent::ConversationResumed(resumed) => {
            caused.push(Caused::new(StreamKey::Conversation(resumed.conversation), ConversationCommand::Reopen));
        }
        ChatEvent::ChatOpened(_)
        | ChatEvent::MemberJoined(_)
        | ChatEvent::MemberLeft(_)
        | ChatEvent::CustomerReplaced(_)
        | ChatEvent::MessagePosted(_)
        | ChatEvent::MessageRecalled(_)
        | ChatEvent::MessageHidden(_)
        | ChatEvent::MessagesRead(_)
        | ChatEvent::UploadExpired(_)
        | ChatEvent::ConversationEnded(_)
        | ChatEvent::ConversationIdled(_)
        | ChatEvent::IdleLimitsSet(_)
        | ChatEvent::IdleReminded(_)
        | ChatEvent::AnswerOverdue(_)
        | ChatEvent::AssignmentAccepted(_)
        | ChatEvent::AssignmentTimedOut(_)
        | ChatEvent::RobotEngaged(_)
        | ChatEvent::RobotDismissed(_)
        | ChatEvent::QuestionAsked(_)
        | ChatEvent::OutreachAttempted(_)
        | ChatEvent::OutreachHandedOver(_)
        | ChatEvent::GroupCreated(_)
        | ChatEvent::MemberInvited(_)
        | ChatEvent::PermissionsChanged(_)
        | ChatEvent::OwnershipPassed(_)
        | ChatEvent::GroupRenamed(_)
        | ChatEvent::ThreadMuted(_)
        | ChatEvent::ThreadUnmuted(_)
        | ChatEvent::ThreadArchived(_)
        | ChatEvent::ThreadUnarchived(_)
        | ChatEvent::GroupDissolved(_) => {}
    }
}
