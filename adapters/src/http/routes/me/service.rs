//! `PUT /v1/tenants/{t}/me/service`.

use application::access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::ids::TenantId;
use domain::labels::Label;
use domain::user::command::UserCommand;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Order};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::state::App;

/// Whether the caller takes conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceBody {
    /// Yes.
    Started,
    /// They keep what they have and take no more.
    Paused,
    /// Their shift is over.
    Stopped,
}

/// A change of the shift.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeService {
    /// Whether they take conversations.
    status: ServiceBody,
    /// Why they pause: a word of `[a-z0-9_]{1,32}` from the tenant's own list.
    #[schema(value_type = Option<String>)]
    reason: Option<Label>,
}

/// Starts, pauses or stops the caller's own shift.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/me/service",
    tag = "me",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = ChangeService,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<ChangeService>,
) -> Result<Response, ApiError> {
    let own = caller.require_user(tenant, Action::ChangeOwnService)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let ChangeService { status, reason } = order.body;
    if reason.is_some() && status != ServiceBody::Paused {
        return Err(InputError::Refused { field: "reason", reason: "only a pause has one" }.into());
    }
    let command = match status {
        ServiceBody::Started => UserCommand::StartService,
        ServiceBody::Paused => UserCommand::PauseService { reason },
        ServiceBody::Stopped => UserCommand::StopService,
    };
    let answer = journey.to_user("change service", tenant, own.user, command).await?;
    Ok(done(answer.position))
}
