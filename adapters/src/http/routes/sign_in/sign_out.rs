//! `POST /v1/tenants/{t}/sign-out`.

use application::access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::ids::TenantId;
use domain::user::command::UserCommand;
use domain::user::event::SessionEnd;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::state::App;

/// Ends the caller's own sign-in.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/sign-out",
    tag = "sign-in",
    params(("t" = String, Path, description = "The tenant.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn sign_out(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    let own = caller.require_user(tenant, Action::UseOwnAccount)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let command = UserCommand::EndSession { session: own.session, reason: SessionEnd::SignedOut };
    let answer = journey.to_user("sign out", tenant, own.user, command).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
