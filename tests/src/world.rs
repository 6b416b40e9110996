//! A whole node in this process, over engines in memory and a clock that stands still until it is moved: the real router, owner,
//! policies and read models, told as a story.

mod clock;
pub mod cover;
pub mod endpoint;
pub mod gate;
pub mod robot_server;
pub mod socket;

use std::sync::Arc;

use adapters::blob_store::ObjectBlobStore;
use adapters::config::Config;
use adapters::event_log::memory::MemoryLog;
use adapters::http::router::Entrance;
use adapters::hub::Hub;
use adapters::ids::MonotonicIds;
use adapters::key_store::memory::MemoryKeyStore;
use adapters::node::{Engines, Node};
use adapters::robots::Seats;
use adapters::secrets::Secrets;
use adapters::server;
use adapters::shutdown::Shutdown;
use adapters::snapshot_store::SnapshotStore;
use adapters::state::{App, AppState};
use adapters::timer_task::{Tried, fire_due};
use application::owner::OwnerLimits;
use application::ports::clock::Clock;
use application::ports::event_log::{Position, ShardId};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use bytes::Bytes;
use domain::ids::TenantId;
use domain::time::{Millis, Timestamp};
use domain::user::event::Role;
use projections::store::{MemoryStore, ViewStore};
use projections::verify::verify;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tower::ServiceExt;

pub use self::clock::StoryClock;
use crate::people::{OPERATOR_KEY, PASSWORD, Person};

/// When every story begins.
pub const BEGINNING: Timestamp = Timestamp(1_790_000_000_000);
/// The tenant of most stories.
pub const ACME: &str = "acme";
/// Its shop.
pub const SHOP: &str = "flagship";
/// Bytes of an answer that a test reads.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; null when it is no JSON.
    pub body: Value,
    /// Its body as it came.
    pub bytes: Bytes,
}

impl Reply {
    /// The body of an answer that must be a success.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.body);
        self.body
    }

    /// Status and code of an answer that must be a problem document.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    #[track_caller]
    pub fn problem(&self) -> (u16, &str) {
        let content_type = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        assert_eq!(content_type, Some("application/problem+json"), "{}: {}", self.status, self.body);
        assert_eq!(self.body["status"], self.status.as_u16());
        (self.status.as_u16(), self.body["code"].as_str().expect("a problem has a code"))
    }
}

/// See the file's head.
pub struct World {
    /// What the edge stands on.
    pub app: App,
    /// Time.
    pub clock: Arc<StoryClock>,
    entrance: Entrance,
    node: Node,
    views: Arc<dyn ViewStore>,
    serving: Option<(std::net::SocketAddr, JoinHandle<()>)>,
}

impl World {
    /// An installation without tenants.
    ///
    /// # Panics
    /// When a node in memory does not start.
    pub async fn empty() -> Self {
        Self::with_config(Config::default()).await
    }

    /// An installation without tenants, set up like this.
    ///
    /// # Panics
    /// When a node in memory does not start.
    pub async fn with_config(config: Config) -> Self {
        Self::over(config, |_| {}).await
    }

    /// An installation set up like this, over other engines: those in memory are handed over to be replaced.
    ///
    /// # Panics
    /// When the node does not start.
    pub async fn over(mut config: Config, replace: impl FnOnce(&mut Engines)) -> Self {
        let clock = Arc::new(StoryClock::at(BEGINNING));
        let snapshots = SnapshotStore::in_memory().expect("SQLite opens in memory");
        let mut engines = Engines {
            log: Arc::new(MemoryLog::new(ShardId(0))),
            keys: Arc::new(MemoryKeyStore::seeded(1)),
            blobs: Arc::new(ObjectBlobStore::in_memory()),
            snapshots: Arc::new(snapshots.clone()),
            checkpoints: Arc::new(snapshots),
            view_store: Arc::new(MemoryStore::default()),
            clock: clock.clone(),
            ids: Arc::new(MonotonicIds::new()),
            limits: OwnerLimits::default(),
        };
        replace(&mut engines);
        let views = Arc::clone(&engines.view_store);
        let hub = Hub::new(ShardId(0), Arc::clone(&engines.keys));
        let node = Node::start(engines, hub.clone(), Seats::new(&config.outgoing, hub.clone())).await.expect("a node in memory starts");
        config.auth.operator_key = Some(OPERATOR_KEY.to_owned());
        config.http.listen.set_port(0);
        let app = AppState::new(node.ports.clone(), Secrets::from_master(&[7; 32]), config, hub, Shutdown::new());
        Self { entrance: Entrance::new(app.clone()), app, clock, node, views, serving: None }
    }

    /// An installation with the tenant `acme`, its shop `flagship` and its group `vip` beside `main`.
    ///
    /// # Panics
    /// When the API refuses one of them.
    pub async fn new() -> Self {
        let world = Self::empty().await;
        world.make_tenant(ACME).await;
        world
    }

    /// Makes a tenant with a shop and a second group.
    ///
    /// # Panics
    /// When the API refuses.
    pub async fn make_tenant(&self, tenant: &str) {
        let operator = Person::operator();
        let body = json!({"id": tenant, "time_zone": "Asia/Shanghai", "title": tenant});
        let _ = self.post(&operator, "/v1/tenants", body).await.ok();
        let _ = self.post(&operator, &format!("/v1/tenants/{tenant}/shops"), json!({"id": SHOP, "title": "Flagship"})).await.ok();
        let _ = self.post(&operator, &format!("/v1/tenants/{tenant}/groups"), json!({"id": "vip", "title": "VIP"})).await.ok();
    }

    /// Sends a request as somebody and reads the answer.
    ///
    /// # Panics
    /// When the request cannot be built.
    pub async fn send(&self, mut request: Request<Body>, who: &Person) -> Reply {
        if let Some(token) = &who.token {
            let value = format!("Bearer {token}").parse().expect("tokens are ascii");
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        let Ok(response) = self.entrance.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        if parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream") {
            // It never ends; whoever wants to read it does so over a connection.
            return Reply { status: parts.status, headers: parts.headers, body: Value::Null, bytes: Bytes::new() };
        }
        let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.expect("an answer in memory is whole");
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status: parts.status, headers: parts.headers, body, bytes }
    }

    /// Sends a request with a JSON body, unless it is null.
    ///
    /// # Panics
    /// When the request cannot be built.
    pub async fn call(&self, who: &Person, method: Method, path: &str, body: Value) -> Reply {
        let builder = Request::builder().method(method).uri(path);
        let request = if body.is_null() {
            builder.body(Body::empty())
        } else {
            builder.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        };
        self.send(request.expect("the test's path is valid"), who).await
    }

    /// Posts.
    pub async fn post(&self, who: &Person, path: &str, body: Value) -> Reply {
        self.call(who, Method::POST, path, body).await
    }

    /// Posts under an idempotency key.
    ///
    /// # Panics
    /// When the request cannot be built.
    pub async fn post_once(&self, who: &Person, key: &str, path: &str, body: Value) -> Reply {
        let request = Request::post(path).header("idempotency-key", key).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("the test's path is valid"), who).await
    }

    /// Gets what is true once everything that was caused so far is done.
    pub async fn get(&self, who: &Person, path: &str) -> Reply {
        self.settle().await;
        self.call(who, Method::GET, path, Value::Null).await
    }

    /// Waits until policies and read models have done everything that was caused so far.
    ///
    /// # Panics
    /// When the log in memory cannot be read.
    pub async fn settle(&self) {
        self.node.settle().await.expect("a log in memory can be read");
    }

    /// Lets time pass, and waits for everything that its passing brought about.
    ///
    /// # Panics
    /// When the log in memory cannot be read.
    pub async fn pass(&self, span: Millis) {
        self.clock.pass(span);
        let ports = &self.app.ports;
        let mut tried = Tried::default();
        loop {
            self.settle().await;
            if fire_due(&*ports.views, &*ports.commands, self.clock.now(), &mut tried).await == 0 {
                return;
            }
        }
    }

    /// A position of the log.
    ///
    /// # Panics
    /// When the answer has none.
    #[must_use]
    pub fn position(answer: &Value) -> Position {
        answer["position"].as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no position in {answer}"))
    }

    /// The story's time in milliseconds, as clients see it.
    #[must_use]
    pub fn clock_ms(&self) -> i64 {
        self.clock.now().0
    }

    /// A new client message id, a `UUIDv7` of now.
    #[must_use]
    pub fn client_id(&self) -> String {
        self.app.ports.ids.uuid_v7(self.clock.now()).simple().to_string()
    }

    /// Makes a member of staff of a tenant and signs them in.
    ///
    /// # Panics
    /// When the API refuses.
    pub async fn staff(&self, tenant: &str, role: Role, login: &str) -> Person {
        let body = json!({"role": role, "display_name": login, "login": login, "password": PASSWORD});
        let _ = self.post(&Person::operator(), &format!("/v1/tenants/{tenant}/users"), body).await.ok();
        self.sign_in(tenant, login).await
    }

    /// Signs a member of staff in.
    ///
    /// # Panics
    /// When the API refuses.
    pub async fn sign_in(&self, tenant: &str, login: &str) -> Person {
        let body = json!({"login": login, "password": PASSWORD, "device": "desk"});
        let answer = self.post(&Person::nobody(), &format!("/v1/tenants/{tenant}/sign-in"), body).await.ok();
        Person::signed_in(login, id(tenant), &answer)
    }

    /// Signs an identified customer in.
    ///
    /// # Panics
    /// When the API refuses.
    pub async fn customer(&self, tenant: &str, account: &str) -> Person {
        let body = json!({"provider": "shop", "account": account, "display_name": account});
        let answer = self.post(&Person::operator(), &format!("/v1/tenants/{tenant}/customers/mint"), body).await.ok();
        Person::signed_in(account, id(tenant), &answer)
    }

    /// Signs an anonymous customer in.
    ///
    /// # Panics
    /// When the API refuses.
    pub async fn visitor(&self, tenant: &str) -> Person {
        let answer = self.post(&Person::nobody(), &format!("/v1/tenants/{tenant}/customers/sign-in"), json!({})).await.ok();
        Person::signed_in("visitor", id(tenant), &answer)
    }

    /// Issues an API key.
    ///
    /// # Panics
    /// When the API refuses.
    pub async fn integration(&self, tenant: &str, scopes: &[&str]) -> Person {
        let body = json!({"title": "test", "scopes": scopes});
        let answer = self.post(&Person::operator(), &format!("/v1/tenants/{tenant}/api-keys"), body).await.ok();
        Person::integration(&format!("key {scopes:?}"), answer["key"].as_str().expect("the key is shown once").to_owned())
    }

    /// Starts an agent's shift and lets them count as connected, without a socket.
    ///
    /// # Panics
    /// When the API or the account refuses.
    pub async fn on_duty(&self, agent: &Person) {
        let account = agent.account();
        let path = format!("/v1/tenants/{}/me/service", account.tenant);
        let _ = self.call(agent, Method::PUT, &path, json!({"status": "started"})).await.ok();
        let order = adapters::presence::order(&self.app, (account.tenant, account.user), domain::user::command::UserCommand::ComeOnline);
        self.app.ports.commands.execute(order).await.expect("an agent can come online");
        self.settle().await;
    }

    /// Makes an agent of a tenant, signs them in and starts their shift.
    ///
    /// # Panics
    /// When the API refuses.
    pub async fn agent_on_duty(&self, tenant: &str, login: &str) -> Person {
        let agent = self.staff(tenant, Role::Agent, login).await;
        self.on_duty(&agent).await;
        agent
    }

    /// Opens a customer's chat with the shop and begins a conversation: the chat and the conversation.
    ///
    /// # Panics
    /// When the API refuses.
    pub async fn open_chat(&self, customer: &Person) -> (String, String) {
        let path = format!("/v1/tenants/{}/chats", customer.account().tenant);
        let answer = self.post(customer, &path, json!({"shop": SHOP})).await.ok();
        let text = |field: &str| answer[field].as_str().unwrap_or_else(|| panic!("no {field} in {answer}")).to_owned();
        (text("chat"), text("conversation"))
    }

    /// Posts a message.
    pub async fn say(&self, who: &Person, chat: &str, content: &str) -> Reply {
        let path = format!("/v1/tenants/{}/chats/{chat}/messages", who.account().tenant);
        self.post(who, &path, json!({"id": self.client_id(), "content": content})).await
    }

    /// Listens on a free port of this machine, for sockets.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn serve(&mut self) -> std::net::SocketAddr {
        if let Some((address, _)) = &self.serving {
            return *address;
        }
        let bound = server::bind(&self.app.config.http).expect("this machine has a free port");
        let address = bound.address();
        let app = self.app.clone();
        let task = tokio::spawn(async move { bound.run(app).await.expect("the listener serves") });
        self.serving = Some((address, task));
        address
    }

    /// Ends the story: everything stops in order, and the read models say what the log says.
    ///
    /// # Panics
    /// When something does not stop, or they say otherwise.
    pub async fn end(self) {
        self.app.shutdown.order();
        if let Some((_, task)) = self.serving {
            task.await.expect("the listener ends");
        }
        let log = Arc::clone(&self.app.ports.log);
        self.node.stop().await;
        let report = verify(log, self.views).await.expect("log and read models can be read");
        assert!(report.ok, "the read models say what the log says: {report:#?}");
    }
}

/// A tenant's id.
///
/// # Panics
/// When the text is none.
#[must_use]
pub fn id(tenant: &str) -> TenantId {
    tenant.parse().expect("the tests name valid tenants")
}
