//! The other end of a signed channel in a story: a server that takes deliveries, checks their signatures, and can be away; and
//! whoever signs what the channel says.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapters::config::{Config, OutgoingConfig};
use adapters::webhook_signature::{ID, SIGNATURE, SigningKey, TIMESTAMP};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::routing::post;
use domain::time::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Reply, SHOP, World};
use crate::people::Person;

/// A delivery that does not come is a failure, not a hang. Far beyond what any takes.
const DELIVERY_MAX: Duration = Duration::from_secs(20);

/// Settings with which a node delivers to this machine, too.
///
/// # Panics
/// Never: the network is one.
#[must_use]
pub fn to_this_machine() -> Config {
    let internal_networks = vec!["127.0.0.0/8".parse().expect("a network")];
    Config { outgoing: OutgoingConfig { internal_networks, provider_retry_ms: 1, ..OutgoingConfig::default() }, ..Config::default() }
}

/// A customer of a channel: the last part of the address, and what the channel calls them.
type Whose = (String, String);

/// How a customer's deliveries are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// Taken.
    #[default]
    Here,
    /// Refused for now.
    Away,
    /// So many are taken; of the next one the answer is lost, and after it one is away.
    BreaksAfter(usize),
    /// Refused for good.
    Gone,
}

#[derive(Default)]
struct Inbox {
    keys: HashMap<String, SigningKey>,
    now: Timestamp,
    moods: HashMap<Whose, Mood>,
    taken: HashMap<Whose, Vec<Value>>,
    /// Every id that came, answered well or not.
    ids: Vec<String>,
    /// What was wrong with a delivery.
    complaints: Vec<String>,
}

#[derive(Clone)]
struct Shared {
    inbox: Arc<Mutex<Inbox>>,
    came: watch::Sender<usize>,
}

impl Shared {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See the file's head.
pub struct Endpoint {
    address: SocketAddr,
    shared: Shared,
    serving: JoinHandle<()>,
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Endpoint {
    /// Listens on a free port of this machine.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("this machine has a free port");
        let address = listener.local_addr().expect("it has an address");
        let shared = Shared { inbox: Arc::default(), came: watch::Sender::new(0) };
        let router = Router::new().route("/{name}", post(take)).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("the listener serves") });
        Self { address, shared, serving }
    }

    /// An address to deliver to.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// Deliveries to this address are signed with this key, at this time.
    pub fn expects(&self, name: &str, key: SigningKey, now: Timestamp) {
        let mut inbox = self.shared.inbox();
        inbox.keys.insert(name.to_owned(), key);
        inbox.now = now;
    }

    /// Whatever is delivered to this address from here on is a complaint.
    pub fn expects_nothing(&self, name: &str) {
        self.shared.inbox().keys.remove(name);
    }

    /// What was wrong with deliveries so far.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        self.shared.inbox().complaints.clone()
    }

    /// How a customer's deliveries are answered from here on.
    pub fn be(&self, name: &str, customer: &str, mood: Mood) {
        self.shared.inbox().moods.insert((name.to_owned(), customer.to_owned()), mood);
    }

    /// What was taken of a customer, once this many items were.
    ///
    /// # Panics
    /// When they do not come, or come wrongly.
    pub async fn taken(&self, name: &str, customer: &str, count: usize) -> Vec<Value> {
        let taken = self.taken_whatever_went_wrong(name, customer, count).await;
        assert_eq!(self.shared.inbox().complaints, Vec::<String>::new());
        taken
    }

    /// What was taken of a customer, once this many items were, although some may have come wrongly before.
    ///
    /// # Panics
    /// When they do not come.
    pub async fn taken_whatever_went_wrong(&self, name: &str, customer: &str, count: usize) -> Vec<Value> {
        let whose = (name.to_owned(), customer.to_owned());
        let taken = || self.shared.inbox().taken.get(&whose).cloned().unwrap_or_default();
        let mut came = self.shared.came.subscribe();
        let there = came.wait_for(|_| taken().len() >= count);
        if timeout(DELIVERY_MAX, there).await.is_err() {
            panic!("{customer}: {} of {count} came; complaints: {:?}", taken().len(), self.shared.inbox().complaints);
        }
        taken()
    }

    /// Waits until deliveries came this many times, answered well or not; their ids.
    ///
    /// # Panics
    /// When they do not come.
    pub async fn attempts(&self, count: usize) -> Vec<String> {
        let mut came = self.shared.came.subscribe();
        timeout(DELIVERY_MAX, came.wait_for(|came| *came >= count)).await.expect("deliveries come").expect("the endpoint lives");
        self.shared.inbox().ids.clone()
    }
}

async fn take(State(shared): State<Shared>, Path(name): Path<String>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let answer = shared.inbox().take(&name, &headers, &body);
    shared.came.send_modify(|came| *came += 1);
    answer
}

impl Inbox {
    fn take(&mut self, name: &str, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        let Some(key) = self.keys.get(name) else { return self.complain("nobody expects anything here") };
        let id = match key.verify(headers, body, self.now) {
            Ok(id) => id.to_owned(),
            Err(error) => return self.complain(&error.to_string()),
        };
        self.ids.push(id.clone());
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return self.complain("no JSON") };
        let item = body["item"].clone();
        if id != format!("{}-{}", body["user"].as_str().unwrap_or_default(), item["i"]) {
            return self.complain("the id is not the one of the item");
        }
        let whose = (name.to_owned(), body["customer"].as_str().unwrap_or_default().to_owned());
        let mood = self.moods.entry(whose.clone()).or_default();
        match *mood {
            Mood::Here => {}
            Mood::Away => return StatusCode::SERVICE_UNAVAILABLE,
            Mood::Gone => return StatusCode::GONE,
            Mood::BreaksAfter(0) => {
                *mood = Mood::Away;
                return StatusCode::INTERNAL_SERVER_ERROR;
            }
            Mood::BreaksAfter(left) => *mood = Mood::BreaksAfter(left - 1),
        }
        self.taken.entry(whose).or_default().push(item);
        StatusCode::NO_CONTENT
    }

    fn complain(&mut self, what: &str) -> StatusCode {
        self.complaints.push(what.to_owned());
        StatusCode::BAD_REQUEST
    }
}

/// Whoever speaks for a channel.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The channel's address below `/v1`.
    pub path: String,
    /// Its key.
    pub key: SigningKey,
}

impl Signer {
    /// Connects a channel of the shop to an address.
    ///
    /// # Panics
    /// When the API refuses.
    pub async fn connect(world: &World, tenant: &str, channel: &str, url: &str) -> Self {
        let path = format!("/v1/tenants/{tenant}/channels/{channel}");
        let body = json!({"shop": SHOP, "title": channel, "url": url});
        let answer = world.call(&Person::operator(), Method::PUT, &path, body).await.ok();
        let key = answer["secret"].as_str().and_then(SigningKey::parse).expect("a new channel shows its secret");
        Self { path, key }
    }

    /// A signed request at a time.
    ///
    /// # Panics
    /// When it cannot be built.
    #[must_use]
    pub fn request(&self, to: &str, id: &str, at: Timestamp, body: String) -> Request<Body> {
        let timestamp_s = at.0 / 1_000;
        let request = Request::post(format!("{}/{to}", self.path)).header(header::CONTENT_TYPE, "application/json").header(ID, id);
        let request = request.header(TIMESTAMP, timestamp_s).header(SIGNATURE, self.key.sign(id, timestamp_s, body.as_bytes()));
        request.body(Body::from(body)).expect("the test's path is valid")
    }

    /// Sends what the channel says now.
    pub async fn send(&self, world: &World, to: &str, id: &str, body: Value) -> Reply {
        world.send(self.request(to, id, world.app.now(), body.to_string()), &Person::nobody()).await
    }
}
