//! `GET /v1/tenants/{t}/outreach`, and one attempt.

use application::access::{Action, Resource};
use application::ports::event_log::CommitPosition;
use application::queries::{EventRef, OutreachRow};
use axum::Json;
use axum::extract::State;
use domain::ids::{OutreachId, TenantId};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::auth::Caller;
use crate::http::cursor;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::http::respond::Page;
use crate::http::routes::tenant;
use crate::outreach::told::{self, AttemptBody};
use crate::reading::look_up;
use crate::state::App;

/// The list that a cursor belongs to.
const LIST: &str = "outreach";

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListOutreach {
    /// `next_cursor` of the page before.
    after: Option<String>,
    /// Entries of a page.
    limit: Option<usize>,
}

fn place(row: &OutreachRow) -> [u8; 12] {
    let mut place = [0; 12];
    place[..8].copy_from_slice(&row.at.commit.0.to_be_bytes());
    place[8..].copy_from_slice(&row.at.index.to_be_bytes());
    place
}

fn at(place: [u8; 12]) -> EventRef {
    let (commit, index) = place.split_at(8);
    EventRef {
        commit: CommitPosition(u64::from_be_bytes(commit.try_into().expect("eight of twelve bytes"))),
        index: u32::from_be_bytes(index.try_into().expect("four of twelve bytes")),
    }
}

/// Lists the attempts to start contact with customers, sent or refused, the newest first.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/outreach",
    tag = "outreach",
    params(("t" = String, Path, description = "The tenant."), ListOutreach),
    responses((status = 200, body = Page<AttemptBody>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    Params(params): Params<ListOutreach>,
) -> Result<Json<Page<AttemptBody>>, ApiError> {
    caller.may(Action::ReadOutreach, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let limit = cursor::page_size(params.limit)?;
    let before = params.after.map(|after| cursor::read(&app.secrets, LIST, Some(tenant), &after)).transpose()?.map(at);
    let rows = app.ports.views.outreaches(tenant, before, limit + 1);
    let (rows, next) = Page::<AttemptBody>::cut(rows, limit, |last| cursor::write(&app.secrets, LIST, Some(tenant), &place(last)));
    let mut data = Vec::with_capacity(rows.len());
    for row in rows {
        data.push(AttemptBody::from(&told::read(&app, &row).await?));
    }
    Ok(Json(Page::new(data, next)))
}

/// One attempt.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/outreach/{id}",
    tag = "outreach",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The attempt.")),
    responses((status = 200, body = AttemptBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, attempt)): InPath<(TenantId, OutreachId)>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<AttemptBody>, ApiError> {
    caller.may(Action::ReadOutreach, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let row = look_up(&app, || app.ports.views.outreach(tenant, attempt)).await?;
    let row = row.ok_or(ApiError::NotFound { kind: "outreach attempt" })?;
    Ok(Json(AttemptBody::from(&told::read(&app, &row).await?)))
}
