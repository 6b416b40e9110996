//! What happens to a tenant's articles, as it is stored.

use serde::{Deserialize, Serialize};

use crate::ids::ShopId;
use crate::labels::Reference;
use crate::private::Private;
use crate::stored_events;

/// A link that stands beside an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleLink {
    /// What is shown.
    pub title: String,
    /// Where it leads.
    pub url: String,
}

/// What an article says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleText {
    /// The question that it answers, as it is shown to customers.
    pub question: String,
    /// Other ways in which customers ask it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub similar: Vec<String>,
    /// The answer.
    pub answer: String,
    /// What stands beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<ArticleLink>,
}

impl ArticleText {
    /// In how many ways its question is asked.
    #[must_use]
    pub fn phrasings(&self) -> u32 {
        u32::try_from(1 + self.similar.len()).unwrap_or(u32::MAX)
    }
}

/// An article is there, or says something else from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleSaved {
    /// The name that the tenant's own systems give it.
    pub article: Reference,
    /// The shop for which alone it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopId>,
    /// In how many ways its question is asked.
    pub phrasings: u32,
    /// What it says.
    #[serde(skip)]
    pub private: Private<ArticleText>,
}

/// An article is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleRemoved {
    /// Which.
    pub article: Reference,
}

stored_events! {
    /// Everything that happens to a tenant's articles.
    pub enum RetrievalEvent {
        /// See [`ArticleSaved`].
        ArticleSaved = "retrieval.article_saved", 1, private;
        /// See [`ArticleRemoved`].
        ArticleRemoved = "retrieval.article_removed", 1;
    }
}
