//! `POST /v1/tenants/{t}/chats/{c}/attachments`.

use application::access::Action;
use application::attachment::About;
use application::error::{CommandError, Refusal};
use application::ports::blob_store::BlobName;
use application::ports::key_store::{SubjectId, SubjectKey};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::chat::error::ChatError;
use domain::ids::{AttachmentId, ChatId, TenantId, UserId};
use domain::tenant::event::Limits;
use domain::user::event::Role;
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::url;
use crate::attachments::receive::{Incoming, Pieces, SILENCE_MAX, too_large};
use crate::attachments::{Stored, kinds, names};
use crate::http::auth::{Caller, SignedIn};
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Params};
use crate::http::idempotency;
use crate::messaging;
use crate::reading::{look_up, time_of_decisions};
use crate::secrets::Purpose;
use crate::state::{App, AppState};

/// How the file is called.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The name of the file, at most 255 bytes. Only the last part of a path is kept.
    #[serde(default)]
    name: String,
}

/// An attachment that was stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachmentBody {
    /// Its id.
    id: String,
    /// Where it is read; a message has it as its `url`.
    url: String,
    /// `picture`, `video`, `audio` or `file`, as its content tells; a message has it as its `kind`.
    kind: &'static str,
    /// Its type, as its content tells.
    media_type: String,
    /// Its size.
    bytes: u64,
    /// Until when a message may be the first to use it, in milliseconds since 1970; null: for ever. It is removed then.
    use_by: Option<i64>,
}

/// Uploads a file into a chat: the bytes as they are, of any content type. A message may refer to it from the answer on.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/chats/{c}/attachments",
    tag = "attachments",
    params(("t" = String, Path, description = "The tenant."), ("c" = String, Path, description = "The chat."), Named),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = AttachmentBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn upload(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, chat)): InPath<(TenantId, ChatId)>,
    Params(Named { name }): Params<Named>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let SignedIn { user: uploader, row, .. } = caller.require_user(tenant, Action::TakePartInChat)?;
    let uploader = *uploader;
    app.blocks.check(&app, tenant, uploader, (row.role == Role::Customer).then_some(caller.address)).await?;
    require_member(&app, tenant, chat, uploader).await?;
    let too_long = InputError::Refused { field: "name", reason: "must be at most 255 bytes" };
    let name = names::cleaned(&name).ok_or(too_long)?;
    check_announced(&headers, messaging::limits(&app, tenant))?;
    Request { app: &app, tenant, chat, uploader, name: &name, alone: true, key: idempotency::key_of(&headers)? }
        .receive(body.into_data_stream())
        .await
}

fn answer(tenant: TenantId, attachment: AttachmentId, about: &About, bytes: u64) -> Response {
    let kind = kinds::word(kinds::kind_of(&about.media_type));
    let use_by = about.use_by.map(|use_by| use_by.0);
    let (id, url, media_type) = (attachment.to_string(), url(tenant, attachment), about.media_type.clone());
    (StatusCode::CREATED, Json(AttachmentBody { id, url, kind, media_type, bytes, use_by })).into_response()
}

/// Whoever joined a moment ago is let in: before a refusal the read models catch up.
async fn require_member(app: &AppState, tenant: TenantId, chat: ChatId, user: UserId) -> Result<(), ApiError> {
    let row = || app.ports.views.chat(tenant, chat);
    let is_member = look_up(app, || row().filter(|row| row.members.iter().any(|member| member.user == user))).await?.is_some();
    if is_member {
        return Ok(());
    }
    row().ok_or(ApiError::NotFound { kind: "chat" })?;
    Err(Refusal::from(ChatError::NotAMember { user }).into())
}

/// A body that says itself that it is too large is not read.
///
/// # Errors
/// [`InputError::TooLarge`].
pub fn check_announced(headers: &HeaderMap, limits: Limits) -> Result<(), InputError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limits.attachment_bytes_max) {
        return Err(too_large(limits.attachment_bytes_max));
    }
    Ok(())
}

/// All of an upload but its content, of somebody who may.
pub struct Request<'a> {
    /// What the edge stands on.
    pub app: &'a AppState,
    /// The tenant.
    pub tenant: TenantId,
    /// The chat.
    pub chat: ChatId,
    /// Who.
    pub uploader: UserId,
    /// The name of the file.
    pub name: &'a str,
    /// Whether they are one person, who sends a few files at a time.
    pub alone: bool,
    /// The idempotency key.
    pub key: Option<String>,
}

impl Request<'_> {
    /// Receives the content and stores it, or finds it stored.
    ///
    /// # Errors
    /// [`ApiError::UploadsBusy`]; [`InputError`] of the content; what a repeated request is refused for; whatever storing reports.
    pub async fn receive<S, E>(self, body: S) -> Result<Response, ApiError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
        E: Send,
    {
        let Self { app, tenant, chat, uploader, name, .. } = self;
        let attachment = self.attachment()?;
        let _slot = app.uploads.enter(tenant, self.alone.then_some(uploader), attachment).ok_or(ApiError::UploadsBusy)?;
        let key = app.ports.keys.ensure(tenant, SubjectId::from(uploader)).await?;
        let limits = messaging::limits(app, tenant);
        let mut pieces = Pieces::new(body, limits.attachment_bytes_max, SILENCE_MAX);
        let at = time_of_decisions(app).await?;
        if let Some(stored) = self.carried_out(attachment).await? {
            self.check_repeated(&stored, &key, pieces.hash().await?).await?;
            let is_late = stored.header.about.use_by.is_some_and(|use_by| at > use_by);
            if is_late && look_up(app, || app.ports.views.attachment_uses(tenant, attachment)).await?.is_none() {
                return Err(Refusal::from(ChatError::AttachmentGone).into());
            }
            return Ok(answer(tenant, attachment, &stored.header.about, stored.header.bytes));
        }
        let use_by = app.config.attachments.unused().map(|span| at + span);
        let about = About { uploader, chat, at, use_by, media_type: String::new() };
        let blob = BlobName { tenant, attachment };
        let about = Incoming { app, name: blob, about, file_name: name, key, limits }.receive(&mut pieces).await?;
        tracing::info!(tenant.id = %tenant, attachment.id = %attachment, bytes = pieces.bytes(), "attachment stored");
        Ok(answer(tenant, attachment, &about, pieces.bytes()))
    }

    /// The attachment's id: new, or the one that belongs to the idempotency key. Nobody can work it out without the
    /// installation's secret, because knowing it is half of reading the attachment.
    fn attachment(&self) -> Result<AttachmentId, ApiError> {
        let Some(key) = &self.key else {
            return Ok(AttachmentId::from_uuid(self.app.new_id()));
        };
        let named = self.app.secrets.request_digest(&[b"attachment", self.chat.as_bytes(), self.name.as_bytes()]);
        self.app.seen_keys.note(self.uploader.uuid(), key, named)?;
        let digest = self.app.secrets.digest(self.tenant, Purpose::Attachment, &[self.uploader.as_bytes(), key.as_bytes()]);
        Ok(AttachmentId::from_uuid(Uuid::from_bytes(*digest.as_bytes())))
    }

    /// What was stored under the idempotency key before.
    async fn carried_out(&self, attachment: AttachmentId) -> Result<Option<Stored>, ApiError> {
        if self.key.is_none() {
            return Ok(None);
        }
        Stored::find(self.app, self.tenant, attachment).await
    }

    /// Whether this is what was stored: chat, name and content.
    async fn check_repeated(&self, stored: &Stored, key: &SubjectKey, hash: [u8; 32]) -> Result<(), ApiError> {
        let same_chat = stored.header.about.chat == self.chat;
        if same_chat && stored.header.name(key)? == self.name && stored.hash(self.app, key).await? == hash {
            return Ok(());
        }
        Err(CommandError::IdempotencyMismatch.into())
    }
}
