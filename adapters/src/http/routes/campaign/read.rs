//! `GET /v1/tenants/{t}/campaigns`, and one of them.

use application::access::{Action, Resource};
use application::queries::{CampaignRow, CampaignStatus};
use axum::Json;
use axum::extract::State;
use domain::campaign::event::CancelReason;
use domain::event::Event;
use domain::ids::{CampaignId, TenantId};
use domain::message::{Kind, Style};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::auth::Caller;
use crate::http::cursor;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Params};
use crate::http::respond::Page;
use crate::http::routes::tenant;
use crate::reading::{Reader, look_up};
use crate::state::App;

/// The list that a cursor belongs to.
const LIST: &str = "campaigns";

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListCampaigns {
    /// `next_cursor` of the page before.
    after: Option<String>,
    /// Entries of a page.
    limit: Option<usize>,
}

/// What became of those who have been gone through.
#[derive(Debug, Serialize, ToSchema)]
pub struct TallyBody {
    /// The message is in their chat.
    sent: u64,
    /// The tenant has no such customer.
    unknown: u64,
    /// Their account is closed, or they were erased.
    inactive: u64,
    /// Their chat refused the message.
    refused: u64,
}

/// A campaign.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignBody {
    /// Its id.
    id: String,
    /// The shop in whose name it speaks.
    shop: String,
    /// How its message is shown.
    #[schema(value_type = String)]
    style: Style,
    /// What its message carries.
    #[schema(value_type = String)]
    kind: Kind,
    /// What it says.
    content: Option<String>,
    /// Most customers it reaches in a second.
    per_second: u32,
    /// `draft`, `running`, `paused`, `cancelled` or `finished`.
    #[schema(value_type = String)]
    status: CampaignStatus,
    /// Why it was cancelled: `requested` or `took_too_long`.
    #[schema(value_type = Option<String>)]
    cancelled: Option<CancelReason>,
    /// Customers on its list.
    recipients: u64,
    /// Customers who have been gone through.
    done: u64,
    /// What became of them.
    tally: TallyBody,
    /// When it was written, in milliseconds since 1970.
    created_at: i64,
    /// When it began.
    started_at: Option<i64>,
    /// When it finished or was cancelled.
    ended_at: Option<i64>,
}

async fn body(reader: &mut Reader<'_>, row: CampaignRow) -> Result<CampaignBody, ApiError> {
    use domain::campaign::event::CampaignEvent;
    let content = match reader.open(row.content).await?.event {
        Event::Campaign(CampaignEvent::CampaignCreated(created)) => created.private.known().map(|content| content.content.clone()),
        Event::Campaign(_)
        | Event::Chat(_)
        | Event::Conversation(_)
        | Event::User(_)
        | Event::Desk(_)
        | Event::Tenant(_)
        | Event::Retrieval(_) => None,
    };
    Ok(CampaignBody {
        id: row.campaign.to_string(),
        shop: row.shop.to_string(),
        style: row.style,
        kind: row.kind,
        content,
        per_second: row.per_second,
        status: row.status,
        cancelled: row.cancelled,
        recipients: row.recipients,
        done: row.tally.total(),
        tally: TallyBody { sent: row.tally.sent, unknown: row.tally.unknown, inactive: row.tally.inactive, refused: row.tally.refused },
        created_at: row.created_at.0,
        started_at: row.started_at.map(|at| at.0),
        ended_at: row.ended_at.map(|at| at.0),
    })
}

/// Lists the campaigns, the newest first.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/campaigns",
    tag = "campaigns",
    params(("t" = String, Path, description = "The tenant."), ListCampaigns),
    responses((status = 200, body = Page<CampaignBody>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    Params(params): Params<ListCampaigns>,
) -> Result<Json<Page<CampaignBody>>, ApiError> {
    caller.may(Action::ReadCampaigns, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let limit = cursor::page_size(params.limit)?;
    let after: Option<[u8; 16]> = params.after.map(|after| cursor::read(&app.secrets, LIST, Some(tenant), &after)).transpose()?;
    let after = after.map(|after| CampaignId::from_u128(u128::from_be_bytes(after)));
    let rows = app.ports.views.campaigns(tenant, after, limit + 1);
    let (rows, next) =
        Page::<CampaignBody>::cut(rows, limit, |last| cursor::write(&app.secrets, LIST, Some(tenant), last.campaign.as_bytes()));
    let mut reader = Reader::new(&app);
    let mut data = Vec::with_capacity(rows.len());
    for row in rows {
        data.push(body(&mut reader, row).await?);
    }
    Ok(Json(Page::new(data, next)))
}

/// One campaign: how far it is, and what became of those before.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/campaigns/{id}",
    tag = "campaigns",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = CampaignBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, campaign)): InPath<(TenantId, CampaignId)>,
) -> Result<Json<CampaignBody>, ApiError> {
    caller.may(Action::ReadCampaigns, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let row = look_up(&app, || app.ports.views.campaign(tenant, campaign)).await?;
    let row = row.ok_or(ApiError::NotFound { kind: "campaign" })?;
    Ok(Json(body(&mut Reader::new(&app), row).await?))
}
