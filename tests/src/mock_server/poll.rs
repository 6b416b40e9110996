//! The long poll of the toy server: the same desk as a socket's, one request at a time.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;

use super::Shared;
use super::routes::{caller, posted};

/// Items of one answer.
const ITEMS_MAX: usize = 200;
/// How long a poll is held unless it says otherwise.
const WAIT_MS: u64 = 25_000;

/// Waits for what comes.
pub(crate) async fn keepalive(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Json<Value> {
    let user = caller(&headers);
    let number = |name: &str| body.get(name).and_then(Value::as_u64);
    let (to_client, mut came) = unbounded_channel();
    let after = {
        let mut desk = shared.desk();
        // Without an index: from now on.
        let after = number("after").and_then(|after| usize::try_from(after).ok()).unwrap_or_else(|| desk.head(&user));
        desk.watch(&user, to_client);
        after
    };
    if shared.desk().head(&user) <= after {
        // Nothing within the time is an answer too.
        drop(tokio::time::timeout(Duration::from_millis(number("wait_ms").unwrap_or(WAIT_MS)), came.recv()).await);
    }
    let desk = shared.desk();
    let items = desk.items(&user, after, ITEMS_MAX);
    let (head, next) = (desk.head(&user), after + items.len());
    let events: Vec<Value> = items.into_iter().map(|frame| json!({"bizCode": "message", "frame": frame})).collect();
    Json(
        json!({"rs_id": null, "now": 0, "head": head, "next": next, "signals": 1, "more": next < head, "superseded": false, "events": events}),
    )
}

/// Carries one order.
pub(crate) async fn sendmessage(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if body.get("bizCode").and_then(Value::as_str) != Some("message") {
        return Json(json!({"bizCode": "ok"})).into_response();
    }
    posted(&shared, &headers, &body)
}
