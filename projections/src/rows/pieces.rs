//! A map in pieces, each of which grows for itself. A table that grows moves everything it holds, in one go: with a hundred
//! thousand rows that is tens of milliseconds in which nobody's message is delivered.

use std::iter::Flatten;
use std::vec;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::keys::Key;

/// Enough that a piece of the largest generation is moved in well under a tenth of a millisecond.
const PIECES: usize = 64;

/// See the file's head.
pub(super) struct Pieces<V>(Vec<HashMap<Key, V>>);

/// What was in a map, piece by piece: the room of each is given back before the next begins.
pub(super) type Spent<V> = Flatten<vec::IntoIter<HashMap<Key, V>>>;

/// Ids end in chance: random bits, or those of a digest.
fn piece_of(key: &Key) -> usize {
    usize::from(key.id[15]) % PIECES
}

impl<V> Pieces<V> {
    pub fn new() -> Self {
        Self((0..PIECES).map(|_| HashMap::new()).collect())
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(HashMap::len).sum()
    }

    pub fn get(&self, key: &Key) -> Option<&V> {
        self.0[piece_of(key)].get(key)
    }

    pub fn get_mut(&mut self, key: &Key) -> Option<&mut V> {
        self.0[piece_of(key)].get_mut(key)
    }

    pub fn remove(&mut self, key: &Key) -> Option<V> {
        self.0[piece_of(key)].remove(key)
    }

    /// What is there, or what is made now.
    ///
    /// # Errors
    /// Whatever making it fails with; nothing is put in then.
    pub fn get_or_try_insert<E>(&mut self, key: Key, make: impl FnOnce() -> Result<V, E>) -> Result<&mut V, E> {
        match self.0[piece_of(&key)].entry(key) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => Ok(entry.insert(make()?)),
        }
    }

    pub fn into_spent(self) -> Spent<V> {
        self.0.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn key(id: u128) -> Key {
        Key::new("acme".parse().unwrap(), id.to_be_bytes())
    }

    #[test]
    fn what_was_put_in_is_found_and_counted_whichever_piece_it_is_in() {
        let mut map = Pieces::new();
        for id in 0..1_000 {
            assert_eq!(map.get_or_try_insert(key(id), || Ok::<_, Infallible>(id)), Ok(&mut { id }));
        }
        assert_eq!(map.get_or_try_insert(key(7), || Ok::<_, Infallible>(0)), Ok(&mut 7), "it was there");
        assert_eq!(map.get_or_try_insert(key(1_000), || Err("no")), Err("no"));
        assert_eq!((map.len(), map.get(&key(1_000))), (1_000, None));
        assert_eq!((map.remove(&key(64)), map.remove(&key(64)), map.len()), (Some(64), None, 999));
        *map.get_mut(&key(128)).unwrap() = 1;
        let mut spent: Vec<(Key, u128)> = map.into_spent().collect();
        spent.sort_unstable();
        let expected = (0..1_000).filter(|id| *id != 64).map(|id| (key(id), if id == 128 { 1 } else { id }));
        assert!(spent.into_iter().eq(expected));
    }
}
