//! What deciding about articles needs of their past.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::labels::Reference;

/// Most articles of a tenant: a help centre of a large shop has a few thousand.
pub const ARTICLES_MAX: usize = 10_000;
/// Most ways of asking of all articles together: as many as a model is made of in seconds.
pub const PHRASINGS_MAX: u32 = 50_000;

/// A tenant's articles, without their words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetrievalState {
    /// Each article, with the number of ways in which its question is asked.
    pub articles: BTreeMap<Reference, u32>,
    /// The sum of those.
    pub phrasings: u32,
}
