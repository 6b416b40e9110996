//! `GET`, `PUT` and `DELETE /v1/tenants/{t}/users/{u}/block`: a customer whom the tenant wants to hear nothing of; and
//! `GET /v1/tenants/{t}/blocked-customers`: all of them.

use application::access::{Action, Resource};
use application::queries::EventRef;
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
use super::read::ListUsers;
use crate::http::auth::Caller;
use crate::http::cursor;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, NoParams, Order, Params, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, Page, done};
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

/// A customer who is blocked.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockedCustomer {
    /// Their id.
    user: String,
    /// Since when, in milliseconds since 1970.
    at: i64,
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
    Ok(Json(match said(&mut Reader::new(&app), user, at).await? {
        Some(BlockedCustomer { at, by, reason, .. }) => BlockBody { blocked: true, at: Some(at), by, reason },
        None => BlockBody::default(),
    }))
}

/// What was said when somebody was blocked.
async fn said(reader: &mut Reader<'_>, user: UserId, at: EventRef) -> Result<Option<BlockedCustomer>, ApiError> {
    let opened = reader.open(at).await?;
    let Event::User(UserEvent::CustomerBlocked(blocked)) = opened.event else { return Ok(None) };
    let by = match blocked.by {
        Party::User(user) => Some(user.to_string()),
        Party::System => None,
    };
    let reason = blocked.private.known().and_then(|private| private.reason.as_ref()).map(|reason| reason.as_str().to_owned());
    Ok(Some(BlockedCustomer { user: user.to_string(), at: opened.header.time.0, by, reason }))
}

/// Lists the customers who are blocked, by id.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/blocked-customers",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ListUsers),
    responses((status = 200, body = Page<BlockedCustomer>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    Params(params): Params<ListUsers>,
) -> Result<Json<Page<BlockedCustomer>>, ApiError> {
    caller.may(Action::BlockCustomers, Resource::of_tenant(tenant))?;
    super::super::tenant::known(&app, tenant)?;
    let (limit, after) = params.read(&app, "blocked_customers", tenant)?;
    let rows = app.ports.views.blocked_customers(tenant, after, limit + 1);
    let cursor = |last: &(UserId, EventRef)| cursor::write(&app.secrets, "blocked_customers", Some(tenant), last.0.as_bytes());
    let (rows, next) = Page::<BlockedCustomer>::cut(rows, limit, cursor);
    let mut reader = Reader::new(&app);
    let mut data = Vec::with_capacity(rows.len());
    for (user, at) in rows {
        data.extend(said(&mut reader, user, at).await?);
    }
    Ok(Json(Page::new(data, next)))
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
