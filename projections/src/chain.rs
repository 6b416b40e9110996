//! A chain of references to events, packed: each item is a few bytes, and blocks of items never change once they are full.
//!
//! The bytes depend on the items alone, never on how they arrived in batches. The chain must not know whose it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use application::ports::event_log::CommitPosition;
use application::queries::{EventRef, FeedKind};
use serde::{Deserialize, Serialize};

use crate::keys::Key;
use crate::projection::ApplyError;
use crate::rows::unreadable;
use crate::store::{StoreError, ViewStore, WriteBatch};

/// Items of a full block: about half a kilobyte, a short read for one page and a small overhead for one item.
pub const BLOCK_ITEMS: u64 = 128;

const KIND_BITS: u32 = 4;

/// The end of a chain: how many items it has, and the block that is not full yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    length: u64,
    last: EventRef,
    #[serde(with = "packed")]
    block: Vec<u8>,
}

/// A full block on its way out: its number, counted from 0, and its bytes.
pub type FullBlock = (u64, Vec<u8>);

impl Chain {
    /// How many items the chain has, also the number of the last one.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Adds an item; gives the block that it filled.
    pub fn push(&mut self, at: EventRef, kind: FeedKind) -> Option<FullBlock> {
        write_item(&mut self.block, &mut self.last, at, kind);
        self.length += 1;
        if !self.length.is_multiple_of(BLOCK_ITEMS) {
            return None;
        }
        self.last = EventRef::default();
        Some((self.length / BLOCK_ITEMS - 1, std::mem::take(&mut self.block)))
    }

    /// Items after a number, at most `limit`; full blocks are asked for by number.
    ///
    /// # Errors
    /// Whatever `full_block` reports, and `None` of it or bytes that are no block as [`BadBlock`].
    pub fn items<E: From<BadBlock>>(
        &self,
        after: u64,
        limit: usize,
        mut full_block: impl FnMut(u64) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Vec<(u64, EventRef, FeedKind)>, E> {
        let mut items = Vec::new();
        let mut next = after;
        while next < self.length && items.len() < limit {
            let number = next / BLOCK_ITEMS;
            let first = number * BLOCK_ITEMS;
            let in_block = (self.length - first).min(BLOCK_ITEMS);
            let stored;
            let bytes = if in_block == BLOCK_ITEMS {
                stored = full_block(number)?.ok_or(BadBlock { number })?;
                &stored
            } else {
                &self.block
            };
            let skip = usize::try_from(next - first).unwrap_or(usize::MAX);
            let unpacked = read_block(bytes, in_block).ok_or(BadBlock { number })?;
            items.extend((first + 1..).zip(unpacked).skip(skip).take(limit - items.len()).map(|(index, (at, kind))| (index, at, kind)));
            next = first + in_block;
        }
        Ok(items)
    }
}

/// A block is missing, or its bytes are no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadBlock {
    /// Its number in its chain, from 0.
    pub number: u64,
}

fn write_item(out: &mut Vec<u8>, last: &mut EventRef, at: EventRef, kind: FeedKind) {
    write_varint(out, at.commit.0.wrapping_sub(last.commit.0));
    write_varint(out, u64::from(at.index) << KIND_BITS | u64::from(kind as u8));
    *last = at;
}

fn read_block(mut bytes: &[u8], items: u64) -> Option<Vec<(EventRef, FeedKind)>> {
    let mut unpacked = Vec::with_capacity(usize::try_from(items).ok()?);
    let mut commit = 0_u64;
    for _ in 0..items {
        commit = commit.wrapping_add(read_varint(&mut bytes)?);
        let rest = read_varint(&mut bytes)?;
        let kind = kind(rest & ((1 << KIND_BITS) - 1))?;
        unpacked.push((EventRef { commit: CommitPosition(commit), index: u32::try_from(rest >> KIND_BITS).ok()? }, kind));
    }
    bytes.is_empty().then_some(unpacked)
}

const fn kind(number: u64) -> Option<FeedKind> {
    const KINDS: [FeedKind; 10] = [
        FeedKind::Joined,
        FeedKind::MemberJoined,
        FeedKind::MemberLeft,
        FeedKind::Message,
        FeedKind::Recalled,
        FeedKind::Hidden,
        FeedKind::Read,
        FeedKind::Conversation,
        FeedKind::MergedInto,
        FeedKind::Thread,
    ];
    let mut index = 0;
    while index < KINDS.len() {
        if KINDS[index] as u64 == number {
            return Some(KINDS[index]);
        }
        index += 1;
    }
    None
}

fn write_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).expect("seven bits"));
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Serde writes a vector of bytes number by number; this writes it in one piece.
mod packed {
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

/// The full blocks of many chains: written once, read from the store.
pub struct Blocks {
    table: Arc<str>,
    store: Arc<dyn ViewStore>,
    new: BTreeMap<(Key, u64), Vec<u8>>,
    /// Handed over, and not in the store yet: in which flush, and the bytes.
    flushing: BTreeMap<(Key, u64), (u64, Vec<u8>)>,
    flushes: u64,
    written: u64,
}

impl Blocks {
    /// A table of blocks over a store.
    #[must_use]
    pub fn new(store: Arc<dyn ViewStore>, table: Arc<str>) -> Self {
        Self { table, store, new: BTreeMap::new(), flushing: BTreeMap::new(), flushes: 0, written: 0 }
    }

    /// Adds a full block.
    pub fn add(&mut self, key: Key, (number, bytes): FullBlock) {
        self.new.insert((key, number), bytes);
    }

    /// Items of a chain, after a number.
    ///
    /// # Errors
    /// [`ApplyError::Store`], and [`ApplyError::UnreadableRow`] for a block that is missing or damaged.
    pub fn items(&self, key: Key, chain: &Chain, after: u64, limit: usize) -> Result<Vec<(u64, EventRef, FeedKind)>, ApplyError> {
        enum Failed {
            Store(StoreError),
            Block(BadBlock),
        }
        impl From<BadBlock> for Failed {
            fn from(bad: BadBlock) -> Self {
                Self::Block(bad)
            }
        }
        chain.items(after, limit, |number| self.block(key, number).map_err(Failed::Store)).map_err(|failed| match failed {
            Failed::Store(error) => error.into(),
            Failed::Block(bad) => unreadable(&self.table, &block_key(key, bad.number)),
        })
    }

    fn block(&self, key: Key, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let place = (key, number);
        match self.new.get(&place).or_else(|| self.flushing.get(&place).map(|(_, bytes)| bytes)) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => self.store.get(&self.table, &block_key(key, number)),
        }
    }

    /// Hands over the new blocks.
    pub fn flush(&mut self, batch: &mut WriteBatch) {
        self.flushes += 1;
        let writes = batch.table(&self.table);
        for ((key, number), bytes) in std::mem::take(&mut self.new) {
            writes.put(&block_key(key, number), &bytes);
            self.flushing.insert((key, number), (self.flushes, bytes));
        }
    }

    /// What the oldest flushes handed over is in the store.
    pub fn wrote(&mut self, flushes: usize) {
        self.written += flushes as u64;
        self.flushing.retain(|_, (flush, _)| *flush > self.written);
    }

    /// How many blocks wait to be handed over.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.new.len()
    }
}

fn block_key(key: Key, number: u64) -> Vec<u8> {
    let mut out = key.to_vec();
    out.extend_from_slice(&number.to_be_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u64) -> EventRef {
        EventRef { commit: CommitPosition(number * 1_000), index: u32::try_from(number % 3).unwrap() }
    }

    #[test]
    fn a_chain_gives_back_every_item_from_any_place_on() {
        let mut chain = Chain::default();
        let mut blocks = BTreeMap::new();
        for number in 1..=300 {
            blocks.extend(chain.push(at(number), FeedKind::Message));
        }
        assert_eq!(blocks.len(), 2);
        let chain: Chain = postcard::from_bytes(&postcard::to_allocvec(&chain).unwrap()).unwrap();
        for after in [0, 1, 127, 128, 129, 255, 256, 299, 300, 1_000] {
            let items = chain.items::<BadBlock>(after, 1_000, |number| Ok(blocks.get(&number).cloned())).unwrap();
            let expected: Vec<_> = (after + 1..=300).map(|number| (number, at(number), FeedKind::Message)).collect();
            assert_eq!(items, expected, "after {after}");
        }
        assert_eq!(chain.items::<BadBlock>(0, 2, |number| Ok(blocks.get(&number).cloned())).unwrap().len(), 2);
        assert_eq!(chain.items(0, 2, |_| Ok(None)), Err(BadBlock { number: 0 }));
    }
}
