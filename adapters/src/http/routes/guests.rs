//! `POST /v1/tenants/{t}/guests`: accounts here for people of other tenants.
//!
//! Whether there is such a person is not looked up: nobody learns here who has an account elsewhere. They prove it when they sign in.

use application::access::{Action, Resource};
use application::error::Refusal;
use application::queries::AccountStage;
use axum::extract::State;
use axum::response::Response;
use domain::ids::{TenantId, UserId};
use domain::user::command::UserCommand;
use domain::user::error::UserError;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sign_in::customer::register;
use super::{tenant, user};
use crate::http::accounts;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Created, created};
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create))
}

/// Somebody of another tenant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGuest {
    /// Their home tenant.
    #[schema(value_type = String)]
    tenant: TenantId,
    /// Who they are there.
    #[schema(value_type = String)]
    user: UserId,
    /// Shown to others here; taken at the first time only.
    display_name: String,
}

/// Makes an account here for somebody of another tenant, or finds the one they have.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/guests",
    tag = "users",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = CreateGuest,
    responses((status = 201, body = Created), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    InPath(host): InPath<TenantId>,
    order: Order<CreateGuest>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageCustomers, Resource::of_tenant(host))?;
    tenant::known(&app, host)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let CreateGuest { tenant: home, user, display_name } = order.body;
    if home == host {
        return Err(InputError::Refused { field: "tenant", reason: "must be another tenant" }.into());
    }
    let account = accounts::of_guest(home, user);
    let digest = accounts::digest(&app.secrets, host, &account);
    let guest = accounts::user_behind(&app, host, digest);
    register(&app, &journey, host, guest, account.clone(), Some(display_name)).await?;
    if user::known(&app, host, guest)?.stage != AccountStage::Active {
        return Err(Refusal::from(UserError::Deactivated).into());
    }
    let answer = journey.to_user("map guest", host, guest, UserCommand::MapExternalAccount { digest, account }).await?;
    // They can sign in from the answer on.
    wait_for(&app, answer.position).await?;
    Ok(created(guest, answer.position))
}
