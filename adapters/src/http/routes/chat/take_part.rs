//! Marking read, recalling, and removing from one's own sight.

use axum::extract::State;
use axum::response::Response;
use domain::chat::command::ChatCommand;
use domain::ids::{ChatId, MessageId, TenantId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::participant;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, Order};
use crate::http::respond::{Done, done};
use crate::messaging::{self, Sender, limits, to_chat};
use crate::state::{App, AppState};

async fn give(app: &AppState, sender: Sender, chat: ChatId, command: ChatCommand) -> Result<Response, ApiError> {
    let answer = messaging::execute(app, to_chat(app, sender, chat, command)).await?;
    Ok(done(answer.position))
}

/// How far somebody has read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    /// The last place read.
    seq: u64,
}

/// Notes that the caller has read up to a place.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/chats/{c}/read",
    tag = "chats",
    params(("t" = String, Path, description = "The tenant."), ("c" = String, Path, description = "The chat.")),
    request_body = MarkRead,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn mark_read(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, chat)): InPath<(TenantId, ChatId)>,
    order: Order<MarkRead>,
) -> Result<Response, ApiError> {
    let sender = participant(&caller, tenant)?;
    give(&app, sender, chat, ChatCommand::MarkRead { reader: sender.user, up_to_seq: order.body.seq }).await
}

/// Takes an own message back, within the tenant's window.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/chats/{c}/messages/{m}/recall",
    tag = "chats",
    params(
        ("t" = String, Path, description = "The tenant."),
        ("c" = String, Path, description = "The chat."),
        ("m" = String, Path, description = "The message.")
    ),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn recall(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, chat, message)): InPath<(TenantId, ChatId, MessageId)>,
    _: Order<NoBody>,
) -> Result<Response, ApiError> {
    let sender = participant(&caller, tenant)?;
    let window = limits(&app, tenant).recall_window;
    give(&app, sender, chat, ChatCommand::Recall { by: sender.user, message, window }).await
}

/// Removes a message from the caller's own sight.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/chats/{c}/messages/{m}",
    tag = "chats",
    params(
        ("t" = String, Path, description = "The tenant."),
        ("c" = String, Path, description = "The chat."),
        ("m" = String, Path, description = "The message.")
    ),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn hide(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, chat, message)): InPath<(TenantId, ChatId, MessageId)>,
    _: Order<NoBody>,
) -> Result<Response, ApiError> {
    let sender = participant(&caller, tenant)?;
    Ok(done(messaging::hide(&app, sender, chat, message).await?.position))
}
