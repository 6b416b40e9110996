//! `GET /v1/tenants/{t}/queue`.

use application::access::{Action, Reach, Resource, reach};
use application::queries::QueueRow;
use axum::Json;
use axum::extract::State;
use domain::desk::event::QueueKind;
use domain::ids::{GroupId, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::auth::Caller;
use crate::http::cursor::PAGE_MAX;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Params};
use crate::http::respond::Page;
use crate::http::routes::tenant;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

/// Which queue.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReadQueue {
    /// Only who waits for this group.
    #[param(value_type = Option<String>)]
    group: Option<GroupId>,
}

/// One who waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingBody {
    /// The conversation.
    conversation: String,
    /// Its chat.
    chat: String,
    /// The group.
    group: String,
    /// `online`, `offline` or `message`.
    #[schema(value_type = String)]
    queue: QueueKind,
    /// Smaller is served first.
    priority: u8,
    /// Since when, in milliseconds since 1970.
    enqueued_at: i64,
}

impl From<QueueRow> for WaitingBody {
    fn from(row: QueueRow) -> Self {
        Self {
            conversation: row.conversation.to_string(),
            chat: row.chat.to_string(),
            group: row.group.to_string(),
            queue: row.queue,
            priority: row.priority,
            enqueued_at: row.enqueued_at.0,
        }
    }
}

/// Reads who waits, in the order of being served, the first 200. Agents see the queues of their groups.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/queue",
    tag = "desk",
    params(("t" = String, Path, description = "The tenant."), ReadQueue),
    responses((status = 200, body = Page<WaitingBody>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    Params(params): Params<ReadQueue>,
) -> Result<Json<Page<WaitingBody>>, ApiError> {
    let narrowed = reach(caller.principal(), Action::ReadQueue) == Some(Reach::Group);
    let whole_list_of_own = narrowed && params.group.is_none();
    caller.may(Action::ReadQueue, Resource::of_tenant(tenant).in_group(params.group).own(whole_list_of_own))?;
    tenant::known(&app, tenant)?;
    let mut rows = app.ports.views.queue(tenant, params.group);
    if whole_list_of_own && let Some(user) = caller.user_of(tenant) {
        rows.retain(|row| user.row.groups.contains(&row.group));
    }
    rows.truncate(PAGE_MAX);
    Ok(Json(Page::new(rows.into_iter().map(WaitingBody::from).collect(), None)))
}
