//! `PUT /v1/tenants/{t}/identity-secret` and `PUT /v1/tenants/{t}/limits`.

use application::access::{Action, Resource};
use axum::extract::State;
use axum::response::Response;
use domain::ids::TenantId;
use domain::tenant::command::TenantCommand;
use domain::tenant::event::{AttachmentKind, Limits, SharedSecret};
use domain::time::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{known, stream};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::state::App;

/// The secret of customers' identity tokens.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetIdentitySecret {
    /// At least 32 bytes, base64. Tokens are signed with the decoded bytes (HS256).
    secret: String,
}

/// A tenant's limits, all of them: spans in milliseconds, sizes in bytes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsBody {
    /// How long a sender may recall a message.
    recall_window_ms: i64,
    /// Silence after which a conversation that owes no answer expires.
    idle_expiry_ms: i64,
    /// How soon after the end a customer's message reopens the same conversation.
    reopen_window_ms: i64,
    /// How long an agent without a device keeps their conversations.
    offline_grace_ms: i64,
    /// Largest attachment.
    attachment_bytes_max: u64,
    /// The kinds of attachments that are taken: `picture`, `video`, `audio`, `file`.
    #[schema(value_type = Vec<String>)]
    attachment_kinds: Vec<AttachmentKind>,
    /// Most messages that its people post in a second, all together; 0 for as many as they like.
    messages_per_second: u32,
    /// How long after a message was left its ticket is due, where staff say nothing else.
    ticket_due_ms: i64,
}

impl From<Limits> for LimitsBody {
    fn from(limits: Limits) -> Self {
        Self {
            recall_window_ms: limits.recall_window.0,
            idle_expiry_ms: limits.idle_expiry.0,
            reopen_window_ms: limits.reopen_window.0,
            offline_grace_ms: limits.offline_grace.0,
            attachment_bytes_max: limits.attachment_bytes_max,
            attachment_kinds: limits.attachment_kinds.into(),
            messages_per_second: limits.messages_per_second,
            ticket_due_ms: limits.ticket_due.0,
        }
    }
}

/// Sets the secret of customers' identity tokens. Tokens signed with the one before are refused from the answer on.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/identity-secret",
    tag = "tenants",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = SetIdentitySecret,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn set_identity_secret(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<SetIdentitySecret>,
) -> Result<Response, ApiError> {
    caller.may(Action::SetIdentitySecret, Resource::of_tenant(tenant))?;
    known(&app, tenant)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let command = TenantCommand::SetIdentitySecret { secret: SharedSecret { secret: order.body.secret } };
    let answer = journey.execute("set identity secret", stream(tenant), command).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}

/// Changes some limits; those left out stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeLimits {
    /// How long a sender may recall a message.
    recall_window_ms: Option<i64>,
    /// Silence after which a conversation that owes no answer expires.
    idle_expiry_ms: Option<i64>,
    /// How soon after the end a customer's message reopens the same conversation.
    reopen_window_ms: Option<i64>,
    /// How long an agent without a device keeps their conversations.
    offline_grace_ms: Option<i64>,
    /// Largest attachment, 1 to 209,715,200 bytes.
    attachment_bytes_max: Option<u64>,
    /// All kinds of attachments that are taken: `picture`, `video`, `audio`, `file`. An empty list takes none.
    #[schema(value_type = Option<Vec<String>>)]
    attachment_kinds: Option<Vec<AttachmentKind>>,
    /// Most messages that its people post in a second, all together; 0 for as many as they like.
    messages_per_second: Option<u32>,
    /// How long after a message was left its ticket is due, where staff say nothing else.
    ticket_due_ms: Option<i64>,
}

/// Changes the tenant's limits.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/limits",
    tag = "tenants",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = ChangeLimits,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn change_limits(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<ChangeLimits>,
) -> Result<Response, ApiError> {
    caller.may(Action::ChangeLimits, Resource::of_tenant(tenant))?;
    let before = known(&app, tenant)?.limits;
    let journey = Journey::of(&app, &caller, &order)?;
    let ChangeLimits {
        recall_window_ms,
        idle_expiry_ms,
        reopen_window_ms,
        offline_grace_ms,
        attachment_bytes_max,
        attachment_kinds,
        messages_per_second,
        ticket_due_ms,
    } = order.body;
    let limits = Limits {
        recall_window: recall_window_ms.map_or(before.recall_window, Millis),
        idle_expiry: idle_expiry_ms.map_or(before.idle_expiry, Millis),
        reopen_window: reopen_window_ms.map_or(before.reopen_window, Millis),
        offline_grace: offline_grace_ms.map_or(before.offline_grace, Millis),
        attachment_bytes_max: attachment_bytes_max.unwrap_or(before.attachment_bytes_max),
        attachment_kinds: attachment_kinds.map_or(before.attachment_kinds, Into::into),
        messages_per_second: messages_per_second.unwrap_or(before.messages_per_second),
        ticket_due: ticket_due_ms.map_or(before.ticket_due, Millis),
    };
    let answer = journey.execute("change limits", stream(tenant), TenantCommand::ChangeLimits { limits }).await?;
    // Limits are looked up when a command is built, so the caller's next one must meet them.
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
