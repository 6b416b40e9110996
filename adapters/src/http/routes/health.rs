//! `/livez` and `/readyz`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::error::{ApiError, Problem};
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// Commits by which the read models may be behind while the server still counts as ready: a moment's work.
const LAG_MAX: u64 = 10_000;

/// Whether the process runs. It asks nothing else, so that a slow disk does not get a process killed.
#[utoipa::path(get, path = "/livez", tag = "operations", security(()), responses((status = 200, body = String)))]
pub async fn live() -> &'static str {
    "ok\n"
}

/// Whether requests should be sent here: the log answers, the read models follow, and nobody ordered a stop.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    security(()),
    responses((status = 200, body = String), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn ready(State(app): State<App>) -> Result<&'static str, ApiError> {
    if app.shutdown.is_ordered() {
        return Err(ApiError::NotReady);
    }
    let head = app.ports.log.head().await?;
    let behind = head.0.saturating_sub(app.ports.views.reached().0);
    if behind > LAG_MAX { Err(ApiError::NotReady) } else { Ok("ok\n") }
}
