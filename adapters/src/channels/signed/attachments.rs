//! Files of a channel's customers: the channel reads what their messages show, and uploads what they are going to say.
//!
//! What goes in here is bytes as they are, so a signature is over path and query in the place of the body; an upload's query says what
//! its bytes are, so that they are checked, too.

use application::queries::ChannelRow;
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use domain::ids::{AttachmentId, TenantId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::customers;
use super::inbound::{Address, chat_with, connected};
use crate::attachments::Stored;
use crate::attachments::sight::{Eyes, Sight, sight};
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Params};
use crate::http::proof::prove_address;
use crate::http::routes::attachment::serve::respond;
use crate::http::routes::attachment::signed::{SignedFile, SignedPlace};
use crate::http::routes::attachment::upload::AttachmentBody;
use crate::reading::look_up;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read)).routes(routes!(upload))
}

/// Whose file is read.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Whose {
    /// What the channel calls the customer.
    customer: String,
}

/// What a customer's file is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    /// What the channel calls the customer, whom the first file makes like a first message.
    customer: String,
    /// What the customer is called, taken at the first time.
    display_name: Option<String>,
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

/// Which channel asks, and the id that it gave to its request.
pub struct SignedAddress {
    tenant: TenantId,
    channel: ChannelRow,
    webhook_id: String,
}

impl FromRequestParts<App> for SignedAddress {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let InPath(Address { t: tenant, channel }) = InPath::from_request_parts(parts, app).await?;
        let (channel, connection) = connected(app, tenant, channel).await?;
        let webhook_id = prove_address(app, parts, &connection.key)?;
        if channel.disconnected {
            return Err(ApiError::ChannelDisconnected);
        }
        Ok(Self { tenant, channel, webhook_id })
    }
}

/// Reads an attachment that a message shows to a customer of the channel, or that was uploaded for them, or one range of it.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/channels/{channel}/attachments/{id}",
    tag = "signed channel",
    security(()),
    params(
        ("t" = String, Path, description = "The tenant."),
        ("channel" = String, Path, description = "The channel."),
        ("id" = String, Path, description = "The attachment."),
        Whose
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
    Params(Whose { customer }): Params<Whose>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (tenant, attachment, gone) = (signed.tenant, wanted.0.id, || ApiError::NotFound { kind: "attachment" });
    let user = customers::known(&app, tenant, signed.channel.channel, &customer)?.user;
    let stored = Stored::find(&app, tenant, attachment).await?.ok_or_else(gone)?;
    // What was just said may be asked for before the read models show it.
    let chat = stored.header.about.chat;
    let eyes = look_up(&app, || app.ports.views.chat(tenant, chat)?.member(user).map(Eyes::of_member)).await?.ok_or_else(gone)?;
    let uses = look_up(&app, || app.ports.views.attachment_uses(tenant, attachment)).await?;
    match uses.map(|uses| sight(&app, tenant, &uses, eyes)) {
        Some(Sight::Seen) => {}
        Some(Sight::TakenBack) => return Err(ApiError::TakenBack),
        None if stored.header.about.uploader == user => {}
        Some(Sight::Unseen) | None => return Err(gone()),
    }
    respond(app, stored, &method, &headers).await
}

/// Uploads a customer's file into their chat: the bytes as they are, of any content type. A message may refer to it from the answer on.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/channels/{channel}/attachments",
    tag = "signed channel",
    security(()),
    params(("t" = String, Path, description = "The tenant."), ("channel" = String, Path, description = "The channel."), Upload),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = AttachmentBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn upload(
    State(app): State<App>,
    signed: SignedAddress,
    Params(Upload { customer, display_name, name, sha256 }): Params<Upload>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let SignedAddress { tenant, channel, webhook_id } = signed;
    let file = SignedFile::announced(&app, tenant, &name, &sha256, &headers)?;
    let sender = customers::welcome(&app, tenant, &channel, &customer, display_name).await?;
    app.blocks.check(&app, tenant, sender.user, None).await?;
    let chat = chat_with(&app, sender, &channel).await?;
    file.receive(&app, SignedPlace { tenant, chat, uploader: sender.user, alone: true, webhook_id }, body).await
}
