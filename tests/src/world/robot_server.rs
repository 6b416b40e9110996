//! A robot elsewhere, played on this machine: it answers as the test says, keeps what it was asked, and waits when it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::StreamExt;
use futures_util::stream::{iter, once};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A question that does not come is a failure, not a hang. Far beyond what any takes.
const QUESTION_MAX: Duration = Duration::from_secs(20);

/// How it answers.
#[derive(Clone, Debug)]
pub enum Says {
    /// This JSON.
    Json(Value),
    /// This text, whatever it is.
    Text(String),
    /// This status, and nothing else.
    Status(StatusCode),
    /// That somebody else knows.
    Redirect,
    /// Nothing at all.
    Nothing,
    /// An event stream of these parts; after the first one it waits while it is held.
    Stream(Vec<String>),
}

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body.
    pub body: Value,
}

#[derive(Clone)]
struct Shared {
    says: Arc<Mutex<Says>>,
    asked: Arc<Mutex<Vec<Question>>>,
    came: watch::Sender<usize>,
    held: watch::Sender<bool>,
}

/// See the file's head.
pub struct RobotServer {
    address: SocketAddr,
    shared: Shared,
    serving: JoinHandle<()>,
}

impl Drop for RobotServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RobotServer {
    /// Listens on a free port of this machine.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("this machine has a free port");
        let address = listener.local_addr().expect("it has an address");
        let shared = Shared {
            says: Arc::new(Mutex::new(says)),
            asked: Arc::default(),
            came: watch::Sender::new(0),
            held: watch::Sender::new(false),
        };
        let router = Router::new().route("/", post(answer)).route("/elsewhere", post(answer)).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("the listener serves") });
        Self { address, shared, serving }
    }

    /// Where it is asked.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// How it answers from here on.
    pub fn says(&self, says: Says) {
        *lock(&self.shared.says) = says;
    }

    /// Whether it keeps whoever asks waiting.
    pub fn hold(&self, held: bool) {
        self.shared.held.send_replace(held);
    }

    /// What it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Question> {
        lock(&self.shared.asked).clone()
    }

    /// Waits until it was asked so often.
    ///
    /// # Panics
    /// When nobody asks.
    pub async fn until_asked(&self, count: usize) {
        let mut came = self.shared.came.subscribe();
        timeout(QUESTION_MAX, came.wait_for(|came| *came >= count)).await.expect("questions come").expect("the robot lives");
    }
}

async fn answer(State(shared): State<Shared>, headers: HeaderMap, text: String) -> Response {
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    lock(&shared.asked).push(Question { headers, text, body });
    shared.came.send_modify(|came| *came += 1);
    let says = lock(&shared.says).clone();
    if !matches!(says, Says::Stream(_)) {
        released(shared.held.subscribe()).await;
    }
    match says {
        Says::Json(value) => axum::Json(value).into_response(),
        Says::Text(text) => text.into_response(),
        Says::Status(status) => status.into_response(),
        Says::Redirect => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/elsewhere")]).into_response(),
        Says::Nothing => std::future::pending().await,
        Says::Stream(parts) => {
            let mut parts: Vec<_> = parts.into_iter().map(|part| Ok::<_, std::io::Error>(Bytes::from(part))).collect();
            let first: Vec<_> = parts.drain(..1).collect();
            let rest = once(released(shared.held.subscribe())).flat_map(move |()| iter(std::mem::take(&mut parts)));
            ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(iter(first).chain(rest))).into_response()
        }
    }
}

async fn released(mut held: watch::Receiver<bool>) {
    // The sender lives as long as the server.
    let _ = held.wait_for(|held| !held).await;
}
