//! `POST /v1/tenants/{t}/shops` and `POST /v1/tenants/{t}/groups`.

use application::access::{Action, Resource};
use axum::extract::State;
use axum::response::Response;
use domain::ids::{GroupId, ShopId, TenantId};
use domain::tenant::command::TenantCommand;
use domain::tenant::event::Title;
use serde::Deserialize;
use utoipa::ToSchema;

use super::stream;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Created, created};
use crate::state::App;

/// A new store.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenShop {
    /// 1 to 32 characters of a-z and 0-9.
    #[schema(value_type = String)]
    id: ShopId,
    /// Its name.
    title: String,
}

/// A new group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FormGroup {
    /// 1 to 32 characters of a-z and 0-9.
    #[schema(value_type = String)]
    id: GroupId,
    /// Its name.
    title: String,
}

/// Opens a store.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/shops",
    tag = "tenants",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = OpenShop,
    responses((status = 201, body = Created), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn open_shop(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<OpenShop>,
) -> Result<Response, ApiError> {
    caller.may(Action::OpenShop, Resource::of_tenant(tenant))?;
    let journey = Journey::of(&app, &caller, &order)?;
    let OpenShop { id, title } = order.body;
    let answer = journey.execute("open shop", stream(tenant), TenantCommand::OpenShop { shop: id, title: Title { title } }).await?;
    // Whoever names it next finds it.
    wait_for(&app, answer.position).await?;
    Ok(created(id, answer.position))
}

/// Forms a reception group.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/groups",
    tag = "tenants",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = FormGroup,
    responses((status = 201, body = Created), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn form_group(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<FormGroup>,
) -> Result<Response, ApiError> {
    caller.may(Action::FormGroup, Resource::of_tenant(tenant))?;
    let journey = Journey::of(&app, &caller, &order)?;
    let FormGroup { id, title } = order.body;
    let answer = journey.execute("form group", stream(tenant), TenantCommand::FormGroup { group: id, title: Title { title } }).await?;
    // Whoever names it next finds it.
    wait_for(&app, answer.position).await?;
    Ok(created(id, answer.position))
}
