//! `PUT` and `DELETE` of an article.

use application::access::{Action, Resource};
use application::log::stream::{StreamId, StreamKey};
use axum::extract::State;
use axum::response::Response;
use domain::ids::TenantId;
use domain::labels::Reference;
use domain::retrieval::command::RetrievalCommand;

use super::ArticleBody;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::http::routes::tenant;
use crate::state::App;

/// Keeps an article, or lets it say something else. It is known by the name that the tenant's own systems give it.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/articles/{article}",
    tag = "articles",
    params(("t" = String, Path, description = "The tenant."), ("article" = String, Path, description = "The article's name.")),
    request_body = ArticleBody,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn save(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, article)): InPath<(TenantId, Reference)>,
    order: Order<ArticleBody>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageArticles, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let command = order.body.clone().command(&app, tenant, article)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let answer = journey.execute("save article", StreamId::new(tenant, StreamKey::Retrieval), command).await?;
    // It is found from the answer on.
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}

/// Forgets an article. One that is not there is forgotten already.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/articles/{article}",
    tag = "articles",
    params(("t" = String, Path, description = "The tenant."), ("article" = String, Path, description = "The article's name.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, article)): InPath<(TenantId, Reference)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageArticles, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let command = RetrievalCommand::RemoveArticle { article };
    let answer = journey.execute("remove article", StreamId::new(tenant, StreamKey::Retrieval), command).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
