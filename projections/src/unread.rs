//! Unread messages, what was recalled or hidden, and which messages use an attachment.
//!
//! Unread is how many messages a member may see after the largest of three places: what they have read, what they sent last,
//! and the floor of what they may see (0 in a chat with a customer; in a group thread the last place before they came). A customer does not see what is for staff only,
//! so the places of such messages are kept as long as they lie beyond what the customer has read.

mod attachments;

use std::collections::BTreeMap;
use std::sync::Arc;

use application::log::stream::StreamKey;
use application::queries::AttachmentUses;
use domain::chat::event::{ChatEvent, MessagePosted};
use domain::event::Event;
use domain::ids::{AttachmentId, ChatId, TenantId, UserId};
use domain::message::{ChatRole, Visibility};
use serde::{Deserialize, Serialize};

use crate::keys::Key;
use crate::projection::{ApplyError, Fact, Projection, Streams, ViewInfo};
use crate::rows::{Row, Rows};
use crate::store::{ViewStore, WriteBatch};
use attachments::Attachments;

/// What is fixed about this view.
pub const INFO: ViewInfo = ViewInfo { name: "unread", version: 3, streams: Streams::CHAT, tables: &["chats", "marks", "attachments"] };

/// A chat as far as unread counts need it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Chat {
    last_seq: u64,
    people: Vec<Person>,
    /// Places of staff-only messages beyond what some customer member has read.
    staff_only: Vec<u64>,
}

/// Somebody who takes part, or once posted.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Person {
    user: UserId,
    /// As what they take part now.
    role: Option<ChatRole>,
    read_seq: u64,
    sent_seq: u64,
    floor: u64,
}

/// What was recalled, and what was hidden by whom.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Marks {
    recalled: Vec<u64>,
    hidden: BTreeMap<UserId, Vec<u64>>,
}

impl Row for Chat {}
impl Row for Marks {}

impl Person {
    fn seen(&self) -> u64 {
        self.read_seq.max(self.sent_seq).max(self.floor)
    }
}

impl Chat {
    fn person(&mut self, user: UserId) -> &mut Person {
        let index = self.people.iter().position(|person| person.user == user).unwrap_or_else(|| {
            self.people.push(Person { user, role: None, read_seq: 0, sent_seq: 0, floor: 0 });
            self.people.len() - 1
        });
        &mut self.people[index]
    }

    fn unread(&self, user: UserId) -> Option<u64> {
        let person = self.people.iter().find(|person| person.user == user)?;
        let seen = person.seen();
        let beyond = self.last_seq.saturating_sub(seen);
        if person.role?.is_staff() {
            return Some(beyond);
        }
        let unseen = self.staff_only.len() - self.staff_only.partition_point(|seq| *seq <= seen);
        Some(beyond.saturating_sub(unseen as u64))
    }

    /// Forgets the places that no customer will count again.
    fn forget_seen(&mut self) {
        if self.staff_only.is_empty() {
            return;
        }
        let customers = self.people.iter().filter(|person| person.role.is_some_and(|role| !role.is_staff()));
        let seen = customers.map(Person::seen).min().unwrap_or(0);
        let kept = self.staff_only.partition_point(|seq| *seq <= seen);
        self.staff_only.drain(..kept);
    }

    fn posted(&mut self, posted: &MessagePosted) {
        self.last_seq = posted.seq;
        self.person(posted.sender).sent_seq = posted.seq;
        match posted.visibility {
            Visibility::All => {}
            Visibility::Staff => self.staff_only.push(posted.seq),
        }
        self.forget_seen();
    }

    fn replaced(&mut self, from: UserId, into: UserId) {
        let Some(index) = self.people.iter().position(|person| person.user == from) else { return };
        let old = self.people.remove(index);
        let new = self.person(into);
        new.role = old.role.or(new.role);
        new.read_seq = old.read_seq;
        new.sent_seq = new.sent_seq.max(old.sent_seq);
        self.forget_seen();
    }
}

/// See the file's head.
pub struct Unread {
    chats: Rows<Chat>,
    marks: Rows<Marks>,
    attachments: Attachments,
}

impl Unread {
    /// The view over a store.
    #[must_use]
    pub fn open(store: &Arc<dyn ViewStore>) -> Self {
        Self {
            chats: Rows::new(Arc::clone(store), INFO.table("chats")),
            marks: Rows::new(Arc::clone(store), INFO.table("marks")),
            attachments: Attachments::open(store),
        }
    }

    /// Unread messages of a member.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn unread(&self, tenant: TenantId, chat: ChatId, user: UserId) -> Result<Option<u64>, ApplyError> {
        Ok(self.chats.read_with(key(tenant, chat), |chat| chat.unread(user))?.flatten())
    }

    /// Whether a message was recalled.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn is_recalled(&self, tenant: TenantId, chat: ChatId, seq: u64) -> Result<bool, ApplyError> {
        let found = self.marks.read_with(key(tenant, chat), |marks| marks.recalled.binary_search(&seq).is_ok())?;
        Ok(found.unwrap_or(false))
    }

    /// Whether a reader removed a message from their own sight.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn is_hidden(&self, tenant: TenantId, chat: ChatId, seq: u64, reader: UserId) -> Result<bool, ApplyError> {
        let found = self
            .marks
            .read_with(key(tenant, chat), |marks| marks.hidden.get(&reader).is_some_and(|hidden| hidden.binary_search(&seq).is_ok()))?;
        Ok(found.unwrap_or(false))
    }

    /// The messages that use an attachment, if any does.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn attachment_uses(&self, tenant: TenantId, attachment: AttachmentId) -> Result<Option<AttachmentUses>, ApplyError> {
        self.attachments.uses(tenant, attachment)
    }

    fn mark(&mut self, key: Key, seq: u64, list: impl FnOnce(&mut Marks) -> &mut Vec<u64>) -> Result<(), ApplyError> {
        let last_seq = self.chats.get(key)?.ok_or(ApplyError::NotOpened)?.last_seq;
        if seq == 0 || seq > last_seq {
            return Err(ApplyError::BeyondEnd { seq, last_seq });
        }
        let list = list(self.marks.change(key)?.get_or_insert_default());
        if let Err(index) = list.binary_search(&seq) {
            list.insert(index, seq);
        }
        Ok(())
    }

    fn chat_event(&mut self, key: Key, version: u64, event: &ChatEvent) -> Result<(), ApplyError> {
        match event {
            ChatEvent::ChatOpened(opened) => {
                if version != 1 {
                    return Err(ApplyError::OpenedTwice);
                }
                let mut chat = Chat::default();
                chat.person(opened.customer).role = Some(ChatRole::Customer);
                self.chats.insert_new(key, chat);
                return Ok(());
            }
            ChatEvent::GroupCreated(created) => {
                if version != 1 {
                    return Err(ApplyError::OpenedTwice);
                }
                let mut chat = Chat::default();
                chat.person(created.owner).role = Some(ChatRole::Participant);
                self.chats.insert_new(key, chat);
                return Ok(());
            }
            ChatEvent::MessageRecalled(recalled) => return self.mark(key, recalled.seq, |marks| &mut marks.recalled),
            ChatEvent::MessageHidden(hidden) => {
                return self.mark(key, hidden.seq, |marks| marks.hidden.entry(hidden.reader).or_default());
            }
            ChatEvent::ConversationStarted(_)
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
            | ChatEvent::PermissionsChanged(_)
            | ChatEvent::OwnershipPassed(_)
            | ChatEvent::GroupRenamed(_)
            | ChatEvent::ThreadMuted(_)
            | ChatEvent::ThreadUnmuted(_)
            | ChatEvent::ThreadArchived(_)
            | ChatEvent::ThreadUnarchived(_)
            | ChatEvent::GroupDissolved(_) => return Ok(()),
            ChatEvent::MemberJoined(_)
            | ChatEvent::MemberInvited(_)
            | ChatEvent::MemberLeft(_)
            | ChatEvent::CustomerReplaced(_)
            | ChatEvent::MessagePosted(_)
            | ChatEvent::MessagesRead(_) => {}
        }
        let chat = self.chats.change_if_there(key)?.ok_or(ApplyError::NotOpened)?;
        match event {
            ChatEvent::MemberJoined(joined) => chat.person(joined.user).role = Some(joined.role),
            ChatEvent::MemberInvited(invited) => {
                let person = chat.person(invited.user);
                person.role = Some(ChatRole::Participant);
                person.floor = invited.floor;
            }
            ChatEvent::MemberLeft(left) => {
                let person = chat.person(left.user);
                person.role = None;
                person.read_seq = 0;
                person.floor = 0;
                chat.people.retain(|person| person.role.is_some() || person.sent_seq > 0);
            }
            ChatEvent::CustomerReplaced(replaced) => chat.replaced(replaced.from, replaced.into),
            ChatEvent::MessagePosted(posted) if posted.seq != chat.last_seq + 1 => {
                return Err(ApplyError::SeqGap { expected: chat.last_seq + 1, found: posted.seq });
            }
            ChatEvent::MessagePosted(posted) => chat.posted(posted),
            ChatEvent::MessagesRead(read) if read.up_to_seq > chat.last_seq => {
                return Err(ApplyError::BeyondEnd { seq: read.up_to_seq, last_seq: chat.last_seq });
            }
            ChatEvent::MessagesRead(read) => {
                if let Some(person) = chat.people.iter_mut().find(|person| person.user == read.reader && person.role.is_some()) {
                    person.read_seq = person.read_seq.max(read.up_to_seq);
                }
                chat.forget_seen();
            }
            ChatEvent::ChatOpened(_)
            | ChatEvent::MessageRecalled(_)
            | ChatEvent::MessageHidden(_)
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
            | ChatEvent::PermissionsChanged(_)
            | ChatEvent::OwnershipPassed(_)
            | ChatEvent::GroupRenamed(_)
            | ChatEvent::ThreadMuted(_)
            | ChatEvent::ThreadUnmuted(_)
            | ChatEvent::ThreadArchived(_)
            | ChatEvent::ThreadUnarchived(_)
            | ChatEvent::GroupDissolved(_) => {}
        }
        Ok(())
    }
}

fn key(tenant: TenantId, chat: ChatId) -> Key {
    Key::new(tenant, *chat.as_bytes())
}

impl Projection for Unread {
    fn apply(&mut self, fact: &Fact<'_>) -> Result<(), ApplyError> {
        match (fact.event, fact.stream) {
            (Event::Chat(event), StreamKey::Chat(chat)) => {
                self.chat_event(key(fact.tenant, chat), fact.version, event)?;
                if let ChatEvent::MessagePosted(posted) = event {
                    self.attachments.posted(fact.tenant, chat, posted)?;
                }
                Ok(())
            }
            (
                Event::Chat(_),
                StreamKey::Conversation(_)
                | StreamKey::User(_)
                | StreamKey::Desk
                | StreamKey::Tenant
                | StreamKey::Campaign(_)
                | StreamKey::Retrieval,
            ) => Err(ApplyError::WrongStream),
            (Event::Conversation(_) | Event::User(_) | Event::Desk(_) | Event::Tenant(_) | Event::Campaign(_) | Event::Retrieval(_), _) => {
                Ok(())
            }
        }
    }

    fn flush(&mut self, batch: &mut WriteBatch) {
        self.chats.flush(batch, |_, _, _| {});
        self.marks.flush(batch, |_, _, _| {});
        self.attachments.rows.flush(batch, |_, _, _| {});
    }

    fn wrote(&mut self, flushes: usize) {
        self.chats.wrote(flushes);
        self.marks.wrote(flushes);
        self.attachments.rows.wrote(flushes);
    }

    fn pending(&self) -> usize {
        self.chats.pending() + self.marks.pending() + self.attachments.rows.pending()
    }
}
