//! The articles: which there are, and where each one's words lie in the log.
//!
//! Rows are small, and a robot asks for all of them when any has changed, so they are kept in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use application::log::stream::StreamKey;
use application::queries::ArticleRow;
use domain::event::Event;
use domain::ids::TenantId;
use domain::labels::Reference;
use domain::retrieval::event::RetrievalEvent;

use crate::keys::{read_tenant, write_tenant};
use crate::projection::{ApplyError, Fact, Projection, Streams, ViewInfo};
use crate::rows::{Row, decode, each_stored, encode, unreadable};
use crate::store::{ViewStore, WriteBatch};

/// What is fixed about this view.
pub const INFO: ViewInfo = ViewInfo { name: "articles", version: 1, streams: Streams::RETRIEVAL, tables: &["articles"] };

impl Row for ArticleRow {}

/// One tenant's.
#[derive(Default)]
struct Shelf {
    rows: BTreeMap<Reference, ArticleRow>,
    /// Counts up with every change.
    changes: u64,
}

/// See the file's head.
pub struct Articles {
    shelves: BTreeMap<TenantId, Shelf>,
    table: Arc<str>,
    changed: BTreeSet<(TenantId, Reference)>,
}

impl Articles {
    /// The view over a store.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn open(store: &Arc<dyn ViewStore>) -> Result<Self, ApplyError> {
        let table = INFO.table("articles");
        let mut shelves: BTreeMap<TenantId, Shelf> = BTreeMap::new();
        each_stored(&**store, &table, |key, bytes| {
            let (tenant, _) = read_tenant(key).ok_or_else(|| unreadable(&table, key))?;
            let row: ArticleRow = decode(&table, key, bytes)?;
            shelves.entry(tenant).or_default().rows.insert(row.article.clone(), row);
            Ok(())
        })?;
        Ok(Self { shelves, table, changed: BTreeSet::new() })
    }

    /// An article.
    #[must_use]
    pub fn article(&self, tenant: TenantId, article: &Reference) -> Option<ArticleRow> {
        self.shelves.get(&tenant)?.rows.get(article).cloned()
    }

    /// Articles of a tenant in the order of their names, after one of them.
    #[must_use]
    pub fn articles(&self, tenant: TenantId, after: Option<&Reference>, limit: usize) -> Vec<ArticleRow> {
        let Some(shelf) = self.shelves.get(&tenant) else { return vec![] };
        let from = after.map_or(std::ops::Bound::Unbounded, |after| std::ops::Bound::Excluded(after.clone()));
        shelf.rows.range((from, std::ops::Bound::Unbounded)).take(limit).map(|(_, row)| row.clone()).collect()
    }

    /// How often the tenant's articles changed since the view was opened.
    #[must_use]
    pub fn changes(&self, tenant: TenantId) -> u64 {
        self.shelves.get(&tenant).map_or(0, |shelf| shelf.changes)
    }

    fn event(&mut self, fact: &Fact<'_>, event: &RetrievalEvent) {
        let shelf = self.shelves.entry(fact.tenant).or_default();
        shelf.changes += 1;
        let article = match event {
            RetrievalEvent::ArticleSaved(saved) => {
                let article = saved.article.clone();
                let (shop, phrasings) = (saved.shop, saved.phrasings);
                shelf.rows.insert(
                    article.clone(),
                    ArticleRow { article: article.clone(), shop, phrasings, text: fact.at, changed_at: fact.time },
                );
                article
            }
            RetrievalEvent::ArticleRemoved(removed) => {
                shelf.rows.remove(&removed.article);
                removed.article.clone()
            }
        };
        self.changed.insert((fact.tenant, article));
    }
}

impl Projection for Articles {
    fn apply(&mut self, fact: &Fact<'_>) -> Result<(), ApplyError> {
        match (fact.event, fact.stream) {
            (Event::Retrieval(event), StreamKey::Retrieval) => {
                self.event(fact, event);
                Ok(())
            }
            (Event::Retrieval(_), _) => Err(ApplyError::WrongStream),
            (Event::Chat(_) | Event::Conversation(_) | Event::User(_) | Event::Desk(_) | Event::Tenant(_) | Event::Campaign(_), _) => {
                Ok(())
            }
        }
    }

    fn flush(&mut self, batch: &mut WriteBatch) {
        let writes = batch.table(&self.table);
        for (tenant, article) in std::mem::take(&mut self.changed) {
            let key = |out: &mut Vec<u8>| {
                write_tenant(out, tenant);
                out.extend_from_slice(article.as_str().as_bytes());
            };
            match self.shelves.get(&tenant).and_then(|shelf| shelf.rows.get(&article)) {
                Some(row) => writes.put_with(key, |out| encode(row, out)),
                None => writes.delete_with(key),
            }
        }
    }

    /// Nothing to do: what is asked for is in memory, written or not.
    fn wrote(&mut self, _flushes: usize) {}

    fn pending(&self) -> usize {
        self.changed.len()
    }
}
