//! The way in: every route, what surrounds each request, and what answers where no route does.

use std::any::Any;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Method, Request};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Router};
use futures_util::FutureExt;
use tower::Service;
use tracing::Instrument;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use super::auth::Origin;
use super::error::ApiError;
use super::extract::Unread;
use super::last_asker::LastAsker;
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

/// What a server serves: an [`Entrance`] for every connection.
#[derive(Clone)]
pub struct Entrances {
    app: App,
    router: Router,
}

impl Entrances {
    /// Entrances to a state.
    #[must_use]
    pub fn new(app: App) -> Self {
        let (router, description) = described();
        let router = router
            .merge(openapi::route(&description))
            .merge(pages::router(app.config.http.pages.as_deref()))
            .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
            .with_state(app.clone());
        Self { app, router }
    }

    fn entrance(&self, peer: IpAddr) -> Entrance {
        let (app, router) = (Arc::clone(&self.app), self.router.clone());
        Entrance(Arc::new(Connection { app, router, peer, last_asker: LastAsker::default() }))
    }
}

impl Service<SocketAddr> for Entrances {
    type Response = Entrance;
    type Error = Infallible;
    type Future = Ready<Result<Entrance, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, peer: SocketAddr) -> Self::Future {
        ready(Ok(self.entrance(peer.ip())))
    }
}

/// In front of the routes: gives each request its id and notes how it went. The two requests that a device which polls makes all
/// day are answered before a route is looked up, because every layer that a route has is made anew for each request.
#[derive(Clone)]
pub struct Entrance(Arc<Connection>);

/// What all requests of a connection share; in one piece, because the server clones it for each of them.
struct Connection {
    app: App,
    router: Router,
    peer: IpAddr,
    last_asker: LastAsker,
}

impl Entrance {
    /// An entrance to a state for somebody of whom no address is known.
    #[must_use]
    pub fn new(app: App) -> Self {
        Entrances::new(app).entrance(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}

impl<B> Service<Request<B>> for Entrance
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let given = parts.headers.get(REQUEST_ID).and_then(|id| Uuid::try_parse(id.to_str().ok()?).ok());
        let Connection { app, router, peer, last_asker } = &*self.0;
        let origin = Origin { correlation: given.unwrap_or_else(|| app.new_id()), peer: *peer };
        let method = parts.method.clone();
        let is_poll = match (&method, parts.uri.path()) {
            (&Method::POST, long_poll::KEEPALIVE) => Some(true),
            (&Method::POST, long_poll::SENDMESSAGE) => Some(false),
            _ => None,
        };
        let answer: Answer = match is_poll {
            Some(is_poll) => {
                let caller = last_asker.caller(app, origin, &parts.headers);
                let app = State(Arc::clone(app));
                if is_poll {
                    Box::pin(async move { long_poll::keepalive(app, caller?, Unread::of(parts, body).await?).await })
                } else {
                    Box::pin(async move { long_poll::sendmessage::sendmessage(app, caller?, Unread::of(parts, body).await?).await })
                }
            }
            None => {
                parts.extensions.insert(origin);
                let request = Request::from_parts(parts, Body::new(body));
                let answer = Service::call(&mut router.clone(), request);
                Box::pin(answer.map(|Ok(response)| Ok(response)))
            }
        };
        Box::pin(noted(origin, method, answer))
    }
}

/// How a request is answered. In a box, because whatever wraps a future holds it several times over, and these are large.
type Answer = Pin<Box<dyn Future<Output = Result<Response, ApiError>> + Send>>;

fn panicked(panic: &(dyn Any + Send)) -> ApiError {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("without a message"), "handler panicked");
    ApiError::Panicked
}

/// Notes how a request went: method, status and duration, no path with its values, and no body. The answer bears its id.
async fn noted(origin: Origin, method: Method, answer: Answer) -> Result<Response, Infallible> {
    let id = origin.correlation;
    let span = tracing::info_span!("request", correlation.id = %id, %method);
    let begun = Instant::now();
    let answer = AssertUnwindSafe(answer).catch_unwind().instrument(span.clone()).await;
    let answer = answer.unwrap_or_else(|panic| Err(panicked(&*panic)));
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    let value = HeaderValue::from_str(id.simple().encode_lower(&mut Uuid::encode_buffer())).expect("a uuid is ascii");
    response.headers_mut().insert(REQUEST_ID, value);
    let duration_ms = begun.elapsed().as_millis();
    span.in_scope(|| tracing::debug!(status = response.status().as_u16(), duration_ms, "answered"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use axum::http::{StatusCode, header};

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_as_a_problem_that_tells_nothing() {
        let origin = Origin { correlation: Uuid::from_u128(7), peer: IpAddr::V4(Ipv4Addr::LOCALHOST) };
        let Ok(response) = noted(origin, Method::GET, Box::pin(async { panic!("the secret is in here") })).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers().get(header::CONTENT_TYPE).unwrap(), "application/problem+json");
        assert_eq!(response.headers().get(REQUEST_ID).unwrap(), "00000000000000000000000000000007");
        let body = axum::body::to_bytes(response.into_body(), 4_096).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
    }
}
