//! `PUT /v1/tenants/{t}/threads/{c}/mute` and `PUT /v1/tenants/{t}/threads/{c}/archive`: what concerns the caller's own list.

use axum::extract::State;
use axum::response::Response;
use domain::chat::command::ThreadCommand;
use domain::ids::{ChatId, TenantId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::chat::participant;
use super::{give, to_thread};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Order};
use crate::http::respond::Done;
use crate::state::App;

/// Whether the caller wants to be notified.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MuteThread {
    /// `true`: not any more.
    muted: bool,
}

/// Stops or resumes the caller's own notifications. Nobody else hears of it.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/threads/{c}/mute",
    tag = "threads",
    params(("t" = String, Path, description = "The tenant."), ("c" = String, Path, description = "The thread.")),
    request_body = MuteThread,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn mute(
    State(app): State<App>,
    caller: Caller,
    InPath(thread): InPath<(TenantId, ChatId)>,
    order: Order<MuteThread>,
) -> Result<Response, ApiError> {
    let user = participant(&caller, thread.0)?.user;
    let command = if order.body.muted { ThreadCommand::Mute { user } } else { ThreadCommand::Unmute { user } };
    give(&app, &caller, &order, thread, to_thread(command)).await
}

/// Whether the thread is aside in the caller's list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveThread {
    /// `true`: put it aside.
    archived: bool,
}

/// Puts a thread aside in the caller's own list, or takes it back.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/threads/{c}/archive",
    tag = "threads",
    params(("t" = String, Path, description = "The tenant."), ("c" = String, Path, description = "The thread.")),
    request_body = ArchiveThread,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn archive(
    State(app): State<App>,
    caller: Caller,
    InPath(thread): InPath<(TenantId, ChatId)>,
    order: Order<ArchiveThread>,
) -> Result<Response, ApiError> {
    let user = participant(&caller, thread.0)?.user;
    let command = if order.body.archived { ThreadCommand::Archive { user } } else { ThreadCommand::Unarchive { user } };
    give(&app, &caller, &order, thread, to_thread(command)).await
}
