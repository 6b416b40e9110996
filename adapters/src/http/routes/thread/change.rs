//! `PUT /v1/tenants/{t}/threads/{c}/title`, `PUT /v1/tenants/{t}/threads/{c}/owner`, `DELETE /v1/tenants/{t}/threads/{c}`.

use axum::extract::State;
use axum::response::Response;
use domain::chat::command::ThreadCommand;
use domain::ids::{ChatId, TenantId, UserId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{deciding, give, to_thread};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, Order};
use crate::http::respond::Done;
use crate::state::App;

/// What a thread is called.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameThread {
    /// 1 to 256 bytes.
    title: String,
}

/// Calls a thread something else.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/threads/{c}/title",
    tag = "threads",
    params(("t" = String, Path, description = "The tenant."), ("c" = String, Path, description = "The thread.")),
    request_body = RenameThread,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn rename(
    State(app): State<App>,
    caller: Caller,
    InPath(thread): InPath<(TenantId, ChatId)>,
    order: Order<RenameThread>,
) -> Result<Response, ApiError> {
    let by = deciding(&caller, thread.0)?;
    let title = order.body.title.clone();
    give(&app, &caller, &order, thread, to_thread(ThreadCommand::Rename { by, title })).await
}

/// Who owns a thread.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PassThread {
    /// A member.
    #[schema(value_type = String)]
    user: UserId,
}

/// Makes another member the owner. The one before stays, and may do what they could.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/threads/{c}/owner",
    tag = "threads",
    params(("t" = String, Path, description = "The tenant."), ("c" = String, Path, description = "The thread.")),
    request_body = PassThread,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn pass_ownership(
    State(app): State<App>,
    caller: Caller,
    InPath(thread): InPath<(TenantId, ChatId)>,
    order: Order<PassThread>,
) -> Result<Response, ApiError> {
    let by = deciding(&caller, thread.0)?;
    let to = order.body.user;
    give(&app, &caller, &order, thread, to_thread(ThreadCommand::PassOwnership { by, to })).await
}

/// Ends a thread: nobody posts any more, and its members still read what they could.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/threads/{c}",
    tag = "threads",
    params(("t" = String, Path, description = "The tenant."), ("c" = String, Path, description = "The thread.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn dissolve(
    State(app): State<App>,
    caller: Caller,
    InPath(thread): InPath<(TenantId, ChatId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    let by = deciding(&caller, thread.0)?;
    give(&app, &caller, &order, thread, to_thread(ThreadCommand::Dissolve { by })).await
}
