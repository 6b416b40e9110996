//! The feeds: everything a user must see, in one chain per user (混链), and the messages of each chat (单链).
//!
//! An item goes to the members at that position, so the numbers depend on the tenant's log order alone. A feed that ended by
//! a merge takes nothing any more. Items hold references, never texts.

mod state;

use std::sync::Arc;

use application::log::stream::StreamKey;
use application::queries::{EventRef, FeedItem, FeedKind};
use domain::chat::event::ChatEvent;
use domain::conversation::event::ConversationEvent;
use domain::event::Event;
use domain::ids::{ChatId, ConversationId, TenantId, UserId};
use domain::message::{ChatRole, Visibility};
use domain::user::event::UserEvent;

use crate::chain::Blocks;
use crate::keys::Key;
use crate::projection::{ApplyError, Fact, Projection, Reader, Streams, ViewInfo};
use crate::rows::Rows;
use crate::store::{ViewStore, WriteBatch};
use state::{Chat, Conversation, UserFeed};

/// What is fixed about this view.
pub const INFO: ViewInfo = ViewInfo {
    name: "feed",
    version: 2,
    streams: Streams::CHAT.and(Streams::CONVERSATION).and(Streams::USER),
    tables: &["users", "user_blocks", "chats", "chat_blocks", "conversations"],
};

/// See the file's head.
pub struct Feed {
    users: Rows<UserFeed>,
    user_blocks: Blocks,
    chats: Rows<Chat>,
    chat_blocks: Blocks,
    conversations: Rows<Conversation>,
    readers: Vec<Reader>,
    /// Whose feeds the fact at hand enters; kept to save an allocation per fact.
    audience: Vec<(UserId, FeedKind)>,
    /// See [`Projection::customer`].
    customer: Option<UserId>,
}

impl Feed {
    /// The view over a store.
    #[must_use]
    pub fn open(store: &Arc<dyn ViewStore>) -> Self {
        Self {
            users: Rows::new(Arc::clone(store), INFO.table("users")),
            user_blocks: Blocks::new(Arc::clone(store), INFO.table("user_blocks")),
            chats: Rows::new(Arc::clone(store), INFO.table("chats")),
            chat_blocks: Blocks::new(Arc::clone(store), INFO.table("chat_blocks")),
            conversations: Rows::new(Arc::clone(store), INFO.table("conversations")),
            readers: Vec::new(),
            audience: Vec::new(),
            customer: None,
        }
    }

    /// The newest index of a user's feed.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn head(&self, tenant: TenantId, user: UserId) -> Result<u64, ApplyError> {
        Ok(self.users.read_with(user_key(tenant, user), |feed| feed.chain.length())?.unwrap_or(0))
    }

    /// Items of a user's feed after an index.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn items(&self, tenant: TenantId, user: UserId, after: u64, limit: usize) -> Result<Vec<FeedItem>, ApplyError> {
        let key = user_key(tenant, user);
        let Some(feed) = self.users.read(key)? else { return Ok(Vec::new()) };
        let items = self.user_blocks.items(key, &feed.chain, after, limit)?;
        Ok(items.into_iter().map(|(index, at, kind)| FeedItem { index, at, kind }).collect())
    }

    /// Where the messages of a chat are, from a place on.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn messages(&self, tenant: TenantId, chat: ChatId, from_seq: u64, limit: usize) -> Result<Vec<(u64, EventRef)>, ApplyError> {
        let key = chat_key(tenant, chat);
        let Some(chat) = self.chats.read(key)? else { return Ok(Vec::new()) };
        let items = self.chat_blocks.items(key, &chat.messages, from_seq.saturating_sub(1), limit)?;
        Ok(items.into_iter().map(|(seq, at, _)| (seq, at)).collect())
    }

    /// Gives the fact to everybody in the audience.
    fn enter(&mut self, tenant: TenantId, at: EventRef) -> Result<(), ApplyError> {
        for (user, kind) in self.audience.drain(..) {
            let key = user_key(tenant, user);
            let feed = self.users.change(key)?.get_or_insert_default();
            if feed.ended {
                continue;
            }
            feed.ended = kind == FeedKind::MergedInto;
            if let Some(block) = feed.chain.push(at, kind) {
                self.user_blocks.add(key, block);
            }
            self.readers.push((user, feed.chain.length(), kind));
        }
        Ok(())
    }

    fn chat_event(&mut self, fact: &Fact<'_>, chat: ChatId, event: &ChatEvent) -> Result<(), ApplyError> {
        let key = chat_key(fact.tenant, chat);
        if let ChatEvent::ChatOpened(opened) = event {
            if fact.version != 1 {
                return Err(ApplyError::OpenedTwice);
            }
            self.chats.insert_new(key, Chat::opened(opened.customer));
            self.audience.push((opened.customer, FeedKind::Joined));
            return self.enter(fact.tenant, fact.at);
        }
        if let ChatEvent::GroupCreated(created) = event {
            if fact.version != 1 {
                return Err(ApplyError::OpenedTwice);
            }
            self.chats.insert_new(key, Chat::created(created.owner));
            self.audience.push((created.owner, FeedKind::Joined));
            return self.enter(fact.tenant, fact.at);
        }
        let audience = &mut self.audience;
        match event {
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
            | ChatEvent::ChatOpened(_)
            | ChatEvent::GroupCreated(_) => return Ok(()),
            ChatEvent::MemberJoined(joined) => {
                let chat = self.chats.change_if_there(key)?.ok_or(ApplyError::NotOpened)?;
                chat.join(joined.user, joined.role, 0);
                audience.extend(chat.members().map(|member| welcomed(member.user, joined.user)));
            }
            ChatEvent::MemberInvited(invited) => {
                let chat = self.chats.change_if_there(key)?.ok_or(ApplyError::NotOpened)?;
                chat.join(invited.user, ChatRole::Participant, invited.floor);
                audience.extend(chat.members().map(|member| welcomed(member.user, invited.user)));
            }
            ChatEvent::MemberLeft(left) => {
                let chat = self.chats.change_if_there(key)?.ok_or(ApplyError::NotOpened)?;
                self.customer = chat.customer;
                audience.extend(chat.members().map(|member| (member.user, FeedKind::MemberLeft)));
                chat.leave(left.user);
            }
            ChatEvent::PermissionsChanged(_)
            | ChatEvent::OwnershipPassed(_)
            | ChatEvent::GroupRenamed(_)
            | ChatEvent::GroupDissolved(_) => {
                let chat = self.chats.get(key)?.ok_or(ApplyError::NotOpened)?;
                audience.extend(chat.members().map(|member| (member.user, FeedKind::Thread)));
            }
            // One's own wishes are for one's own devices.
            ChatEvent::ThreadMuted(muted) => audience.push((muted.user, FeedKind::Thread)),
            ChatEvent::ThreadUnmuted(unmuted) => audience.push((unmuted.user, FeedKind::Thread)),
            ChatEvent::ThreadArchived(archived) => audience.push((archived.user, FeedKind::Thread)),
            ChatEvent::ThreadUnarchived(unarchived) => audience.push((unarchived.user, FeedKind::Thread)),
            ChatEvent::CustomerReplaced(replaced) => {
                let chat = self.chats.change_if_there(key)?.ok_or(ApplyError::NotOpened)?;
                chat.replace(replaced.from, replaced.into);
                audience.push((replaced.from, FeedKind::MergedInto));
                audience.push((replaced.into, FeedKind::Joined));
            }
            ChatEvent::MessagePosted(posted) => {
                let chat = self.chats.change_if_there(key)?.ok_or(ApplyError::NotOpened)?;
                let expected = chat.messages.length() + 1;
                if posted.seq != expected {
                    return Err(ApplyError::SeqGap { expected, found: posted.seq });
                }
                if let Some(block) = chat.messages.push(fact.at, FeedKind::Message) {
                    self.chat_blocks.add(key, block);
                }
                let staff_only = posted.visibility == Visibility::Staff;
                let readers = chat.members().filter(|member| member.staff || !staff_only);
                audience.extend(readers.map(|member| (member.user, FeedKind::Message)));
            }
            ChatEvent::MessageRecalled(recalled) => {
                let chat = self.chats.get(key)?.ok_or(ApplyError::NotOpened)?;
                self.customer = chat.customer;
                // Whoever could not see it does not learn that it was there.
                let staff_only = recalled.visibility == Visibility::Staff;
                let who_know = chat.who_see(recalled.seq).filter(|member| member.staff || !staff_only);
                audience.extend(who_know.map(|member| (member.user, FeedKind::Recalled)));
            }
            ChatEvent::MessageHidden(hidden) => audience.push((hidden.reader, FeedKind::Hidden)),
            ChatEvent::MessagesRead(read) => {
                let chat = self.chats.get(key)?.ok_or(ApplyError::NotOpened)?;
                self.customer = chat.customer;
                let who_hear = chat.who_see(read.up_to_seq).filter(|member| read.told_to(member.staff).is_some());
                audience.extend(who_hear.map(|member| (member.user, FeedKind::Read)));
            }
        }
        self.enter(fact.tenant, fact.at)
    }

    fn conversation_event(&mut self, fact: &Fact<'_>, id: ConversationId, event: &ConversationEvent) -> Result<(), ApplyError> {
        // What they lead to is enough: a message, or the hand-off.
        if let ConversationEvent::StillWaiting(_)
        | ConversationEvent::RobotEngaged(_)
        | ConversationEvent::RobotAnswered(_)
        | ConversationEvent::AnswerRated(_)
        | ConversationEvent::HumanWanted(_) = event
        {
            return Ok(());
        }
        let key = Key::new(fact.tenant, *id.as_bytes());
        if let ConversationEvent::ConversationOpened(opened) = event {
            if fact.version != 1 {
                return Err(ApplyError::OpenedTwice);
            }
            self.conversations.insert_new(key, Conversation { chat: opened.chat, customer: opened.customer, agent: None });
        }
        let conversation = *self.conversations.get(key)?.ok_or(ApplyError::NotOpened)?;
        if let ConversationEvent::TicketChanged(changed) = event {
            // For whoever has it, and for staff alone.
            let staff = [conversation.agent, changed.owner.filter(|owner| Some(*owner) != conversation.agent)];
            self.audience.extend(staff.into_iter().flatten().map(|user| (user, FeedKind::Conversation)));
            return self.enter(fact.tenant, fact.at);
        }
        if let ConversationEvent::ProviderAnswered(answered) = event
            && !answered.answer.keeps_it()
        {
            // The customer hears who has it next; why somebody did not is the shop's business.
            return Ok(());
        }
        // A merge replaces the customer in the chat, so the chat knows better than the conversation who the customer is.
        let chat = self.chats.get(chat_key(fact.tenant, conversation.chat))?;
        let customer = chat.and_then(|chat| chat.customer).unwrap_or(conversation.customer);
        self.audience.push((customer, FeedKind::Conversation));
        self.audience.extend(conversation.agent.filter(|agent| *agent != customer).map(|agent| (agent, FeedKind::Conversation)));
        match event {
            ConversationEvent::AgentAssigned(assigned) => {
                if !self.audience.iter().any(|(user, _)| *user == assigned.agent) {
                    self.audience.push((assigned.agent, FeedKind::Conversation));
                }
                if let Some(row) = self.conversations.change_if_there(key)? {
                    row.agent = Some(assigned.agent);
                }
            }
            ConversationEvent::ConversationOpened(_)
            | ConversationEvent::HandedOff(_)
            | ConversationEvent::HandOffRefused(_)
            | ConversationEvent::RobotEngaged(_)
            | ConversationEvent::RobotAnswered(_)
            | ConversationEvent::AnswerRated(_)
            | ConversationEvent::TicketChanged(_)
            | ConversationEvent::HumanWanted(_)
            | ConversationEvent::StillWaiting(_)
            | ConversationEvent::MessageLeft(_)
            | ConversationEvent::ConversationMoved(_)
            | ConversationEvent::AgentReleased(_)
            | ConversationEvent::ProviderAnswered(_)
            | ConversationEvent::RatingInvited(_)
            | ConversationEvent::ConversationRated(_)
            | ConversationEvent::ConversationClosed(_)
            | ConversationEvent::ConversationReopened(_)
            | ConversationEvent::CustomerReplaced(_) => {}
        }
        self.enter(fact.tenant, fact.at)
    }

    fn user_event(&mut self, fact: &Fact<'_>, user: UserId, event: &UserEvent) -> Result<(), ApplyError> {
        match event {
            UserEvent::CustomerMerged(_) => {
                self.audience.push((user, FeedKind::MergedInto));
                self.enter(fact.tenant, fact.at)
            }
            UserEvent::UserRegistered(_)
            | UserEvent::ProfileChanged(_)
            | UserEvent::ExternalAccountMapped(_)
            | UserEvent::PasswordSet(_)
            | UserEvent::SessionStarted(_)
            | UserEvent::SessionRefreshed(_)
            | UserEvent::SessionEnded(_)
            | UserEvent::UserDeactivated(_)
            | UserEvent::GroupsChanged(_)
            | UserEvent::CapacityChanged(_)
            | UserEvent::AbilitiesChanged(_)
            | UserEvent::ServiceStarted(_)
            | UserEvent::ServicePaused(_)
            | UserEvent::ServiceStopped(_)
            | UserEvent::CameOnline(_)
            | UserEvent::WentOffline(_)
            | UserEvent::CannedReplySaved(_)
            | UserEvent::CannedReplyRemoved(_)
            | UserEvent::ChannelReceived(_)
            | UserEvent::CustomerBlocked(_)
            | UserEvent::CustomerUnblocked(_)
            | UserEvent::CustomerDescribed(_) => Ok(()),
        }
    }
}

/// What the coming of somebody is to a member: their own, or another's.
fn welcomed(member: UserId, newcomer: UserId) -> (UserId, FeedKind) {
    (member, if member == newcomer { FeedKind::Joined } else { FeedKind::MemberJoined })
}

fn user_key(tenant: TenantId, user: UserId) -> Key {
    Key::new(tenant, *user.as_bytes())
}

fn chat_key(tenant: TenantId, chat: ChatId) -> Key {
    Key::new(tenant, *chat.as_bytes())
}

impl Projection for Feed {
    fn apply(&mut self, fact: &Fact<'_>) -> Result<(), ApplyError> {
        self.readers.clear();
        self.audience.clear();
        self.customer = None;
        match (fact.event, fact.stream) {
            (Event::Chat(event), StreamKey::Chat(chat)) => self.chat_event(fact, chat, event),
            (Event::Conversation(event), StreamKey::Conversation(conversation)) => self.conversation_event(fact, conversation, event),
            (Event::User(event), StreamKey::User(user)) => self.user_event(fact, user, event),
            (Event::Desk(_) | Event::Tenant(_) | Event::Campaign(_) | Event::Retrieval(_), _) => Ok(()),
            (Event::Chat(_) | Event::Conversation(_) | Event::User(_), _) => Err(ApplyError::WrongStream),
        }
    }

    fn flush(&mut self, batch: &mut WriteBatch) {
        self.users.flush(batch, |_, _, _| {});
        self.user_blocks.flush(batch);
        self.chats.flush(batch, |_, _, _| {});
        self.chat_blocks.flush(batch);
        self.conversations.flush(batch, |_, _, _| {});
    }

    fn wrote(&mut self, flushes: usize) {
        self.users.wrote(flushes);
        self.user_blocks.wrote(flushes);
        self.chats.wrote(flushes);
        self.chat_blocks.wrote(flushes);
        self.conversations.wrote(flushes);
    }

    fn pending(&self) -> usize {
        self.users.pending() + self.user_blocks.pending() + self.chats.pending() + self.chat_blocks.pending() + self.conversations.pending()
    }

    fn take_readers(&mut self) -> Vec<Reader> {
        std::mem::take(&mut self.readers)
    }

    fn customer(&self) -> Option<UserId> {
        self.customer
    }
}
