//! The router: every route, what surrounds each request, and what answers where no route does.

use std::any::Any;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use super::auth::Correlation;
use super::error::ApiError;
use super::{openapi, pages, routes};
use crate::channels;
use crate::state::App;

/// The id of a request: taken from a client that sends a uuid, answered always.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes and their description.
fn described() -> (Router<App>, utoipa::openapi::OpenApi) {
    let described = OpenApiRouter::with_openapi(openapi::description()).merge(routes::all()).merge(channels::routes());
    let (router, mut description) = described.split_for_parts();
    openapi::add_common_parameters(&mut description);
    (router, description)
}

/// The description of every route, for those who generate clients.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().1
}

/// The router over a state.
pub fn router(app: App) -> Router {
    let (router, description) = described();
    router
        .merge(openapi::route(&description))
        .merge(pages::router(app.config.http.pages.as_deref()))
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), surround))
        .with_state(app)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("without a message"), "handler panicked");
    ApiError::Panicked.into_response()
}

/// Gives each request its id, and notes how it went: the path's template, never its values, and no bodies.
async fn surround(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let given = request.headers().get(REQUEST_ID).and_then(|id| Uuid::try_parse(id.to_str().ok()?).ok());
    let id = given.unwrap_or_else(|| app.new_id());
    request.extensions_mut().insert(Correlation(id));
    let span = tracing::info_span!("request", correlation.id = %id, method = %request.method());
    let begun = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let value = HeaderValue::from_str(id.simple().encode_lower(&mut Uuid::encode_buffer())).expect("a uuid is ascii");
    response.headers_mut().insert(REQUEST_ID, value);
    let duration_ms = begun.elapsed().as_millis();
    span.in_scope(|| tracing::debug!(status = response.status().as_u16(), duration_ms, "answered"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{StatusCode, header};
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_as_a_problem_that_tells_nothing() {
        async fn broken() -> &'static str {
            panic!("the secret is in here")
        }
        let router: Router = Router::new().route("/", get(broken)).layer(CatchPanicLayer::custom(panicked));
        let Ok(response) = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers().get(header::CONTENT_TYPE).unwrap(), "application/problem+json");
        let body = axum::body::to_bytes(response.into_body(), 4_096).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
    }
}
