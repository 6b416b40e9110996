//! `GET /v1/tenants/{t}/conversations/{id}`.

use application::access::Action;
use application::queries::{ConversationRow, ConversationStatus};
use axum::Json;
use axum::extract::State;
use domain::conversation::event::{CloseReason, EntryPage};
use domain::ids::{ConversationId, TenantId};
use domain::labels::Label;
use domain::message::Party;
use serde::Serialize;
use utoipa::ToSchema;

use super::rate::choices;
use super::reached;
use super::ticket::{self, TicketBody, TicketChangeBody};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::masking::{shown, shown_agent};
use crate::render::View;
use crate::state::{App, AppState};

/// A conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationBody {
    /// Its id.
    id: String,
    /// Its chat.
    chat: String,
    /// The shop.
    shop: String,
    /// The customer.
    customer: String,
    /// From which page it was entered.
    #[schema(value_type = String)]
    entry_page: EntryPage,
    /// The product or order shown there.
    entry_subject: Option<String>,
    /// `reception`, `waiting`, `left_message`, `serving` or `closed`.
    #[schema(value_type = String)]
    status: ConversationStatus,
    /// The problem, once a human was asked.
    task: Option<String>,
    /// The group that was asked last.
    group: Option<String>,
    /// The agent who serves, or served last; to the customer, the shop.
    agent: Option<String>,
    /// The assignment under which they serve; staff only.
    assignment: Option<u64>,
    /// Place in its queue, from 1, while it waits.
    queue_position: Option<usize>,
    /// Since when it exists, in milliseconds since 1970.
    opened_at: i64,
    /// When it ended.
    closed_at: Option<i64>,
    /// Why it ended.
    #[schema(value_type = Option<String>)]
    close_reason: Option<CloseReason>,
    /// Who ended it: their id, or `system`. To the customer, whoever works for the shop is the shop.
    closed_by: Option<String>,
    /// What staff said of the end; staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    close_label: Option<String>,
    /// The customer's score, if they rated.
    score: Option<u8>,
    /// Since when the customer's oldest unanswered message waits.
    waiting_since: Option<i64>,
    /// The ticket of a left message; staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<TicketBody>,
    /// When anything last happened in it.
    last_activity: i64,
    /// Messages in it.
    messages: u64,
}

/// A conversation, and what is looked up for it alone.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationDetail {
    #[serde(flatten)]
    conversation: ConversationBody,
    /// The tags that the shop's flow offers with a rating; where it offers none, any may be chosen.
    #[schema(value_type = Vec<String>)]
    rating_tags: Vec<Label>,
    /// What staff said of its ticket, the first one first; staff only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ticket_history: Vec<TicketChangeBody>,
}

/// Describes a conversation.
pub(super) fn body(app: &AppState, tenant: TenantId, row: ConversationRow, view: View) -> ConversationBody {
    let queue_position = match row.status {
        ConversationStatus::Waiting => app.ports.views.queue_position(tenant, row.conversation),
        ConversationStatus::Reception | ConversationStatus::LeftMessage | ConversationStatus::Serving | ConversationStatus::Closed => None,
    };
    ConversationBody {
        id: row.conversation.to_string(),
        chat: row.chat.to_string(),
        shop: row.shop.to_string(),
        customer: row.customer.to_string(),
        entry_page: row.entry.page,
        entry_subject: row.entry.subject.map(|subject| subject.to_string()),
        status: row.status,
        task: row.task.map(|id| id.to_string()),
        group: row.group.map(|id| id.to_string()),
        agent: row.agent.map(|agent| shown_agent(agent, row.chat, view).to_string()),
        assignment: row.assignment.filter(|_| view == View::Staff),
        queue_position,
        opened_at: row.opened_at.0,
        closed_at: row.closed_at.map(|at| at.0),
        close_reason: row.close_reason,
        closed_by: row.closed_by.map(|by| match by {
            Party::User(user) => shown(user, row.chat, Some(row.customer), view).to_string(),
            Party::System => "system".to_owned(),
        }),
        close_label: row.close_label.filter(|_| view == View::Staff).map(|label| label.to_string()),
        score: row.score,
        waiting_since: row.waiting_since.map(|at| at.0),
        ticket: row.ticket.filter(|_| view == View::Staff).map(|ticket| ticket::body(app, tenant, &ticket)),
        last_activity: row.last_activity.0,
        messages: row.messages,
    }
}

/// Reads a conversation.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/conversations/{id}",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    responses((status = 200, body = ConversationDetail), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    _: Params<NoParams>,
) -> Result<Json<ConversationDetail>, ApiError> {
    let row = reached(&app, &caller, tenant, id, Action::ReadConversation).await?;
    let rating_tags = choices(&app, tenant, row.shop).await.unwrap_or_else(|error| {
        tracing::warn!(tenant.id = %tenant, %error, "a flow cannot be read; a conversation is shown without the tags that it offers");
        vec![]
    });
    let view = caller.view();
    let ticket_history = match row.ticket.as_ref().filter(|_| view == View::Staff) {
        Some(ticket) => ticket::history(&app, ticket).await?,
        None => vec![],
    };
    Ok(Json(ConversationDetail { conversation: body(&app, tenant, row, view), rating_tags, ticket_history }))
}
