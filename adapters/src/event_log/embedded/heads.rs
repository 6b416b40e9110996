//! A bounded cache of stream heads, so that an append to a stream in use does not ask the index.

use application::log::stream::StreamId;
use hashbrown::HashMap;

/// Streams per generation; both generations together take about 30 MB when full.
const GENERATION_STREAMS_MAX: usize = 128 * 1024;

/// Where a stream stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// How many events it holds.
    pub version: u64,
    /// Whether it was tombstoned.
    pub gone: bool,
}

/// Two generations: what is used moves to the young one; when that is full, the old one is forgotten.
#[derive(Default)]
pub struct Heads {
    young: HashMap<StreamId, Head>,
    old: HashMap<StreamId, Head>,
}

impl Heads {
    /// The head of a stream, if it is known here.
    pub fn get(&mut self, stream: &StreamId) -> Option<Head> {
        if let Some(head) = self.young.get(stream) {
            return Some(*head);
        }
        let head = self.old.remove(stream)?;
        self.insert(*stream, head);
        Some(head)
    }

    /// Remembers the head of a stream.
    pub fn insert(&mut self, stream: StreamId, head: Head) {
        if self.young.len() >= GENERATION_STREAMS_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(stream, head);
    }
}

#[cfg(test)]
mod tests {
    use application::log::stream::StreamKey;
    use domain::ids::ChatId;

    use super::*;

    fn stream(number: usize) -> StreamId {
        StreamId::new("acme".parse().unwrap(), StreamKey::Chat(ChatId::from_u128(number as u128)))
    }

    #[test]
    fn a_head_in_use_survives_any_number_of_others_and_an_unused_one_is_forgotten() {
        let mut heads = Heads::default();
        let head = Head { version: 3, gone: false };
        heads.insert(stream(0), head);
        for number in 1..GENERATION_STREAMS_MAX * 3 {
            heads.insert(stream(number), Head::default());
            if number % 1000 == 0 {
                assert_eq!(heads.get(&stream(0)), Some(head));
            }
        }
        assert_eq!(heads.get(&stream(1)), None);
        assert!(heads.young.len() + heads.old.len() <= 2 * GENERATION_STREAMS_MAX);
    }

    #[test]
    fn the_newest_head_of_a_stream_counts() {
        let mut heads = Heads::default();
        heads.insert(stream(0), Head { version: 1, gone: false });
        for number in 1..=GENERATION_STREAMS_MAX {
            heads.insert(stream(number), Head::default());
        }
        heads.insert(stream(0), Head { version: 2, gone: true });
        assert_eq!(heads.get(&stream(0)), Some(Head { version: 2, gone: true }));
    }
}
