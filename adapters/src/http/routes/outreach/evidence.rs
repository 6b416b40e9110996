//! `GET /v1/tenants/{t}/outreach/evidence`.

use application::access::{Action, Resource};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::ids::TenantId;
use futures_util::stream;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::http::routes::tenant;
use crate::outreach::evidence::Evidence;
use crate::state::App;

/// The evidence of all attempts, as JSON lines for `kefu outreach verify`: what was decided, and the stored bytes that prove it. Read
/// while it is sent; one that breaks off has no end, and proves nothing.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/outreach/evidence",
    tag = "outreach",
    params(("t" = String, Path, description = "The tenant.")),
    responses(
        (status = 200, body = String, content_type = "application/jsonl"),
        (status = "default", body = Problem, content_type = "application/problem+json")
    )
)]
pub async fn evidence(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Response, ApiError> {
    caller.may(Action::ExportOutreach, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let lines = stream::try_unfold(Evidence::of(app, tenant), move |mut evidence| async move {
        let lines = evidence.next().await.inspect_err(|error| {
            // The status is sent already; all that is left is to break off.
            tracing::error!(tenant.id = %tenant, %error, "evidence broke off");
        })?;
        Ok::<_, ApiError>(lines.map(|lines| (lines, evidence)))
    });
    let mut response = Body::from_stream(lines).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl"));
    Ok(response)
}
