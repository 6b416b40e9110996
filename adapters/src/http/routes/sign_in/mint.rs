//! `POST /v1/tenants/{t}/customers/mint`: on a customer's behalf, by whoever vouches for them.

use application::access::{Action, Resource};
use axum::extract::State;
use axum::response::Response;
use domain::devices::DeviceKind;
use domain::ids::TenantId;
use domain::user::event::ExternalAccount;
use serde::Deserialize;
use utoipa::ToSchema;

use super::customer::register;
use super::{SignedInBody, start_session};
use crate::http::accounts;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Order};
use crate::http::journey::Journey;
use crate::http::routes::tenant;
use crate::state::App;

/// The customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MintIdentity {
    /// Whose account id it is.
    provider: String,
    /// The account id there.
    account: String,
    /// Shown to others; taken at the first time only.
    display_name: String,
}

/// Signs a customer in on their behalf and registers them the first time.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/customers/mint",
    tag = "sign-in",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = MintIdentity,
    responses((status = 200, body = SignedInBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn mint(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<MintIdentity>,
) -> Result<Response, ApiError> {
    caller.may(Action::MintIdentities, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let MintIdentity { provider, account, display_name } = order.body;
    let account = ExternalAccount { provider, account };
    accounts::check_claimed(&account)?;
    let user = accounts::user_behind(&app, tenant, accounts::digest(&app.secrets, tenant, &account));
    register(&app, &journey, tenant, user, account, Some(display_name)).await?;
    start_session(&app, &journey, tenant, user, (None, DeviceKind::Other), caller.address).await
}
