//! What the index does not know yet, in memory: the commits after the position that it covers.
//!
//! Entries leave from the front once the index has them. This file must not do I/O.

use std::collections::VecDeque;

use application::log::stream::StreamId;
use hashbrown::HashMap;

use super::index::Entry;

#[derive(Clone, Copy)]
struct Link {
    stream: StreamId,
    entry: Entry,
    /// Position of the same stream's commit before this one, or 0. It may have left the tail since.
    previous: u64,
}

/// The newest commits in position order, with each stream's commits linked backwards.
#[derive(Default)]
pub struct Tail {
    links: VecDeque<Link>,
    last: HashMap<StreamId, u64>,
}

impl Tail {
    /// Adds the next commit.
    pub fn push(&mut self, stream: StreamId, entry: Entry) {
        let position = entry.place.position;
        debug_assert!(self.links.back().is_none_or(|newest| newest.entry.place.position + 1 == position));
        let previous = self.last.insert(stream, position).unwrap_or(0);
        self.links.push_back(Link { stream, entry, previous });
    }

    /// How many commits wait for the index.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// The last commit of a stream, if it is here.
    pub fn last(&self, stream: &StreamId) -> Option<Entry> {
        self.last.get(stream).and_then(|position| self.link(*position)).map(|link| link.entry)
    }

    /// A stream's commits here from the one that holds `from_version` on, oldest first.
    pub fn since_version(&self, stream: &StreamId, from_version: u64) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut next = self.last.get(stream).copied().unwrap_or(0);
        while let Some(link) = self.link(next) {
            entries.push(link.entry);
            if link.entry.first_version <= from_version {
                break;
            }
            next = link.previous;
        }
        entries.reverse();
        entries
    }

    fn link(&self, position: u64) -> Option<&Link> {
        let base = self.links.front()?.entry.place.position;
        self.links.get(usize::try_from(position.checked_sub(base)?).ok()?)
    }

    /// Some commits by their number from the front, for the index to save.
    pub fn slice(&self, from: usize, count: usize) -> impl Iterator<Item = (StreamId, Entry)> + '_ {
        let to = self.links.len().min(from + count);
        self.links.range(from.min(to)..to).map(|link| (link.stream, link.entry))
    }

    /// Forgets some commits from the front, which the index has now.
    pub fn forget(&mut self, count: usize) {
        for link in self.links.drain(..count.min(self.links.len())) {
            if self.last.get(&link.stream) == Some(&link.entry.place.position) {
                self.last.remove(&link.stream);
            }
        }
    }
}
