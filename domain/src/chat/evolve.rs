//! How facts change what a chat remembers.

use std::collections::BTreeMap;

use super::contact::Contact;
use super::event::{ChatEvent, ChatOpened, GroupCreated, MessagePosted};
use super::notes::Notes;
use super::permissions::Permissions;
use super::state::{
    ChatKind, ChatState, GroupThread, Member, OpenChat, Part, Participant, SentMessage, ServiceChat, Session, Silence, Terms,
};
use crate::ids::UserId;
use crate::labels::Label;
use crate::message::{Category, ChatRole, Visibility};
use crate::outreach::QualifyingMessage;
use crate::time::Timestamp;

pub(super) fn evolve(state: &mut ChatState, event: &ChatEvent, at: Timestamp) {
    if let ChatEvent::ChatOpened(ChatOpened { shop, customer }) = event {
        let service = ServiceChat {
            shop: *shop,
            customer: *customer,
            customer_before: None,
            session: Session::None,
            serving: None,
            terms: Terms::default(),
            last_assignment: 0,
            notes: Notes::default(),
            contact: Contact::default(),
        };
        *state = begun(ChatKind::Service(service), *customer, Part::Seat(ChatRole::Customer));
        return;
    }
    if let ChatEvent::GroupCreated(GroupCreated { owner, label, .. }) = event {
        let thread = GroupThread::Live { owner: *owner };
        *state = begun(ChatKind::Group(thread), *owner, participant(label, Permissions::ALL, 0));
        return;
    }
    let ChatState::Open(chat) = state else {
        return;
    };
    match event {
        ChatEvent::ChatOpened(_) | ChatEvent::GroupCreated(_) | ChatEvent::ConversationIdled(_) | ChatEvent::UploadExpired(_) => {}
        ChatEvent::MemberJoined(joined) => {
            let seat = || Part::Seat(joined.role);
            chat.members.entry(joined.user).or_insert_with(|| Member::new(seat())).part = seat();
            if let (Some(assignment), ChatKind::Service(service)) = (joined.assignment, &mut chat.kind) {
                service.serving = Some((joined.user, assignment));
                service.last_assignment = service.last_assignment.max(assignment);
                service.terms = Terms { since: at, accept_within: joined.accept_within, answer_within: joined.answer_within };
            }
        }
        ChatEvent::MemberInvited(invited) => {
            chat.members.insert(invited.user, Member::new(participant(&invited.label, invited.permissions, invited.floor)));
        }
        ChatEvent::MemberLeft(left) => {
            chat.members.remove(&left.user);
            if let ChatKind::Service(service) = &mut chat.kind
                && service.serving.is_some_and(|(agent, _)| agent == left.user)
            {
                service.serving = None;
                service.terms = Terms::default();
            }
        }
        ChatEvent::CustomerReplaced(replaced) => {
            if let Some(member) = chat.members.remove(&replaced.from) {
                chat.members.insert(replaced.into, member);
            }
            if let Some(sent) = chat.sent.remove(&replaced.from) {
                chat.sent.entry(replaced.into).or_default().absorb(sent, at);
            }
            if let ChatKind::Service(service) = &mut chat.kind {
                service.customer = replaced.into;
                service.customer_before = Some(replaced.from);
            }
        }
        ChatEvent::MessagePosted(posted) => message_posted(chat, posted, at),
        ChatEvent::MessageRecalled(recalled) => {
            if let Some(sent) = chat.sent.get_mut(&recalled.by) {
                sent.recall(recalled.message);
            }
        }
        ChatEvent::MessageHidden(hidden) => {
            if let Some(member) = chat.members.get_mut(&hidden.reader) {
                member.hidden.insert(hidden.seq);
            }
        }
        ChatEvent::MessagesRead(read) => {
            if let Some(member) = chat.members.get_mut(&read.reader) {
                member.read_seq = member.read_seq.max(read.up_to_seq);
            }
        }
        ChatEvent::ConversationStarted(started) => enter(
            chat,
            Session::Open {
                conversation: started.conversation,
                last_customer_seq: 0,
                unanswered_since: None,
                last_activity: at,
                silence: Silence::default(),
            },
        ),
        ChatEvent::ConversationResumed(resumed) => {
            let session = Session::Open {
                conversation: resumed.conversation,
                last_customer_seq: resumed.overlooked_seq.unwrap_or(0),
                unanswered_since: resumed.overlooked_seq.map(|_| at),
                last_activity: at,
                silence: Silence::default(),
            };
            enter(chat, session);
        }
        ChatEvent::ConversationEnded(ended) => enter(chat, Session::Ended { conversation: ended.conversation, at }),
        ChatEvent::IdleLimitsSet(limits) => change_silence(chat, |silence| {
            (silence.remind_after, silence.close_after) = (limits.remind_after, limits.close_after);
        }),
        ChatEvent::RobotEngaged(_) => change_silence(chat, |silence| silence.robot = true),
        ChatEvent::RobotDismissed(_) => change_silence(chat, |silence| silence.robot = false),
        ChatEvent::QuestionAsked(_) | ChatEvent::OutreachAttempted(_) => {}
        ChatEvent::OutreachHandedOver(handed_over) => {
            if let ChatKind::Service(service) = &mut chat.kind {
                service.contact.remember(handed_over.attempt, handed_over.ruling.verdict);
            }
        }
        ChatEvent::IdleReminded(_) => change_silence(chat, |silence| silence.reminded = true),
        ChatEvent::AnswerOverdue(_) => change_silence(chat, |silence| silence.overdue = true),
        ChatEvent::AssignmentAccepted(_) => change_terms(chat, |terms| terms.accept_within = None),
        ChatEvent::AssignmentTimedOut(_) => change_terms(chat, |terms| (terms.accept_within, terms.answer_within) = (None, None)),
        ChatEvent::PermissionsChanged(changed) => {
            change(chat, changed.user, |participant| participant.permissions = changed.permissions);
        }
        ChatEvent::OwnershipPassed(passed) => {
            live_on(chat, GroupThread::Live { owner: passed.to });
            change(chat, passed.to, |participant| participant.permissions = Permissions::ALL);
        }
        // The title is private, and nothing is decided by it.
        ChatEvent::GroupRenamed(_) => {}
        ChatEvent::ThreadMuted(muted) => change(chat, muted.user, |participant| participant.muted = true),
        ChatEvent::ThreadUnmuted(unmuted) => change(chat, unmuted.user, |participant| participant.muted = false),
        ChatEvent::ThreadArchived(archived) => change(chat, archived.user, |participant| participant.archived = true),
        ChatEvent::ThreadUnarchived(unarchived) => change(chat, unarchived.user, |participant| participant.archived = false),
        ChatEvent::GroupDissolved(_) => live_on(chat, GroupThread::Dissolved),
    }
}

/// A chat with its first member.
fn begun(kind: ChatKind, first: UserId, part: Part) -> ChatState {
    let members = BTreeMap::from([(first, Member::new(part))]);
    ChatState::Open(Box::new(OpenChat { kind, last_seq: 0, members, sent: BTreeMap::new() }))
}

fn participant(label: &Label, permissions: Permissions, floor: u64) -> Part {
    Part::Participant(Participant { label: label.clone(), permissions, floor, muted: false, archived: false })
}

fn change(chat: &mut OpenChat, user: UserId, change: impl FnOnce(&mut Participant)) {
    if let Some(Part::Participant(participant)) = chat.members.get_mut(&user).map(|member| &mut member.part) {
        change(participant);
    }
}

fn live_on(chat: &mut OpenChat, next: GroupThread) {
    if let ChatKind::Group(thread) = &mut chat.kind {
        *thread = next;
    }
}

fn enter(chat: &mut OpenChat, session: Session) {
    if let ChatKind::Service(service) = &mut chat.kind {
        service.session = session;
    }
}

fn change_silence(chat: &mut OpenChat, change: impl FnOnce(&mut Silence)) {
    if let ChatKind::Service(ServiceChat { session: Session::Open { silence, .. }, .. }) = &mut chat.kind {
        change(silence);
    }
}

fn change_terms(chat: &mut OpenChat, change: impl FnOnce(&mut Terms)) {
    if let ChatKind::Service(service) = &mut chat.kind {
        change(&mut service.terms);
    }
}

fn message_posted(chat: &mut OpenChat, posted: &MessagePosted, at: Timestamp) {
    chat.last_seq = posted.seq;
    if let (Visibility::Staff, ChatKind::Service(service)) = (posted.visibility, &mut chat.kind) {
        service.notes.add(posted.seq);
    }
    let sent =
        SentMessage { message: posted.message, seq: posted.seq, digest: posted.digest, at, visibility: posted.visibility, recalled: false };
    chat.sent.entry(posted.sender).or_default().remember(posted.client_message, sent);
    if let (Category::Customer, ChatKind::Service(service)) = (posted.category, &mut chat.kind) {
        service.contact.newest = Some(QualifyingMessage { message: posted.message, seq: posted.seq, sender: posted.sender, at });
    }
    // Otherwise a chat would remember every agent who ever answered in it.
    chat.sent.retain(|_, sent| !sent.is_forgotten(at));
    // What the platform tells many is no part of anybody's conversation, and what a flow tells is nobody's word: neither keeps one open.
    if posted.origin.is_nobodys() {
        return;
    }
    if let ChatKind::Service(service) = &mut chat.kind
        && let Session::Open { last_customer_seq, unanswered_since, last_activity, silence, .. } = &mut service.session
    {
        *last_activity = at;
        silence.reminded = false;
        match (posted.category, posted.visibility) {
            (Category::Customer, _) => {
                *last_customer_seq = posted.seq;
                silence.robot_spoke = false;
                unanswered_since.get_or_insert(at);
            }
            (Category::Agent, Visibility::All) => {
                *unanswered_since = None;
                silence.overdue = false;
                // Only who serves may speak, and whoever answers has accepted.
                service.terms.accept_within = None;
            }
            (Category::Robot, Visibility::All) => silence.robot_spoke = true,
            (Category::Agent | Category::Robot, Visibility::Staff) | (Category::System, _) => {}
        }
    }
}
