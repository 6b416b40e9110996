//! `GET /v1/tenants` and `GET /v1/tenants/{t}`.

use application::access::{Action, Resource};
use application::queries::{EventRef, TenantRow};
use axum::Json;
use axum::extract::State;
use domain::event::Event;
use domain::ids::TenantId;
use domain::tenant::event::{Scope, TenantEvent};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::devices::DevicePolicyBody;
use super::known;
use super::settings::LimitsBody;
use crate::http::auth::Caller;
use crate::http::cursor;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::http::respond::Page;
use crate::reading::Reader;
use crate::state::App;

/// Something with a name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Named {
    /// Its id.
    id: String,
    /// Its name.
    title: String,
}

/// An API key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyBody {
    /// Its public part.
    id: String,
    /// What it is for.
    title: String,
    /// What it may do.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// Whether it is void.
    revoked: bool,
}

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct TenantBody {
    /// Its id.
    id: String,
    /// Its name.
    title: String,
    /// IANA name of the zone its days are counted in.
    time_zone: String,
    /// Its stores.
    shops: Vec<Named>,
    /// Its groups.
    groups: Vec<Named>,
    /// Its API keys.
    api_keys: Vec<ApiKeyBody>,
    /// Whether customers can sign in with identity tokens.
    has_identity_secret: bool,
    /// Its limits.
    limits: LimitsBody,
    /// What holds for the devices of each role where it was changed.
    device_policies: Vec<DevicePolicyBody>,
}

/// A page of tenants.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListTenants {
    /// Rows, 1 to 200.
    limit: Option<usize>,
    /// The cursor of the page before.
    after: Option<String>,
}

/// Lists the tenants by id.
#[utoipa::path(
    get,
    path = "/v1/tenants",
    tag = "tenants",
    params(ListTenants),
    responses((status = 200, body = Page<Named>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(State(app): State<App>, caller: Caller, Params(params): Params<ListTenants>) -> Result<Json<Page<Named>>, ApiError> {
    caller.may(Action::ListTenants, Resource::platform())?;
    let limit = cursor::page_size(params.limit)?;
    // The place is the id, padded to the longest slug with zero bytes.
    let after: Option<[u8; 32]> = params.after.map(|after| cursor::read(&app.secrets, "tenants", None, &after)).transpose()?;
    let mut ids = app.ports.views.tenants();
    ids.sort_unstable();
    let padded = |id: &TenantId| {
        let mut place = [0; 32];
        place[..id.as_str().len()].copy_from_slice(id.as_str().as_bytes());
        place
    };
    ids.retain(|id| after.is_none_or(|after| padded(id) > after));
    ids.truncate(limit + 1);
    let (ids, next) = Page::<Named>::cut(ids, limit, |last| cursor::write(&app.secrets, "tenants", None, &padded(last)));
    let mut reader = Reader::new(&app);
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(row) = app.ports.views.tenant(id) {
            rows.push(Named { id: id.to_string(), title: title(&mut reader, row.title).await? });
        }
    }
    Ok(Json(Page::new(rows, next)))
}

/// Reads one tenant.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}",
    tag = "tenants",
    params(("t" = String, Path, description = "The tenant.")),
    responses((status = 200, body = TenantBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    _: Params<NoParams>,
) -> Result<Json<TenantBody>, ApiError> {
    caller.may(Action::ReadTenant, Resource::of_tenant(tenant))?;
    let row = known(&app, tenant)?;
    // Who may not manage keys need not know which there are.
    let sees_keys = caller.may(Action::ManageApiKeys, Resource::of_tenant(tenant)).is_ok();
    Ok(Json(body(&mut Reader::new(&app), &row, sees_keys).await?))
}

async fn body(reader: &mut Reader<'_>, row: &TenantRow, sees_keys: bool) -> Result<TenantBody, ApiError> {
    let mut shops = Vec::with_capacity(row.shops.len());
    for (id, at) in &row.shops {
        shops.push(Named { id: id.to_string(), title: title(reader, *at).await? });
    }
    let mut groups = Vec::with_capacity(row.groups.len());
    for (id, at) in &row.groups {
        groups.push(Named { id: id.to_string(), title: title(reader, *at).await? });
    }
    let mut api_keys = Vec::new();
    for key in row.api_keys.iter().filter(|_| sees_keys) {
        let title = title(reader, key.title).await?;
        api_keys.push(ApiKeyBody { id: key.key.to_string(), title, scopes: key.scopes.clone(), revoked: key.revoked });
    }
    Ok(TenantBody {
        id: row.tenant.to_string(),
        title: title(reader, row.title).await?,
        time_zone: row.time_zone.clone(),
        shops,
        groups,
        api_keys,
        has_identity_secret: row.identity_secret.is_some(),
        limits: row.limits.into(),
        device_policies: row.device_policies.iter().map(DevicePolicyBody::from).collect(),
    })
}

async fn title(reader: &mut Reader<'_>, at: EventRef) -> Result<String, ApiError> {
    let private = match reader.open(at).await?.event {
        Event::Tenant(TenantEvent::TenantCreated(event)) => event.private,
        Event::Tenant(TenantEvent::ShopOpened(event)) => event.private,
        Event::Tenant(TenantEvent::GroupFormed(event)) => event.private,
        Event::Tenant(TenantEvent::ApiKeyIssued(event)) => event.private,
        Event::Tenant(
            TenantEvent::ApiKeyRevoked(_)
            | TenantEvent::IdentitySecretSet(_)
            | TenantEvent::LimitsChanged(_)
            | TenantEvent::DevicePolicyChanged(_)
            | TenantEvent::ConsumerResumed(_)
            | TenantEvent::CannedReplySaved(_)
            | TenantEvent::CannedReplyRemoved(_)
            | TenantEvent::ChannelConnected(_)
            | TenantEvent::ChannelSecretSet(_)
            | TenantEvent::ChannelDeliveryStopped(_)
            | TenantEvent::ChannelDisconnected(_)
            | TenantEvent::RobotConnected(_)
            | TenantEvent::RobotSecretSet(_)
            | TenantEvent::RobotDisconnected(_)
            | TenantEvent::ProviderConnected(_)
            | TenantEvent::ProviderSecretSet(_)
            | TenantEvent::ProviderDisconnected(_)
            | TenantEvent::FlowPublished(_)
            | TenantEvent::FlowWithdrawn(_)
            | TenantEvent::AddressesBlocked(_)
            | TenantEvent::AddressesUnblocked(_),
        )
        | Event::Chat(_)
        | Event::Conversation(_)
        | Event::User(_)
        | Event::Desk(_)
        | Event::Campaign(_)
        | Event::Retrieval(_) => return Ok(String::new()),
    };
    Ok(private.known().map(|title| title.title.clone()).unwrap_or_default())
}
