//! Who takes part in a chat, and what becomes of a group thread, in feed items.

use domain::chat::event::ChatEvent;
use domain::chat::permissions::Permissions;
use domain::ids::{ChatId, UserId};
use domain::labels::Label;
use domain::message::ChatRole;
use serde::Serialize;

use super::Details;

/// What became of a thread.
#[derive(Serialize)]
pub(super) struct ThreadDetails<'a> {
    chat: ChatId,
    event: &'static str,
    /// Whom it is about, or who did it.
    user: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Permissions>,
}

pub(super) const fn role_word(role: ChatRole) -> &'static str {
    match role {
        ChatRole::Customer => "customer",
        ChatRole::Agent => "agent",
        ChatRole::Supervisor => "supervisor",
        ChatRole::Robot => "robot",
        ChatRole::Provider => "provider",
        ChatRole::Participant => "participant",
    }
}

/// The customer of a chat came.
pub(super) const fn customer(chat: ChatId, user: UserId) -> Details<'static> {
    Details::Joined { chat, user, role: role_word(ChatRole::Customer), label: None, assignment: None, accept_within_ms: None }
}

/// A member of a group thread came.
pub(super) fn participant(chat: ChatId, user: UserId, label: &Label) -> Details<'_> {
    Details::Joined {
        chat,
        user,
        role: role_word(ChatRole::Participant),
        label: Some(label.as_str()),
        assignment: None,
        accept_within_ms: None,
    }
}

/// What became of a group thread; other events say nothing here.
pub(super) fn thread_details(chat: ChatId, event: &ChatEvent) -> Details<'_> {
    let of = |event, user| ThreadDetails { chat, event, user, title: None, permissions: None };
    Details::Thread(match event {
        ChatEvent::PermissionsChanged(event) => ThreadDetails { permissions: Some(event.permissions), ..of("permissions", event.user) },
        ChatEvent::OwnershipPassed(event) => of("owner", event.to),
        ChatEvent::GroupRenamed(event) => {
            ThreadDetails { title: event.private.known().map(|private| private.title.as_str()), ..of("renamed", event.by) }
        }
        ChatEvent::ThreadMuted(event) => of("muted", event.user),
        ChatEvent::ThreadUnmuted(event) => of("unmuted", event.user),
        ChatEvent::ThreadArchived(event) => of("archived", event.user),
        ChatEvent::ThreadUnarchived(event) => of("unarchived", event.user),
        ChatEvent::GroupDissolved(event) => of("dissolved", event.by),
        ChatEvent::ChatOpened(_)
        | ChatEvent::MemberJoined(_)
        | ChatEvent::MemberLeft(_)
        | ChatEvent::CustomerReplaced(_)
        | ChatEvent::MessagePosted(_)
        | ChatEvent::MessageRecalled(_)
        | ChatEvent::MessageHidden(_)
        | ChatEvent::MessagesRead(_)
        | ChatEvent::ConversationStarted(_)
        | ChatEvent::ConversationResumed(_)
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
        | ChatEvent::UploadExpired(_)
        | ChatEvent::GroupCreated(_)
        | ChatEvent::MemberInvited(_) => return Details::Nothing {},
    })
}
