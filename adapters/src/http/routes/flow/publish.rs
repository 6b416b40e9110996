//! `PUT` and `DELETE` of a flow, and `POST /v1/tenants/{t}/flows/check`.

use application::access::{Action, Resource};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::flow::FlowKind;
use domain::ids::{ShopId, TenantId};
use domain::tenant::command::TenantCommand;
use domain::tenant::event::FlowText;
use serde::Serialize;
use utoipa::ToSchema;

use super::Document;
use crate::flows::text::{self, TextFault};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoBody, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, changed, done};
use crate::http::routes::tenant::{known, stream};
use crate::state::{App, AppState};

/// A flow that is in force.
#[derive(Serialize, ToSchema)]
pub struct PublishedFlow {
    /// Its number.
    version: u32,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// What is wrong with a document.
#[derive(Serialize, ToSchema)]
pub struct CheckedFlow {
    /// Which of the two documents it is, if nothing is wrong with it.
    flow: Option<&'static str>,
    /// Every fault, in the order of the text; none of one that may be published.
    faults: Vec<TextFault>,
}

/// Publishes a flow of the tenant.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/flows/{kind}",
    tag = "flows",
    params(("t" = String, Path, description = "The tenant."), ("kind" = String, Path, description = "`reception` or `assignment`.")),
    request_body = Document,
    responses((status = 200, body = PublishedFlow), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn publish(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, kind)): InPath<(TenantId, FlowKind)>,
    order: Order<Document>,
) -> Result<Response, ApiError> {
    publish_in(&app, &caller, tenant, kind, None, order).await
}

/// Publishes a flow of one shop: it goes there in place of the tenant's.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/shops/{s}/flows/{kind}",
    tag = "flows",
    params(
        ("t" = String, Path, description = "The tenant."),
        ("s" = String, Path, description = "The shop."),
        ("kind" = String, Path, description = "`reception` or `assignment`.")
    ),
    request_body = Document,
    responses((status = 200, body = PublishedFlow), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn publish_for_shop(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, shop, kind)): InPath<(TenantId, ShopId, FlowKind)>,
    order: Order<Document>,
) -> Result<Response, ApiError> {
    publish_in(&app, &caller, tenant, kind, Some(shop), order).await
}

async fn publish_in(
    app: &App,
    caller: &Caller,
    tenant: TenantId,
    kind: FlowKind,
    shop: Option<ShopId>,
    order: Order<Document>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageFlows, Resource::of_tenant(tenant))?;
    let row = known(app, tenant)?;
    let journey = Journey::of(app, caller, &order)?;
    let Document { text } = order.body;
    let flow = text::read(&text, &row.known_to_flows()).map_err(ApiError::Flow)?;
    if flow.kind() != kind {
        return Err(InputError::Refused { field: "text", reason: "is the other one of the two flows than the path says" }.into());
    }
    let command = TenantCommand::PublishFlow { flow, shop, text: FlowText { text } };
    let answer = journey.execute("publish flow", stream(tenant), command).await?;
    wait_for(app, answer.position).await?;
    let row = known(app, tenant)?;
    // An order that came before is answered with where the tenant is now: then it is the newest one.
    let versions = || row.flows.iter().filter(|row| row.kind == kind && row.shop == shop);
    let of_answer = versions().find(|row| row.text.commit == answer.position.commit).or_else(|| versions().max_by_key(|row| row.version));
    let version = of_answer.ok_or(ApiError::NotFound { kind: "flow" })?.version;
    Ok(changed(StatusCode::OK, answer.position, PublishedFlow { version, position: answer.position.to_string() }))
}

/// Takes the tenant's flow out of force: the built-in one goes again.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/flows/{kind}",
    tag = "flows",
    params(("t" = String, Path, description = "The tenant."), ("kind" = String, Path, description = "`reception` or `assignment`.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn withdraw(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, kind)): InPath<(TenantId, FlowKind)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    withdraw_in(&app, &caller, tenant, kind, None, order).await
}

/// Takes a shop's flow out of force: the tenant's goes again.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/shops/{s}/flows/{kind}",
    tag = "flows",
    params(
        ("t" = String, Path, description = "The tenant."),
        ("s" = String, Path, description = "The shop."),
        ("kind" = String, Path, description = "`reception` or `assignment`.")
    ),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn withdraw_for_shop(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, shop, kind)): InPath<(TenantId, ShopId, FlowKind)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    withdraw_in(&app, &caller, tenant, kind, Some(shop), order).await
}

async fn withdraw_in(
    app: &AppState,
    caller: &Caller,
    tenant: TenantId,
    kind: FlowKind,
    shop: Option<ShopId>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageFlows, Resource::of_tenant(tenant))?;
    known(app, tenant)?;
    let journey = Journey::of(app, caller, &order)?;
    let answer = journey.execute("withdraw flow", stream(tenant), TenantCommand::WithdrawFlow { kind, shop }).await?;
    wait_for(app, answer.position).await?;
    Ok(done(answer.position))
}

/// Says what is wrong with a document, and changes nothing.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/flows/check",
    tag = "flows",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = Document,
    responses((status = 200, body = CheckedFlow), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn check(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<Document>,
) -> Result<Json<CheckedFlow>, ApiError> {
    caller.may(Action::ManageFlows, Resource::of_tenant(tenant))?;
    let row = known(&app, tenant)?;
    let read = text::read(&order.body.text, &row.known_to_flows());
    Ok(Json(match read {
        Ok(flow) => CheckedFlow { flow: Some(flow.kind().as_str()), faults: vec![] },
        Err(faults) => CheckedFlow { flow: None, faults },
    }))
}
