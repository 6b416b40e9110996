//! `POST /v1/tenants/{t}/articles/import`: articles as JSON lines, many at a time.

use application::access::{Action, Resource};
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::Position;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::TenantId;
use domain::labels::Reference;
use domain::retrieval::command::RetrievalCommand;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::ArticleBody;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::changed;
use crate::http::routes::tenant;
use crate::state::App;

/// Articles of one request that are saved at a time: they share flushes, and leave room for others.
const AT_A_TIME: usize = 64;

/// Articles to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportArticles {
    /// One article per line: a JSON object with `article` (its name) and what `PUT` of one takes. Empty lines are passed over.
    jsonl: String,
}

/// A line: the article's name, and what `PUT` of one takes.
fn line(text: &str) -> Result<(Reference, ArticleBody), serde_json::Error> {
    let mut fields: serde_json::Map<String, Value> = serde_json::from_str(text)?;
    let article = fields.remove("article").ok_or_else(|| serde::de::Error::missing_field("article"))?;
    Ok((serde_json::from_value(article)?, serde_json::from_value(Value::Object(fields))?))
}

/// How many there were.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedArticles {
    /// How many articles were saved.
    saved: usize,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// Keeps articles that are written as JSON lines. Nothing is saved of a text with a line that cannot be read; who sends the same
/// again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/articles/import",
    tag = "articles",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = ImportArticles,
    responses((status = 200, body = ImportedArticles), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn import(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<ImportArticles>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageArticles, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let mut commands: Vec<(Reference, RetrievalCommand)> = vec![];
    for (number, text) in (1..).zip(order.body.jsonl.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let wrong = |error| InputError::InvalidField { reason: format!("line {number}: {error}") };
        let (article, body) = line(text).map_err(wrong)?;
        commands.push((article.clone(), body.command(&app, tenant, article)?));
    }
    if commands.is_empty() {
        return Err(InputError::Refused { field: "jsonl", reason: "must hold at least one article" }.into());
    }
    let saved = commands.len();
    let journey = Journey::of(&app, &caller, &order)?;
    let stream = StreamId::new(tenant, StreamKey::Retrieval);
    let (mut under_way, mut position): (FuturesOrdered<_>, Option<Position>) = (FuturesOrdered::new(), None);
    for (number, (article, command)) in commands.into_iter().enumerate() {
        if under_way.len() >= AT_A_TIME {
            position = position.max(under_way.next().await.transpose()?);
        }
        let journey = &journey;
        under_way.push_back(async move {
            let answer = journey.execute(&format!("save article {number} {article}"), stream, command).await?;
            Ok::<_, ApiError>(answer.position)
        });
    }
    while let Some(next) = under_way.next().await {
        position = position.max(Some(next?));
    }
    let position = position.unwrap_or(Position { shard: app.ports.log.shard(), commit: app.ports.views.reached(), index: 0 });
    wait_for(&app, position).await?;
    Ok(changed(StatusCode::OK, position, ImportedArticles { saved, position: position.to_string() }))
}
