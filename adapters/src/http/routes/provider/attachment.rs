//! Attachments of the conversations that a provider has: it reads what their messages show, and uploads what it is going to say.
//!
//! What goes in here is bytes as they are, so a signature is over path and query in the place of the body. That is checked before
//! anything else is looked at; an upload's query says what its bytes are, so that they are checked, too.

use application::queries::{ConversationStatus, ProviderRow};
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use domain::chat::event::ChatEvent;
use domain::event::Event;
use domain::ids::{AttachmentId, ChatId, ConversationId, TenantId, UserId};
use domain::message::Visibility;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use application::error::Refusal;
use domain::conversation::error::ConversationError;

use super::inbound::{Address, connected};
use crate::attachments::Stored;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::http::proof::prove_address;
use crate::http::routes::attachment::serve::respond;
use crate::http::routes::attachment::signed::{SignedFile, SignedPlace};
use crate::http::routes::attachment::upload::AttachmentBody;
use crate::reading::Reader;
use crate::state::{App, AppState};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read)).routes(routes!(upload))
}

/// What a provider uploads.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    /// Which conversation.
    #[param(value_type = String)]
    conversation: ConversationId,
    /// The assignment under which it was given.
    assignment: u64,
    /// The name of the file, at most 255 bytes. Only the last part of a path is kept.
    #[serde(default)]
    name: String,
    /// The SHA-256 hash of the content, 64 hexadecimal digits.
    sha256: String,
}

/// The attachment in the path.
#[derive(Deserialize)]
pub struct Wanted {
    id: AttachmentId,
}

/// Whose request it is, and the id that it was given.
pub struct SignedAddress {
    tenant: TenantId,
    provider: ProviderRow,
    webhook_id: String,
}

impl FromRequestParts<App> for SignedAddress {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let InPath(Address { t: tenant, provider }) = InPath::from_request_parts(parts, app).await?;
        let (provider, connection) = connected(app, tenant, &provider).await?;
        let webhook_id = prove_address(app, parts, &connection.key)?;
        Ok(Self { tenant, provider, webhook_id })
    }
}

/// Reads an attachment that a message of a conversation shows which the provider has now, or one range of it.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/providers/{provider}/attachments/{id}",
    tag = "provider",
    security(()),
    params(
        ("t" = String, Path, description = "The tenant."),
        ("provider" = String, Path, description = "The provider."),
        ("id" = String, Path, description = "The attachment.")
    ),
    responses(
        (status = 200, description = "All of it.", content_type = "application/octet-stream"),
        (status = 206, description = "The range that was asked for.", content_type = "application/octet-stream"),
        (status = "default", body = Problem, content_type = "application/problem+json")
    )
)]
pub async fn read(
    State(app): State<App>,
    signed: SignedAddress,
    wanted: InPath<Wanted>,
    _: Params<NoParams>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (attachment, gone) = (wanted.0.id, || ApiError::NotFound { kind: "attachment" });
    let stored = Stored::find(&app, signed.tenant, attachment).await?.ok_or_else(gone)?;
    let chat = stored.header.about.chat;
    let (conversation, customer) = signed.has(&app, chat).ok_or_else(gone)?;
    if !shows(&app, signed.tenant, (chat, conversation, customer), attachment).await? {
        return Err(gone());
    }
    respond(app, stored, &method, &headers).await
}

/// Uploads a file into the chat of a conversation that the provider has now: the bytes as they are, of any content type. Its message
/// may refer to it from the answer on.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/providers/{provider}/attachments",
    tag = "provider",
    security(()),
    params(("t" = String, Path, description = "The tenant."), ("provider" = String, Path, description = "The provider."), Upload),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = AttachmentBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn upload(
    State(app): State<App>,
    signed: SignedAddress,
    Params(Upload { conversation, assignment, name, sha256 }): Params<Upload>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let SignedAddress { tenant, ref provider, .. } = signed;
    let uploader = provider.agent;
    let row = app.ports.views.conversation(tenant, conversation).filter(|row| !row.decisions.is_empty());
    let row = row.ok_or(ApiError::NotFound { kind: "conversation" })?;
    if signed.has(&app, row.chat).is_none_or(|(has, _)| has != conversation) || row.assignment != Some(assignment) {
        return Err(Refusal::from(ConversationError::NotYoursAnyMore { current: row.agent }).into());
    }
    let file = SignedFile::announced(&app, tenant, &name, &sha256, &headers)?;
    // Behind its one seat a provider has many people.
    let place = SignedPlace { tenant, chat: row.chat, uploader, alone: false, webhook_id: signed.webhook_id };
    file.receive(&app, place, body).await
}

impl SignedAddress {
    /// The conversation of a chat and its customer, as long as the provider has it.
    fn has(&self, app: &AppState, chat: ChatId) -> Option<(ConversationId, UserId)> {
        let row = app.ports.views.chat(self.tenant, chat)?;
        let conversation = app.ports.views.conversation(self.tenant, row.conversation?)?;
        let has_it = conversation.status == ConversationStatus::Serving && conversation.agent == Some(self.provider.agent);
        Some((conversation.conversation, row.customer()?)).filter(|_| has_it)
    }
}

/// Whether a message of a conversation shows an attachment to its customer.
async fn shows(
    app: &AppState,
    tenant: TenantId,
    (chat, conversation, customer): (ChatId, ConversationId, UserId),
    attachment: AttachmentId,
) -> Result<bool, ApiError> {
    let views = &app.ports.views;
    let Some(uses) = views.attachment_uses(tenant, attachment) else { return Ok(false) };
    let mut reader = Reader::new(app);
    for place in uses.places.iter().rev().filter(|place| place.visibility == Visibility::All) {
        if views.is_recalled(tenant, chat, place.seq) || views.is_hidden(tenant, chat, place.seq, customer) {
            continue;
        }
        let message = views.messages(tenant, chat, place.seq, 1).first().copied();
        if let Some((_, at)) = message.filter(|(seq, _)| *seq == place.seq)
            && let Event::Chat(ChatEvent::MessagePosted(posted)) = reader.open(at).await?.event
            && posted.conversation == Some(conversation)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
