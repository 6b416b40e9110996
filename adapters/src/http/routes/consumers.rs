//! `GET /v1/consumers` and `POST /v1/tenants/{t}/consumers/{name}/resume`: views and policies that stand still.

use application::access::{Action, Resource};
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::Position;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::ids::TenantId;
use domain::tenant::command::TenantCommand;
use domain::tenant::event::PoisonVerdict;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoParams, Order, Params};
use crate::http::journey::Journey;
use crate::http::respond::{Done, Page, done};
use crate::http::routes::tenant;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(resume))
}

/// A consumer that cannot process an event of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsumerBody {
    /// Name of the view or policy.
    consumer: String,
    /// The tenant for which it stands still; others go on.
    tenant: String,
    /// The event it cannot process.
    position: String,
    /// Why.
    cause: String,
}

/// Lists the consumers that stand still.
#[utoipa::path(
    get,
    path = "/v1/consumers",
    tag = "operations",
    responses((status = 200, body = Page<ConsumerBody>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(State(app): State<App>, caller: Caller, _: Params<NoParams>) -> Result<Json<Page<ConsumerBody>>, ApiError> {
    caller.may(Action::ListConsumers, Resource::platform())?;
    let shard = app.ports.log.shard();
    let stopped = app.ports.stopped_consumers().into_iter().map(|stopped| ConsumerBody {
        consumer: stopped.consumer,
        tenant: stopped.tenant.to_string(),
        position: Position { shard, commit: stopped.at.commit, index: stopped.at.index }.to_string(),
        cause: stopped.cause,
    });
    Ok(Json(Page::new(stopped.collect(), None)))
}

/// How a stopped consumer goes on.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictBody {
    /// Try the event again: the cause was mended.
    Retry,
    /// Leave the event out of this consumer for good.
    Skip,
}

/// An operator's decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeConsumer {
    /// The event it cannot process, as listed.
    position: String,
    /// Retry or skip.
    verdict: VerdictBody,
}

/// Decides how a stopped consumer goes on. The decision is recorded.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/consumers/{name}/resume",
    tag = "operations",
    params(("t" = String, Path, description = "The tenant."), ("name" = String, Path, description = "The consumer.")),
    request_body = ResumeConsumer,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn resume(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, consumer)): InPath<(TenantId, String)>,
    order: Order<ResumeConsumer>,
) -> Result<Response, ApiError> {
    caller.may(Action::ResumeConsumer, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let position: Position = order.body.position.parse().map_err(|_| InputError::ForeignPosition)?;
    if position.shard != app.ports.log.shard() {
        return Err(InputError::ForeignPosition.into());
    }
    let stands = |stopped: &application::queries::StoppedConsumer| {
        stopped.tenant == tenant
            && stopped.consumer == consumer
            && (stopped.at.commit, stopped.at.index) == (position.commit, position.index)
    };
    if !app.ports.stopped_consumers().iter().any(stands) {
        return Err(ApiError::NotFound { kind: "stopped consumer at this position" });
    }
    let verdict = match order.body.verdict {
        VerdictBody::Retry => PoisonVerdict::Retry,
        VerdictBody::Skip => PoisonVerdict::Skip,
    };
    let journey = Journey::of(&app, &caller, &order)?;
    let command = TenantCommand::ResumeConsumer { consumer, commit: position.commit.0, index: position.index, verdict };
    let answer = journey.execute("resume consumer", StreamId::new(tenant, StreamKey::Tenant), command).await?;
    Ok(done(answer.position))
}
