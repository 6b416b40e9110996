//! Who takes part: two tenants with customers, agents and a group thread, and somebody of the one who is a guest of the other; made
//! once over the real API. Every seed begins with a copy of that log.

use std::sync::Arc;

use adapters::config::Config;
use adapters::event_log::memory::{MemoryCore, MemoryLog};
use adapters::key_store::memory::MemoryKeyStore;
use application::ports::event_log::ShardId;
use domain::ids::{TenantId, UserId};
use domain::user::event::Role;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::people::Person;
use crate::world::{ACME, World};

/// Longer than any seed's time.
pub(super) const TOKEN_LIFE_S: u32 = 24 * 3_600;
/// The other tenant, whose people have the same names.
const BOLT: &str = "bolt";

/// Somebody.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) name: &'static str,
    pub(super) tenant: TenantId,
    pub(super) user: UserId,
    pub(super) token: String,
    pub(super) part: Part,
}

/// As what they take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A customer without a name yet, who turns out to be the one at this place.
    Visitor { into: usize },
    /// A customer.
    Customer,
    /// An agent.
    Agent,
    /// Who watches over agents.
    Supervisor,
}

impl Part {
    pub(super) const fn is_staff(self) -> bool {
        match self {
            Self::Visitor { .. } | Self::Customer => false,
            Self::Agent | Self::Supervisor => true,
        }
    }
}

/// A chat that messages are sent to.
#[derive(Clone, Debug)]
pub(super) struct Chat {
    pub(super) id: String,
    pub(super) tenant: TenantId,
    /// Whose it is, by their place in the cast; nobody's: a group thread.
    pub(super) customer: Option<usize>,
}

impl Chat {
    pub(super) const fn is_thread(&self) -> bool {
        self.customer.is_none()
    }
}

/// See the file's head.
pub(super) struct Cast {
    pub(super) actors: Vec<Actor>,
    pub(super) chats: Vec<Chat>,
    pub(super) core: MemoryCore,
    pub(super) keys: Arc<MemoryKeyStore>,
    /// Somebody with the operator key.
    pub(super) operator: String,
}

static CAST: OnceCell<Arc<Cast>> = OnceCell::const_new();

/// The cast of every seed.
pub(super) async fn cast() -> Arc<Cast> {
    Arc::clone(CAST.get_or_init(|| async { Arc::new(Cast::make().await) }).await)
}

impl Cast {
    async fn make() -> Self {
        let mut config = Config::default();
        config.auth.access_token_s = TOKEN_LIFE_S;
        let log = MemoryLog::new(ShardId(0));
        let keys = Arc::new(MemoryKeyStore::seeded(1));
        let world = World::over(config, |engines| {
            engines.log = Arc::new(log.clone());
            engines.keys = keys.clone();
        })
        .await;
        let (mut actors, mut chats) = (Vec::new(), Vec::new());
        tenant(&world, ACME, 2, &mut actors, &mut chats).await;
        let home = tenant(&world, BOLT, 1, &mut actors, &mut chats).await;
        actors.push(guest(&world, &home, &actors, &chats).await);
        world.settle().await;
        world.end().await;
        let core = log.core().clone();
        let operator = Person::operator().token.unwrap_or_default();
        Self { actors, chats, core, keys, operator }
    }
}

fn actor(name: &'static str, person: &Person, part: Part) -> Actor {
    let account = person.account();
    Actor { name, tenant: account.tenant, user: account.user, token: person.token.clone().unwrap_or_default(), part }
}

/// Answers one of its customers.
async fn tenant(world: &World, id: &str, agents: usize, actors: &mut Vec<Actor>, chats: &mut Vec<Chat>) -> Person {
    world.make_tenant(id).await;
    let first = actors.len();
    let mut customers = vec![world.customer(id, "li").await];
    actors.push(actor("li", &customers[0], Part::Customer));
    if agents > 1 {
        let wang = world.customer(id, "wang").await;
        actors.push(actor("wang", &wang, Part::Customer));
        customers.push(wang);
    }
    let visitor = world.visitor(id).await;
    actors.push(actor("visitor", &visitor, Part::Visitor { into: first }));
    customers.push(visitor);
    let alice = world.agent_on_duty(id, "alice").await;
    actors.push(actor("alice", &alice, Part::Agent));
    if agents > 1 {
        let bob = world.agent_on_duty(id, "bob").await;
        actors.push(actor("bob", &bob, Part::Agent));
    }
    let boss = world.staff(id, Role::Supervisor, "boss").await;
    actors.push(actor("boss", &boss, Part::Supervisor));
    let tenant = alice.account().tenant;
    for (customer, person) in (first..).zip(&customers) {
        let (chat, _) = world.open_chat(person).await;
        chats.push(Chat { id: chat, tenant, customer: Some(customer) });
    }
    let members: Vec<Value> = vec![json!({"user": customers[0].user().to_string(), "label": "influencer"})];
    let body = json!({"title": "Spring", "label": "merchant", "members": members});
    let made = world.post(&alice, &format!("/v1/tenants/{id}/threads"), body).await.ok();
    let thread = made["id"].as_str().expect("a thread has an id").to_owned();
    chats.push(Chat { id: thread, tenant, customer: None });
    customers.swap_remove(0)
}

/// Somebody of another tenant, as a guest in the thread of the first.
async fn guest(world: &World, home: &Person, actors: &[Actor], chats: &[Chat]) -> Actor {
    let host = actors.iter().find(|actor| actor.part == Part::Agent).expect("the first tenant has agents");
    let (tenant, by) = (host.tenant, Person { name: host.name.to_owned(), token: Some(host.token.clone()), account: None });
    let body = json!({"tenant": home.account().tenant, "user": home.user().to_string(), "display_name": "guest"});
    let _ = world.post(&Person::operator(), &format!("/v1/tenants/{tenant}/guests"), body).await.ok();
    let signed_in = world.post(home, &format!("/v1/tenants/{tenant}/sign-in/guest"), json!({"device": "phone"})).await.ok();
    let text = |field: &str| signed_in[field].as_str().expect("a sign-in tells who and with what").to_owned();
    let thread = chats.iter().find(|chat| chat.is_thread() && chat.tenant == tenant).expect("the first tenant has a thread");
    let members = format!("/v1/tenants/{tenant}/threads/{}/members", thread.id);
    let _ = world.post(&by, &members, json!({"user": text("user"), "label": "provider"})).await.ok();
    let user = text("user").parse().expect("the server writes user ids");
    Actor { name: "guest", tenant, user, token: text("access_token"), part: Part::Customer }
}
