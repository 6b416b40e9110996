//! `POST /v1/tenants/{t}/campaigns`, and what is done with one of them.

use application::access::{Action, Resource};
use application::log::stream::{StreamId, StreamKey};
use axum::extract::State;
use axum::response::Response;
use domain::campaign::command::CampaignCommand;
use domain::campaign::event::CancelReason;
use domain::ids::{CampaignId, ShopId, TenantId, UserId};
use domain::message::{Kind, MessageContent, Style};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::further_json;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, Order};
use crate::http::journey::Journey;
use crate::http::respond::{Created, Done, created, done};
use crate::http::routes::tenant;
use crate::state::{App, AppState};

/// Customers reached in a second unless the campaign says otherwise: a million in ten minutes.
const PER_SECOND: u32 = 1_800;

const fn per_second() -> u32 {
    PER_SECOND
}

/// A campaign to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCampaign {
    /// The shop in whose name it speaks.
    #[schema(value_type = String)]
    shop: ShopId,
    /// `normal`, `card`, `order`, `rating` or `toast`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    style: Style,
    /// `text`, `picture`, `video`, `audio`, `file` or `unknown`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    kind: Kind,
    /// What it says.
    content: String,
    /// Where a click leads, or where the media is.
    url: Option<String>,
    /// Further JSON for the reader's client, such as a card's fields.
    #[schema(value_type = Option<serde_json::Value>)]
    ext: Option<Box<RawValue>>,
    /// Most customers it reaches in a second, 1 to 10,000.
    #[serde(default = "per_second")]
    per_second: u32,
}

/// Customers for a campaign's list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddRecipients {
    /// Who, 1 to 5,000. Who is listed twice gets the message once.
    #[schema(value_type = Vec<String>)]
    recipients: Vec<UserId>,
}

/// Writes a campaign. It says nothing before it has recipients and is started.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/campaigns",
    tag = "campaigns",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = CreateCampaign,
    responses((status = 201, body = Created), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<CreateCampaign>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageCampaigns, Resource::of_tenant(tenant))?;
    let row = tenant::known(&app, tenant)?;
    let CreateCampaign { shop, style, kind, content, url, ext, per_second } = &order.body;
    if !row.shops.iter().any(|(known, _)| known == shop) {
        return Err(ApiError::NotFound { kind: "shop" });
    }
    let ext = ext.as_deref().map(further_json::checked).transpose()?;
    let content = MessageContent { content: content.clone(), url: url.clone(), quote_text: None, ext, ..MessageContent::default() };
    let command = CampaignCommand::Create { shop: *shop, style: *style, kind: *kind, per_second: *per_second, content };
    let journey = Journey::of(&app, &caller, &order)?;
    let campaign = CampaignId::from_uuid(journey.new_id("campaign", tenant));
    let answer = journey.execute("create campaign", stream(tenant, campaign), command).await?;
    Ok(created(campaign, answer.position))
}

/// Lists more customers, before the campaign starts.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/campaigns/{id}/recipients",
    tag = "campaigns",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The campaign.")),
    request_body = AddRecipients,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn add_recipients(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, campaign)): InPath<(TenantId, CampaignId)>,
    order: Order<AddRecipients>,
) -> Result<Response, ApiError> {
    let recipients = order.body.recipients.clone();
    tell(&app, &caller, (tenant, campaign), &order, "add recipients", CampaignCommand::AddRecipients { recipients }).await
}

/// Begins, or goes on after a pause.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/campaigns/{id}/start",
    tag = "campaigns",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn start(
    State(app): State<App>,
    caller: Caller,
    InPath(place): InPath<(TenantId, CampaignId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    let answer = tell(&app, &caller, place, &order, "start campaign", CampaignCommand::Start).await?;
    app.campaigns.look();
    Ok(answer)
}

/// Is silent for the moment. What is on its way still arrives.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/campaigns/{id}/pause",
    tag = "campaigns",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn pause(
    State(app): State<App>,
    caller: Caller,
    InPath(place): InPath<(TenantId, CampaignId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    tell(&app, &caller, place, &order, "pause campaign", CampaignCommand::Pause).await
}

/// Is silent for good. What is on its way still arrives.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/campaigns/{id}/cancel",
    tag = "campaigns",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    InPath(place): InPath<(TenantId, CampaignId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    let command = CampaignCommand::Cancel { reason: CancelReason::Requested };
    tell(&app, &caller, place, &order, "cancel campaign", command).await
}

const fn stream(tenant: TenantId, campaign: CampaignId) -> StreamId {
    StreamId::new(tenant, StreamKey::Campaign(campaign))
}

async fn tell<T>(
    app: &AppState,
    caller: &Caller,
    (tenant, campaign): (TenantId, CampaignId),
    order: &Order<T>,
    step: &str,
    command: CampaignCommand,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageCampaigns, Resource::of_tenant(tenant))?;
    tenant::known(app, tenant)?;
    let answer = Journey::of(app, caller, order)?.execute(step, stream(tenant, campaign), command).await?;
    Ok(done(answer.position))
}
