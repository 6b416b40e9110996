//! `GET /v1/tenants/{t}/articles` and of one of them.

use application::access::{Action, Resource};
use application::queries::ArticleRow;
use axum::Json;
use axum::extract::State;
use domain::ids::TenantId;
use domain::labels::{REFERENCE_BYTES_MAX, Reference};
use domain::retrieval::event::ArticleText;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::LinkBody;
use crate::http::auth::Caller;
use crate::http::cursor;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::http::respond::Page;
use crate::http::routes::tenant;
use crate::reading::Reader;
use crate::robots::articles::text;
use crate::state::App;

/// The list, as its cursors know it.
const LIST: &str = "articles";

/// Which articles.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListArticles {
    /// Rows, 1 to 200.
    limit: Option<usize>,
    /// The cursor of the page before.
    after: Option<String>,
}

/// An article.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeptArticle {
    /// The name that the tenant's own systems give it.
    article: String,
    /// The question, as it is shown to customers.
    question: String,
    /// Other ways in which customers ask it.
    similar: Vec<String>,
    /// The answer.
    answer: String,
    /// What stands beside the answer.
    links: Vec<LinkBody>,
    /// The shop for which alone it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    shop: Option<String>,
    /// Since when it says so, in milliseconds since 1970.
    changed_at: i64,
}

impl KeptArticle {
    fn of(row: &ArticleRow, text: ArticleText) -> Self {
        let ArticleText { question, similar, answer, links } = text;
        Self {
            article: row.article.to_string(),
            question,
            similar,
            answer,
            links: links.into_iter().map(|link| LinkBody { title: link.title, url: link.url }).collect(),
            shop: row.shop.as_ref().map(ToString::to_string),
            changed_at: row.changed_at.0,
        }
    }
}

/// Lists the articles in the order of their names.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/articles",
    tag = "articles",
    params(("t" = String, Path, description = "The tenant."), ListArticles),
    responses((status = 200, body = Page<KeptArticle>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    Params(params): Params<ListArticles>,
) -> Result<Json<Page<KeptArticle>>, ApiError> {
    caller.may(Action::ReadArticles, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let limit = cursor::page_size(params.limit)?;
    let after = params.after.map(|after| place_of(&cursor::read(&app.secrets, LIST, Some(tenant), &after)?)).transpose()?;
    let rows = app.ports.views.articles(tenant, after.as_ref(), limit + 1);
    let (rows, next) = Page::<KeptArticle>::cut(rows, limit, |last| cursor::write(&app.secrets, LIST, Some(tenant), &place(&last.article)));
    let mut reader = Reader::new(&app);
    let mut data = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(text) = text(&mut reader, &row).await? {
            data.push(KeptArticle::of(&row, text));
        }
    }
    Ok(Json(Page::new(data, next)))
}

/// A place in the list: the name, padded with zero bytes.
fn place(article: &Reference) -> [u8; REFERENCE_BYTES_MAX] {
    let mut place = [0; REFERENCE_BYTES_MAX];
    place[..article.as_str().len()].copy_from_slice(article.as_str().as_bytes());
    place
}

fn place_of(place: &[u8; REFERENCE_BYTES_MAX]) -> Result<Reference, InputError> {
    let end = place.iter().position(|byte| *byte == 0).unwrap_or(place.len());
    let name = std::str::from_utf8(&place[..end]).ok().and_then(|text| text.parse().ok());
    name.ok_or(InputError::Refused { field: "after", reason: "is no cursor of this list" })
}

/// An article.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/articles/{article}",
    tag = "articles",
    params(("t" = String, Path, description = "The tenant."), ("article" = String, Path, description = "The article's name.")),
    responses((status = 200, body = KeptArticle), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, article)): InPath<(TenantId, Reference)>,
    _: Params<NoParams>,
) -> Result<Json<KeptArticle>, ApiError> {
    caller.may(Action::ReadArticles, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let row = app.ports.views.article(tenant, &article).ok_or(ApiError::NotFound { kind: "article" })?;
    let text = text(&mut Reader::new(&app), &row).await?.ok_or(ApiError::NotFound { kind: "article" })?;
    Ok(Json(KeptArticle::of(&row, text)))
}
