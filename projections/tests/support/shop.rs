//! A shop whose days are made up from a seed: customers come, are served, merge, leave; agents come and go. Every history is
//! one that the deciders could have written.

mod articles;
mod campaigns;
mod service;

use application::log::stream::StreamKey;
use domain::chat::event as chat;
use domain::conversation::event as conversation;
use domain::desk::event as desk;
use domain::event::Event;
use domain::ids::{AttachmentId, ChatId, ClientMessageId, ConversationId, GroupId, MessageId, SessionId, ShopId, TaskId, TenantId, UserId};
use domain::message::{Category, ContentDigest, Kind, MessageContent, Origin, Persona, Style, Visibility};
use domain::private::Private;
use domain::tenant::event as tenant_event;
use domain::time::{Millis, Timestamp};
use domain::user::abilities::Abilities;
use domain::user::event as user;

use super::{History, START};

/// A small generator of numbers: the same seed makes the same history.
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub fn one_in(&mut self, bound: u64) -> bool {
        self.next().is_multiple_of(bound)
    }
}

struct Agent {
    id: UserId,
    carries: u32,
    capacity: u32,
    on: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Reception,
    Waiting,
    Serving { agent: usize, assignment: u64 },
    Closed,
}

struct Chat {
    id: ChatId,
    customer: UserId,
    conversation: ConversationId,
    stage: Stage,
    seq: u64,
    customer_sent: Vec<u64>,
    notes: Vec<u64>,
    watcher: Option<UserId>,
    enqueued_at: Timestamp,
    messages: u32,
    merged: bool,
}

/// See the file's head.
pub struct Shop {
    pub tenant: TenantId,
    pub history: History,
    pub chance: Chance,
    agents: Vec<Agent>,
    chats: Vec<Chat>,
    ids: u128,
    customers: u64,
    assignment: u64,
    shop: ShopId,
    group: GroupId,
    /// How many chats run at a time.
    pub open_max: usize,
    /// Messages after which a conversation tends to end.
    pub messages_per_conversation: u32,
    /// At least one chat is opened per so many events: conversations end as soon as they may, and where they are still too few,
    /// people look in and go without a word.
    pub events_per_chat: Option<u64>,
    /// The longest time between two things that happen.
    pub pause_max: Millis,
    finished: Vec<Chat>,
    pub chats_opened: u64,
    pub conversations: u64,
}

/// The n-th customer of a shop. They are numbered, so that the keys of those who will come can be made many at a time.
pub fn customer(number: u64) -> UserId {
    let began = u128::try_from(START.0).unwrap();
    UserId::from_u128((began << 80) | (7 << 76) | (2 << 62) | (1 << 61) | u128::from(number))
}

impl Shop {
    pub fn new(tenant: TenantId, history: History, seed: u64, agents: usize) -> Self {
        let mut shop = Self {
            tenant,
            history,
            chance: Chance(seed),
            agents: Vec::new(),
            chats: Vec::new(),
            ids: u128::from(seed) << 64,
            customers: 0,
            assignment: 0,
            shop: "shop".parse().unwrap(),
            group: "sales".parse().unwrap(),
            open_max: 8,
            messages_per_conversation: 10,
            events_per_chat: None,
            pause_max: Millis::seconds(20),
            finished: Vec::new(),
            chats_opened: 0,
            conversations: 0,
        };
        shop.open_for_business(agents);
        shop
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        // The version and variant of a UUIDv7, minted in order.
        let now = u128::try_from(self.history.now.0).unwrap();
        (now << 80) | (7 << 76) | (2 << 62) | (self.ids & 0x3fff_ffff_ffff_ffff)
    }

    fn commit(&mut self, key: StreamKey, events: impl IntoIterator<Item = Event>) {
        self.history.commit(self.tenant, key, events);
    }

    fn open_for_business(&mut self, agents: usize) {
        let (shop, group) = (self.shop, self.group);
        let title = || Private::Known(tenant_event::Title { title: "name".into() });
        self.commit(
            StreamKey::Tenant,
            [
                Event::Tenant(tenant_event::TenantCreated { time_zone: "Asia/Shanghai".into(), private: title() }.into()),
                Event::Tenant(tenant_event::ShopOpened { shop, private: title() }.into()),
                Event::Tenant(tenant_event::GroupFormed { group, private: title() }.into()),
            ],
        );
        for _ in 0..agents {
            let id = UserId::from_u128(self.id());
            let role = user::Role::Agent;
            self.commit(
                StreamKey::User(id),
                [
                    Event::User(user::UserRegistered { role, anonymous: false, private: Private::Closed }.into()),
                    Event::User(user::GroupsChanged { groups: vec![group] }.into()),
                    Event::User(user::CameOnline { serves: true }.into()),
                    Event::User(user::ServiceStarted {}.into()),
                ],
            );
            self.agents.push(Agent { id, carries: 0, capacity: 5, on: true });
            self.agent_updated(self.agents.len() - 1);
        }
        self.campaigns();
        self.articles();
    }

    fn agent_updated(&mut self, index: usize) {
        let Agent { id, capacity, on, .. } = self.agents[index];
        let updated = desk::AgentUpdated {
            agent: id,
            on_service: on,
            online: on,
            capacity,
            groups: vec![self.group],
            abilities: Abilities::default(),
            provider: None,
        };
        self.commit(StreamKey::Desk, [Event::Desk(updated.into())]);
    }

    /// One thing happens.
    pub fn step(&mut self) {
        let pause = self.chance.below(usize::try_from(self.pause_max.0).unwrap());
        self.history.now = self.history.now + Millis(i64::try_from(pause).unwrap());
        if self.events_per_chat.is_some_and(|events| self.chats_opened * events < self.history.events()) {
            self.newcomer();
            return;
        }
        if self.chats.is_empty() || self.chats.len() < self.open_max && self.chance.one_in(4) {
            return self.customer_comes();
        }
        let index = self.chance.below(self.chats.len());
        match self.chats[index].stage {
            Stage::Reception => self.in_reception(index),
            Stage::Waiting => self.in_queue(index),
            Stage::Serving { agent, assignment } => self.in_service(index, agent, assignment),
            Stage::Closed => self.after_the_end(index),
        }
    }

    /// Steps until the history has at least so many events.
    pub fn run(&mut self, events: u64) {
        while self.history.events() < events {
            self.step();
        }
    }

    fn customer_comes(&mut self) {
        if !self.finished.is_empty() && self.chance.one_in(3) {
            let index = self.chance.below(self.finished.len());
            let chat = self.finished.swap_remove(index);
            self.chats.push(chat);
            return;
        }
        let chat = self.newcomer();
        self.chats.push(chat);
        self.conversation_begins(self.chats.len() - 1);
    }

    fn customer(&mut self) -> UserId {
        self.customers += 1;
        customer(self.customers)
    }

    /// Somebody who was never here opens a chat.
    fn newcomer(&mut self) -> Chat {
        self.chats_opened += 1;
        let customer = self.customer();
        let id = ChatId::from_u128(self.id());
        let anonymous = self.chance.one_in(3);
        let registered = user::UserRegistered { role: user::Role::Customer, anonymous, private: Private::Closed };
        self.commit(StreamKey::User(customer), [Event::User(registered.into())]);
        let now = self.history.now;
        let session = user::SessionStarted {
            session: SessionId::from_u128(self.id()),
            refresh: user::KeyedDigest::from_bytes([1; 16]),
            expires_at: now + Millis::days(30),
            kind: domain::devices::DeviceKind::Other,
            private: Private::Closed,
        };
        let account =
            user::ExternalAccountMapped { account: user::KeyedDigest::from_bytes(*customer.as_bytes()), private: Private::Closed };
        if !anonymous {
            self.commit(StreamKey::User(customer), [Event::User(session.into()), Event::User(account.into())]);
        }
        self.commit(StreamKey::Chat(id), [Event::Chat(chat::ChatOpened { shop: self.shop, customer }.into())]);
        let conversation = ConversationId::from_u128(self.id());
        Chat {
            id,
            customer,
            conversation,
            stage: Stage::Closed,
            seq: 0,
            customer_sent: vec![],
            notes: vec![],
            watcher: None,
            enqueued_at: now,
            messages: 0,
            merged: !anonymous,
        }
    }

    fn conversation_begins(&mut self, index: usize) {
        self.conversations += 1;
        let conversation = ConversationId::from_u128(self.id());
        let shop = self.shop;
        let entry =
            conversation::Entry { page: conversation::EntryPage::Order, subject: Some("4711".parse().expect("a reference")), group: None };
        let chat = &mut self.chats[index];
        chat.conversation = conversation;
        chat.stage = Stage::Reception;
        chat.messages = 0;
        let (id, customer) = (chat.id, chat.customer);
        let message = self.message(index, customer, Category::Customer, Visibility::All, None);
        let started = chat::ConversationStarted { conversation, shop, customer, entry: entry.clone() };
        self.commit(StreamKey::Chat(id), [Event::Chat(started.into()), message]);
        let opened = conversation::ConversationOpened { chat: id, shop, customer, entry };
        self.commit(StreamKey::Conversation(conversation), [Event::Conversation(opened.into())]);
    }

    fn message(&mut self, index: usize, sender: UserId, category: Category, visibility: Visibility, assignment: Option<u64>) -> Event {
        let (message, client_message) = (MessageId::from_u128(self.id()), ClientMessageId::from_u128(self.id()));
        let chat = &mut self.chats[index];
        chat.seq += 1;
        chat.messages += 1;
        if category == Category::Customer {
            chat.customer_sent.push(chat.seq);
        }
        if visibility == Visibility::Staff {
            chat.notes.push(chat.seq);
        }
        // Now and then a picture, and of those now and then one that was shown before.
        let picture = if chat.seq.is_multiple_of(14) { chat.id.uuid() } else { message.uuid() };
        Event::Chat(
            chat::MessagePosted {
                message,
                seq: chat.seq,
                client_message,
                digest: ContentDigest(chat.seq),
                sender,
                category,
                origin: Origin::Human,
                persona: if category == Category::Agent { Persona::Shop } else { Persona::Oneself },
                visibility,
                style: Style::Normal,
                kind: Kind::Text,
                conversation: (chat.stage != Stage::Closed).then_some(chat.conversation),
                assignment,
                quote: None,
                quote_seq: None,
                attachment: chat.seq.is_multiple_of(7).then(|| AttachmentId::from_uuid(picture)),
                body_bytes: 42,
                private: Private::Known(MessageContent::text("请问我的订单什么时候发货？谢谢")),
            }
            .into(),
        )
    }

    fn customer_writes(&mut self, index: usize) {
        let (id, customer) = (self.chats[index].id, self.chats[index].customer);
        let message = self.message(index, customer, Category::Customer, Visibility::All, None);
        self.commit(StreamKey::Chat(id), [message]);
    }

    fn in_reception(&mut self, index: usize) {
        match self.chance.below(4) {
            0 => self.customer_writes(index),
            1 if !self.chats[index].merged => self.customer_merges(index),
            _ => {
                let (id, conversation) = (self.chats[index].id, self.chats[index].conversation);
                let (task, group) = (TaskId::from_u128(self.id()), self.group);
                let handed = conversation::HandedOff {
                    chat: id,
                    task,
                    group,
                    left_message: false,
                    route: None,
                    skills: vec![],
                    patience: conversation::Patience::default(),
                    robot: None,
                };
                self.commit(StreamKey::Conversation(conversation), [Event::Conversation(handed.into())]);
                let enqueued_at = self.history.now;
                let queued = desk::ConversationQueued {
                    conversation,
                    chat: id,
                    group: self.group,
                    queue: desk::QueueKind::Online,
                    priority: 5,
                    enqueued_at,
                    shop: None,
                    last_served: None,
                    language: None,
                    skills: vec![],
                    scores: std::collections::BTreeMap::new(),
                    moved_from: None,
                    overflow_at: None,
                };
                self.commit(StreamKey::Desk, [Event::Desk(queued.into())]);
                self.chats[index].stage = Stage::Waiting;
                self.chats[index].enqueued_at = enqueued_at;
                self.assign(index);
            }
        }
    }

    fn customer_merges(&mut self, index: usize) {
        let into = self.customer();
        let chat = &mut self.chats[index];
        let (id, from, conversation) = (chat.id, chat.customer, chat.conversation);
        chat.customer = into;
        chat.merged = true;
        let registered = user::UserRegistered { role: user::Role::Customer, anonymous: false, private: Private::Closed };
        self.commit(StreamKey::User(into), [Event::User(registered.into())]);
        self.commit(StreamKey::User(from), [Event::User(user::CustomerMerged { into, blocked: false }.into())]);
        let replaced = chat::CustomerReplaced { from, into, conversation: Some(conversation) };
        self.commit(StreamKey::Chat(id), [Event::Chat(replaced.into())]);
        let replaced = conversation::CustomerReplaced { chat: id, into };
        self.commit(StreamKey::Conversation(conversation), [Event::Conversation(replaced.into())]);
    }

    fn in_queue(&mut self, index: usize) {
        if self.chance.one_in(3) {
            self.customer_writes(index);
        } else {
            self.assign(index);
        }
    }
}
