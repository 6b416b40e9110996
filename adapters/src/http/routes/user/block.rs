//! `GET`, `PUT` and `DELETE /v1/tenants/{t}/users/{u}/block`: a customer whom the tenant wants to hear nothing of.

use application::access::{Action, Resource};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::event::Event;
use domain::ids::{TenantId, UserId};
use domain::message::Party;
use domain::remark::Remark;
use domain::user::command::UserCommand;
use domain::user::event::UserEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::known;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, NoParams, Order, Params, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::reading::Reader;
use crate::state::App;

/// Why somebody is blocked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// For staff: 1 to 2,000 bytes.
    #[schema(value_type = String)]
    reason: Remark,
}

/// Whether a customer is blocked.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct BlockBody {
    /// Whether they are.
    blocked: bool,
    /// Since when, in milliseconds since 1970.
    at: Option<i64>,
    /// Who blocked them; null for the platform.
    by: Option<String>,
    /// Why; null when it followed them from a merged account, or they were erased.
    reason: Option<String>,
}

/// Who does this, as facts name them.
pub(in crate::http::routes) fn party(caller: &Caller, tenant: TenantId) -> Party {
    caller.user_of(tenant).map_or(Party::System, |user| Party::User(user.user))
}

/// Tells whether a customer is blocked, since when and why.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/users/{u}/block",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ("u" = String, Path, description = "The customer.")),
    responses((status = 200, body = BlockBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user)): InPath<(TenantId, UserId)>,
    _: Params<NoParams>,
) -> Result<Json<BlockBody>, ApiError> {
    caller.may(Action::BlockCustomers, Resource::of_tenant(tenant))?;
    let Some(at) = known(&app, tenant, user)?.blocked else { return Ok(Json(BlockBody::default())) };
    let opened = Reader::new(&app).open(at).await?;
    let Event::User(UserEvent::CustomerBlocked(blocked)) = opened.event else { return Ok(Json(BlockBody::default())) };
    let reason = blocked.private.known().and_then(|private| private.reason.as_ref());
    let by = match blocked.by {
        Party::User(user) => Some(user.to_string()),
        Party::System => None,
    };
    let reason = reason.map(|reason| reason.as_str().to_owned());
    Ok(Json(BlockBody { blocked: true, at: Some(opened.header.time.0), by, reason }))
}

/// Blocks a customer: they open no chat, say nothing, ask for nobody and do not sign in any more, and what they have open ends.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/users/{u}/block",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ("u" = String, Path, description = "The customer.")),
    request_body = Block,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn block(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user)): InPath<(TenantId, UserId)>,
    order: Order<Block>,
) -> Result<Response, ApiError> {
    caller.may(Action::BlockCustomers, Resource::of_tenant(tenant))?;
    known(&app, tenant, user)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let command = UserCommand::BlockCustomer { by: party(&caller, tenant), reason: Some(order.body.reason) };
    let answer = journey.to_user("block", tenant, user, command).await?;
    // Whether somebody is blocked is looked up when they ask, so the next one who does must meet it.
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}

/// Takes the block of a customer back.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/users/{u}/block",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ("u" = String, Path, description = "The customer.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn unblock(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user)): InPath<(TenantId, UserId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    caller.may(Action::BlockCustomers, Resource::of_tenant(tenant))?;
    known(&app, tenant, user)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let answer = journey.to_user("unblock", tenant, user, UserCommand::UnblockCustomer { by: party(&caller, tenant) }).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
