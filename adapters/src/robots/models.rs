//! What the robot knows of each tenant's articles: models in memory, trained again when articles have changed.

use std::sync::{Arc, Mutex, PoisonError};

use application::ports::event_log::EventLog;
use application::ports::key_store::KeyStore;
use application::queries::ReadModels;
use domain::ids::{ShopId, TenantId};
use domain::labels::Reference;
use domain::retrieval::event::ArticleText;
use faq::{Article, Model};
use hashbrown::HashMap;

use super::articles;
use crate::http::error::ApiError;
use crate::reading::Reader;

/// Models kept at a time; each takes some megabytes at most, and is trained again when it is asked for again.
const MODELS_MAX: usize = 200;
/// The share of answers that are to be right when the robot answers by itself.
const PRECISION: f32 = 0.9;
/// Questions that are shown beside a "did you mean", at most.
const RELATED_MAX: usize = 3;
/// How sure it must be that such a question comes near.
const RELATED_FROM: f32 = 0.1;

/// A model of the articles that hold for a shop.
pub struct Knowledge {
    /// The tenant's articles had changed so often.
    changes: u64,
    model: Model,
    threshold: f32,
    articles: Vec<(Reference, ArticleText)>,
}

/// What an article is to a question.
pub struct Near<'a> {
    /// Which.
    pub article: &'a Reference,
    /// What it says.
    pub text: &'a ArticleText,
    /// How sure it is that it is the right one, 0 to 1.
    pub confidence: f32,
    /// Whether the robot answers from it by itself.
    pub answers: bool,
}

impl Near<'_> {
    /// How sure it is, in percent.
    #[must_use]
    pub fn percent(&self) -> u8 {
        // Within 0 to 100, so nothing is cut off.
        (self.confidence.clamp(0.0, 1.0) * 100.0).round() as u8
    }
}

impl Knowledge {
    /// The articles that a text may be about, the most likely one first.
    #[must_use]
    pub fn ask(&self, text: &str) -> Vec<Near<'_>> {
        let matches = self.model.ask(text).into_iter().enumerate();
        matches
            .filter_map(|(place, found)| {
                let (article, text) = self.articles.get(usize::try_from(found.article).ok()?)?;
                let answers = place == 0 && found.confidence >= self.threshold;
                Some(Near { article, text, confidence: found.confidence, answers })
            })
            .collect()
    }

    /// Questions that come near, for a text that nothing surely answers.
    #[must_use]
    pub fn related(near: &[Near<'_>]) -> Vec<String> {
        let near = near.iter().filter(|near| near.confidence >= RELATED_FROM);
        near.take(RELATED_MAX).map(|near| near.text.question.clone()).collect()
    }
}

/// See the file's head.
pub struct Models {
    log: Arc<dyn EventLog>,
    keys: Arc<dyn KeyStore>,
    views: Arc<dyn ReadModels>,
    trained: Mutex<HashMap<(TenantId, ShopId), Arc<Knowledge>>>,
    /// One training at a time: it takes a core.
    training: tokio::sync::Mutex<()>,
}

impl Models {
    /// Reads articles from these.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, keys: Arc<dyn KeyStore>, views: Arc<dyn ReadModels>) -> Self {
        Self { log, keys, views, trained: Mutex::default(), training: tokio::sync::Mutex::default() }
    }

    /// What is known of the articles that hold for a shop, as they are now.
    ///
    /// # Errors
    /// [`ApiError::Read`], [`ApiError::Decode`] when the log cannot be read.
    pub async fn of_shop(&self, tenant: TenantId, shop: ShopId) -> Result<Arc<Knowledge>, ApiError> {
        if let Some(known) = self.known(tenant, shop) {
            return Ok(known);
        }
        let _one_at_a_time = self.training.lock().await;
        if let Some(known) = self.known(tenant, shop) {
            return Ok(known);
        }
        let knowledge = Arc::new(self.train(tenant, shop).await?);
        let mut trained = self.trained.lock().unwrap_or_else(PoisonError::into_inner);
        if trained.len() >= MODELS_MAX {
            trained.clear();
        }
        trained.insert((tenant, shop), Arc::clone(&knowledge));
        Ok(knowledge)
    }

    fn known(&self, tenant: TenantId, shop: ShopId) -> Option<Arc<Knowledge>> {
        let trained = self.trained.lock().unwrap_or_else(PoisonError::into_inner);
        trained.get(&(tenant, shop)).filter(|known| known.changes == self.views.articles_changed(tenant)).cloned()
    }

    async fn train(&self, tenant: TenantId, shop: ShopId) -> Result<Knowledge, ApiError> {
        // Read before the articles: a change in between trains once more.
        let changes = self.views.articles_changed(tenant);
        let rows = self.views.articles(tenant, None, usize::MAX);
        let mut reader = Reader::over(&*self.log, &*self.keys);
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows.into_iter().filter(|row| row.shop.is_none_or(|only| only == shop)) {
            // Nothing is left of one whose words were erased.
            if let Some(text) = articles::text(&mut reader, &row).await? {
                kept.push((row.article, text));
            }
        }
        let trained = tokio::task::spawn_blocking(move || {
            let phrasings: Vec<Article<'_>> = kept.iter().map(|(_, text)| phrasings(text)).collect();
            let model = Model::train(&phrasings);
            Knowledge { changes, threshold: model.threshold(PRECISION), model, articles: kept }
        });
        trained.await.map_err(|_| ApiError::Panicked)
    }
}

fn phrasings(text: &ArticleText) -> Article<'_> {
    Article { question: &text.question, similar: text.similar.iter().map(String::as_str).collect() }
}
