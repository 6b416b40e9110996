//! Named people and events, so that a test says only what matters.

use std::sync::Arc;

use application::log::stream::StreamKey;
use application::ports::event_log::CommitPosition;
use domain::chat::event as chat;
use domain::conversation::event as conversation;
use domain::event::Event;
use domain::ids::{ChatId, ClientMessageId, ConversationId, MessageId, ShopId, TenantId, UserId};
use domain::message::{Category, ChatRole, ContentDigest, Kind, Origin, Persona, Style, Visibility};
use domain::private::Private;
use domain::time::Millis;
use projections::engine::Engine;
use projections::view_set::ViewSet;

use super::{History, memory_store, tenant};

pub const BUYER: UserId = UserId::from_u128(1);
pub const SIGNED_IN_BUYER: UserId = UserId::from_u128(2);
pub const ALICE: UserId = UserId::from_u128(10);
pub const BOB: UserId = UserId::from_u128(11);
pub const SUPERVISOR: UserId = UserId::from_u128(12);
pub const CHAT: ChatId = ChatId::from_u128(100);
pub const CONVERSATION: ConversationId = ConversationId::from_u128(200);

pub fn acme() -> TenantId {
    tenant("acme")
}

pub fn shop() -> ShopId {
    "shop".parse().unwrap()
}

/// A history of one chat.
pub struct Story {
    pub history: History,
    posted: u64,
}

impl Story {
    pub fn new() -> Self {
        Self { history: History::new(), posted: 0 }
    }

    /// A chat with an open conversation in which nobody has written.
    pub fn in_conversation() -> Self {
        let entry = conversation::Entry::default();
        let started = chat::ConversationStarted { conversation: CONVERSATION, shop: shop(), customer: BUYER, entry: entry.clone() };
        Self::new()
            .chat([chat::ChatOpened { shop: shop(), customer: BUYER }.into()])
            .chat([started.into()])
            .conversation([conversation::ConversationOpened { chat: CHAT, shop: shop(), customer: BUYER, entry }.into()])
    }

    pub fn event(mut self, key: StreamKey, event: impl Into<Event>) -> Self {
        self.history.commit(acme(), key, [event.into()]);
        self
    }

    pub fn chat(mut self, events: impl IntoIterator<Item = chat::ChatEvent>) -> Self {
        self.history.commit(acme(), StreamKey::Chat(CHAT), events.into_iter().map(Event::Chat));
        self
    }

    pub fn conversation(mut self, events: impl IntoIterator<Item = conversation::ConversationEvent>) -> Self {
        self.history.commit(acme(), StreamKey::Conversation(CONVERSATION), events.into_iter().map(Event::Conversation));
        self
    }

    pub fn joined(self, user: UserId, role: ChatRole) -> Self {
        self.chat([chat::MemberJoined { user, role, assignment: None, accept_within: None, answer_within: None }.into()])
    }

    pub fn left(self, user: UserId) -> Self {
        self.chat([chat::MemberLeft { user }.into()])
    }

    pub fn says(self, sender: UserId) -> Self {
        let category = if sender == BUYER || sender == SIGNED_IN_BUYER { Category::Customer } else { Category::Agent };
        self.posted(sender, category, Visibility::All)
    }

    pub fn notes(self, sender: UserId) -> Self {
        self.posted(sender, Category::Agent, Visibility::Staff)
    }

    fn posted(mut self, sender: UserId, category: Category, visibility: Visibility) -> Self {
        self.posted += 1;
        let message = message(self.posted, sender, category, visibility);
        self.chat([message.into()])
    }

    pub fn read(self, reader: UserId, up_to_seq: u64) -> Self {
        self.chat([chat::MessagesRead { reader, up_to_seq, shown_seq: None }.into()])
    }

    pub fn later(mut self, span: Millis) -> Self {
        self.history.now = self.history.now + span;
        self
    }

    pub fn views(&self) -> Arc<ViewSet> {
        let (_, store) = memory_store();
        let mut engine = Engine::open(store, self.history.log()).unwrap();
        engine.apply(self.history.decoded(), CommitPosition(u64::MAX)).unwrap();
        assert_eq!(engine.stopped(), vec![]);
        engine.views()
    }
}

pub fn message(seq: u64, sender: UserId, category: Category, visibility: Visibility) -> chat::MessagePosted {
    chat::MessagePosted {
        message: MessageId::from_u128(seq.into()),
        seq,
        client_message: ClientMessageId::from_u128(seq.into()),
        digest: ContentDigest(seq),
        sender,
        category,
        origin: Origin::Human,
        persona: Persona::Oneself,
        visibility,
        style: Style::Normal,
        kind: Kind::Text,
        conversation: Some(CONVERSATION),
        assignment: None,
        quote: None,
        quote_seq: None,
        attachment: None,
        body_bytes: 1,
        private: Private::Closed,
    }
}
