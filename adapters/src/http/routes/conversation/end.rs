//! `POST /v1/tenants/{t}/conversations/{id}/close` and `.../exit`.

use application::access::{Action, Denied};
use axum::extract::State;
use axum::response::Response;
use domain::conversation::command::{Closer, ConversationCommand};
use domain::ids::{ConversationId, TenantId};
use domain::user::event::Role;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{reached, stream};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, Order};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::state::App;

/// The end of a conversation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseConversation {
    /// The chat's last place that the caller has seen: a later message of the customer keeps the conversation open. Left out, it is
    /// the last place there is.
    seen_seq: Option<u64>,
}

/// Ends a conversation.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/conversations/{id}/close",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    request_body = CloseConversation,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn close(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    order: Order<CloseConversation>,
) -> Result<Response, ApiError> {
    let action = Action::CloseConversation;
    let row = reached(&app, &caller, tenant, id, action).await?;
    let user = caller.user_of(tenant).ok_or(ApiError::Denied(Denied::NoRight { action }))?;
    let by = match user.row.role {
        Role::Customer => Closer::Customer(user.user),
        Role::Agent => Closer::Agent(user.user),
        Role::Supervisor | Role::TenantAdmin => Closer::Supervisor(user.user),
        Role::PlatformOperator | Role::Governance | Role::QualityReviewer | Role::Integration => {
            return Err(ApiError::Denied(Denied::NoRight { action }));
        }
    };
    let journey = Journey::of(&app, &caller, &order)?;
    let last_seq = || app.ports.views.chat(tenant, row.chat).map_or(0, |chat| chat.last_seq);
    let seen_seq = order.body.seen_seq.unwrap_or_else(last_seq);
    let answer = journey.execute("close", stream(tenant, id), ConversationCommand::Close { by, seen_seq }).await?;
    Ok(done(answer.position))
}

/// The customer leaves the page. What a robot has ends; whoever waits for a human, or has one, may come back.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/conversations/{id}/exit",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn exit(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    let row = reached(&app, &caller, tenant, id, Action::LeaveConversation).await?;
    let customer = caller.require_user(tenant, Action::LeaveConversation)?.user;
    let journey = Journey::of(&app, &caller, &order)?;
    let seen_seq = app.ports.views.chat(tenant, row.chat).map_or(0, |chat| chat.last_seq);
    let command = ConversationCommand::Close { by: Closer::Leaving(customer), seen_seq };
    let answer = journey.execute("exit", stream(tenant, id), command).await?;
    Ok(done(answer.position))
}
