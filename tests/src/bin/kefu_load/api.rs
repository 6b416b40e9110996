//! The HTTP side of kefu's public API, as a patient client: what a server that is down or busy refuses is tried again under the
//! same idempotency key. It must not know what a run does with the answers.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;

use super::error::LoadError;
use super::ids::{Hex, Mint};
use super::scan;
use super::socket::Endpoint;

/// A single answer may take this long; a server that was killed takes longer to come back, and is asked again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// First pause before asking again; doubles up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// See the file's head.
pub struct Api {
    client: Client,
    endpoint: Endpoint,
    retry_for: Duration,
    mint: RefCell<Mint>,
}

/// One request.
pub struct Ask<'a> {
    method: Method,
    path: String,
    bearer: &'a str,
    body: Option<Value>,
}

impl<'a> Ask<'a> {
    /// Reads something.
    pub fn get(path: impl Into<String>, bearer: &'a str) -> Self {
        Self { method: Method::GET, path: path.into(), bearer, body: None }
    }

    /// Orders something.
    pub fn post(path: impl Into<String>, bearer: &'a str, body: Value) -> Self {
        Self { method: Method::POST, path: path.into(), bearer, body: Some(body) }
    }

    /// Replaces something.
    pub fn put(path: impl Into<String>, bearer: &'a str, body: Value) -> Self {
        Self { method: Method::PUT, path: path.into(), bearer, body: Some(body) }
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Api {
    /// A client of one server.
    pub fn new(endpoint: Endpoint, retry_for: Duration) -> Self {
        Self { client: Client::new(), endpoint, retry_for, mint: RefCell::new(Mint::seeded()) }
    }

    /// The server.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Asks, and reads the answer as JSON.
    pub async fn ask(&self, ask: Ask<'_>) -> Result<Value, LoadError> {
        let bytes = self.ask_raw(&ask).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|_| LoadError::Incomplete { what: ask.name(), field: "JSON" })
    }

    /// Asks, and gives the answer as it came.
    pub async fn ask_raw(&self, ask: &Ask<'_>) -> Result<Vec<u8>, LoadError> {
        let key = Hex(self.mint.borrow_mut().uuid_v7()).to_string();
        let started = Instant::now();
        let mut pause = PAUSE;
        loop {
            let source = match self.once(ask, &key).await {
                Ok((status, body)) if status.is_success() => return Ok(body),
                // Busy, behind or going down: the same order may be given again.
                Ok((status, _)) if again(status) && started.elapsed() < self.retry_for => None,
                Ok((status, body)) => return Err(refusal(ask.name(), status, &body)),
                Err(source) => Some(source),
            };
            if let Some(source) = source
                && started.elapsed() >= self.retry_for
            {
                return Err(LoadError::Unreachable { what: ask.name(), waited_s: started.elapsed().as_secs(), source });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn once(&self, ask: &Ask<'_>, key: &str) -> Result<(StatusCode, Vec<u8>), reqwest::Error> {
        let mut request = self.client.request(ask.method.clone(), self.endpoint.url(&ask.path)).timeout(ANSWER_TIMEOUT);
        if !ask.bearer.is_empty() {
            request = request.bearer_auth(ask.bearer);
        }
        if ask.method != Method::GET {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        let answer: Response = request.send().await?;
        let status = answer.status();
        Ok((status, answer.bytes().await?.to_vec()))
    }

    /// Whether the server says that it is ready.
    pub async fn is_ready(&self) -> bool {
        let asked = self.client.get(self.endpoint.url("/readyz")).timeout(Duration::from_secs(1)).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }
}

fn again(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn refusal(what: String, status: StatusCode, body: &[u8]) -> LoadError {
    let text = |name| scan::field(body, name).and_then(scan::text).unwrap_or_default().into_owned();
    LoadError::Refused { what, status: status.as_u16(), code: text("code"), detail: text("detail") }
}

/// A text field of an answer.
pub fn text_of(answer: &Value, what: &str, field: &'static str) -> Result<String, LoadError> {
    let text = answer.get(field).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| LoadError::Incomplete { what: what.to_owned(), field })
}

/// An id in an answer.
pub fn id_of(answer: &Value, what: &str, field: &'static str) -> Result<u128, LoadError> {
    let text = text_of(answer, what, field)?;
    u128::from_str_radix(&text, 16).map_err(|_| LoadError::Incomplete { what: what.to_owned(), field })
}
