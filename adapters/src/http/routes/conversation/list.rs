//! `GET /v1/tenants/{t}/conversations`.

use application::access::{Action, Reach, Resource, reach};
use application::queries::{ConversationFilter, ConversationStatus, TicketFilter};
use axum::Json;
use axum::extract::State;
use domain::conversation::ticket::TicketState;
use domain::ids::{ConversationId, ShopId, TenantId, UserId};
use domain::time::Timestamp;
use domain::user::event::Role;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::read::{ConversationBody, body};
use crate::http::auth::Caller;
use crate::http::cursor;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Params};
use crate::http::respond::Page;
use crate::http::routes::tenant;
use crate::messaging::limits;
use crate::render::View;
use crate::state::{App, AppState};

/// Which conversations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListConversations {
    /// `reception`, `waiting`, `serving` or `closed`.
    #[param(value_type = Option<String>)]
    status: Option<ConversationStatus>,
    /// Only this agent's.
    #[param(value_type = Option<String>)]
    agent: Option<UserId>,
    /// Only this customer's.
    #[param(value_type = Option<String>)]
    customer: Option<UserId>,
    /// Only of this shop.
    #[param(value_type = Option<String>)]
    shop: Option<ShopId>,
    /// Only those with a ticket in this state: `open`, `in_progress`, `waiting_for_customer` or `solved`. Staff only, as are the next two.
    #[param(value_type = Option<String>)]
    ticket: Option<TicketState>,
    /// Only those whose ticket is this one's task. Their owner may ask for all of them.
    #[param(value_type = Option<String>)]
    ticket_owner: Option<UserId>,
    /// With `true`, only those whose ticket is due and not solved.
    #[serde(default)]
    overdue: bool,
    /// Rows, 1 to 200.
    limit: Option<usize>,
    /// The cursor of the page before.
    after: Option<String>,
}

const LIST: &str = "conversations";

fn place(at: Timestamp, id: ConversationId) -> [u8; 24] {
    let mut place = [0; 24];
    place[..8].copy_from_slice(&at.0.to_be_bytes());
    place[8..].copy_from_slice(id.as_bytes());
    place
}

fn read_place(place: [u8; 24]) -> (Timestamp, ConversationId) {
    let at = i64::from_be_bytes(place[..8].try_into().expect("eight bytes"));
    let id = Uuid::from_bytes(place[8..].try_into().expect("sixteen bytes"));
    (Timestamp(at), ConversationId::from_uuid(id))
}

/// Which tickets are asked for, if any are.
fn tickets(app: &AppState, caller: &Caller, tenant: TenantId, params: &ListConversations) -> Result<Option<TicketFilter>, ApiError> {
    if params.ticket.is_none() && params.ticket_owner.is_none() && !params.overdue {
        return Ok(None);
    }
    caller.enter(tenant, Action::ListConversations)?;
    if caller.view() == View::Customer {
        return Err(InputError::Refused { field: "ticket", reason: "is for staff" }.into());
    }
    let overdue = params.overdue.then(|| (app.now(), limits(app, tenant).ticket_due));
    Ok(Some(TicketFilter { state: params.ticket, owner: params.ticket_owner, overdue }))
}

/// Lists conversations, newest activity first. Customers and agents see their own.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/conversations",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ListConversations),
    responses((status = 200, body = Page<ConversationBody>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    Params(params): Params<ListConversations>,
) -> Result<Json<Page<ConversationBody>>, ApiError> {
    let narrowed = reach(caller.principal(), Action::ListConversations) == Some(Reach::Own);
    let ListConversations { agent, customer, shop, status, .. } = params;
    let mut filter = ConversationFilter { agent, customer, shop, status, ticket: tickets(&app, &caller, tenant, &params)? };
    let mut own = true;
    let is_owner = |user| params.ticket_owner == Some(user);
    if narrowed && let Some(user) = caller.user_of(tenant).filter(|user| !is_owner(user.user)) {
        let theirs = if user.row.role == Role::Customer { &mut filter.customer } else { &mut filter.agent };
        // Asking for somebody else's is refused rather than answered with one's own.
        own = theirs.is_none_or(|asked| asked == user.user);
        *theirs = Some(user.user);
    }
    caller.may(Action::ListConversations, Resource::of_tenant(tenant).own(own))?;
    tenant::known(&app, tenant)?;
    let limit = cursor::page_size(params.limit)?;
    let after = params.after.map(|after| cursor::read(&app.secrets, LIST, Some(tenant), &after)).transpose()?.map(read_place);
    let rows = app.ports.views.conversations(tenant, filter, after, limit + 1);
    let (rows, next) = Page::<ConversationBody>::cut(rows, limit, |last| {
        cursor::write(&app.secrets, LIST, Some(tenant), &place(last.last_activity, last.conversation))
    });
    Ok(Json(Page::new(rows.into_iter().map(|row| body(&app, tenant, row, caller.view())).collect(), next)))
}
