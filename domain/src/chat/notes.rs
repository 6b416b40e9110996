//! Where the notes of a chat are: what tells those who see none up to where somebody has read, without naming a note's place.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Notes whose places are remembered. Whoever reads further back than that tells others nothing by it.
pub const NOTES_KEPT: usize = 4_096;

/// See the file's head.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    places: BTreeSet<u64>,
    /// Of the places up to here it may be forgotten that they are notes.
    floor: u64,
}

impl Notes {
    /// How many places are remembered.
    #[must_use]
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// A note was posted.
    pub(super) fn add(&mut self, seq: u64) {
        self.places.insert(seq);
        while self.places.len() > NOTES_KEPT {
            self.floor = self.floor.max(self.places.pop_first().unwrap_or_default());
        }
    }

    /// The last place up to `now` that is no note's, as far as is remembered; `before` when there is none beyond it.
    pub(super) fn last_before(&self, before: u64, now: u64) -> u64 {
        let mut seq = now;
        while seq > before && self.places.contains(&seq) {
            seq -= 1;
        }
        seq
    }

    /// The last place of no note that is beyond what was read before and not beyond what is read now; 0 when there is none.
    pub(super) fn shown(&self, before: u64, now: u64) -> u64 {
        let seq = self.last_before(before, now);
        if seq > before.max(self.floor) { seq } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_the_last_place_that_is_no_note_and_newly_read() {
        let mut notes = Notes::default();
        [3, 4, 6].into_iter().for_each(|seq| notes.add(seq));
        for (before, now, shown) in [(0, 2, 2), (0, 3, 2), (0, 4, 2), (2, 4, 0), (3, 4, 0), (0, 5, 5), (4, 6, 5), (5, 6, 0), (6, 7, 7)] {
            assert_eq!(notes.shown(before, now), shown, "from {before} to {now}");
        }
        assert_eq!(Notes { places: [1].into(), floor: 0 }.shown(0, 1), 0, "there is nothing before it");
    }

    #[test]
    fn where_notes_are_forgotten_nothing_is_shown() {
        let mut notes = Notes::default();
        (1..=NOTES_KEPT as u64 + 2).for_each(|seq| notes.add(2 * seq));
        assert_eq!((notes.count(), notes.shown(0, 4), notes.shown(0, 3), notes.shown(0, 6)), (NOTES_KEPT, 0, 0, 5));
    }
}
