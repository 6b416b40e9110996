//! A store over another one that is never written to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use crate::store::{Pair, StoreError, ViewStore, WriteBatch};

#[derive(Default)]
struct Changes {
    /// Tables of which nothing below is seen.
    dropped: BTreeSet<String>,
    rows: BTreeMap<String, BTreeMap<Vec<u8>, Option<Vec<u8>>>>,
}

/// See the file's head.
pub(super) struct OverlayStore {
    below: Arc<dyn ViewStore>,
    changes: RwLock<Changes>,
}

impl OverlayStore {
    pub(super) fn new(below: Arc<dyn ViewStore>) -> Self {
        Self { below, changes: RwLock::default() }
    }
}

impl ViewStore for OverlayStore {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        match changes.rows.get(table).and_then(|rows| rows.get(key)) {
            Some(value) => Ok(value.clone()),
            None if changes.dropped.contains(table) => Ok(None),
            None => self.below.get(table, key),
        }
    }

    fn scan(&self, table: &str, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        let range = (std::ops::Bound::Included(from), std::ops::Bound::Excluded(to));
        let mut over = changes.rows.get(table).map(|rows| rows.range::<[u8], _>(range)).into_iter().flatten().peekable();
        let mut below = Below { from: from.to_vec(), page: Vec::new().into_iter().peekable(), ended: changes.dropped.contains(table) };
        let mut found = Vec::new();
        while found.len() < limit {
            let next_below = below.peek(&*self.below, table, to, limit)?;
            let take_over = match (over.peek(), next_below) {
                (None, None) => break,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some((key, _)), Some(other)) => key.as_slice() <= other,
            };
            if !take_over {
                found.extend(below.page.next());
                continue;
            }
            let Some((key, value)) = over.next() else { break };
            if next_below_is(&mut below, key) {
                below.page.next();
            }
            if let Some(value) = value {
                found.push((key.clone(), value.clone()));
            }
        }
        Ok(found)
    }

    fn write(&self, batch: &mut WriteBatch) -> Result<(), StoreError> {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        for table in batch.drops() {
            changes.rows.remove(table);
            changes.dropped.insert(table.clone());
        }
        for writes in batch.tables_mut() {
            let rows = changes.rows.entry(writes.name().to_owned()).or_default();
            for (key, value) in writes.sorted() {
                rows.insert(key.to_vec(), value.map(<[u8]>::to_vec));
            }
        }
        Ok(())
    }

    fn tables(&self) -> Result<Vec<String>, StoreError> {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: BTreeSet<String> = self.below.tables()?.into_iter().filter(|name| !changes.dropped.contains(name)).collect();
        names.extend(changes.rows.keys().cloned());
        Ok(names.into_iter().collect())
    }
}

/// The store below, read page by page.
struct Below {
    from: Vec<u8>,
    page: std::iter::Peekable<std::vec::IntoIter<Pair>>,
    ended: bool,
}

impl Below {
    fn peek(&mut self, store: &dyn ViewStore, table: &str, to: &[u8], limit: usize) -> Result<Option<&[u8]>, StoreError> {
        if self.page.peek().is_none() && !self.ended {
            let page = store.scan(table, &self.from, to, limit)?;
            self.ended = page.len() < limit;
            if let Some((last, _)) = page.last() {
                self.from.clone_from(last);
                self.from.push(0);
            }
            self.page = page.into_iter().peekable();
        }
        Ok(self.page.peek().map(|(key, _)| key.as_slice()))
    }
}

fn next_below_is(below: &mut Below, key: &[u8]) -> bool {
    below.page.peek().is_some_and(|(other, _)| other == key)
}
