//! `POST /v1/tenants/{t}/conversations/{id}/close`, `.../exit` and `.../reopen`.

use application::access::{Action, Denied};
use application::log::stream::{StreamId, StreamKey};
use axum::extract::State;
use axum::response::Response;
use domain::chat::command::ChatCommand;
use domain::conversation::command::{Closer, ConversationCommand};
use domain::ids::{ConversationId, TenantId};
use domain::labels::Label;
use domain::user::event::Role;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{reached, stream};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoBody, Order};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::messaging::limits;
use crate::state::App;

/// The end of a conversation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseConversation {
    /// The chat's last place that the caller has seen: a later message of the customer keeps the conversation open. Left out, it is
    /// the last place there is.
    seen_seq: Option<u64>,
    /// What staff say of the end: a word of the tenant's own, `[a-z0-9_]{1,32}`.
    #[schema(value_type = Option<String>)]
    label: Option<Label>,
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
    if user.row.role == Role::Customer && order.body.label.is_some() {
        return Err(InputError::Refused { field: "label", reason: "is for staff" }.into());
    }
    let journey = Journey::of(&app, &caller, &order)?;
    let last_seq = || app.ports.views.chat(tenant, row.chat).map_or(0, |chat| chat.last_seq);
    let seen_seq = order.body.seen_seq.unwrap_or_else(last_seq);
    let answer = journey.execute("close", stream(tenant, id), ConversationCommand::Close { by, seen_seq, label: order.body.label }).await?;
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
    let command = ConversationCommand::Close { by: Closer::Leaving(customer), seen_seq, label: None };
    let answer = journey.execute("exit", stream(tenant, id), command).await?;
    Ok(done(answer.position))
}

/// Goes on with a conversation that ended, within the tenant's reopen window: it waits for the group that had it, as when its customer
/// writes again.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/conversations/{id}/reopen",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn reopen(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    let row = reached(&app, &caller, tenant, id, Action::ReopenConversation).await?;
    // Nobody could answer there.
    app.blocks.check(&app, tenant, row.customer, None).await?;
    let journey = Journey::of(&app, &caller, &order)?;
    let chat = StreamId::new(tenant, StreamKey::Chat(row.chat));
    let command = ChatCommand::ResumeConversation { conversation: id, window: limits(&app, tenant).reopen_window };
    let answer = journey.execute("reopen", chat, command).await?;
    Ok(done(answer.position))
}
