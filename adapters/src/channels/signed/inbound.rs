//! What a channel says on behalf of its customers: messages, reads, recalls, and that it is there again.
//!
//! Nobody is signed in; every request carries the channel's signature. The rules, the answers and the refusals are those of the
//! routes that do the same for somebody signed in.

use application::error::CommandError;
use application::queries::ChannelRow;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::chat::command::ChatCommand;
use domain::ids::{ChannelId, ChatId, MessageId, TenantId};
use domain::message::{Kind, Style, Visibility};
use domain::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::customers;
use crate::http::error::{ApiError, AuthError, InputError, Problem};
use crate::http::extract::{InPath, NoBody, parse_body, read_body};
use crate::http::respond::{Done, changed, done};
use crate::http::routes::tenant;
use crate::ids;
use crate::messaging::{self, Draft, Sender};
use crate::reading::chat_of;
use crate::secrets::Purpose;
use crate::state::{App, AppState};
use crate::webhook_signature::TOLERANCE;

/// What a customer said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InboundMessage {
    /// What the channel calls the customer, 1 to 512 bytes.
    customer: String,
    /// When they said it, in milliseconds since 1970: the same at each attempt.
    sent_at: i64,
    /// Their name; taken at the first time only.
    display_name: Option<String>,
    /// The text.
    content: String,
    /// `text`, `picture`, `video`, `audio`, `file` or `unknown`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    kind: Kind,
    /// `normal`, `card`, `order`, `rating` or `toast`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    style: Style,
    /// The quoted message.
    #[schema(value_type = Option<String>)]
    quote: Option<MessageId>,
    /// Where a click leads.
    url: Option<String>,
    /// Further JSON.
    #[schema(value_type = Option<Object>)]
    ext: Option<Box<RawValue>>,
}

/// A message that is durable.
#[derive(Debug, Serialize, ToSchema)]
pub struct InboundAck {
    /// Its id everywhere.
    message: String,
    /// The chat of the customer with the shop.
    chat: String,
    /// Its place in the chat.
    seq: u64,
    /// The customer.
    user: String,
    /// The conversation that is open.
    conversation: Option<String>,
    /// When it was posted, in milliseconds since 1970.
    at: i64,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// How far a customer has read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InboundRead {
    /// What the channel calls the customer.
    customer: String,
    /// The last place read.
    seq: u64,
}

/// Whose message is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InboundRecall {
    /// What the channel calls the customer.
    customer: String,
}

/// That the endpoint was told.
#[derive(Debug, Serialize, ToSchema)]
pub struct Noted {
    /// Always true.
    ok: bool,
}

/// A request that is the channel's, with its id and what it says.
struct Signed<T> {
    channel: ChannelRow,
    webhook_id: String,
    body: T,
}

/// Checks the signature before anything else is looked at, and reads the body.
async fn signed<T: DeserializeOwned>(
    app: &AppState,
    (tenant, channel): (TenantId, ChannelId),
    headers: &HeaderMap,
    body: Body,
) -> Result<Signed<T>, ApiError> {
    let channel = *tenant::known(app, tenant)?.channel(channel).ok_or(ApiError::NotFound { kind: "channel" })?;
    let connection = app.connections.of(app, tenant, &channel).await?;
    let bytes = read_body(headers, body).await?;
    let webhook_id = connection.key.verify(headers, &bytes, app.now()).map_err(AuthError::from)?.to_owned();
    if channel.disconnected {
        return Err(ApiError::ChannelDisconnected);
    }
    Ok(Signed { channel, webhook_id, body: parse_body(headers, &bytes)? })
}

/// Posts a message on behalf of a customer, whom the first one makes. The answer comes when it is durable; a repeated one is
/// answered like the first time.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/channels/{channel}/messages",
    tag = "signed channel",
    security(()),
    params(("t" = String, Path, description = "The tenant."), ("channel" = String, Path, description = "The channel.")),
    request_body = InboundMessage,
    responses((status = 200, body = InboundAck), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn post(
    State(app): State<App>,
    InPath((tenant, channel)): InPath<(TenantId, ChannelId)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let Signed { channel, webhook_id, body } = signed::<InboundMessage>(&app, (tenant, channel), &headers, body).await?;
    if body.sent_at < 0 || Timestamp(body.sent_at) > app.now() + TOLERANCE {
        return Err(InputError::Refused { field: "sent_at", reason: "must be a time of the past" }.into());
    }
    let sender = customers::welcome(&app, tenant, &channel, &body.customer, body.display_name).await?;
    let chat = chat_with(&app, sender, &channel).await?;
    let parts = [channel.channel.as_str().as_bytes(), sender.user.as_bytes(), webhook_id.as_bytes()];
    let draft = Draft {
        id: ids::client_message_of(Timestamp(body.sent_at), app.secrets.digest(tenant, Purpose::ChannelMessage, &parts)),
        chat,
        content: body.content,
        url: body.url,
        ext: body.ext.map(|ext| ext.get().to_owned()),
        quote: body.quote,
        kind: body.kind,
        style: body.style,
        visibility: Visibility::All,
        assignment: None,
    };
    let answer = messaging::post(&app, sender, draft).await?;
    let unanswered = || CommandError::WrongStream { stream: format!("chat {chat}") };
    let chat_answer = answer.chat.ok_or_else(unanswered)?;
    let posted = chat_answer.message.ok_or_else(unanswered)?;
    let body = InboundAck {
        message: posted.message.to_string(),
        chat: chat.to_string(),
        seq: posted.seq,
        user: sender.user.to_string(),
        conversation: chat_answer.conversation.map(|conversation| conversation.to_string()),
        at: posted.at.0,
        position: answer.position.to_string(),
    };
    Ok(changed(StatusCode::OK, answer.position, body))
}

/// The customer's chat with the channel's shop, opened when it is not there.
async fn chat_with(app: &AppState, sender: Sender, channel: &ChannelRow) -> Result<ChatId, ApiError> {
    let (tenant, shop) = (sender.tenant, channel.shop);
    let chat = chat_of(app, tenant, shop, sender.user);
    if app.ports.views.chat(tenant, chat).is_none() {
        let open = ChatCommand::Open { shop, customer: sender.user };
        messaging::execute(app, messaging::to_chat(app, sender, chat, open)).await?;
    }
    Ok(chat)
}

/// Notes that a customer has read up to a place.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/channels/{channel}/read",
    tag = "signed channel",
    security(()),
    params(("t" = String, Path, description = "The tenant."), ("channel" = String, Path, description = "The channel.")),
    request_body = InboundRead,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn read(
    State(app): State<App>,
    InPath((tenant, channel)): InPath<(TenantId, ChannelId)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let Signed { channel, body, .. } = signed::<InboundRead>(&app, (tenant, channel), &headers, body).await?;
    let sender = customers::known(&app, tenant, channel.channel, &body.customer)?;
    let command = ChatCommand::MarkRead { reader: sender.user, up_to_seq: body.seq };
    give(&app, sender, &channel, command).await
}

/// Takes a customer's own message back, within the tenant's window.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/channels/{channel}/messages/{m}/recall",
    tag = "signed channel",
    security(()),
    params(
        ("t" = String, Path, description = "The tenant."),
        ("channel" = String, Path, description = "The channel."),
        ("m" = String, Path, description = "The message.")
    ),
    request_body = InboundRecall,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn recall(
    State(app): State<App>,
    InPath((tenant, channel, message)): InPath<(TenantId, ChannelId, MessageId)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let Signed { channel, body, .. } = signed::<InboundRecall>(&app, (tenant, channel), &headers, body).await?;
    let sender = customers::known(&app, tenant, channel.channel, &body.customer)?;
    let window = messaging::limits(&app, tenant).recall_window;
    give(&app, sender, &channel, ChatCommand::Recall { by: sender.user, message, window }).await
}

async fn give(app: &AppState, sender: Sender, channel: &ChannelRow, command: ChatCommand) -> Result<Response, ApiError> {
    let chat = chat_of(app, sender.tenant, channel.shop, sender.user);
    let answer = messaging::execute(app, messaging::to_chat(app, sender, chat, command)).await?;
    Ok(done(answer.position))
}

/// Says that the channel's endpoint is there again: what waits for a later attempt is delivered now.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/channels/{channel}/ready",
    tag = "signed channel",
    security(()),
    params(("t" = String, Path, description = "The tenant."), ("channel" = String, Path, description = "The channel.")),
    responses((status = 200, body = Noted), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn ready(
    State(app): State<App>,
    InPath((tenant, channel)): InPath<(TenantId, ChannelId)>,
    headers: HeaderMap,
    body: Body,
) -> Result<axum::Json<Noted>, ApiError> {
    let Signed { channel, .. } = signed::<NoBody>(&app, (tenant, channel), &headers, body).await?;
    app.hub.followed.ready(tenant, channel.channel);
    Ok(axum::Json(Noted { ok: true }))
}
