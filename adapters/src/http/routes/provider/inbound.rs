//! What a provider says by itself: how a session stands, messages, that the customer should rate, and that it is over.
//!
//! Nobody is signed in; every request carries the provider's signature. It is heard for as long as the desk lets it have the
//! conversation under the assignment that it names; later it is told that it is not its own any more.

use std::sync::Arc;

use application::policies::provider::Session;
use application::queries::{ConversationRow, ProviderRow};
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, State};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use domain::chat::command::ChatCommand;
use domain::conversation::command::{Closer, ConversationCommand};
use domain::conversation::error::ConversationError;
use domain::conversation::event::{ProviderAnswer, ProviderWords};
use domain::ids::{ConversationId, TenantId};
use domain::labels::Label;
use domain::message::{Origin, Party, Visibility};
use domain::remark::Remark;
use domain::user::event::Role;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use application::command::AnyCommand;
use application::error::Refusal;
use application::log::stream::StreamId;

use crate::http::auth::correlation;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, parse_body};
use crate::http::journey::Journey;
use crate::http::message_body::message_body;
use crate::http::proof::{Proven, prove, said_at};
use crate::http::respond::{Done, changed, done};
use crate::http::routes::conversation::stream;
use crate::http::routes::tenant;
use crate::ids;
use crate::messaging::{self, Posted, Sender};
use crate::providers::calls::{Says, Status};
use crate::providers::connections::Connection;
use crate::secrets::Purpose;
use crate::state::{App, AppState};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(session_created))
        .routes(routes!(message))
        .routes(routes!(rating_request))
        .routes(routes!(session_ended))
}

/// How a session stands at the provider's desk.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionCreated {
    /// Which conversation.
    #[schema(value_type = String)]
    conversation: ConversationId,
    /// The assignment under which it was given.
    assignment: u64,
    /// `accepted`, `queueing` or `refused`.
    #[schema(value_type = String)]
    status: Status,
    /// With `queueing`: its place, from 1.
    position: Option<u32>,
    /// With `refused`: why. As much of it as fits 2,000 bytes is shown to staff.
    reason: Option<String>,
}

message_body! {
    /// What the provider's agent said.
    pub struct ProviderMessage {
        /// Which conversation.
        #[schema(value_type = String)]
        conversation: ConversationId,
        /// The assignment under which it was given.
        assignment: u64,
        /// When they said it, in milliseconds since 1970: the same at each attempt.
        sent_at: i64,
    }
}

/// A message that is durable.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderAck {
    /// Its id everywhere.
    message: String,
    /// Its place in the chat.
    seq: u64,
    /// When it was posted, in milliseconds since 1970.
    at: i64,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// Which session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfSession {
    /// Which conversation.
    #[schema(value_type = String)]
    conversation: ConversationId,
    /// The assignment under which it was given.
    assignment: u64,
}

/// A request that is the provider's, with its id and what it says.
pub struct Signed<T> {
    tenant: TenantId,
    provider: ProviderRow,
    connection: Arc<Connection>,
    webhook_id: String,
    correlation: Uuid,
    /// Keyed digest of path and body.
    digest: u64,
    body: T,
}

/// The provider in the path.
#[derive(Deserialize)]
pub(super) struct Address {
    pub t: TenantId,
    pub provider: Label,
}

/// A connected provider, and its key.
pub(super) async fn connected(app: &AppState, tenant: TenantId, provider: &Label) -> Result<(ProviderRow, Arc<Connection>), ApiError> {
    let row = tenant::known(app, tenant)?.provider(provider).cloned().ok_or(ApiError::NotFound { kind: "provider" })?;
    let connection = app.ports.providers.of(tenant, &row).await?;
    Ok((row, connection))
}

/// Checks the signature before anything else is looked at, and reads the body.
impl<T: DeserializeOwned> FromRequest<App> for Signed<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request<Body>, app: &App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let InPath(Address { t: tenant, provider }) = InPath::from_request_parts(&mut parts, app).await?;
        let (provider, connection) = connected(app, tenant, &provider).await?;
        let Proven { webhook_id, digest, bytes } = prove(app, &parts, body, &connection.key).await?;
        let body = parse_body(&parts.headers, &bytes)?;
        Ok(Self { tenant, provider, connection, webhook_id, correlation: correlation(&parts), digest, body })
    }
}

impl<T> Signed<T> {
    fn sender(&self) -> Sender {
        Sender { tenant: self.tenant, user: self.provider.agent, role: Role::Agent, address: None }
    }

    const fn session(&self, conversation: ConversationId, assignment: u64) -> Session {
        Session { conversation, agent: self.provider.agent, assignment }
    }

    fn note(&self, assignment: u64, answer: ProviderAnswer, reason: Option<Remark>) -> ConversationCommand {
        let words = ProviderWords { name: self.connection.name(), reason };
        ConversationCommand::NoteProvider { agent: self.provider.agent, assignment, answer, words }
    }

    /// The conversation, if the provider ever had it.
    fn conversation(&self, app: &AppState, conversation: ConversationId) -> Result<ConversationRow, ApiError> {
        // What it was told, the read models have known since.
        let row = app.ports.views.conversation(self.tenant, conversation);
        let served = row.filter(|row| row.agent.is_some() && !row.decisions.is_empty());
        served.ok_or(ApiError::NotFound { kind: "conversation" })
    }

    /// Its conversation, as long as nobody else has it; one that has ended counts for the one who had it last.
    fn own(&self, app: &AppState, session: Session) -> Result<ConversationRow, ApiError> {
        let row = self.conversation(app, session.conversation)?;
        let is_over = row.closed_at.is_some() && row.assignment.is_none();
        let is_own = row.agent == Some(session.agent) && (is_over || row.assignment == Some(session.assignment));
        if is_own { Ok(row) } else { Err(Refusal::from(ConversationError::NotYoursAnyMore { current: row.agent }).into()) }
    }

    async fn execute(&self, app: &AppState, to: StreamId, step: &str, command: impl Into<AnyCommand>) -> Result<Response, ApiError> {
        let journey = Journey::of_channel(app, self.provider.agent, self.webhook_id.clone(), self.digest, self.correlation)?;
        Ok(done(journey.execute(step, to, command).await?.position))
    }
}

/// Says how a session stands: again whenever that changes.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/providers/{provider}/session-created",
    tag = "provider",
    security(()),
    params(("t" = String, Path, description = "The tenant."), ("provider" = String, Path, description = "The provider.")),
    request_body = SessionCreated,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn session_created(State(app): State<App>, signed: Signed<SessionCreated>) -> Result<Response, ApiError> {
    let SessionCreated { conversation, assignment, status, position, ref reason } = signed.body;
    let wrong = InputError::Refused { field: "position", reason: "goes with queueing, from 1, and with nothing else" };
    signed.conversation(&app, conversation)?;
    let Says { answer, reason } = status.says(position, reason.as_deref()).ok_or(wrong)?;
    signed.execute(&app, stream(signed.tenant, conversation), "session created", signed.note(assignment, answer, reason)).await
}

/// Posts a message in the shop's name. Whoever answers has accepted. A repeated one is answered like the first time.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/providers/{provider}/messages",
    tag = "provider",
    security(()),
    params(("t" = String, Path, description = "The tenant."), ("provider" = String, Path, description = "The provider.")),
    request_body = ProviderMessage,
    responses((status = 200, body = ProviderAck), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn message(State(app): State<App>, signed: Signed<ProviderMessage>) -> Result<Response, ApiError> {
    let (conversation, assignment, sent_at) = (signed.body.conversation, signed.body.assignment, said_at(&app, signed.body.sent_at)?);
    let row = signed.conversation(&app, conversation)?;
    if row.assignment == Some(assignment) {
        let note = signed.note(assignment, ProviderAnswer::Accepted, None);
        signed.execute(&app, stream(signed.tenant, conversation), "accept", note).await?;
    }
    let (sender, name) = (signed.sender(), signed.connection.name());
    let parts = [sender.user.as_bytes().as_slice(), signed.webhook_id.as_bytes()];
    let id = ids::client_message_of(sent_at, app.secrets.digest(signed.tenant, Purpose::ProviderMessage, &parts));
    let draft = signed.body.into_draft(id, row.chat, Visibility::All, Some(assignment))?;
    let mut request = messaging::post_looked_up(&app, sender, draft).await?;
    if let AnyCommand::Chat(ChatCommand::Post(post)) = &mut request.command {
        post.origin = Origin::Provider;
        post.content.sender_name = name;
    }
    let answer = messaging::execute(&app, request).await?;
    let Posted { message, position, .. } = Posted::of(row.chat, &answer)?;
    let body = ProviderAck { message: message.message.to_string(), seq: message.seq, at: message.at.0, position: position.to_string() };
    Ok(changed(StatusCode::OK, position, body))
}

/// Asks the customer to rate.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/providers/{provider}/rating-requests",
    tag = "provider",
    security(()),
    params(("t" = String, Path, description = "The tenant."), ("provider" = String, Path, description = "The provider.")),
    request_body = OfSession,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn rating_request(State(app): State<App>, signed: Signed<OfSession>) -> Result<Response, ApiError> {
    let OfSession { conversation, assignment } = signed.body;
    signed.own(&app, signed.session(conversation, assignment))?;
    let invite = ConversationCommand::InviteRating { by: Party::User(signed.provider.agent) };
    signed.execute(&app, stream(signed.tenant, conversation), "invite rating", invite).await
}

/// Ends a conversation, as its agent does.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/providers/{provider}/session-ended",
    tag = "provider",
    security(()),
    params(("t" = String, Path, description = "The tenant."), ("provider" = String, Path, description = "The provider.")),
    request_body = OfSession,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn session_ended(State(app): State<App>, signed: Signed<OfSession>) -> Result<Response, ApiError> {
    let OfSession { conversation, assignment } = signed.body;
    let row = signed.own(&app, signed.session(conversation, assignment))?;
    let seen_seq = app.ports.views.chat(signed.tenant, row.chat).map_or(0, |chat| chat.last_seq);
    let close = ConversationCommand::Close { by: Closer::Agent(signed.provider.agent), seen_seq, label: None };
    signed.execute(&app, stream(signed.tenant, conversation), "close", close).await
}
