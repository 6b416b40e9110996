//! A table of typed rows, cached: changed rows wait here to be written, and what was used lately is kept.
//!
//! Rows live in two generations. Whatever is used moves to the young one; when that is full after a flush it becomes the old
//! one, and what had stayed in the old one is given up, two rows whenever one is used: thousands at once would be a pause that
//! everybody who talks notices. A changed row is always young, and generations change only when all that was flushed up to the
//! change before is written, so nothing is forgotten that the store does not have.

mod pieces;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use domain::ids::TenantId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::pieces::{Pieces, Spent};
use crate::keys::{Key, tenant_end, tenant_start};
use crate::projection::ApplyError;
use crate::store::{ViewStore, WriteBatch};

/// Rows per generation of each table unless told otherwise: about 10 MB each for the widest rows, so that all tables together
/// stay within a quarter of the gigabyte that the whole server may use.
pub const ROWS_PER_GENERATION: usize = 16_384;

/// A row of a [`Rows`] table.
pub trait Row: Serialize + DeserializeOwned + Clone {
    /// Whether the row says nothing and is not stored.
    fn is_empty(&self) -> bool {
        false
    }

    /// Called when the row comes from the store.
    fn loaded(&mut self) {}
}

struct Slot<V> {
    value: Option<V>,
    changed: bool,
    /// The last flush that handed it over; 0: none did since it came from the store.
    flushed: u64,
}

impl<V> Slot<V> {
    const fn new(value: Option<V>) -> Self {
        Self { value, changed: false, flushed: 0 }
    }
}

/// See the file's head.
pub struct Rows<V> {
    table: Arc<str>,
    store: Arc<dyn ViewStore>,
    young: Pieces<Slot<V>>,
    old: Pieces<Slot<V>>,
    /// What was given up and still takes room.
    spent: Spent<Slot<V>>,
    changed: Vec<Key>,
    /// What each flush handed over that is not in the store yet, oldest first.
    flushing: VecDeque<Vec<Key>>,
    /// Flushes so far, and how many there were when the generations changed.
    flushes: u64,
    changed_generations: u64,
    rows_per_generation: usize,
}

impl<V: Row> Rows<V> {
    /// A table over a store.
    #[must_use]
    pub fn new(store: Arc<dyn ViewStore>, table: Arc<str>) -> Self {
        Self {
            table,
            store,
            young: Pieces::new(),
            old: Pieces::new(),
            spent: Pieces::new().into_spent(),
            changed: Vec::new(),
            flushing: VecDeque::new(),
            flushes: 0,
            changed_generations: 0,
            rows_per_generation: ROWS_PER_GENERATION,
        }
    }

    /// A row, kept for the next use.
    ///
    /// # Errors
    /// [`ApplyError::Store`] and [`ApplyError::UnreadableRow`].
    pub fn get(&mut self, key: Key) -> Result<Option<&V>, ApplyError> {
        Ok(self.slot(key)?.value.as_ref())
    }

    /// A row that is about to change.
    ///
    /// # Errors
    /// [`ApplyError::Store`] and [`ApplyError::UnreadableRow`].
    pub fn change(&mut self, key: Key) -> Result<&mut Option<V>, ApplyError> {
        let (slot, changed) = self.slot_and_changed(key)?;
        if !slot.changed {
            slot.changed = true;
            changed.push(key);
        }
        Ok(&mut slot.value)
    }

    /// Changes a row if it is there.
    ///
    /// # Errors
    /// [`ApplyError::Store`] and [`ApplyError::UnreadableRow`].
    pub fn change_if_there(&mut self, key: Key) -> Result<Option<&mut V>, ApplyError> {
        let (slot, changed) = self.slot_and_changed(key)?;
        if slot.value.is_some() && !slot.changed {
            slot.changed = true;
            changed.push(key);
        }
        Ok(slot.value.as_mut())
    }

    /// Sets a row that is known to be absent from the store, without asking the store.
    pub fn insert_new(&mut self, key: Key, value: V) {
        self.give_up_some();
        let Ok(slot) = self.young.get_or_try_insert(key, || Ok::<_, Infallible>(Slot::new(None)));
        slot.value = Some(value);
        if !slot.changed {
            slot.changed = true;
            self.changed.push(key);
        }
    }

    fn give_up_some(&mut self) {
        drop((self.spent.next(), self.spent.next()));
    }

    fn slot(&mut self, key: Key) -> Result<&mut Slot<V>, ApplyError> {
        Ok(self.slot_and_changed(key)?.0)
    }

    fn slot_and_changed(&mut self, key: Key) -> Result<(&mut Slot<V>, &mut Vec<Key>), ApplyError> {
        self.give_up_some();
        let slot = self.young.get_or_try_insert(key, || match self.old.remove(&key) {
            Some(slot) => Ok(slot),
            None => load(&*self.store, &self.table, key).map(Slot::new),
        })?;
        Ok((slot, &mut self.changed))
    }

    fn cached(&self, key: &Key) -> Option<&Slot<V>> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// A copy of a row, for a query: nothing is kept.
    ///
    /// # Errors
    /// [`ApplyError::Store`] and [`ApplyError::UnreadableRow`].
    pub fn read(&self, key: Key) -> Result<Option<V>, ApplyError> {
        self.read_with(key, V::clone)
    }

    /// Something of a row, for a query: nothing is kept.
    ///
    /// # Errors
    /// [`ApplyError::Store`] and [`ApplyError::UnreadableRow`].
    pub fn read_with<R>(&self, key: Key, look: impl FnOnce(&V) -> R) -> Result<Option<R>, ApplyError> {
        match self.cached(&key) {
            Some(slot) => Ok(slot.value.as_ref().map(look)),
            None => Ok(load(&*self.store, &self.table, key)?.as_ref().map(look)),
        }
    }

    /// Visits every row that may differ from what the store holds, in no order.
    pub fn unwritten(&self) -> impl Iterator<Item = (&Key, Option<&V>)> {
        let changed = self.changed.iter().filter_map(|key| Some((key, self.cached(key)?)));
        let flushing = (self.written() + 1..).zip(&self.flushing).flat_map(|(flush, keys)| keys.iter().map(move |key| (flush, key)));
        // A row that was flushed again, or changed since, is visited where that is noted.
        let flushed =
            flushing.filter_map(|(flush, key)| Some((key, self.cached(key).filter(|slot| slot.flushed == flush && !slot.changed)?)));
        changed.chain(flushed).map(|(key, slot)| (key, slot.value.as_ref()))
    }

    /// How many flushes are in the store.
    fn written(&self) -> u64 {
        self.flushes - self.flushing.len() as u64
    }

    /// Rows of a tenant in the order of their ids, after one of them.
    ///
    /// # Errors
    /// [`ApplyError::Store`] and [`ApplyError::UnreadableRow`].
    pub fn page(&self, tenant: TenantId, after: Option<[u8; 16]>, limit: usize) -> Result<Vec<(Key, V)>, ApplyError> {
        let from = match after {
            Some(id) => {
                let mut from = Key::new(tenant, id).to_vec();
                from.push(0);
                from
            }
            None => tenant_start(tenant),
        };
        let mut rows = std::collections::BTreeMap::new();
        for (key, bytes) in self.store.scan(&self.table, &from, &tenant_end(tenant), limit)? {
            let Some((parsed, _)) = Key::read(&key) else { return Err(unreadable(&self.table, &key)) };
            rows.insert(parsed, decode(&self.table, &key, &bytes)?);
        }
        // The store's page ends somewhere; what is unwritten beyond that place must not jump the queue.
        let full = rows.len() == limit;
        let last = rows.last_key_value().map(|(key, _)| *key);
        for (key, value) in self.unwritten() {
            let within = key.tenant == tenant && after.is_none_or(|after| key.id > after);
            if !within || full && last.is_some_and(|last| *key > last) {
                continue;
            }
            match value {
                Some(value) => rows.insert(*key, value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(rows.into_iter().take(limit).collect())
    }

    /// Every stored row; only before the first change.
    ///
    /// # Errors
    /// [`ApplyError::Store`] and [`ApplyError::UnreadableRow`].
    pub fn stored(store: &dyn ViewStore, table: &str) -> Result<Vec<(Key, V)>, ApplyError> {
        let mut rows = Vec::new();
        each_stored(store, table, |key, bytes| {
            let Some((parsed, _)) = Key::read(key) else { return Err(unreadable(table, key)) };
            rows.push((parsed, decode(table, key, bytes)?));
            Ok(())
        })?;
        Ok(rows)
    }

    /// Hands over what changed. `also` is called for each changed row, to write what is derived from it.
    pub fn flush(&mut self, batch: &mut WriteBatch, mut also: impl FnMut(Key, Option<&mut V>, &mut WriteBatch)) {
        self.flushes += 1;
        let changed = std::mem::take(&mut self.changed);
        for key in &changed {
            let Some(slot) = self.young.get_mut(key) else { continue };
            slot.changed = false;
            slot.flushed = self.flushes;
            let writes = batch.table(&self.table);
            match slot.value.as_ref().filter(|value| !value.is_empty()) {
                Some(value) => writes.put_with(|out| key.write(out), |out| encode(value, out)),
                None => writes.delete_with(|out| key.write(out)),
            }
            also(*key, slot.value.as_mut(), batch);
        }
        self.flushing.push_back(changed);
        if self.young.len() > self.rows_per_generation && self.written() >= self.changed_generations {
            let young = std::mem::replace(&mut self.young, Pieces::new());
            self.spent = std::mem::replace(&mut self.old, young).into_spent();
            self.changed_generations = self.flushes;
        }
    }

    /// What the oldest flushes handed over is in the store.
    pub fn wrote(&mut self, flushes: usize) {
        self.flushing.drain(..flushes.min(self.flushing.len()));
    }

    /// How many rows wait to be handed over.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.changed.len()
    }
}

/// Visits every row of a table in order.
///
/// # Errors
/// The store's, and the visitor's.
pub fn each_stored(
    store: &dyn ViewStore,
    table: &str,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), ApplyError>,
) -> Result<(), ApplyError> {
    const PAGE: usize = 4_096;
    let mut from = Vec::new();
    loop {
        let page = store.scan(table, &from, &[u8::MAX; 128], PAGE)?;
        for (key, value) in &page {
            visit(key, value)?;
        }
        match page.last() {
            Some((last, _)) if page.len() == PAGE => {
                from.clone_from(last);
                from.push(0);
            }
            Some(_) | None => return Ok(()),
        }
    }
}

fn load<V: Row>(store: &dyn ViewStore, table: &str, key: Key) -> Result<Option<V>, ApplyError> {
    let key = key.to_vec();
    store.get(table, &key)?.map(|bytes| decode(table, &key, &bytes)).transpose()
}

/// Reads a row.
///
/// # Errors
/// [`ApplyError::UnreadableRow`].
pub fn decode<V: Row>(table: &str, key: &[u8], bytes: &[u8]) -> Result<V, ApplyError> {
    match postcard::take_from_bytes::<V>(bytes) {
        Ok((mut value, [])) => {
            value.loaded();
            Ok(value)
        }
        Ok(_) | Err(_) => Err(unreadable(table, key)),
    }
}

/// Writes a row at the end of a buffer.
pub fn encode<V: Row>(value: &V, out: &mut Vec<u8>) {
    let bytes = postcard::to_extend(value, std::mem::take(out))
        .expect("a vector takes any number of bytes, and rows hold no maps of unknown length");
    *out = bytes;
}

/// The error for a row that cannot be read.
#[must_use]
pub fn unreadable(table: &str, key: &[u8]) -> ApplyError {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(key.len() * 2);
    for byte in key {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    ApplyError::UnreadableRow { table: table.to_owned(), key: text }
}

#[cfg(test)]
mod tests;
