//! `/v1/openapi.json`: the description of the routes, collected while they are registered.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ObjectBuilder, Required};

use crate::state::App;
use crate::webhook_signature;

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

/// Adds what every read and every change takes beside its own parameters.
pub(super) fn add_common_parameters(openapi: &mut utoipa::openapi::OpenApi) {
    let position = parameter("at_least", ParameterIn::Query, "Waits, at most 2 s, until the read models have reached this position.");
    let key = parameter("Idempotency-Key", ParameterIn::Header, "The same key with the same request is carried out once.");
    let signed = [
        parameter(webhook_signature::ID, ParameterIn::Header, "The webhook's id, the same at each attempt."),
        parameter(webhook_signature::TIMESTAMP, ParameterIn::Header, "When this attempt was made, in seconds since 1970."),
        parameter(webhook_signature::SIGNATURE, ParameterIn::Header, "`v1,` and the signature, base64; several apart by a space."),
    ];
    for (path, item) in &mut openapi.paths.paths {
        if path == "/v1/ws" || !path.starts_with("/v1/") {
            continue;
        }
        if let Some(read) = &mut item.get {
            read.parameters.get_or_insert_default().push(position.clone().into());
        }
        for change in [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten() {
            let parameters = change.parameters.get_or_insert_default();
            // Webhooks are told apart by their own id.
            if path.contains("/channels/{channel}/") {
                parameters.extend(signed.iter().cloned().map(Into::into));
            } else {
                parameters.push(key.clone().into());
            }
        }
    }
}

fn parameter(name: &str, place: ParameterIn, description: &str) -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(text))
        .build()
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
