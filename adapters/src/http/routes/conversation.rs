//! Conversations: the service sessions inside chats.

pub mod assignment;
pub mod end;
pub mod hand_over;
pub mod list;
pub mod rate;
pub mod read;
pub mod suggest;
pub mod ticket;

use application::access::{Action, Principal, Resource, allowed};
use application::log::stream::{StreamId, StreamKey};
use application::queries::ConversationRow;
use domain::ids::{ConversationId, TenantId, UserId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::messaging::Sender;
use crate::reading::look_up;
use crate::state::{App, AppState};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(read::one))
        .routes(routes!(assignment::explain))
        .routes(routes!(end::close))
        .routes(routes!(rate::rate))
        .routes(routes!(rate::invite))
        .routes(routes!(rate::rate_answer))
        .routes(routes!(hand_over::transfer))
        .routes(routes!(hand_over::take_over))
        .routes(routes!(hand_over::pick))
        .routes(routes!(hand_over::accept))
        .routes(routes!(hand_over::hand_off))
        .routes(routes!(end::exit))
        .routes(routes!(end::reopen))
        .routes(routes!(ticket::change))
        .routes(routes!(suggest::suggest))
}

/// A conversation to which the caller may do this.
async fn reached(
    app: &AppState,
    caller: &Caller,
    tenant: TenantId,
    id: ConversationId,
    action: Action,
) -> Result<ConversationRow, ApiError> {
    caller.enter(tenant, action)?;
    let row = look_up(app, || app.ports.views.conversation(tenant, id)).await?;
    let row = row.ok_or(ApiError::NotFound { kind: "conversation" })?;
    let own = caller
        .user_of(tenant)
        .is_some_and(|user| row.customer == user.user || row.agent == Some(user.user) || owns_ticket(&row, user.user));
    caller.may(action, Resource::of_tenant(tenant).in_group(row.group).own(own))?;
    Ok(row)
}

/// Whether the ticket of a left message is somebody's task.
fn owns_ticket(row: &ConversationRow, user: UserId) -> bool {
    row.ticket.as_ref().is_some_and(|row| row.ticket.owner == Some(user))
}

/// A conversation to which a customer may do this on whose behalf somebody else asks.
///
/// # Errors
/// [`ApiError::NotFound`], [`ApiError::Denied`].
pub async fn reached_by_customer(
    app: &AppState,
    customer: Sender,
    id: ConversationId,
    action: Action,
) -> Result<ConversationRow, ApiError> {
    let Sender { tenant, user, role, .. } = customer;
    let row = look_up(app, || app.ports.views.conversation(tenant, id)).await?;
    let row = row.ok_or(ApiError::NotFound { kind: "conversation" })?;
    let principal = Principal::User { tenant, role, groups: &[] };
    allowed(principal, action, Resource::of_tenant(tenant).in_group(row.group).own(row.customer == user))?;
    Ok(row)
}

/// The stream of a conversation.
#[must_use]
pub fn stream(tenant: TenantId, id: ConversationId) -> StreamId {
    StreamId::new(tenant, StreamKey::Conversation(id))
}
