//! `POST /v1/tenants/{t}/api-keys` and `DELETE /v1/tenants/{t}/api-keys/{id}`.

use application::access::{Action, Resource};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{ApiKeyId, TenantId};
use domain::tenant::command::TenantCommand;
use domain::tenant::event::{Scope, Title};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{known, stream};
use crate::http::auth::{Caller, api_key_digest, api_key_text};
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, changed, done};
use crate::state::App;

/// A new key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueApiKey {
    /// What it is for.
    title: String,
    /// What it may do; `mint_identities` never together with `reception`, `robot` or `provider`.
    #[schema(value_type = Vec<String>, example = json!(["mint_identities"]))]
    scopes: Vec<Scope>,
}

/// The key, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssuedApiKey {
    /// Its public part.
    id: String,
    /// The whole key, to be sent as a bearer token. Nobody keeps it.
    key: String,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// Gives an integration a key. It can be used from the answer on.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/api-keys",
    tag = "tenants",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = IssueApiKey,
    responses((status = 201, body = IssuedApiKey), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn issue(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<IssueApiKey>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageApiKeys, Resource::of_tenant(tenant))?;
    known(&app, tenant)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let IssueApiKey { title, scopes } = order.body;
    let id = ApiKeyId::from_uuid(journey.new_id("api key", tenant));
    let text = api_key_text(&app.secrets, tenant, id);
    let secret = api_key_digest(&app.secrets, tenant, &text);
    let command = TenantCommand::IssueApiKey { key: id, secret, scopes, title: Title { title } };
    let answer = journey.execute("issue api key", stream(tenant), command).await?;
    wait_for(&app, answer.position).await?;
    let body = IssuedApiKey { id: id.to_string(), key: text, position: answer.position.to_string() };
    Ok(changed(StatusCode::CREATED, answer.position, body))
}

/// Voids a key. It can be used no more from the answer on.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/api-keys/{id}",
    tag = "tenants",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The key's public part.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn revoke(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, key)): InPath<(TenantId, ApiKeyId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageApiKeys, Resource::of_tenant(tenant))?;
    let row = known(&app, tenant)?;
    if !row.api_keys.iter().any(|known| known.key == key) {
        return Err(ApiError::NotFound { kind: "api key" });
    }
    let journey = Journey::of(&app, &caller, &order)?;
    let answer = journey.execute("revoke api key", stream(tenant), TenantCommand::RevokeApiKey { key }).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
