//! `/v1/openapi.json`: the description of the routes, collected while they are registered.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::state::App;

#[derive(OpenApi)]
#[openapi(
    info(title = "kefu", description = "Multi-tenant customer-service messaging."),
    security(("bearer" = [])),
    modifiers(&Bearer)
)]
struct Description;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let mut bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        bearer.description = Some("The operator key, an access token, or an API key.".to_owned());
        openapi.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The description without routes.
#[must_use]
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// The route that answers the description.
pub fn route(openapi: &utoipa::openapi::OpenApi) -> Router<App> {
    let text: Arc<str> = openapi.to_pretty_json().expect("a description can be written as JSON").into();
    let answer = move || {
        let text = text.to_string();
        async move { ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response() }
    };
    Router::new().route("/v1/openapi.json", get(answer))
}
