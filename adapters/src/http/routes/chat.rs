//! Chats and what is said in them.

pub mod messages;
pub mod open;
pub mod post;
pub mod read;
pub mod take_part;

use application::access::{Action, Resource};
use application::queries::{ChatRow, ChatRowKind};
use domain::ids::{ChatId, TenantId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::messaging::Sender;
use crate::state::{App, AppState};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(open::open))
        .routes(routes!(read::one))
        .routes(routes!(messages::list, post::post))
        .routes(routes!(take_part::mark_read))
        .routes(routes!(take_part::recall))
        .routes(routes!(take_part::hide))
}

/// A chat that the caller may read: with a customer, whoever looks after the tenant's service; a group thread, those who are in it.
fn readable(app: &AppState, caller: &Caller, tenant: TenantId, chat: ChatId) -> Result<ChatRow, ApiError> {
    caller.enter(tenant, Action::ReadChat)?;
    let row = app.ports.views.chat(tenant, chat).ok_or(ApiError::NotFound { kind: "chat" })?;
    check_reader(caller, tenant, &row)?;
    Ok(row)
}

/// Whether the caller may read a chat that is there.
pub(super) fn check_reader(caller: &Caller, tenant: TenantId, row: &ChatRow) -> Result<(), ApiError> {
    caller.may(reading(row), Resource::of_tenant(tenant).own(is_member(caller, tenant, row)))
}

/// What it is to read a chat.
pub(super) const fn reading(row: &ChatRow) -> Action {
    match row.kind {
        ChatRowKind::Service { .. } => Action::ReadChat,
        ChatRowKind::Group(_) => Action::ReadThread,
    }
}

/// Whether the caller takes part in a chat.
pub(super) fn is_member(caller: &Caller, tenant: TenantId, row: &ChatRow) -> bool {
    caller.user_of(tenant).is_some_and(|user| row.member(user.user).is_some())
}

/// The caller as somebody who takes part. Whether they are a member is the chat's rule.
pub(super) fn participant(caller: &Caller, tenant: TenantId) -> Result<Sender, ApiError> {
    let user = caller.require_user(tenant, Action::TakePartInChat)?;
    Ok(Sender { tenant, user: user.user, role: user.row.role, address: Some(caller.address) })
}
