//! What happens to a group thread, in its row: its title, its owner, and the parts of its members.

use application::queries::{ChatRowKind, EventRef, MemberRow, ParticipantRow, ThreadRow};
use domain::chat::event::ChatEvent;
use domain::chat::permissions::Permissions;
use domain::ids::UserId;
use domain::labels::Label;
use domain::message::ChatRole;
use domain::time::Timestamp;

use super::state::Chat;

fn participant(user: UserId, label: &Label, permissions: Permissions, floor: u64) -> MemberRow {
    let participant = ParticipantRow { label: label.clone(), permissions, floor, muted: false, archived: false };
    MemberRow { user, role: ChatRole::Participant, read_seq: floor, shown_seq: floor, participant: Some(participant) }
}

impl Chat {
    /// A thread that was just made.
    pub(super) fn created(owner: UserId, label: &Label, title: EventRef, created_at: Timestamp) -> Self {
        let thread = ThreadRow { title, owner: Some(owner), created_at };
        Self::begun(ChatRowKind::Group(thread), participant(owner, label, Permissions::ALL, 0))
    }

    /// Somebody came in.
    pub(super) fn invite(&mut self, user: UserId, label: &Label, permissions: Permissions, floor: u64) {
        self.members.retain(|member| member.user != user);
        self.members.push(participant(user, label, permissions, floor));
    }

    fn change_part(&mut self, user: UserId, change: impl FnOnce(&mut ParticipantRow)) {
        if let Some(participant) = self.member(user).and_then(|member| member.participant.as_mut()) {
            change(participant);
        }
    }

    fn change_thread(&mut self, change: impl FnOnce(&mut ThreadRow)) {
        match &mut self.kind {
            ChatRowKind::Service { .. } => {}
            ChatRowKind::Group(thread) => change(thread),
        }
    }

    /// What only a thread does once it is there; other events change nothing here.
    pub(super) fn thread_event(&mut self, event: &ChatEvent, at: EventRef) {
        match event {
            ChatEvent::PermissionsChanged(changed) => self.change_part(changed.user, |part| part.permissions = changed.permissions),
            ChatEvent::OwnershipPassed(passed) => {
                self.change_part(passed.to, |part| part.permissions = Permissions::ALL);
                self.change_thread(|thread| thread.owner = Some(passed.to));
            }
            ChatEvent::GroupRenamed(_) => self.change_thread(|thread| thread.title = at),
            ChatEvent::ThreadMuted(muted) => self.change_part(muted.user, |part| part.muted = true),
            ChatEvent::ThreadUnmuted(unmuted) => self.change_part(unmuted.user, |part| part.muted = false),
            ChatEvent::ThreadArchived(archived) => self.change_part(archived.user, |part| part.archived = true),
            ChatEvent::ThreadUnarchived(unarchived) => self.change_part(unarchived.user, |part| part.archived = false),
            ChatEvent::GroupDissolved(_) => self.change_thread(|thread| thread.owner = None),
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
            | ChatEvent::MemberInvited(_) => {}
        }
    }
}
