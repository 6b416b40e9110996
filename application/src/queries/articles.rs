//! What is known of a tenant's articles.

use domain::ids::ShopId;
use domain::labels::Reference;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::EventRef;

/// An article.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleRow {
    /// The name that the tenant's own systems give it.
    pub article: Reference,
    /// The shop for which alone it holds.
    pub shop: Option<ShopId>,
    /// In how many ways its question is asked.
    pub phrasings: u32,
    /// Where it says what it says.
    pub text: EventRef,
    /// Since when it says so.
    pub changed_at: Timestamp,
}
