//! The channels of a tenant: `/v1/tenants/{t}/channels`. What goes through them is `crate::channels::signed`.

use application::access::{Action, Resource};
use application::queries::ChannelRow;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::{ChannelId, ShopId, TenantId};
use domain::tenant::command::TenantCommand;
use domain::tenant::event::{ChannelSettings, SharedSecret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::tenant::{known, stream};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoBody, NoParams, Order, Params, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, changed, done};
use crate::outgoing::AddressError;
use crate::secrets::Purpose;
use crate::state::{App, AppState};
use crate::webhook_signature::SigningKey;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one, connect, disconnect))
}

/// A channel, as the tenant wants it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectChannel {
    /// The shop that its customers talk with.
    #[schema(value_type = String)]
    shop: ShopId,
    /// Its name.
    title: String,
    /// Where its customers' items are delivered, `https://`.
    url: String,
    /// Whether it gets another secret; the one before is void at once.
    #[serde(default)]
    rotate: bool,
}

/// A connected channel.
#[derive(Serialize, ToSchema)]
pub struct ConnectedChannel {
    /// Its id.
    channel: String,
    /// Its secret, `whsec_` and base64: shown when it is new, never again.
    secret: Option<String>,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// A channel, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelBody {
    /// Its id.
    id: String,
    /// Its name.
    title: String,
    /// The shop that its customers talk with.
    shop: String,
    /// Where its customers' items are delivered.
    url: String,
    /// Whether anything goes in or out.
    connected: bool,
    /// Whether items are delivered; not when the address has said that it is gone.
    delivers: bool,
    /// When it was last connected, in milliseconds since 1970.
    connected_at: i64,
}

/// The channels of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Channels {
    /// Connected ones and disconnected ones, in the order in which they were first connected.
    data: Vec<ChannelBody>,
}

/// Lists the tenant's channels.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/channels",
    tag = "channels",
    params(("t" = String, Path, description = "The tenant.")),
    responses((status = 200, body = Channels), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    _: Params<NoParams>,
) -> Result<Json<Channels>, ApiError> {
    caller.may(Action::ManageChannels, Resource::of_tenant(tenant))?;
    let row = known(&app, tenant)?;
    let mut data = Vec::with_capacity(row.channels.len());
    for channel in &row.channels {
        data.push(body(&app, tenant, channel).await?);
    }
    Ok(Json(Channels { data }))
}

/// Reads one channel.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/channels/{channel}",
    tag = "channels",
    params(("t" = String, Path, description = "The tenant."), ("channel" = String, Path, description = "The channel.")),
    responses((status = 200, body = ChannelBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, channel)): InPath<(TenantId, ChannelId)>,
    _: Params<NoParams>,
) -> Result<Json<ChannelBody>, ApiError> {
    caller.may(Action::ManageChannels, Resource::of_tenant(tenant))?;
    let row = known(&app, tenant)?;
    let channel = row.channel(channel).ok_or(ApiError::NotFound { kind: "channel" })?;
    Ok(Json(body(&app, tenant, channel).await?))
}

async fn body(app: &AppState, tenant: TenantId, row: &ChannelRow) -> Result<ChannelBody, ApiError> {
    let ChannelSettings { title, url } = app.connections.of(app, tenant, row).await?.settings.clone();
    Ok(ChannelBody {
        id: row.channel.to_string(),
        title,
        shop: row.shop.to_string(),
        url,
        connected: !row.disconnected,
        delivers: row.delivers,
        connected_at: row.connected_at.0,
    })
}

/// Connects a channel, or connects it otherwise. Delivery goes on where it stopped.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/channels/{channel}",
    tag = "channels",
    params(("t" = String, Path, description = "The tenant."), ("channel" = String, Path, description = "1 to 32 characters of a-z and 0-9.")),
    request_body = ConnectChannel,
    responses((status = 200, body = ConnectedChannel), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn connect(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, channel)): InPath<(TenantId, ChannelId)>,
    order: Order<ConnectChannel>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageChannels, Resource::of_tenant(tenant))?;
    known(&app, tenant)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let ConnectChannel { shop, title, url, rotate } = order.body;
    app.outgoing.check(&url).map_err(refused)?;
    // Follows from the idempotency key, so that a repeated request answers the same one.
    let nonce = journey.new_id("channel secret", tenant);
    let secret = app.secrets.derive(Purpose::ChannelSecret, &[tenant.as_str().as_bytes(), channel.as_str().as_bytes(), nonce.as_bytes()]);
    let command = TenantCommand::ConnectChannel {
        channel,
        shop,
        settings: ChannelSettings { title, url },
        secret: SharedSecret { secret: STANDARD.encode(secret) },
        rotate,
    };
    let answer = journey.execute("connect channel", stream(tenant), command).await?;
    wait_for(&app, answer.position).await?;
    let key = SigningKey::new(secret.to_vec()).to_text();
    let row = known(&app, tenant)?;
    let connected = row.channel(channel).ok_or(ApiError::NotFound { kind: "channel" })?;
    // The one it has may be an older one, which was shown then.
    let is_new = app.connections.of(&app, tenant, connected).await?.key.to_text() == key;
    let body = ConnectedChannel { channel: channel.to_string(), secret: is_new.then_some(key), position: answer.position.to_string() };
    Ok(changed(StatusCode::OK, answer.position, body))
}

/// Why an address that a tenant wrote down is none.
pub(super) fn refused(error: AddressError) -> InputError {
    let reason = match error {
        AddressError::Invalid => "must be https://host/path, without user, password and fragment",
        AddressError::Plain => "must be https; http is for internal networks that the operator named",
        AddressError::Internal => "must not lead to an internal address",
    };
    InputError::Refused { field: "url", reason }
}

/// Disconnects a channel: nothing goes in or out from the answer on. Its customers and their chats stay.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/channels/{channel}",
    tag = "channels",
    params(("t" = String, Path, description = "The tenant."), ("channel" = String, Path, description = "The channel.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn disconnect(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, channel)): InPath<(TenantId, ChannelId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageChannels, Resource::of_tenant(tenant))?;
    if known(&app, tenant)?.channel(channel).is_none() {
        return Err(ApiError::NotFound { kind: "channel" });
    }
    let journey = Journey::of(&app, &caller, &order)?;
    let answer = journey.execute("disconnect channel", stream(tenant), TenantCommand::DisconnectChannel { channel }).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
