//! `GET /v1/tenants/{t}/flows`, and `GET` of one flow with its document.

use application::access::{Action, Resource};
use application::queries::FlowRow;
use axum::Json;
use axum::extract::State;
use domain::flow::FlowKind;
use domain::ids::{ShopId, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::flows::published;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::http::routes::tenant::known;
use crate::reading::Reader;
use crate::state::{App, AppState};

/// Which version of a flow.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WhichVersion {
    /// Its number; left out, the one in force.
    version: Option<u32>,
}

/// A version of a flow.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowVersion {
    /// `reception` or `assignment`.
    flow: &'static str,
    /// The shop that it is for; null for every shop that has none of its own.
    shop: Option<String>,
    /// Its number, from 1; counted for each flow and shop.
    version: u32,
    /// When it was published, in milliseconds since 1970.
    published_at: i64,
    /// Whether it is in force.
    in_force: bool,
}

impl From<&FlowRow> for FlowVersion {
    fn from(row: &FlowRow) -> Self {
        Self {
            flow: row.kind.as_str(),
            shop: row.shop.map(|shop| shop.to_string()),
            version: row.version,
            published_at: row.published_at.0,
            in_force: row.in_force,
        }
    }
}

/// Every version of every flow.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowVersions {
    /// Oldest first.
    data: Vec<FlowVersion>,
}

/// A flow with its document.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowDocument {
    /// Which it is.
    #[serde(flatten)]
    version: FlowVersion,
    /// The document as its author wrote it.
    text: String,
}

/// Lists every version of every flow.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/flows",
    tag = "flows",
    params(("t" = String, Path, description = "The tenant.")),
    responses((status = 200, body = FlowVersions), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    _: Params<NoParams>,
) -> Result<Json<FlowVersions>, ApiError> {
    caller.may(Action::ManageFlows, Resource::of_tenant(tenant))?;
    Ok(Json(FlowVersions { data: known(&app, tenant)?.flows.iter().map(FlowVersion::from).collect() }))
}

/// Reads the tenant's flow.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/flows/{kind}",
    tag = "flows",
    params(
        ("t" = String, Path, description = "The tenant."),
        ("kind" = String, Path, description = "`reception` or `assignment`."),
        WhichVersion
    ),
    responses((status = 200, body = FlowDocument), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn of_tenant(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, kind)): InPath<(TenantId, FlowKind)>,
    Params(which): Params<WhichVersion>,
) -> Result<Json<FlowDocument>, ApiError> {
    read(&app, &caller, tenant, kind, None, which.version).await
}

/// Reads a shop's own flow.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/shops/{s}/flows/{kind}",
    tag = "flows",
    params(
        ("t" = String, Path, description = "The tenant."),
        ("s" = String, Path, description = "The shop."),
        ("kind" = String, Path, description = "`reception` or `assignment`."),
        WhichVersion
    ),
    responses((status = 200, body = FlowDocument), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn of_shop(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, shop, kind)): InPath<(TenantId, ShopId, FlowKind)>,
    Params(which): Params<WhichVersion>,
) -> Result<Json<FlowDocument>, ApiError> {
    read(&app, &caller, tenant, kind, Some(shop), which.version).await
}

async fn read(
    app: &AppState,
    caller: &Caller,
    tenant: TenantId,
    kind: FlowKind,
    shop: Option<ShopId>,
    version: Option<u32>,
) -> Result<Json<FlowDocument>, ApiError> {
    caller.may(Action::ManageFlows, Resource::of_tenant(tenant))?;
    let row = known(app, tenant)?;
    let asked = |row: &&FlowRow| (row.kind, row.shop) == (kind, shop) && version.map_or(row.in_force, |version| row.version == version);
    let row = row.flows.iter().find(asked).ok_or(ApiError::NotFound { kind: "flow" })?;
    let text = published::text(&mut Reader::new(app), row).await?.ok_or(ApiError::NotFound { kind: "flow" })?;
    Ok(Json(FlowDocument { version: row.into(), text }))
}
