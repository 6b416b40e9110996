//! `PATCH /v1/tenants/{t}/conversations/{id}/ticket`: what staff say of the ticket of a left message, and how it is shown.

use application::access::Action;
use application::queries::TicketRow;
use axum::extract::State;
use axum::response::Response;
use domain::conversation::command::ConversationCommand;
use domain::conversation::event::ConversationEvent;
use domain::conversation::ticket::{TicketChange, TicketState};
use domain::event::Event;
use domain::ids::{ConversationId, TenantId, UserId};
use domain::remark::Remark;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{reached, stream};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Order, edit, given};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::http::routes::user;
use crate::messaging::limits;
use crate::reading::Reader;
use crate::state::{App, AppState};

/// What changes; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTicket {
    /// `open`, `in_progress`, `waiting_for_customer` or `solved`.
    #[schema(value_type = Option<String>)]
    state: Option<TicketState>,
    /// Whose task it is: somebody who serves; null for nobody's.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    owner: Option<Option<UserId>>,
    /// By when it is due, in milliseconds since 1970; null for the tenant's limit.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    due_at: Option<Option<i64>>,
    /// What staff should know of it, at most 2,000 bytes.
    #[schema(value_type = Option<String>)]
    remark: Option<Remark>,
}

/// The ticket of a left message.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketBody {
    /// `open`, `in_progress`, `waiting_for_customer` or `solved`.
    #[schema(value_type = String)]
    state: TicketState,
    /// Whose task it is.
    owner: Option<String>,
    /// When the message was left.
    left_at: i64,
    /// By when it is due.
    due_at: i64,
    /// Whether it is due and not solved.
    overdue: bool,
}

/// What staff once said of a ticket.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketChangeBody {
    /// When, in milliseconds since 1970.
    at: i64,
    /// Who.
    by: String,
    /// How far it was from then on.
    #[schema(value_type = String)]
    state: TicketState,
    /// Whose task it was.
    owner: Option<String>,
    /// By when it was due, where staff said so.
    due_at: Option<i64>,
    /// The remark; null when there is none, or the customer was erased.
    remark: Option<String>,
}

/// Describes a ticket.
pub(super) fn body(app: &AppState, tenant: TenantId, row: &TicketRow) -> TicketBody {
    let due = limits(app, tenant).ticket_due;
    TicketBody {
        state: row.ticket.state,
        owner: row.ticket.owner.map(|owner| owner.to_string()),
        left_at: row.left_at.0,
        due_at: row.due_at(due).0,
        overdue: row.is_overdue(due, app.now()),
    }
}

/// What staff said of a ticket, the first one first.
pub(super) async fn history(app: &AppState, row: &TicketRow) -> Result<Vec<TicketChangeBody>, ApiError> {
    let mut reader = Reader::new(app);
    let mut said = Vec::with_capacity(row.changes.len());
    for at in &row.changes {
        let opened = reader.open(*at).await?;
        if let Event::Conversation(ConversationEvent::TicketChanged(changed)) = opened.event {
            let remark = changed.private.known().and_then(|private| private.remark.as_ref());
            said.push(TicketChangeBody {
                at: opened.header.time.0,
                by: changed.by.to_string(),
                state: changed.state,
                owner: changed.owner.map(|owner| owner.to_string()),
                due_at: changed.due_at.map(|at| at.0),
                remark: remark.map(|remark| remark.as_str().to_owned()),
            });
        }
    }
    Ok(said)
}

/// Says how far the ticket of a left message is, whose task it is, by when it is due, and what staff should know of it.
#[utoipa::path(
    patch,
    path = "/v1/tenants/{t}/conversations/{id}/ticket",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    request_body = ChangeTicket,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    order: Order<ChangeTicket>,
) -> Result<Response, ApiError> {
    reached(&app, &caller, tenant, id, Action::KeepTickets).await?;
    let by = caller.require_user(tenant, Action::KeepTickets)?.user;
    let journey = Journey::of(&app, &caller, &order)?;
    let ChangeTicket { state, owner, due_at, remark } = order.body;
    if let Some(Some(owner)) = owner
        && !user::known(&app, tenant, owner)?.role.serves()
    {
        return Err(InputError::Refused { field: "owner", reason: "is nobody who serves" }.into());
    }
    if due_at.flatten().is_some_and(|at| at < 0) {
        return Err(InputError::Refused { field: "due_at", reason: "is before 1970" }.into());
    }
    let due_at = edit(due_at.map(|at| at.map(Timestamp)));
    let change = TicketChange { by, state, owner: edit(owner), due_at, remark };
    let answer = journey.execute("change ticket", stream(tenant, id), ConversationCommand::ChangeTicket(change)).await?;
    Ok(done(answer.position))
}
