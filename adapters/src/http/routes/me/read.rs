//! `GET /v1/tenants/{t}/me`.

use application::access::Action;
use axum::Json;
use axum::extract::State;
use domain::ids::TenantId;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::http::routes::user;
use crate::http::routes::user::read::{UserBody, body};
use crate::reading::Reader;
use crate::state::App;

/// Reads the caller's own account.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/me",
    tag = "me",
    params(("t" = String, Path, description = "The tenant.")),
    responses((status = 200, body = UserBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn me(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    _: Params<NoParams>,
) -> Result<Json<UserBody>, ApiError> {
    let own = caller.require_user(tenant, Action::UseOwnAccount)?;
    // Read anew: `at_least` may have waited since the caller was recognised.
    let row = user::known(&app, tenant, own.user)?;
    Ok(Json(body(&mut Reader::new(&app), &row).await?))
}
