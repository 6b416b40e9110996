//! The articles from which a tenant's robot answers.

pub mod ask;
pub mod import;
pub mod keep;
pub mod read;

use domain::ids::{ShopId, TenantId};
use domain::labels::Reference;
use domain::retrieval::command::RetrievalCommand;
use domain::retrieval::event::{ArticleLink, ArticleText};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::error::{ApiError, InputError};
use crate::http::routes::tenant;
use crate::state::{App, AppState};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::list))
        .routes(routes!(read::one, keep::save, keep::remove))
        .routes(routes!(import::import))
        .routes(routes!(ask::ask))
}

/// A link beside an answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkBody {
    /// What is shown.
    title: String,
    /// Where it leads.
    url: String,
}

/// What an article says.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArticleBody {
    /// The question, as it is shown to customers.
    question: String,
    /// Other ways in which customers ask it, at most 200.
    #[serde(default)]
    similar: Vec<String>,
    /// The answer.
    answer: String,
    /// What stands beside the answer, at most 8.
    #[serde(default)]
    links: Vec<LinkBody>,
    /// The shop for which alone it holds; without one, for all.
    #[schema(value_type = Option<String>)]
    shop: Option<ShopId>,
}

impl ArticleBody {
    /// The order to save it, if its shop is one of the tenant's.
    fn command(self, app: &AppState, tenant: TenantId, article: Reference) -> Result<RetrievalCommand, ApiError> {
        if let Some(shop) = self.shop
            && !tenant::known(app, tenant)?.shops.iter().any(|(known, _)| *known == shop)
        {
            return Err(InputError::Refused { field: "shop", reason: "must be a shop of the tenant" }.into());
        }
        let links = self.links.into_iter().map(|LinkBody { title, url }| ArticleLink { title, url }).collect();
        let text = ArticleText { question: self.question, similar: self.similar, answer: self.answer, links };
        Ok(RetrievalCommand::SaveArticle { article, shop: self.shop, text: text.into() })
    }
}
