//! `POST /v1/tenants/{t}/threads/{c}/members`, `PATCH` and `DELETE /v1/tenants/{t}/threads/{c}/members/{u}`.

use application::error::Refusal;
use axum::extract::State;
use axum::response::Response;
use domain::chat::command::{By, ChatCommand, ThreadCommand};
use domain::chat::error::ChatError;
use domain::ids::{ChatId, TenantId, UserId};
use domain::message::Permission;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{InvitationBody, check_invited, deciding, give, to_thread};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, Order};
use crate::http::respond::Done;
use crate::state::App;

/// Brings somebody in. They read what is said from then on.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/threads/{c}/members",
    tag = "threads",
    params(("t" = String, Path, description = "The tenant."), ("c" = String, Path, description = "The thread.")),
    request_body = InvitationBody,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn invite(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, chat)): InPath<(TenantId, ChatId)>,
    order: Order<InvitationBody>,
) -> Result<Response, ApiError> {
    let by = deciding(&caller, tenant)?;
    let row = app.ports.views.chat(tenant, chat).ok_or(ApiError::NotFound { kind: "thread" })?;
    // Only those who are in it learn who has an account.
    match by {
        By::Member(user) if row.member(user).is_none() => return Err(Refusal::from(ChatError::NotAMember { user }).into()),
        By::Member(_) | By::Host(_) => {}
    }
    check_invited(&app, tenant, order.body.user)?;
    let command = to_thread(ThreadCommand::Invite { by, invitation: order.body.invitation() });
    give(&app, &caller, &order, (tenant, chat), command).await
}

/// What a member may do from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMember {
    /// Of `post`, `invite`, `remove`, `manage`. Without `post` they read and are silent.
    #[schema(value_type = Vec<String>)]
    permissions: Vec<Permission>,
}

/// Changes what a member may do.
#[utoipa::path(
    patch,
    path = "/v1/tenants/{t}/threads/{c}/members/{u}",
    tag = "threads",
    params(
        ("t" = String, Path, description = "The tenant."),
        ("c" = String, Path, description = "The thread."),
        ("u" = String, Path, description = "The member.")
    ),
    request_body = ChangeMember,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, chat, user)): InPath<(TenantId, ChatId, UserId)>,
    order: Order<ChangeMember>,
) -> Result<Response, ApiError> {
    let by = deciding(&caller, tenant)?;
    let permissions = order.body.permissions.iter().copied().collect();
    give(&app, &caller, &order, (tenant, chat), to_thread(ThreadCommand::ChangePermissions { by, user, permissions })).await
}

/// Puts a member out, or leaves when it is the caller.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/threads/{c}/members/{u}",
    tag = "threads",
    params(
        ("t" = String, Path, description = "The tenant."),
        ("c" = String, Path, description = "The thread."),
        ("u" = String, Path, description = "The member.")
    ),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, chat, user)): InPath<(TenantId, ChatId, UserId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    let by = deciding(&caller, tenant)?;
    let row = app.ports.views.chat(tenant, chat).ok_or(ApiError::NotFound { kind: "thread" })?;
    // A chat with a customer is left in other ways.
    row.thread().ok_or(Refusal::from(ChatError::OtherKind))?;
    let own = caller.is(tenant, user);
    let command = if own { ChatCommand::Leave { user } } else { to_thread(ThreadCommand::Remove { by, user }) };
    give(&app, &caller, &order, (tenant, chat), command).await
}
