//! `POST /v1/tenants/{t}/chats/{c}/messages`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{ChatId, ClientMessageId, TenantId};
use domain::message::Visibility;
use serde::Serialize;
use utoipa::ToSchema;

use super::participant;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Order};
use crate::http::message_body::message_body;
use crate::http::respond::changed;
use crate::messaging::{self, Draft, Posted};
use crate::state::App;

message_body! {
    /// A message. Its own id makes a retry harmless; an idempotency key is not needed.
    pub struct PostMessage {
        /// The sender's id for it, a `UUIDv7`.
        #[schema(value_type = String)]
        id: ClientMessageId,
        /// `all` or `staff`.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        visibility: Visibility,
        /// The assignment under which an agent believes to serve.
        assignment: Option<u64>,
        /// The suggestion of a robot that was taken, also when it was changed.
        #[schema(value_type = Option<String>)]
        suggestion: Option<uuid::Uuid>,
    }
}

/// A posted message.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostedBody {
    /// Its id everywhere.
    message: String,
    /// Its place in the chat.
    seq: u64,
    /// The conversation that is open.
    conversation: Option<String>,
    /// When it was posted, in milliseconds since 1970.
    at: i64,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// Posts a message. The answer comes when it is durable; a repeated one is answered like the first time.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/chats/{c}/messages",
    tag = "chats",
    params(("t" = String, Path, description = "The tenant."), ("c" = String, Path, description = "The chat.")),
    request_body = PostMessage,
    responses((status = 200, body = PostedBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, chat)): InPath<(TenantId, ChatId)>,
    order: Order<PostMessage>,
) -> Result<Response, ApiError> {
    let sender = participant(&caller, tenant)?;
    let PostMessage { id, visibility, assignment, suggestion, .. } = order.body;
    let draft = Draft { suggestion, ..order.body.into_draft(id, chat, visibility, assignment)? };
    let Posted { message, conversation, position } = messaging::post(&app, sender, draft).await?;
    let body = PostedBody {
        message: message.message.to_string(),
        seq: message.seq,
        conversation: conversation.map(|conversation| conversation.to_string()),
        at: message.at.0,
        position: position.to_string(),
    };
    Ok(changed(StatusCode::OK, position, body))
}
