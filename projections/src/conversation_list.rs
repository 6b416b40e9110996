//! Chats and conversations, and the lists of them: per tenant, per agent, per customer, newest activity first.
//!
//! An agent's list holds every conversation they serve or ever served. A row's places in the lists follow from the row alone
//! and are written with it (`lists`); what is not written yet is merged in when somebody asks.

mod lists;
mod state;
mod threads;

use std::sync::Arc;

use application::log::stream::StreamKey;
use application::queries::{ChatRow, ConversationFilter, ConversationRow, MemberRow};
use domain::chat::event::{ChatEvent, ChatOpened, GroupCreated, MessagePosted};
use domain::conversation::event::ConversationEvent;
use domain::desk::event::DeskEvent;
use domain::event::Event;
use domain::ids::{ChatId, ConversationId, ShopId, TenantId, UserId};
use domain::message::{Category, Visibility};
use domain::time::Timestamp;

use crate::keys::Key;
use crate::projection::{ApplyError, Fact, Projection, Streams, ViewInfo};
use crate::rows::Rows;
use crate::store::{ViewStore, WriteBatch};
use lists::Lists;
use state::{Chat, Conversation, UserChats};

/// Decisions of the desk that a conversation's row refers to: one that has been handed on more often is no longer explained by the
/// last ones.
const DECISIONS_MAX: usize = 200;

/// What is fixed about this view.
pub const INFO: ViewInfo = ViewInfo {
    name: "conversation_list",
    version: 7,
    streams: Streams::CHAT.and(Streams::CONVERSATION).and(Streams::DESK),
    tables: &["chats", "conversations", "user_chats", "by_tenant", "by_agent", "by_customer", "tickets"],
};

/// See the file's head.
pub struct ConversationList {
    chats: Rows<Chat>,
    conversations: Rows<Conversation>,
    user_chats: Rows<UserChats>,
    lists: Lists,
}

impl ConversationList {
    /// The view over a store.
    #[must_use]
    pub fn open(store: &Arc<dyn ViewStore>) -> Self {
        Self {
            chats: Rows::new(Arc::clone(store), INFO.table("chats")),
            conversations: Rows::new(Arc::clone(store), INFO.table("conversations")),
            user_chats: Rows::new(Arc::clone(store), INFO.table("user_chats")),
            lists: Lists::open(store),
        }
    }

    /// A chat.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn chat(&self, tenant: TenantId, chat: ChatId) -> Result<Option<ChatRow>, ApplyError> {
        Ok(self.chats.read(chat_key(tenant, chat))?.map(|row| row.shown(chat)))
    }

    /// The chats that a user is a member of now, in the order of joining.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn chats_of(&self, tenant: TenantId, user: UserId) -> Result<Vec<ChatId>, ApplyError> {
        Ok(self.user_chats.read(user_key(tenant, user))?.unwrap_or_default().0)
    }

    /// The chats that somebody has with a shop as its customer.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn chats_with(&self, tenant: TenantId, customer: UserId, shop: ShopId) -> Result<Vec<ChatId>, ApplyError> {
        let mut chats = Vec::new();
        for chat in self.chats_of(tenant, customer)? {
            if self.chats.read_with(chat_key(tenant, chat), |row| row.is_between(shop, customer))? == Some(true) {
                chats.push(chat);
            }
        }
        Ok(chats)
    }

    /// A conversation.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn conversation(&self, tenant: TenantId, conversation: ConversationId) -> Result<Option<ConversationRow>, ApplyError> {
        self.conversations.read_with(conversation_key(tenant, conversation), |row| row.shown(conversation))
    }

    /// Conversations, newest activity first, after a place in that order.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn conversations(
        &self,
        tenant: TenantId,
        filter: ConversationFilter,
        after: Option<(Timestamp, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<ConversationRow>, ApplyError> {
        self.lists.page(&self.conversations, tenant, filter, after, limit)
    }

    fn chat_event(&mut self, fact: &Fact<'_>, id: ChatId, event: &ChatEvent) -> Result<(), ApplyError> {
        let key = chat_key(fact.tenant, id);
        let first = if let ChatEvent::ChatOpened(ChatOpened { shop, customer }) = event {
            Some((*customer, Chat::opened(*shop, *customer)))
        } else if let ChatEvent::GroupCreated(GroupCreated { owner, label, .. }) = event {
            Some((*owner, Chat::created(*owner, label, fact.at, fact.time)))
        } else {
            None
        };
        if let Some((user, chat)) = first {
            if fact.version != 1 {
                return Err(ApplyError::OpenedTwice);
            }
            self.become_member(fact.tenant, user, id)?;
            self.chats.insert_new(key, chat);
            return Ok(());
        }
        // Whoever is not in contact with a shop has no chat with it, and an attempt to start contact makes none.
        if let ChatEvent::OutreachAttempted(_) | ChatEvent::OutreachHandedOver(_) = event {
            return Ok(());
        }
        let chat = self.chats.change_if_there(key)?.ok_or(ApplyError::NotOpened)?;
        match event {
            ChatEvent::ChatOpened(_)
            | ChatEvent::GroupCreated(_)
            | ChatEvent::MessageRecalled(_)
            | ChatEvent::MessageHidden(_)
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
            | ChatEvent::UploadExpired(_) => {}
            ChatEvent::MemberJoined(joined) => {
                let (read_seq, shown_seq) = chat.member(joined.user).map_or((0, 0), |member| (member.read_seq, member.shown_seq));
                chat.members.retain(|member| member.user != joined.user);
                chat.members.push(MemberRow { user: joined.user, role: joined.role, read_seq, shown_seq, participant: None });
                self.become_member(fact.tenant, joined.user, id)?;
            }
            ChatEvent::MemberInvited(invited) => {
                chat.invite(invited.user, &invited.label, invited.permissions, invited.floor);
                self.become_member(fact.tenant, invited.user, id)?;
            }
            ChatEvent::MemberLeft(left) => {
                chat.members.retain(|member| member.user != left.user);
                self.cease_member(fact.tenant, left.user, id)?;
            }
            ChatEvent::CustomerReplaced(replaced) => {
                chat.replace_customer(replaced.from, replaced.into);
                let (last, conversations) = (chat.last_conversation, chat.conversations);
                self.cease_member(fact.tenant, replaced.from, id)?;
                self.become_member(fact.tenant, replaced.into, id)?;
                if let Some(last) = last
                    && let Some(conversation) = self.conversations.change_if_there(conversation_key(fact.tenant, last))?
                {
                    conversation.customer = replaced.into;
                }
                // Nearly always that was the only one, and the list need not be searched.
                if conversations > 1 {
                    self.replace_customer(fact.tenant, id, replaced.from, replaced.into)?;
                }
            }
            ChatEvent::MessagePosted(posted) => return self.message_posted(fact, key, posted),
            ChatEvent::MessagesRead(read) => {
                if let Some(member) = chat.member(read.reader) {
                    member.read_seq = member.read_seq.max(read.up_to_seq);
                    member.shown_seq = member.shown_seq.max(read.told_to(false).unwrap_or_default());
                }
            }
            ChatEvent::ConversationStarted(started) => {
                chat.conversation = Some(started.conversation);
                chat.last_conversation = Some(started.conversation);
                chat.conversations += 1;
                let begun = Conversation::begun(id, started.shop, started.customer, &started.entry, fact.time);
                self.begin(conversation_key(fact.tenant, started.conversation), begun, fact.time)?;
            }
            ChatEvent::ConversationResumed(resumed) => {
                chat.conversation = Some(resumed.conversation);
                chat.last_conversation = Some(resumed.conversation);
                if let Some(conversation) = self.conversations.change_if_there(conversation_key(fact.tenant, resumed.conversation))? {
                    // The message that the end had overlooked still waits, since it was written.
                    conversation.waiting_since = resumed.overlooked_seq.map(|_| conversation.customer_wrote_at.unwrap_or(fact.time));
                    conversation.last_activity = fact.time;
                }
            }
            ChatEvent::ConversationEnded(ended) => {
                chat.conversation = None;
                if let Some(conversation) = self.conversations.change_if_there(conversation_key(fact.tenant, ended.conversation))? {
                    conversation.waiting_since = None;
                    conversation.last_activity = fact.time;
                }
            }
            ChatEvent::PermissionsChanged(_)
            | ChatEvent::OwnershipPassed(_)
            | ChatEvent::GroupRenamed(_)
            | ChatEvent::ThreadMuted(_)
            | ChatEvent::ThreadUnmuted(_)
            | ChatEvent::ThreadArchived(_)
            | ChatEvent::ThreadUnarchived(_)
            | ChatEvent::GroupDissolved(_) => chat.thread_event(event, fact.at),
        }
        Ok(())
    }

    fn message_posted(&mut self, fact: &Fact<'_>, key: Key, posted: &MessagePosted) -> Result<(), ApplyError> {
        let chat = self.chats.change_if_there(key)?.ok_or(ApplyError::NotOpened)?;
        if posted.seq != chat.last_seq + 1 {
            return Err(ApplyError::SeqGap { expected: chat.last_seq + 1, found: posted.seq });
        }
        let conversation = match posted.conversation {
            Some(id) => self.conversations.change_if_there(conversation_key(fact.tenant, id))?,
            None => None,
        };
        chat.last_seq = posted.seq;
        let shown_to_all = match posted.visibility {
            Visibility::All => true,
            Visibility::Staff => false,
        };
        if shown_to_all {
            chat.last_shown_seq = posted.seq;
            chat.last_message = Some(fact.at);
            chat.last_message_at = Some(fact.time);
        }
        if let Some(row) = conversation {
            let open = chat.conversation == posted.conversation;
            row.messages += 1;
            row.last_activity = fact.time;
            if shown_to_all {
                row.last_message = Some(fact.at);
            }
            match posted.category {
                Category::Customer => {
                    row.customer_wrote_at = Some(fact.time);
                    if open {
                        row.waiting_since.get_or_insert(fact.time);
                    }
                }
                Category::Agent if shown_to_all => row.waiting_since = None,
                Category::Agent | Category::System | Category::Robot => {}
            }
        }
        Ok(())
    }

    /// The chat knows of a new conversation first, and the conversation follows; either may bring the row about.
    fn begin(&mut self, key: Key, begun: Conversation, at: Timestamp) -> Result<(), ApplyError> {
        let row = self.conversations.change(key)?;
        match row {
            None => *row = Some(begun),
            Some(known) => known.last_activity = at,
        }
        Ok(())
    }

    fn become_member(&mut self, tenant: TenantId, user: UserId, chat: ChatId) -> Result<(), ApplyError> {
        let chats = self.user_chats.change(user_key(tenant, user))?.get_or_insert_default();
        if !chats.0.contains(&chat) {
            chats.0.push(chat);
        }
        Ok(())
    }

    fn cease_member(&mut self, tenant: TenantId, user: UserId, chat: ChatId) -> Result<(), ApplyError> {
        if let Some(chats) = self.user_chats.change_if_there(user_key(tenant, user))? {
            chats.0.retain(|member_of| *member_of != chat);
        }
        Ok(())
    }

    /// Past conversations follow the customer: the merged account is the same person.
    fn replace_customer(&mut self, tenant: TenantId, chat: ChatId, from: UserId, into: UserId) -> Result<(), ApplyError> {
        let filter = ConversationFilter { customer: Some(from), ..ConversationFilter::default() };
        for row in self.conversations(tenant, filter, None, usize::MAX)? {
            if row.chat == chat
                && let Some(conversation) = self.conversations.change_if_there(conversation_key(tenant, row.conversation))?
            {
                conversation.customer = into;
            }
        }
        Ok(())
    }

    /// Notes where the desk decided about a conversation.
    fn decided(&mut self, fact: &Fact<'_>, conversation: ConversationId) -> Result<(), ApplyError> {
        if let Some(row) = self.conversations.change_if_there(conversation_key(fact.tenant, conversation))?
            && row.decisions.len() < DECISIONS_MAX
        {
            row.decisions.push(fact.at);
        }
        Ok(())
    }

    fn conversation_event(&mut self, fact: &Fact<'_>, id: ConversationId, event: &ConversationEvent) -> Result<(), ApplyError> {
        let key = conversation_key(fact.tenant, id);
        if let ConversationEvent::ConversationOpened(opened) = event {
            if fact.version != 1 {
                return Err(ApplyError::OpenedTwice);
            }
            let begun = Conversation::begun(opened.chat, opened.shop, opened.customer, &opened.entry, fact.time);
            return self.begin(key, begun, fact.time);
        }
        let row = self.conversations.change_if_there(key)?.ok_or(ApplyError::NotOpened)?;
        row.take_in(event, fact.time, fact.at);
        Ok(())
    }
}

fn chat_key(tenant: TenantId, chat: ChatId) -> Key {
    Key::new(tenant, *chat.as_bytes())
}

fn conversation_key(tenant: TenantId, conversation: ConversationId) -> Key {
    Key::new(tenant, *conversation.as_bytes())
}

fn user_key(tenant: TenantId, user: UserId) -> Key {
    Key::new(tenant, *user.as_bytes())
}

impl Projection for ConversationList {
    fn apply(&mut self, fact: &Fact<'_>) -> Result<(), ApplyError> {
        match (fact.event, fact.stream) {
            (Event::Chat(event), StreamKey::Chat(chat)) => self.chat_event(fact, chat, event),
            (Event::Conversation(event), StreamKey::Conversation(conversation)) => self.conversation_event(fact, conversation, event),
            (Event::Desk(DeskEvent::ConversationAssigned(assigned)), StreamKey::Desk) => self.decided(fact, assigned.conversation),
            (Event::User(_) | Event::Desk(_) | Event::Tenant(_) | Event::Campaign(_) | Event::Retrieval(_), _) => Ok(()),
            (Event::Chat(_) | Event::Conversation(_), _) => Err(ApplyError::WrongStream),
        }
    }

    fn flush(&mut self, batch: &mut WriteBatch) {
        self.chats.flush(batch, |_, _, _| {});
        self.user_chats.flush(batch, |_, _, _| {});
        let lists = &self.lists;
        self.conversations.flush(batch, |key, row, batch| {
            if let Some(conversation) = row {
                lists.follow(key, conversation, batch);
            }
        });
    }

    fn wrote(&mut self, flushes: usize) {
        self.chats.wrote(flushes);
        self.user_chats.wrote(flushes);
        self.conversations.wrote(flushes);
    }

    fn pending(&self) -> usize {
        self.chats.pending() + self.user_chats.pending() + self.conversations.pending()
    }
}
