//! What may be asked of a tenant's articles.

use crate::ids::ShopId;
use crate::labels::Reference;
use crate::retrieval::event::ArticleText;

/// An order to a tenant's articles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetrievalCommand {
    /// Keep an article, or let it say something else.
    SaveArticle {
        /// The name that the tenant's own systems give it.
        article: Reference,
        /// The shop for which alone it holds; without one, for all.
        shop: Option<ShopId>,
        /// What it says.
        text: Box<ArticleText>,
    },
    /// Forget an article. One that is not there is nothing.
    RemoveArticle {
        /// Which.
        article: Reference,
    },
}
