//! `DELETE /v1/tenants/{t}/users/{u}` and `DELETE /v1/tenants/{t}/users/{u}/key`.

use application::access::{Action, Resource};
use application::ports::key_store::SubjectId;
use axum::extract::State;
use axum::response::Response;
use domain::ids::{TenantId, UserId};
use domain::user::command::UserCommand;

use super::managed;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::state::App;
use application::queries::AccountStage;

/// Closes an account for good: every sign-in ends, the shift ends.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/users/{u}",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ("u" = String, Path, description = "The user.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn deactivate(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user)): InPath<(TenantId, UserId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    managed(&app, &caller, tenant, user)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let answer = journey.to_user("deactivate", tenant, user, UserCommand::Deactivate).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}

/// Erases a person: closes the account, then destroys the key under which their texts are sealed. Counts and times stay.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/users/{u}/key",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ("u" = String, Path, description = "The user.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn erase(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user)): InPath<(TenantId, UserId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    caller.may(Action::EraseUsers, Resource::of_tenant(tenant))?;
    let row = managed(&app, &caller, tenant, user)?;
    let journey = Journey::of(&app, &caller, &order)?;
    // A merged account takes no order any more, but its key may still be destroyed. Ending its sign-ins is then nothing.
    let command = match row.stage {
        AccountStage::Active | AccountStage::Deactivated => UserCommand::Deactivate,
        AccountStage::Merged { .. } => UserCommand::EndAllSessions { reason: domain::user::event::SessionEnd::Deactivated },
    };
    let answer = journey.to_user("deactivate", tenant, user, command).await?;
    app.ports.keys.destroy(tenant, SubjectId::from(user)).await?;
    app.profiles.forget(tenant, user);
    wait_for(&app, answer.position).await?;
    tracing::info!(tenant.id = %tenant, user.id = %user, "key destroyed");
    Ok(done(answer.position))
}
