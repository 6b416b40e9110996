//! What was opened from the log, kept until it lies elsewhere.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

/// Things kept at a time: some kilobytes each, opened again when they are asked for again.
const KEPT_MAX: usize = 1_000;

/// Things by whose they are, each with where its parts lie.
pub struct Opened<K, At, V>(Mutex<HashMap<K, (At, Arc<V>)>>);

impl<K, At, V> Default for Opened<K, At, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, At: PartialEq, V> Opened<K, At, V> {
    fn kept(&self) -> MutexGuard<'_, HashMap<K, (At, Arc<V>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept, unless it lies elsewhere by now.
    pub fn get(&self, whose: &K, at: &At) -> Option<Arc<V>> {
        self.kept().get(whose).filter(|(known, _)| known == at).map(|(_, thing)| Arc::clone(thing))
    }

    /// Keeps it in place of what was kept before.
    pub fn keep(&self, whose: K, at: At, thing: V) -> Arc<V> {
        let thing = Arc::new(thing);
        let mut kept = self.kept();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(whose, (at, Arc::clone(&thing)));
        thing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_elsewhere_is_not_what_is_kept_and_only_so_much_is() {
        let opened: Opened<usize, u8, &str> = Opened::default();
        assert_eq!(opened.get(&1, &1), None);
        assert_eq!(*opened.keep(1, 1, "a"), "a");
        assert_eq!(opened.get(&1, &1).as_deref(), Some(&"a"));
        assert_eq!(opened.get(&1, &2), None, "it was changed");
        let _ = opened.keep(1, 2, "b");
        assert_eq!((opened.get(&1, &1), opened.get(&1, &2).as_deref()), (None, Some(&"b")));
        for whose in 2..=KEPT_MAX + 1 {
            let _ = opened.keep(whose, 1, "c");
        }
        assert_eq!((opened.get(&1, &2), opened.kept().len()), (None, 1));
    }
}
