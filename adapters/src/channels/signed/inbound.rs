//! What a channel says on behalf of its customers: messages, reads, recalls, ratings, ends, and that it is there again.
//!
//! Nobody is signed in; every request carries the channel's signature. The rules, the answers and the refusals are those of the
//! routes that do the same for somebody signed in.

use std::sync::Arc;

use application::access::Action;
use application::queries::ChannelRow;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, State};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use domain::chat::command::ChatCommand;
use domain::conversation::command::{Closer, ConversationCommand, Rating};
use domain::ids::{ChannelId, ChatId, ConversationId, MessageId, TenantId};
use domain::labels::Label;
use domain::message::Visibility;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::connections::Connection;
use super::customers;
use crate::http::auth::correlation;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, parse_body};
use crate::http::journey::Journey;
use crate::http::message_body::message_body;
use crate::http::proof::{Proven, prove, said_at};
use crate::http::respond::{Done, changed, done};
use crate::http::routes::conversation::rate::choices;
use crate::http::routes::conversation::{reached_by_customer, stream};
use crate::http::routes::tenant;
use crate::ids;
use crate::messaging::{self, Posted, Sender};
use crate::reading::chat_of;
use crate::secrets::Purpose;
use crate::state::{App, AppState};

message_body! {
    /// What a customer said.
    pub struct InboundMessage {
        /// What the channel calls the customer, 1 to 512 bytes.
        customer: String,
        /// When they said it, in milliseconds since 1970: the same at each attempt.
        sent_at: i64,
        /// Their name; taken at the first time only.
        display_name: Option<String>,
    }
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

/// How a customer rates the service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InboundRating {
    /// What the channel calls the customer.
    customer: String,
    /// Which conversation.
    #[schema(value_type = String)]
    conversation: ConversationId,
    /// 1 to 5.
    score: u8,
    /// Chosen tags: words of `[a-z0-9_]{1,32}`, of those that the shop's flow offers; where it offers none, any.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    tags: Vec<Label>,
    /// Whether the problem is solved.
    solved: Option<bool>,
    /// Free text.
    #[serde(default)]
    comment: String,
}

/// Which conversation a customer ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InboundEnd {
    /// What the channel calls the customer.
    customer: String,
    /// Which conversation.
    #[schema(value_type = String)]
    conversation: ConversationId,
}

/// That the endpoint was told.
#[derive(Debug, Serialize, ToSchema)]
pub struct Noted {
    /// Always true.
    ok: bool,
}

/// A request that is the channel's, with its id and what it says.
pub struct Signed<T> {
    tenant: TenantId,
    channel: ChannelRow,
    webhook_id: String,
    correlation: Uuid,
    /// Keyed digest of path and body.
    digest: u64,
    body: T,
}

/// The channel in the path.
#[derive(Deserialize)]
pub(super) struct Address {
    pub(super) t: TenantId,
    pub(super) channel: ChannelId,
}

/// The message in the path.
#[derive(Deserialize)]
pub struct OfMessage {
    m: MessageId,
}

/// A channel, and how it is connected, or was.
pub(super) async fn connected(app: &AppState, tenant: TenantId, channel: ChannelId) -> Result<(ChannelRow, Arc<Connection>), ApiError> {
    let channel = *tenant::known(app, tenant)?.channel(channel).ok_or(ApiError::NotFound { kind: "channel" })?;
    Ok((channel, app.connections.of(app, tenant, &channel).await?))
}

/// Checks the signature before anything else is looked at, and reads the body.
impl<T: DeserializeOwned> FromRequest<App> for Signed<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request<Body>, app: &App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let InPath(Address { t: tenant, channel }) = InPath::from_request_parts(&mut parts, app).await?;
        let (channel, connection) = connected(app, tenant, channel).await?;
        let Proven { webhook_id, digest, bytes } = prove(app, &parts, body, &connection.key).await?;
        if channel.disconnected {
            return Err(ApiError::ChannelDisconnected);
        }
        let body = parse_body(&parts.headers, &bytes)?;
        Ok(Self { tenant, channel, webhook_id, correlation: correlation(&parts), digest, body })
    }
}

impl<T> Signed<T> {
    /// A customer whom the channel has spoken for before.
    fn known(&self, app: &AppState, customer: &str) -> Result<Sender, ApiError> {
        customers::known(app, self.tenant, self.channel.channel, customer)
    }

    /// Gives a command to the customer's chat.
    async fn to_chat(&self, app: &AppState, sender: Sender, command: ChatCommand) -> Result<Response, ApiError> {
        let chat = chat_of(app, sender.tenant, self.channel.shop, sender.user);
        let answer = messaging::execute(app, messaging::to_chat(app, sender, chat, command)).await?;
        Ok(done(answer.position))
    }

    /// Gives a command to a conversation of the customer. Said again under the same webhook's id, it is answered like the first time.
    async fn to_conversation(
        &self,
        app: &AppState,
        sender: Sender,
        id: ConversationId,
        (step, command): (&str, ConversationCommand),
    ) -> Result<Response, ApiError> {
        let journey = Journey::of_channel(app, sender.user, self.webhook_id.clone(), self.digest, self.correlation)?;
        let answer = journey.execute(step, stream(sender.tenant, id), command).await?;
        Ok(done(answer.position))
    }
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
pub async fn post(State(app): State<App>, mut signed: Signed<InboundMessage>) -> Result<Response, ApiError> {
    let (tenant, sent_at) = (signed.tenant, said_at(&app, signed.body.sent_at)?);
    let name = signed.body.display_name.take();
    let sender = customers::welcome(&app, tenant, &signed.channel, &signed.body.customer, name).await?;
    app.blocks.check(&app, tenant, sender.user, None).await?;
    let chat = chat_with(&app, sender, &signed.channel).await?;
    let parts = [signed.channel.channel.as_str().as_bytes(), sender.user.as_bytes(), signed.webhook_id.as_bytes()];
    let id = ids::client_message_of(sent_at, app.secrets.digest(tenant, Purpose::ChannelMessage, &parts));
    let draft = signed.body.into_draft(id, chat, Visibility::All, None)?;
    let Posted { message, conversation, position } = messaging::post(&app, sender, draft).await?;
    let body = InboundAck {
        message: message.message.to_string(),
        chat: chat.to_string(),
        seq: message.seq,
        user: sender.user.to_string(),
        conversation: conversation.map(|conversation| conversation.to_string()),
        at: message.at.0,
        position: position.to_string(),
    };
    Ok(changed(StatusCode::OK, position, body))
}

/// The customer's chat with the channel's shop, opened when it is not there.
pub(super) async fn chat_with(app: &AppState, sender: Sender, channel: &ChannelRow) -> Result<ChatId, ApiError> {
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
pub async fn read(State(app): State<App>, signed: Signed<InboundRead>) -> Result<Response, ApiError> {
    let sender = signed.known(&app, &signed.body.customer)?;
    signed.to_chat(&app, sender, ChatCommand::MarkRead { reader: sender.user, up_to_seq: signed.body.seq }).await
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
    InPath(OfMessage { m: message }): InPath<OfMessage>,
    signed: Signed<InboundRecall>,
) -> Result<Response, ApiError> {
    let sender = signed.known(&app, &signed.body.customer)?;
    let window = messaging::limits(&app, sender.tenant).recall_window;
    signed.to_chat(&app, sender, ChatCommand::Recall { by: sender.user, message, window }).await
}

/// Rates the service of the agent who served the customer last.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/channels/{channel}/rating",
    tag = "signed channel",
    security(()),
    params(("t" = String, Path, description = "The tenant."), ("channel" = String, Path, description = "The channel.")),
    request_body = InboundRating,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn rate(State(app): State<App>, mut signed: Signed<InboundRating>) -> Result<Response, ApiError> {
    let sender = signed.known(&app, &signed.body.customer)?;
    let InboundRating { conversation, score, solved, .. } = signed.body;
    let row = reached_by_customer(&app, sender, conversation, Action::RateConversation).await?;
    let (tags, comment) = (std::mem::take(&mut signed.body.tags), std::mem::take(&mut signed.body.comment));
    let choices = choices(&app, sender.tenant, row.shop).await?;
    let command = ConversationCommand::Rate(Rating { by: sender.user, score, tags, choices, solved, comment });
    signed.to_conversation(&app, sender, conversation, ("rate", command)).await
}

/// Ends a conversation, as its customer does.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/channels/{channel}/end",
    tag = "signed channel",
    security(()),
    params(("t" = String, Path, description = "The tenant."), ("channel" = String, Path, description = "The channel.")),
    request_body = InboundEnd,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn end(State(app): State<App>, signed: Signed<InboundEnd>) -> Result<Response, ApiError> {
    let sender = signed.known(&app, &signed.body.customer)?;
    let conversation = signed.body.conversation;
    let row = reached_by_customer(&app, sender, conversation, Action::CloseConversation).await?;
    let seen_seq = app.ports.views.chat(sender.tenant, row.chat).map_or(0, |chat| chat.last_seq);
    let command = ConversationCommand::Close { by: Closer::Customer(sender.user), seen_seq, label: None };
    signed.to_conversation(&app, sender, conversation, ("close", command)).await
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
pub async fn ready(State(app): State<App>, signed: Signed<NoBody>) -> Result<axum::Json<Noted>, ApiError> {
    app.hub.followed.ready(signed.tenant, signed.channel.channel);
    Ok(axum::Json(Noted { ok: true }))
}
