//! The toy server's campaigns: one text to everybody on a list, at once.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::Shared;

/// A campaign.
#[derive(Default)]
pub(crate) struct Campaign {
    pub(crate) content: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) sent: usize,
}

fn texts(body: &Value, list: &str) -> Vec<String> {
    body.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Registers customers whom another system knows.
pub(crate) async fn import(State(shared): State<Shared>, Json(body): Json<Value>) -> Json<Value> {
    let mut desk = shared.desk();
    let listed = body.get("customers").and_then(Value::as_array).into_iter().flatten();
    let accounts = listed.filter_map(|customer| customer.get("account")?.as_str());
    let users: Vec<String> = accounts.map(|account| desk.customer(account)).collect();
    Json(json!({"users": users, "position": desk.position()}))
}

/// Writes a campaign.
pub(crate) async fn write(State(shared): State<Shared>, Json(body): Json<Value>) -> Json<Value> {
    let mut desk = shared.desk();
    let id = desk.mint();
    let content = body.get("content").and_then(Value::as_str).unwrap_or_default().to_owned();
    desk.campaigns.insert(id.clone(), Campaign { content, ..Campaign::default() });
    Json(json!({"id": id, "position": desk.position()}))
}

/// Lists recipients.
pub(crate) async fn list(State(shared): State<Shared>, Path((_, id)): Path<(String, String)>, Json(body): Json<Value>) -> Json<Value> {
    let mut desk = shared.desk();
    if let Some(campaign) = desk.campaigns.get_mut(&id) {
        campaign.recipients.extend(texts(&body, "recipients"));
    }
    Json(json!({"position": desk.position()}))
}

/// Speaks.
pub(crate) async fn start(State(shared): State<Shared>, Path((_, id)): Path<(String, String)>) -> Json<Value> {
    let mut desk = shared.desk();
    desk.speak(&id);
    Json(json!({"position": desk.position()}))
}

/// How far it is.
pub(crate) async fn look(State(shared): State<Shared>, Path((_, id)): Path<(String, String)>) -> Json<Value> {
    let sent = shared.desk().campaigns.get(&id).map_or(0, |campaign| campaign.sent);
    Json(json!({"status": "finished", "done": sent, "tally": {"sent": sent}}))
}
