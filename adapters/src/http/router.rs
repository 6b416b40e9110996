//! The router: every route, what surrounds each request, and what answers where no route does.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tower::Service;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use super::auth::Correlation;
use super::error::ApiError;
use super::{openapi, pages, routes};
use crate::channels::{self, long_poll};
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
    let router = router
        .merge(openapi::route(&description))
        .merge(pages::router(app.config.http.pages.as_deref()))
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), surround))
        .with_state(app.clone());
    Router::new().fallback_service(Busiest { app, router })
}

/// In front of the routes: the two requests that a device which polls makes all day are taken out before they are looked up,
/// because every layer that a route has is made anew for each request. They get the same surroundings here.
#[derive(Clone)]
struct Busiest {
    app: App,
    router: Router,
}

impl Service<Request> for Busiest {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let app = Arc::clone(&self.app);
        match (request.method(), request.uri().path()) {
            (&Method::POST, long_poll::KEEPALIVE) => Box::pin(async move {
                let answer = |request| Handler::call(long_poll::keepalive, request, Arc::clone(&app));
                Ok(surrounded(&app, request, |request| caught(answer(request))).await)
            }),
            (&Method::POST, long_poll::SENDMESSAGE) => Box::pin(async move {
                let answer = |request| Handler::call(long_poll::sendmessage::sendmessage, request, Arc::clone(&app));
                Ok(surrounded(&app, request, |request| caught(answer(request))).await)
            }),
            _ => Box::pin(Service::call(&mut self.router, request)),
        }
    }
}

async fn caught(answer: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(panicked)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("without a message"), "handler panicked");
    ApiError::Panicked.into_response()
}

async fn surround(State(app): State<App>, request: Request, next: Next) -> Response {
    surrounded(&app, request, |request| next.run(request)).await
}

/// Gives each request its id, and notes how it went: method, status and duration, no path with its values, and no body.
async fn surrounded<F: Future<Output = Response>>(app: &App, mut request: Request, answer: impl FnOnce(Request) -> F) -> Response {
    let given = request.headers().get(REQUEST_ID).and_then(|id| Uuid::try_parse(id.to_str().ok()?).ok());
    let id = given.unwrap_or_else(|| app.new_id());
    request.extensions_mut().insert(Correlation(id));
    let span = tracing::info_span!("request", correlation.id = %id, method = %request.method());
    let begun = Instant::now();
    let mut response = answer(request).instrument(span.clone()).await;
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
