//! The HTTP half of the toy server. A user's access token is their id.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shared, campaign, poll, socket};

/// Every route that `kefu-load` uses.
pub(crate) fn router(shared: Shared) -> Router {
    let tenant = Router::new()
        .route("/", get(known))
        .route("/shops", post(known))
        .route("/users", post(add_user))
        .route("/customers/mint", post(mint))
        .route("/customers/import", post(campaign::import))
        .route("/campaigns", post(campaign::write))
        .route("/campaigns/{campaign}", get(campaign::look))
        .route("/campaigns/{campaign}/recipients", post(campaign::list))
        .route("/campaigns/{campaign}/start", post(campaign::start))
        .route("/sign-in", post(sign_in))
        .route("/me/service", put(start_service))
        .route("/chats", post(enter))
        .route("/chats/{chat}/messages", get(messages).post(say))
        .route("/conversations/{conversation}/close", post(close))
        .route("/conversations/{conversation}/rating", post(rate))
        .route("/feed", get(feed));
    Router::new()
        .route("/readyz", get(|| async { "ready" }))
        .route("/v1/tenants", post(begin))
        .route("/v1/ws", get(socket::upgrade))
        .route("/v1/keepalive", post(poll::keepalive))
        .route("/v1/sendmessage", post(poll::sendmessage))
        .nest("/v1/tenants/{tenant}", tenant)
        .with_state(shared)
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    after: usize,
    #[serde(default)]
    from_seq: u64,
    #[serde(default)]
    limit: usize,
}

pub(crate) fn caller(headers: &HeaderMap) -> String {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    bearer.trim_start_matches("Bearer ").to_owned()
}

fn text(body: &Value, name: &str) -> String {
    body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// There is one tenant at a time: making one forgets everybody of the one before.
async fn begin(State(shared): State<Shared>) -> Json<Value> {
    shared.desk().begin();
    Json(json!({"id": "x", "position": shared.desk().position()}))
}

async fn known(State(shared): State<Shared>) -> Json<Value> {
    Json(json!({"id": "x", "position": shared.desk().position()}))
}

async fn add_user(State(shared): State<Shared>, Json(body): Json<Value>) -> Json<Value> {
    let mut desk = shared.desk();
    let capacity = body.get("capacity").and_then(Value::as_u64).and_then(|capacity| usize::try_from(capacity).ok());
    let id = desk.add_user(capacity.unwrap_or(1));
    desk.logins.insert(text(&body, "login"), id.clone());
    Json(json!({"id": id, "position": desk.position()}))
}

fn signed_in(user: &str) -> Json<Value> {
    Json(json!({"user": user, "session": user, "access_token": user, "expires_in": 3600, "refresh_token": "r", "position": "s0c1e0"}))
}

async fn mint(State(shared): State<Shared>, Json(body): Json<Value>) -> Json<Value> {
    signed_in(&shared.desk().customer(&text(&body, "account")))
}

async fn sign_in(State(shared): State<Shared>, Json(body): Json<Value>) -> Response {
    match shared.desk().logins.get(&text(&body, "login")) {
        Some(user) => signed_in(user).into_response(),
        None => (StatusCode::UNAUTHORIZED, Json(json!({"code": "wrong_credentials"}))).into_response(),
    }
}

async fn start_service(State(shared): State<Shared>, headers: HeaderMap) -> Json<Value> {
    let mut desk = shared.desk();
    if let Some(user) = desk.users.get_mut(&caller(&headers)) {
        user.on_service = true;
    }
    desk.assign();
    Json(json!({"position": desk.position()}))
}

async fn enter(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Json<Value> {
    let mut desk = shared.desk();
    let (chat, conversation) = desk.enter(&caller(&headers), &text(&body, "shop"));
    Json(json!({"chat": chat, "conversation": conversation, "position": desk.position()}))
}

async fn messages(State(shared): State<Shared>, Path((_, chat)): Path<(String, String)>, Query(page): Query<Page>) -> Json<Value> {
    let desk = shared.desk();
    let all = desk.chats.get(&chat).map(|chat| chat.messages.as_slice()).unwrap_or_default();
    let seq = |message: &Value| message.get("seq").and_then(Value::as_u64).unwrap_or_default();
    let data: Vec<Value> = all.iter().filter(|message| seq(message) >= page.from_seq).take(page.limit).cloned().collect();
    Json(json!({"data": data, "next_cursor": null, "has_more": false}))
}

async fn say(
    State(shared): State<Shared>,
    Path((_, chat)): Path<(String, String)>,
    headers: HeaderMap,
    Json(mut body): Json<Value>,
) -> Response {
    body["chat"] = Value::from(chat);
    posted(&shared, &headers, &body)
}

/// Posts a message, and answers as the API does.
pub(crate) fn posted(shared: &Shared, headers: &HeaderMap, body: &Value) -> Response {
    let mut answer = shared.desk().post(&caller(headers), body);
    if answer["t"] != "ack" {
        return (StatusCode::CONFLICT, Json(json!({"code": answer["code"]}))).into_response();
    }
    answer["bizCode"] = Value::from("ack");
    answer["position"] = answer["pos"].take();
    Json(answer).into_response()
}

async fn close(State(shared): State<Shared>, Path((_, conversation)): Path<(String, String)>) -> Json<Value> {
    let mut desk = shared.desk();
    desk.close(&conversation);
    Json(json!({"position": desk.position()}))
}

async fn rate(State(shared): State<Shared>, Json(body): Json<Value>) -> Response {
    match body.get("score").and_then(Value::as_u64) {
        Some(1..=5) => Json(json!({"position": shared.desk().position()})).into_response(),
        Some(_) | None => (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"code": "invalid_score"}))).into_response(),
    }
}

async fn feed(State(shared): State<Shared>, headers: HeaderMap, Query(page): Query<Page>) -> Json<Value> {
    let data = shared.desk().items(&caller(&headers), page.after, page.limit);
    Json(json!({"data": data, "next_cursor": null, "has_more": false}))
}
