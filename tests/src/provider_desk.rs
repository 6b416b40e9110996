//! A provider's desk to try things by hand, and in tests: it checks what it is told, takes sessions as it was asked to, and echoes
//! what customers say. It knows the server by its address and its secret only.

use std::time::SystemTime;

use adapters::webhook_signature::{ID, SIGNATURE, SigningKey, TIMESTAMP};
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::time::Timestamp;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How it takes sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// At once.
    Accepts,
    /// Each queues at this place, and is accepted with its first message.
    Queues(u32),
    /// None.
    Refuses,
}

/// A desk.
#[derive(Clone)]
pub struct ProviderDesk {
    /// How it takes sessions.
    pub takes: Takes,
    /// Where the server hears it: `https://kefu.example/v1/tenants/acme/providers/express`.
    pub server: String,
    /// The secret that the tenant was shown.
    pub key: SigningKey,
    /// The way to the server.
    pub client: reqwest::Client,
    /// What time it is, in milliseconds since 1970.
    pub now: fn() -> i64,
}

/// The time of this machine, in milliseconds since 1970.
#[must_use]
pub fn time_of_day() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

impl ProviderDesk {
    /// The desk's one address.
    pub fn router(self) -> Router {
        Router::new().route("/", post(told)).with_state(self)
    }

    /// Says what a customer said back, under an id that follows from theirs; of a picture, the same picture.
    async fn echo(&self, id: &str, told: &Value) -> Result<StatusCode, reqwest::Error> {
        let mut body = json!({"conversation": told["conversation"], "assignment": told["assignment"], "sent_at": told["at"],
            "kind": told["kind"], "content": told["content"], "url": told["url"]});
        if let Some(address) = told["url"].as_str().filter(|url| url.starts_with("/v1/")) {
            body["url"] = self.copy(id, told, address).await?;
        }
        let (body, id) = (body.to_string(), format!("echo-{id}"));
        let request = self.client.post(format!("{}/messages", self.server)).header(header::CONTENT_TYPE, "application/json");
        self.signed(request, &id, &body).body(body).send().await.map(|answer| answer.status())
    }

    /// Reads a file and uploads it: where it is then.
    async fn copy(&self, id: &str, told: &Value, address: &str) -> Result<Value, reqwest::Error> {
        let (host, provider) = self.server.find("/v1/").map_or((self.server.as_str(), ""), |at| self.server.split_at(at));
        let read = self.signed(self.client.get(format!("{host}{address}")), &format!("read-{id}"), address);
        let bytes = read.send().await?.error_for_status()?.bytes().await?;
        let (conversation, assignment) = (told["conversation"].as_str().unwrap_or_default(), &told["assignment"]);
        let sha256 = format!("{:x}", Sha256::digest(&bytes));
        let address = format!("{provider}/attachments?conversation={conversation}&assignment={assignment}&name=echo&sha256={sha256}");
        let upload = self.signed(self.client.post(format!("{host}{address}")), &format!("copy-{id}"), &address);
        let uploaded = upload.body(bytes).send().await?.error_for_status()?.bytes().await?;
        Ok(serde_json::from_slice::<Value>(&uploaded).unwrap_or_default()["url"].clone())
    }

    /// Signs a request, over what stands for it.
    fn signed(&self, request: RequestBuilder, id: &str, text: &str) -> RequestBuilder {
        let now_s = (self.now)() / 1_000;
        request.header(ID, id).header(TIMESTAMP, now_s).header(SIGNATURE, self.key.sign(id, now_s, text.as_bytes()))
    }
}

async fn told(State(desk): State<ProviderDesk>, headers: HeaderMap, body: String) -> Response {
    let Ok(id) = desk.key.verify(&headers, body.as_bytes(), Timestamp((desk.now)())) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Ok(told) = serde_json::from_str::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    match told["type"].as_str() {
        Some("session.create") => match desk.takes {
            Takes::Accepts => Json(json!({"status": "accepted"})).into_response(),
            Takes::Queues(position) => Json(json!({"status": "queueing", "position": position})).into_response(),
            Takes::Refuses => Json(json!({"status": "refused", "reason": "it was told to"})).into_response(),
        },
        // What could not be echoed is told again; the server knows the echo by its id.
        Some("message.deliver") => match desk.echo(id, &told).await {
            Ok(_) => StatusCode::NO_CONTENT.into_response(),
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
        Some("rating.deliver" | "session.end") => StatusCode::NO_CONTENT.into_response(),
        Some(_) | None => StatusCode::BAD_REQUEST.into_response(),
    }
}
