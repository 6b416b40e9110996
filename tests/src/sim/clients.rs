//! Simulated customers and agents: what they ask, at random but plausibly.

use application::command::{AnyCommand, Request};
use application::log::commit::Actor;
use application::log::stream::{StreamId, StreamKey};
use application::ports::key_store::{KeyStore, SubjectId, TENANT_SUBJECT};
use domain::chat::command::{Attached, ChatCommand, PostMessage};
use domain::conversation::command::{Closer, ConversationCommand};
use domain::conversation::event::{ConversationEvent, Entry};
use domain::desk::command::{DeskCommand, TransferTarget};
use domain::event::Event;
use domain::ids::{ChatId, ClientMessageId, CommandId, ConversationId, GroupId, MessageId, ShopId, TenantId, UserId};
use domain::message::{Category, ContentDigest, Kind, MessageContent, Origin, Persona, Quoted, Style, Visibility};
use domain::tenant::command::TenantCommand;
use domain::tenant::event::{Limits, Title};
use domain::time::{Millis, Timestamp};
use domain::user::command::UserCommand;
use domain::user::event::{Profile, Role};
use futures_util::FutureExt;
use uuid::Uuid;

use super::Random;
use super::check::events_of;
use super::instance::Shared;
use super::{flows, outreach, threads};
use crate::random::v7;

const CUSTOMERS: u128 = 4;
const AGENTS: u128 = 3;

/// One thing a client wants, which it repeats until it has an answer.
pub struct Operation {
    /// What is asked.
    pub request: Request,
    /// For posts: the client's id.
    pub client_message: Option<ClientMessageId>,
}

impl Operation {
    /// Anything but a post.
    #[must_use]
    pub fn plain(request: Request) -> Self {
        Self { request, client_message: None }
    }
}

/// All clients of two tenants.
pub struct Clients {
    tenants: [TenantId; 2],
    shop: ShopId,
    group: GroupId,
    asked: u64,
}

impl Default for Clients {
    fn default() -> Self {
        Self::new()
    }
}

impl Clients {
    /// Two tenants with the same shop, agents and customers each.
    #[must_use]
    pub fn new() -> Self {
        let slug = |text: &str| text.parse().expect("a slug");
        Self {
            tenants: [slug("acme"), slug("bolt")],
            shop: "shop".parse().expect("a slug"),
            group: "main".parse().expect("a slug"),
            asked: 0,
        }
    }

    /// Their ids, for the checks.
    #[must_use]
    pub fn tenants(&self) -> [TenantId; 2] {
        self.tenants
    }

    fn customer(tenant: usize, number: u128) -> UserId {
        UserId::from_u128(0x1000 + 0x100 * tenant as u128 + number)
    }

    fn agent(tenant: usize, number: u128) -> UserId {
        UserId::from_u128(0x2000 + 0x100 * tenant as u128 + number)
    }

    fn chat(customer: UserId) -> ChatId {
        ChatId::from_uuid(customer.uuid())
    }

    fn request(&mut self, tenant: TenantId, key: StreamKey, command: impl Into<AnyCommand>) -> Request {
        self.asked += 1;
        Request {
            stream: StreamId::new(tenant, key),
            command: command.into(),
            id: CommandId::from_u128(0xC000_0000 + u128::from(self.asked)),
            digest: self.asked,
            actor: Actor::Operator,
            correlation: Uuid::nil(),
            causation: Uuid::nil(),
        }
    }

    /// The commands that make the tenants.
    pub fn set_up(&mut self, shared: &Shared) -> Vec<Request> {
        let mut requests = Vec::new();
        for (nth, tenant) in self.tenants.into_iter().enumerate() {
            let ensure = |subject| shared.keys.ensure(tenant, subject).now_or_never().expect("memory answers").expect("a key");
            ensure(TENANT_SUBJECT);
            let create = TenantCommand::Create { time_zone: "Asia/Shanghai".into(), title: Title::default() };
            requests.push(self.request(tenant, StreamKey::Tenant, AnyCommand::Tenant(create)));
            for number in 0..AGENTS {
                let agent = Self::agent(nth, number);
                ensure(SubjectId::from(agent));
                for command in [
                    UserCommand::Register { role: Role::Agent, anonymous: false, profile: Profile::default() },
                    UserCommand::ChangeGroups { groups: vec![self.group] },
                    UserCommand::ChangeCapacity { capacity: 1 + u32::try_from(number).expect("small") },
                    UserCommand::ComeOnline,
                    UserCommand::StartService,
                ] {
                    requests.push(self.request(tenant, StreamKey::User(agent), AnyCommand::User(command)));
                }
            }
            for number in 0..CUSTOMERS {
                let customer = Self::customer(nth, number);
                ensure(SubjectId::from(customer));
                let register = UserCommand::Register { role: Role::Customer, anonymous: number == 0, profile: Profile::default() };
                requests.push(self.request(tenant, StreamKey::User(customer), AnyCommand::User(register)));
                let open = ChatCommand::Open { shop: self.shop, customer };
                requests.push(self.request(tenant, StreamKey::Chat(Self::chat(customer)), AnyCommand::Chat(open)));
            }
        }
        requests
    }

    /// The next thing that somebody wants.
    pub fn next(&mut self, shared: &Shared, random: &mut Random, now: Timestamp) -> Option<Operation> {
        let nth = random.below(2);
        let tenant = self.tenants[nth];
        let customer = Self::customer(nth, random.below(CUSTOMERS as usize) as u128);
        let agent = Self::agent(nth, random.below(AGENTS as usize) as u128);
        let chat = Self::chat(customer);
        let key = StreamKey::Chat(chat);
        if random.once_in(6) {
            return Some(self.in_thread(nth, [customer, agent], random, now));
        }
        if random.once_in(20) {
            let order = outreach::order(self.shop, customer, agent, random, now);
            return Some(Operation::plain(self.request(tenant, key, order)));
        }
        let operation = match random.below(100) {
            0..35 => return Some(self.post(tenant, chat, customer, random, now)),
            35..60 => return Some(self.post(tenant, chat, agent, random, now)),
            60..63 => {
                let conversation = some_conversation(shared, tenant, random)?;
                self.request(tenant, StreamKey::Conversation(conversation), flows::robot_order(random))
            }
            63..66 => self.request(tenant, key, ChatCommand::MarkRead { reader: customer, up_to_seq: random.below(12) as u64 }),
            66..70 => {
                let conversation = ConversationId::from_uuid(v7(now, random.number()));
                self.request(tenant, key, ChatCommand::StartConversation { conversation, entry: Entry::default() })
            }
            70..82 => {
                let (conversation, by) = (
                    some_conversation(shared, tenant, random)?,
                    random.pick(&[Closer::Agent(agent), Closer::Customer(customer), Closer::Supervisor(agent)]),
                );
                let close = ConversationCommand::Close { by, seen_seq: random.below(20) as u64, label: None };
                self.request(tenant, StreamKey::Conversation(conversation), close)
            }
            82..86 => {
                let conversation = some_conversation(shared, tenant, random)?;
                let to = TransferTarget::Agent(agent);
                self.request(tenant, StreamKey::Desk, DeskCommand::Transfer { conversation, by: None, to })
            }
            86 => self.request(tenant, StreamKey::Desk, flows::some_flow(random)),
            87 => {
                let conversation = some_conversation(shared, tenant, random)?;
                self.request(tenant, StreamKey::Desk, DeskCommand::TakeOver { conversation, by: agent })
            }
            88..98 => {
                let changes = [
                    UserCommand::StopService,
                    UserCommand::StartService,
                    UserCommand::StartService,
                    UserCommand::GoOffline,
                    UserCommand::ComeOnline,
                    UserCommand::ComeOnline,
                    UserCommand::ChangeCapacity { capacity: u32::try_from(random.below(4)).expect("small") },
                ];
                let change = changes[random.below(changes.len())].clone();
                self.request(tenant, StreamKey::User(agent), change)
            }
            98 => {
                let (user, into) = (Self::customer(nth, 0), Self::customer(nth, 1));
                self.request(tenant, StreamKey::User(user), UserCommand::Merge { user, into })
            }
            _ => {
                let limits = Limits::default();
                let expire = ChatCommand::ExpireIdle {
                    conversation: some_conversation(shared, tenant, random)?,
                    idle_expiry: limits.idle_expiry,
                    unanswered_expiry: Millis::hours(2),
                };
                self.request(tenant, key, expire)
            }
        };
        Some(Operation::plain(operation))
    }

    /// Somebody wants something of a group thread.
    fn in_thread(&mut self, nth: usize, people: [UserId; 2], random: &mut Random, now: Timestamp) -> Operation {
        let (tenant, thread) = (self.tenants[nth], threads::thread(nth, random));
        let (by, other) = (random.pick(&people), random.pick(&people));
        if random.once_in(2) {
            return self.post(tenant, thread, by, random, now);
        }
        let order = threads::order(by, other, random);
        Operation::plain(self.request(tenant, StreamKey::Chat(thread), order))
    }

    fn post(&mut self, tenant: TenantId, chat: ChatId, sender: UserId, random: &mut Random, now: Timestamp) -> Operation {
        let text = format!("message {}", random.number());
        let client_message = ClientMessageId::from_uuid(v7(now, random.number() & 0xFFFF_FFFF));
        let post = PostMessage {
            sender,
            client_message,
            message: MessageId::from_uuid(v7(now, random.number() & 0xFFFF_FFFF)),
            fresh_conversation: ConversationId::from_uuid(v7(now, random.number() & 0xFFFF_FFFF)),
            digest: ContentDigest(random.number()),
            content: MessageContent::text(text),
            origin: Origin::Human,
            persona: Persona::Oneself,
            visibility: if random.once_in(10) { Visibility::Staff } else { Visibility::All },
            style: Style::Normal,
            kind: Kind::Text,
            quoted: Quoted::Nothing,
            attached: Attached::Nothing,
            assignment: None,
            reopen_window: Limits::default().reopen_window,
            as_participant: Category::Customer,
        };
        let request = self.request(tenant, StreamKey::Chat(chat), ChatCommand::Post(Box::new(post)));
        Operation { request, client_message: Some(client_message) }
    }
}

/// One of the conversations that the tenant had lately.
fn some_conversation(shared: &Shared, tenant: TenantId, random: &mut Random) -> Option<ConversationId> {
    let opened: Vec<ConversationId> = events_of(shared)
        .into_iter()
        .filter(|placed| placed.stream.tenant == tenant)
        .filter_map(|placed| match (placed.stream.key, placed.event) {
            (StreamKey::Conversation(id), Event::Conversation(ConversationEvent::ConversationOpened(_))) => Some(id),
            _ => None,
        })
        .collect();
    let recent = opened.len().min(6);
    (recent > 0).then(|| opened[opened.len() - 1 - random.below(recent)])
}
