//! Moves entries from memory to the index file, many at a time.
//!
//! The order matters: the index has them, synced or not, before memory forgets them. A failure leaves them in memory.

use application::log::commit::ChainHash;
use application::ports::event_log::{CommitPosition, ReadError};

use super::index::{Covers, Entry, Index, Key};
use super::sql;
use super::view::{Reader, View};

/// Entries copied or forgotten while the tail is locked: well below a tenth of a millisecond.
const LOCKED_ENTRIES_MAX: usize = 512;

/// Saves the oldest entries, at most `count_max`, and forgets them in memory. Returns how many.
pub fn save(view: &View, reader: &Reader, index: &Index, count_max: usize) -> Result<usize, ReadError> {
    let mut entries: Vec<(Key, Entry)> = Vec::with_capacity(count_max.min(view.tail().len()));
    while entries.len() < count_max {
        let count = LOCKED_ENTRIES_MAX.min(count_max - entries.len());
        let before = entries.len();
        entries.extend(view.tail().slice(before, count).map(|(stream, entry)| (Key::of(&stream), entry)));
        if entries.len() == before {
            break;
        }
    }
    let Some((_, newest)) = entries.last() else { return Ok(0) };
    let position = newest.place.position;
    let anchor = anchor(view, reader, position)?;
    entries.sort_unstable_by(|(key, entry), (other_key, other)| {
        key.as_slice().cmp(other_key.as_slice()).then(entry.first_version.cmp(&other.first_version))
    });
    index.save(&entries, Covers { position, anchor })?;
    let mut left = entries.len();
    while left > 0 {
        let count = LOCKED_ENTRIES_MAX.min(left);
        view.tail().forget(count);
        left -= count;
    }
    if let Err(error) = sql::checkpoint_passive(index.connection()) {
        tracing::warn!(%error, "checkpoint of the index failed");
    }
    Ok(entries.len())
}

/// The hash of the commit at a position; of nothing at position 0.
pub fn anchor(view: &View, reader: &Reader, position: u64) -> Result<ChainHash, ReadError> {
    let commit = reader.read_commit(view, CommitPosition(position))?;
    Ok(commit.map_or(ChainHash::default(), |commit| ChainHash::of(&commit.bytes)))
}
