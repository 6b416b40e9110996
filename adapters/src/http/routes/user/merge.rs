//! `POST /v1/tenants/{t}/users/{u}/merge`.

use application::access::{Action, Resource};
use application::queries::AccountStage;
use axum::extract::State;
use axum::response::Response;
use domain::ids::{TenantId, UserId};
use domain::user::command::UserCommand;
use domain::user::event::Role;
use serde::Deserialize;
use utoipa::ToSchema;

use super::known;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::state::App;

/// Who the anonymous customer turned out to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeUser {
    /// An identified customer of the same tenant.
    #[schema(value_type = String)]
    into: UserId,
}

/// Merges an anonymous customer into an identified one.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/users/{u}/merge",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ("u" = String, Path, description = "The anonymous customer.")),
    request_body = MergeUser,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn merge(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user)): InPath<(TenantId, UserId)>,
    order: Order<MergeUser>,
) -> Result<Response, ApiError> {
    caller.may(Action::MergeCustomers, Resource::of_tenant(tenant))?;
    let journey = Journey::of(&app, &caller, &order)?;
    let into = order.body.into;
    known(&app, tenant, user)?;
    let target = known(&app, tenant, into)?;
    let identified = target.role == Role::Customer && !target.anonymous && target.stage == AccountStage::Active;
    if !identified {
        return Err(InputError::Refused { field: "into", reason: "must be an identified customer in use" }.into());
    }
    let answer = journey.to_user("merge", tenant, user, UserCommand::Merge { user, into }).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
