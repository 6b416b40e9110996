//! What signals no longer tell the truth, since they were last refreshed.

use application::queries::{Delivery, FeedKind};
use domain::chat::event::ChatEvent;
use domain::desk::event::DeskEvent;
use domain::event::Event;
use domain::ids::{ChatId, ConversationId, TenantId, UserId};
use domain::time::Timestamp;
use hashbrown::{HashMap, HashSet};

use super::Who;
use super::signal::Growing;

/// What signals no longer tell the truth.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stale {
    /// Unread counts, of users who are connected.
    pub unread: HashMap<Who, Vec<ChatId>>,
    /// Queues, and with them the boards of a tenant.
    pub queues: HashSet<TenantId>,
    /// Conversations that were just given to an agent: tenant, conversation, when.
    pub assigned: Vec<(TenantId, ConversationId, Timestamp)>,
    /// What robots are writing, the latest of each.
    pub growing: HashMap<(TenantId, ChatId, UserId), Growing>,
    /// Users who serve other groups than before, so that they may not see every board any more that they watch.
    pub regrouped: HashSet<Who>,
}

impl Stale {
    /// Whether everything is as it was told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { unread, queues, assigned, growing, regrouped } = self;
        unread.is_empty() && queues.is_empty() && assigned.is_empty() && growing.is_empty() && regrouped.is_empty()
    }

    /// Notes that somebody's unread count of a chat is another one.
    pub fn unread_of(&mut self, who: Who, chat: ChatId) {
        let chats = self.unread.entry(who).or_default();
        // A device that talks has one chat or a few; the newest is the likeliest.
        if !chats.iter().rev().any(|known| *known == chat) {
            chats.push(chat);
        }
    }

    /// Adds what went stale since.
    pub fn merge(&mut self, newer: Self) {
        for (who, chats) in newer.unread {
            for chat in chats {
                self.unread_of(who, chat);
            }
        }
        self.queues.extend(newer.queues);
        self.assigned.extend(newer.assigned);
        self.growing.extend(newer.growing);
        self.regrouped.extend(newer.regrouped);
    }
}

/// Whether the reader's unread count of the chat is another one after such an item.
#[must_use]
pub fn changes_unread(kind: FeedKind, event: &Event, reader: UserId) -> bool {
    match event {
        Event::Chat(ChatEvent::MessagesRead(read)) => read.reader == reader,
        Event::Chat(_) => matches!(kind, FeedKind::Message | FeedKind::Joined | FeedKind::MemberLeft),
        Event::Conversation(_) | Event::User(_) | Event::Desk(_) | Event::Tenant(_) | Event::Campaign(_) | Event::Retrieval(_) => false,
    }
}

/// What a desk's decision changes for those who wait.
pub fn follow_desk(delivery: &Delivery, stale: &mut Stale) {
    let Event::Desk(event) = delivery.event() else { return };
    stale.queues.insert(delivery.tenant());
    if let DeskEvent::ConversationAssigned(assigned) = event {
        stale.assigned.push((delivery.tenant(), assigned.conversation, delivery.header().time));
    }
}
