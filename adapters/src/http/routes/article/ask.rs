//! `POST /v1/tenants/{t}/articles/ask`: what the robot would answer.

use application::access::{Action, Resource};
use axum::Json;
use axum::extract::State;
use domain::ids::{ShopId, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Order};
use crate::http::routes::tenant;
use crate::state::App;

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskArticles {
    /// The shop that is asked.
    #[schema(value_type = String)]
    shop: ShopId,
    /// As a customer would write it.
    text: String,
}

/// What the articles say to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AskedArticles {
    /// The articles that it may be about, the most likely one first, at most five.
    matches: Vec<MatchBody>,
}

/// An article that a question may be about.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatchBody {
    /// Its name.
    article: String,
    /// Its question.
    question: String,
    /// Its answer.
    answer: String,
    /// How sure it is that this is the right one, 0 to 1.
    confidence: f32,
    /// Whether the robot answers from it by itself; otherwise it asks whether this was meant.
    answers: bool,
}

/// Asks the articles, as the robot does.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/articles/ask",
    tag = "articles",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = AskArticles,
    responses((status = 200, body = AskedArticles), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn ask(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<AskArticles>,
) -> Result<Json<AskedArticles>, ApiError> {
    caller.may(Action::ReadArticles, Resource::of_tenant(tenant))?;
    let AskArticles { shop, text } = &order.body;
    if !tenant::known(&app, tenant)?.shops.iter().any(|(known, _)| known == shop) {
        return Err(InputError::Refused { field: "shop", reason: "must be a shop of the tenant" }.into());
    }
    let knowledge = app.ports.models.of_shop(tenant, *shop).await?;
    let matches = knowledge.ask(text).into_iter().map(|near| MatchBody {
        article: near.article.to_string(),
        question: near.text.question.clone(),
        answer: near.text.answer.clone(),
        confidence: near.confidence,
        answers: near.answers,
    });
    Ok(Json(AskedArticles { matches: matches.collect() }))
}
