//! The providers that answer for a tenant at desks of their own: `/v1/tenants/{t}/providers`. How they are called is `crate::providers`.

pub mod attachment;
pub mod inbound;

use application::access::{Action, Resource};
use application::queries::ProviderRow;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::{GroupId, TenantId};
use domain::labels::Label;
use domain::tenant::command::{ProviderConnection, TenantCommand};
use domain::tenant::event::{ProviderSettings, SharedSecret};
use domain::tenant::providers::{PROVIDER_ACCEPT_DEFAULT, PROVIDER_TIME_OUT_DEFAULT};
use domain::time::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::channel::refused;
use super::tenant::{known, stream};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, NoParams, Order, Params, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, changed, done};
use crate::ids::provider_agent;
use crate::secrets::Purpose;
use crate::state::{App, AppState};
use crate::webhook_signature::SigningKey;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(connect, disconnect)).merge(inbound::routes()).merge(attachment::routes())
}

/// A provider, as the tenant wants it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectProvider {
    /// What customers know it as.
    title: String,
    /// Where it is called, `https://`.
    url: String,
    /// The groups it serves.
    #[schema(value_type = Vec<String>)]
    groups: Vec<GroupId>,
    /// Most conversations at a time.
    capacity: u32,
    /// How long the answer to a call may take, in milliseconds: at most 30,000, and 5,000 unless told.
    timeout_ms: Option<i64>,
    /// How long it may take to accept a conversation, in milliseconds: at most an hour, and two minutes unless told.
    accept_within_ms: Option<i64>,
    /// Whether it gets another secret; the one before is void at once.
    #[serde(default)]
    rotate: bool,
}

/// A connected provider.
#[derive(Serialize, ToSchema)]
pub struct ConnectedProvider {
    /// Its name.
    provider: String,
    /// Who it is at the desk and in chats.
    agent: String,
    /// Its secret, `whsec_` and base64; shown when it is new, never again.
    secret: Option<String>,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// A provider, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderBody {
    /// Its name.
    provider: String,
    /// Who it is at the desk and in chats.
    agent: String,
    /// What customers know it as.
    title: String,
    /// Where it is called.
    url: String,
    /// The groups it serves.
    groups: Vec<String>,
    /// Most conversations at a time.
    capacity: u32,
    /// How long the answer to a call may take, in milliseconds.
    timeout_ms: i64,
    /// How long it may take to accept a conversation, in milliseconds.
    accept_within_ms: i64,
    /// When it was last connected, in milliseconds since 1970.
    connected_at: i64,
}

/// The providers of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Providers {
    /// In the order in which they were first connected.
    data: Vec<ProviderBody>,
}

/// Lists the providers that answer for the tenant.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/providers",
    tag = "providers",
    params(("t" = String, Path, description = "The tenant.")),
    responses((status = 200, body = Providers), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    _: Params<NoParams>,
) -> Result<Json<Providers>, ApiError> {
    caller.may(Action::ManageProviders, Resource::of_tenant(tenant))?;
    let row = known(&app, tenant)?;
    let mut data = Vec::with_capacity(row.providers.len());
    for provider in &row.providers {
        data.push(body(&app, tenant, provider).await?);
    }
    Ok(Json(Providers { data }))
}

async fn body(app: &AppState, tenant: TenantId, row: &ProviderRow) -> Result<ProviderBody, ApiError> {
    let ProviderSettings { title, url } = app.ports.providers.of(tenant, row).await?.settings.clone();
    Ok(ProviderBody {
        provider: row.provider.to_string(),
        agent: row.agent.to_string(),
        title,
        url,
        groups: row.groups.iter().map(ToString::to_string).collect(),
        capacity: row.capacity,
        timeout_ms: row.time_out.0,
        accept_within_ms: row.accept_within.0,
        connected_at: row.connected_at.0,
    })
}

/// Connects a provider, or connects it otherwise: from the answer on it is a seat of its groups.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/providers/{provider}",
    tag = "providers",
    params(("t" = String, Path, description = "The tenant."), ("provider" = String, Path, description = "1 to 32 characters of a-z, 0-9 and _.")),
    request_body = ConnectProvider,
    responses((status = 200, body = ConnectedProvider), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn connect(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, provider)): InPath<(TenantId, Label)>,
    order: Order<ConnectProvider>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageProviders, Resource::of_tenant(tenant))?;
    known(&app, tenant)?;
    let journey = Journey::of(&app, &caller, &order)?;
    app.outgoing.check(&order.body.url).map_err(refused)?;
    // Follows from the idempotency key, so that a repeated request answers the same one.
    let nonce = journey.new_id("provider secret", tenant);
    let parts = [tenant.as_str().as_bytes(), provider.as_str().as_bytes(), nonce.as_bytes()];
    let secret = app.secrets.derive(Purpose::ProviderSecret, &parts);
    let agent = provider_agent(tenant, &provider);
    let ConnectProvider { title, url, groups, capacity, timeout_ms, accept_within_ms, rotate } = order.body;
    let connection = ProviderConnection {
        agent,
        groups,
        capacity,
        time_out: timeout_ms.map_or(PROVIDER_TIME_OUT_DEFAULT, Millis),
        accept_within: accept_within_ms.map_or(PROVIDER_ACCEPT_DEFAULT, Millis),
        settings: ProviderSettings { title, url },
        secret: SharedSecret { secret: STANDARD.encode(secret) },
        rotate,
    };
    let command = TenantCommand::ConnectProvider { provider: provider.clone(), connection: connection.into() };
    let answer = journey.execute("connect provider", stream(tenant), command).await?;
    wait_for(&app, answer.position).await?;
    let key = SigningKey::new(secret.to_vec()).to_text();
    let row = known(&app, tenant)?;
    let connected = row.provider(&provider).ok_or(ApiError::NotFound { kind: "provider" })?;
    // The one it has may be an older one, which was shown then.
    let is_new = app.ports.providers.of(tenant, connected).await?.key.to_text() == key;
    let body = ConnectedProvider {
        provider: provider.to_string(),
        agent: agent.to_string(),
        secret: is_new.then_some(key),
        position: answer.position.to_string(),
    };
    Ok(changed(StatusCode::OK, answer.position, body))
}

/// Disconnects a provider: what it has goes back to the desk, and nothing that it says is heard from the answer on.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/providers/{provider}",
    tag = "providers",
    params(("t" = String, Path, description = "The tenant."), ("provider" = String, Path, description = "The provider.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn disconnect(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, provider)): InPath<(TenantId, Label)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageProviders, Resource::of_tenant(tenant))?;
    let journey = Journey::of(&app, &caller, &order)?;
    let is_known = known(&app, tenant)?.provider(&provider).is_some();
    // A repeated request finds it gone, and is answered like the first time.
    if !is_known && order.key.is_none() {
        return Err(ApiError::NotFound { kind: "provider" });
    }
    let answer = journey.execute("disconnect provider", stream(tenant), TenantCommand::DisconnectProvider { provider }).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
