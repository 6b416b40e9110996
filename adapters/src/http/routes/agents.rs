//! `GET /v1/tenants/{t}/agents`.

use application::access::{Action, Resource};
use axum::Json;
use axum::extract::State;
use domain::ids::TenantId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::http::respond::Page;
use crate::http::routes::tenant;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// An agent as the desk sees them.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentBody {
    /// Who.
    agent: String,
    /// Their name, if they have one.
    display_name: Option<String>,
    /// Takes conversations.
    on_service: bool,
    /// Connected, or gone for less than the grace.
    online: bool,
    /// Most conversations at a time.
    capacity: u32,
    /// Conversations now.
    conversations: Vec<String>,
    /// The groups they serve.
    groups: Vec<String>,
}

/// Lists the agents with their load.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/agents",
    tag = "desk",
    params(("t" = String, Path, description = "The tenant.")),
    responses((status = 200, body = Page<AgentBody>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    _: Params<NoParams>,
) -> Result<Json<Page<AgentBody>>, ApiError> {
    caller.may(Action::ReadAgents, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let mut agents = Vec::new();
    for row in app.ports.views.agents(tenant) {
        // Whoever hands over needs the list more than a name.
        let profile = app.profiles.of(&app, tenant, row.agent).await.unwrap_or_else(|error| {
            tracing::warn!(tenant.id = %tenant, user.id = %row.agent, %error, "a name cannot be read");
            None
        });
        agents.push(AgentBody {
            agent: row.agent.to_string(),
            display_name: profile.map(|profile| profile.display_name.clone()).filter(|name| !name.is_empty()),
            on_service: row.on_service,
            online: row.online,
            capacity: row.capacity,
            conversations: row.carries.iter().map(ToString::to_string).collect(),
            groups: row.groups.iter().map(ToString::to_string).collect(),
        });
    }
    Ok(Json(Page::new(agents, None)))
}
