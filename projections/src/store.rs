//! Where views are kept: named tables of bytes, and one atomic write for everything that belongs together.
//!
//! A store knows neither views nor events. The memory implementation is here; the one on disk is `adapters::view_store`.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A key and a value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Why a store did not do what it was asked. Trying again later may help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("view store is unavailable: {reason}")]
pub struct StoreError {
    /// The engine's words.
    pub reason: String,
}

/// Named tables of ordered keys. A table that nobody wrote to is empty.
pub trait ViewStore: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// [`StoreError`].
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keys from `from` on and before `to`, in order, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn scan(&self, table: &str, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError>;

    /// Writes all of the batch or nothing. After a crash of the process the batch is there as soon as this has returned; after
    /// a loss of power later batches may be missing, but never a part of one.
    ///
    /// # Errors
    /// [`StoreError`].
    fn write(&self, batch: &mut WriteBatch) -> Result<(), StoreError>;

    /// The names of all tables that hold or held anything, sorted.
    ///
    /// # Errors
    /// [`StoreError`].
    fn tables(&self) -> Result<Vec<String>, StoreError>;
}

/// Changes that are written together.
#[derive(Clone, Debug, Default)]
pub struct WriteBatch {
    tables: Vec<TableWrites>,
    drops: Vec<String>,
}

/// The changes of one table.
#[derive(Clone, Debug)]
pub struct TableWrites {
    name: Arc<str>,
    bytes: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Clone, Copy, Debug)]
struct Change {
    start: usize,
    key_bytes: usize,
    value_bytes: Option<usize>,
}

impl WriteBatch {
    /// The changes of a table, to add to.
    pub fn table(&mut self, name: &Arc<str>) -> &mut TableWrites {
        let index = self.tables.iter().position(|table| table.name == *name).unwrap_or_else(|| {
            self.tables.push(TableWrites { name: Arc::clone(name), bytes: Vec::new(), changes: Vec::new() });
            self.tables.len() - 1
        });
        &mut self.tables[index]
    }

    /// Removes a table with everything in it, before the changes of this batch.
    pub fn drop_table(&mut self, name: String) {
        self.drops.push(name);
    }

    /// Adds the changes of a later batch, so that both are one write.
    pub fn append(&mut self, later: Self) {
        for name in later.drops {
            self.tables.retain(|table| *table.name != *name);
            self.drops.push(name);
        }
        for writes in later.tables {
            self.table(&writes.name).append(writes);
        }
    }

    /// The tables to remove.
    #[must_use]
    pub fn drops(&self) -> &[String] {
        &self.drops
    }

    /// The changed tables; each sorts itself by key on the first visit.
    pub fn tables_mut(&mut self) -> &mut [TableWrites] {
        &mut self.tables
    }

    /// How many changes it holds.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.tables.iter().map(|table| table.changes.len()).sum()
    }

    /// Whether it would change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drops.is_empty() && self.changes() == 0
    }
}

impl TableWrites {
    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets a key.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.put_with(|out| out.extend_from_slice(key), |out| out.extend_from_slice(value));
    }

    /// Sets a key; both halves are written at the end of the given buffer.
    pub fn put_with(&mut self, key: impl FnOnce(&mut Vec<u8>), value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        key(&mut self.bytes);
        let value_at = self.bytes.len();
        value(&mut self.bytes);
        self.changes.push(Change { start, key_bytes: value_at - start, value_bytes: Some(self.bytes.len() - value_at) });
    }

    /// Removes a key.
    pub fn delete(&mut self, key: &[u8]) {
        self.delete_with(|out| out.extend_from_slice(key));
    }

    /// Removes a key, written at the end of the given buffer.
    pub fn delete_with(&mut self, key: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        key(&mut self.bytes);
        self.changes.push(Change { start, key_bytes: self.bytes.len() - start, value_bytes: None });
    }

    /// The changes sorted by key, because trees are written fastest in order. Of several of one key only the last is left.
    pub fn sorted(&mut self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let bytes = &self.bytes;
        self.changes.sort_by(|one, other| one.key(bytes).cmp(other.key(bytes)));
        let later = self.changes.iter().skip(1).map(|change| Some(change.key(bytes))).chain([None]);
        let lasts = self.changes.iter().zip(later).filter(move |(change, later)| Some(change.key(bytes)) != *later);
        lasts.map(move |(change, _)| (change.key(bytes), change.value(bytes)))
    }

    fn append(&mut self, later: Self) {
        if self.changes.is_empty() {
            *self = later;
            return;
        }
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(&later.bytes);
        self.changes.extend(later.changes.into_iter().map(|change| Change { start: change.start + offset, ..change }));
    }
}

impl Change {
    fn key(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start..self.start + self.key_bytes]
    }

    fn value(self, bytes: &[u8]) -> Option<&[u8]> {
        let at = self.start + self.key_bytes;
        self.value_bytes.map(|length| &bytes[at..at + length])
    }
}

/// One table of the memory store.
type Table = BTreeMap<Vec<u8>, Vec<u8>>;

/// A store in memory, for tests and for rebuilding beside another.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: RwLock<BTreeMap<String, Table>>,
}

impl MemoryStore {
    /// Everything in it, table by table: what two stores are compared by.
    #[must_use]
    pub fn dump(&self) -> BTreeMap<String, Table> {
        let mut tables = self.tables.read().unwrap_or_else(PoisonError::into_inner).clone();
        tables.retain(|_, table| !table.is_empty());
        tables
    }

    /// A store that holds what [`Self::dump`] gave.
    #[must_use]
    pub fn restored(tables: BTreeMap<String, Table>) -> Self {
        Self { tables: RwLock::new(tables) }
    }
}

impl ViewStore for MemoryStore {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        Ok(tables.get(table).and_then(|rows| rows.get(key)).cloned())
    }

    fn scan(&self, table: &str, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        if from >= to {
            return Ok(Vec::new());
        }
        let Some(rows) = tables.get(table) else { return Ok(Vec::new()) };
        let range = rows.range::<[u8], _>((std::ops::Bound::Included(from), std::ops::Bound::Excluded(to)));
        Ok(range.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn write(&self, batch: &mut WriteBatch) -> Result<(), StoreError> {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        for name in batch.drops() {
            tables.remove(name);
        }
        for writes in batch.tables_mut() {
            let rows = tables.entry(writes.name().to_owned()).or_default();
            for (key, value) in writes.sorted() {
                match value {
                    Some(value) => rows.insert(key.to_vec(), value.to_vec()),
                    None => rows.remove(key),
                };
            }
        }
        Ok(())
    }

    fn tables(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.tables.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(changes: &[(&str, &str, Option<&str>)]) -> WriteBatch {
        let mut batch = WriteBatch::default();
        for (table, key, value) in changes {
            let writes = batch.table(&Arc::from(*table));
            match value {
                Some(value) => writes.put(key.as_bytes(), value.as_bytes()),
                None => writes.delete(key.as_bytes()),
            }
        }
        batch
    }

    #[test]
    fn batches_written_together_leave_what_they_leave_one_after_the_other() {
        let mut dropping = batch(&[("one", "b", Some("3"))]);
        dropping.drop_table("two".into());
        let batches = [
            batch(&[("one", "a", Some("1")), ("two", "a", Some("1")), ("one", "b", Some("1")), ("one", "a", Some("2"))]),
            batch(&[("one", "a", None), ("two", "b", Some("2"))]),
            dropping,
            batch(&[("two", "c", Some("4")), ("three", "a", Some("4")), ("one", "a", Some("4"))]),
            batch(&[("three", "a", None)]),
        ];
        let (apart, together) = (MemoryStore::default(), MemoryStore::default());
        batches.clone().iter_mut().for_each(|batch| apart.write(batch).unwrap());
        let mut gathered = WriteBatch::default();
        batches.into_iter().for_each(|batch| gathered.append(batch));
        together.write(&mut gathered).unwrap();
        assert_eq!(together.dump(), apart.dump());
        assert_eq!(together.dump().len(), 2);
    }

    #[test]
    fn of_several_changes_of_a_key_only_the_last_is_written() {
        let mut batch = batch(&[("one", "b", Some("1")), ("one", "a", Some("1")), ("one", "b", None), ("one", "a", Some("2"))]);
        let found: Vec<_> = batch.tables_mut()[0].sorted().map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec))).collect();
        assert_eq!(found, [(b"a".to_vec(), Some(b"2".to_vec())), (b"b".to_vec(), None)]);
    }
}
