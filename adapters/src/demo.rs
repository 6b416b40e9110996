//! The demonstration tenant: made through the public API like any other, by whoever holds the operator key.
//!
//! Every call carries an idempotency key of its own, so starting again finds what was made before.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::http::router::Entrance;

/// The tenant's id.
pub const TENANT: &str = "demo";
/// Its shop.
pub const SHOP: &str = "flagship";
/// Another shop, where a robot receives.
pub const ROBOT_SHOP: &str = "robot";
/// What the robot answers from.
const ARTICLES: &str = include_str!("demo/articles.jsonl");
/// How the shop with the robot receives.
const RECEPTION: &str = include_str!("demo/reception.flow.yaml");
/// Everybody's password: this is a demonstration.
pub const PASSWORD: &str = "kefu-demo-2026";
/// Largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Who can sign in.
pub const PEOPLE: [(&str, &str, &str); 4] = [
    ("alice", "Alice 小艾", "agent"),
    ("bob", "Bob 小博", "agent"),
    ("sue", "Sue 主管", "supervisor"),
    ("admin", "Admin 管理员", "tenant_admin"),
];

/// Why the demonstration could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The API refused a step.
    #[error("{method} {path} answered {status}: {body}")]
    Refused {
        /// The call.
        method: Method,
        /// The call's path.
        path: String,
        /// What it answered.
        status: StatusCode,
        /// In its own words.
        body: String,
    },
    /// The answer could not be read.
    #[error("an answer could not be read")]
    Answer(#[from] axum::Error),
    /// The call could not be made.
    #[error("a call could not be made")]
    Call(#[from] axum::http::Error),
}

/// Makes the tenant, or finds it made.
///
/// # Errors
/// [`DemoError`].
pub async fn make(api: &Entrance, operator_key: &str) -> Result<(), DemoError> {
    let base = format!("/v1/tenants/{TENANT}");
    call(api, operator_key, "/v1/tenants", &json!({"id": TENANT, "time_zone": "Asia/Shanghai", "title": "Demonstration 演示"})).await?;
    call(api, operator_key, &format!("{base}/shops"), &json!({"id": SHOP, "title": "Flagship store 旗舰店"})).await?;
    for (login, display_name, role) in PEOPLE {
        let mut person = json!({"role": role, "display_name": display_name, "login": login, "password": PASSWORD});
        if matches!(role, "agent" | "supervisor") {
            person["groups"] = json!(["main"]);
        }
        call(api, operator_key, &format!("{base}/users"), &person).await?;
    }
    robot(api, operator_key, &base).await
}

/// A second shop, where a robot receives.
async fn robot(api: &Entrance, operator_key: &str, base: &str) -> Result<(), DemoError> {
    call(api, operator_key, &format!("{base}/shops"), &json!({"id": ROBOT_SHOP, "title": "Shop with a robot 机器人店"})).await?;
    call(api, operator_key, &format!("{base}/articles/import"), &json!({"jsonl": ARTICLES})).await?;
    let flow = format!("{base}/shops/{ROBOT_SHOP}/flows/reception");
    order(api, operator_key, Method::PUT, &flow, &json!({"text": RECEPTION})).await
}

async fn call(api: &Entrance, operator_key: &str, path: &str, body: &Value) -> Result<(), DemoError> {
    order(api, operator_key, Method::POST, path, body).await
}

async fn order(api: &Entrance, operator_key: &str, method: Method, path: &str, body: &Value) -> Result<(), DemoError> {
    let name = body.get("login").or_else(|| body.get("id")).and_then(Value::as_str).unwrap_or_default();
    let request = Request::builder()
        .method(method.clone())
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {operator_key}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", format!("demonstration:{path}:{name}"))
        .body(Body::from(body.to_string()))?;
    let Ok(response) = api.clone().oneshot(request).await;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let body = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Err(DemoError::Refused { method, path: path.to_owned(), status, body })
}
