//! `GET` and `POST /v1/tenants/{t}/blocked-addresses`, and `DELETE .../{id}`: ranges of client addresses from which the tenant wants
//! to hear nothing.

use application::access::{Action, Resource};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::event::Event;
use domain::ids::{DigestHex, TenantId};
use domain::remark::Remark;
use domain::tenant::command::TenantCommand;
use domain::tenant::event::{BlockedAddresses, TenantEvent};
use domain::user::event::KeyedDigest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{known, stream};
use crate::config::Network;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoBody, NoParams, Order, Params, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, changed, done};
use crate::reading::Reader;
use crate::secrets::Purpose;
use crate::state::App;

/// A range of addresses to block.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockAddresses {
    /// An address (`203.0.113.7`, `2001:db8::1`) or a network (`203.0.113.0/24`, `2001:db8::/48`).
    range: String,
    /// For staff: 1 to 2,000 bytes.
    #[schema(value_type = String)]
    reason: Remark,
}

/// A range that is blocked.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockedRange {
    /// By which it is unblocked.
    id: String,
    /// The range; null when the tenant's key was destroyed.
    range: Option<String>,
    /// Why.
    reason: Option<String>,
    /// Since when, in milliseconds since 1970.
    at: i64,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockedRanges {
    /// The first one first.
    data: Vec<BlockedRange>,
}

/// A range that is blocked from here on.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockedNow {
    /// By which it is unblocked.
    id: String,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// Lists the blocked ranges.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/blocked-addresses",
    tag = "tenants",
    params(("t" = String, Path, description = "The tenant.")),
    responses((status = 200, body = BlockedRanges), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    _: Params<NoParams>,
) -> Result<Json<BlockedRanges>, ApiError> {
    caller.may(Action::BlockCustomers, Resource::of_tenant(tenant))?;
    let row = known(&app, tenant)?;
    let mut reader = Reader::new(&app);
    let mut data = Vec::with_capacity(row.blocked_ranges.len());
    for (range, at) in &row.blocked_ranges {
        let opened = reader.open(*at).await?;
        let Event::Tenant(TenantEvent::AddressesBlocked(blocked)) = opened.event else { continue };
        let known = blocked.private.known();
        data.push(BlockedRange {
            id: range.0.to_string(),
            range: known.map(|known| known.range.clone()),
            reason: known.map(|known| known.reason.as_str().to_owned()),
            at: opened.header.time.0,
        });
    }
    Ok(Json(BlockedRanges { data }))
}

/// Blocks a range of addresses: whoever comes from there as a customer opens no chat, says nothing, asks for nobody and does not sign
/// in.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/blocked-addresses",
    tag = "tenants",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = BlockAddresses,
    responses((status = 201, body = BlockedNow), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn block(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<BlockAddresses>,
) -> Result<Response, ApiError> {
    caller.may(Action::BlockCustomers, Resource::of_tenant(tenant))?;
    known(&app, tenant)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let refused = |_| InputError::Refused { field: "range", reason: "is written as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/48" };
    // As it is kept, however it was written: the same range is blocked once.
    let range = order.body.range.parse::<Network>().map_err(refused)?.canonical().to_string();
    let digest = app.secrets.digest(tenant, Purpose::BlockedRange, &[range.as_bytes()]);
    let addresses = BlockedAddresses { range, reason: order.body.reason };
    let answer = journey.execute("block addresses", stream(tenant), TenantCommand::BlockAddresses { range: digest, addresses }).await?;
    wait_for(&app, answer.position).await?;
    let body = BlockedNow { id: digest.0.to_string(), position: answer.position.to_string() };
    Ok(changed(StatusCode::CREATED, answer.position, body))
}

/// Takes the block of a range back.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/blocked-addresses/{id}",
    tag = "tenants",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The range's id.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn unblock(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, DigestHex)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    caller.may(Action::BlockCustomers, Resource::of_tenant(tenant))?;
    let range = KeyedDigest(id);
    if !known(&app, tenant)?.blocked_ranges.iter().any(|(known, _)| *known == range) {
        return Err(ApiError::NotFound { kind: "blocked range" });
    }
    let journey = Journey::of(&app, &caller, &order)?;
    let answer = journey.execute("unblock addresses", stream(tenant), TenantCommand::UnblockAddresses { range }).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
