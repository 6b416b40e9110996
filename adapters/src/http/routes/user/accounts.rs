//! `POST /v1/tenants/{t}/users/{u}/accounts`.

use axum::extract::State;
use axum::response::Response;
use domain::ids::{TenantId, UserId};
use domain::user::command::UserCommand;
use domain::user::event::ExternalAccount;

use super::create::AccountBody;
use super::managed;
use crate::http::accounts;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::state::App;

/// Remembers that a user is known elsewhere under this account.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/users/{u}/accounts",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ("u" = String, Path, description = "The user.")),
    request_body = AccountBody,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn map(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user)): InPath<(TenantId, UserId)>,
    order: Order<AccountBody>,
) -> Result<Response, ApiError> {
    managed(&app, &caller, tenant, user)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let account = ExternalAccount::from(order.body);
    accounts::check_claimed(&account)?;
    let digest = accounts::digest(&app.secrets, tenant, &account);
    if app.ports.views.user_by_account(tenant, digest).is_some_and(|other| other != user) {
        return Err(ApiError::AccountTaken);
    }
    let answer = journey.to_user("map account", tenant, user, UserCommand::MapExternalAccount { digest, account }).await?;
    // The next sign-in under this account must find this user.
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
