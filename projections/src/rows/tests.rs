//! Rows between memory and a store that is behind.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::store::MemoryStore;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Number(u32);

impl Row for Number {}

#[derive(Clone, Copy, Debug)]
enum Step {
    Set(u8, Option<u32>),
    Use(u8),
    Flush,
    /// So many of the flushes on their way, at most, arrive together.
    Wrote(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..24_u8, proptest::option::weighted(0.8, 0..1_000_u32)).prop_map(|(key, value)| Step::Set(key, value)),
        3 => (0..24_u8).prop_map(Step::Use),
        2 => Just(Step::Flush),
        2 => (1..4_usize).prop_map(Step::Wrote),
    ]
}

fn key(number: u8) -> Key {
    Key::new("acme".parse().expect("a slug"), [number; 16])
}

proptest! {
    #[test]
    fn what_is_on_its_way_to_the_store_is_never_forgotten(steps in proptest::collection::vec(step(), 1..400)) {
        let store = Arc::new(MemoryStore::default());
        let mut rows = Rows { rows_per_generation: 4, ..Rows::<Number>::new(Arc::clone(&store) as _, "numbers".into()) };
        let mut expected = BTreeMap::new();
        let mut on_their_way = VecDeque::new();
        for step in steps {
            match step {
                Step::Set(number, value) => {
                    *rows.change(key(number)).expect("memory") = value.map(Number);
                    expected.insert(number, value);
                }
                Step::Use(number) => {
                    let found = rows.get(key(number)).expect("memory").map(|row| row.0);
                    prop_assert_eq!(found, expected.get(&number).copied().flatten());
                }
                Step::Flush => {
                    let mut batch = WriteBatch::default();
                    rows.flush(&mut batch, |_, _, _| {});
                    on_their_way.push_back(batch);
                }
                Step::Wrote(some) => {
                    let count = some.min(on_their_way.len());
                    let mut gathered = WriteBatch::default();
                    on_their_way.drain(..count).for_each(|batch| gathered.append(batch));
                    store.write(&mut gathered).expect("memory");
                    rows.wrote(count);
                }
            }
            for (number, value) in &expected {
                prop_assert_eq!(rows.read(key(*number)).expect("memory").map(|row| row.0), *value);
            }
            // The store and what is not written together are everything, and nothing is said to be unwritten twice.
            let mut all: BTreeMap<Key, Number> = Rows::stored(&*store, "numbers").expect("memory").into_iter().collect();
            let unwritten: Vec<Key> = rows.unwritten().map(|(key, _)| *key).collect();
            for (key, value) in rows.unwritten() {
                match value {
                    Some(value) => all.insert(*key, value.clone()),
                    None => all.remove(key),
                };
            }
            let set: std::collections::BTreeSet<Key> = unwritten.iter().copied().collect();
            prop_assert_eq!(set.len(), unwritten.len());
            let everything: BTreeMap<Key, Number> =
                expected.iter().filter_map(|(number, value)| Some((key(*number), Number((*value)?)))).collect();
            prop_assert_eq!(all, everything);
        }
    }
}

#[test]
fn however_many_rows_pass_through_memory_holds_two_generations_and_what_is_on_its_way() {
    let store = Arc::new(MemoryStore::default());
    let mut rows = Rows { rows_per_generation: 4, ..Rows::<Number>::new(Arc::clone(&store) as _, "numbers".into()) };
    let mut on_their_way = VecDeque::new();
    for number in 0..=u8::MAX {
        *rows.change(key(number)).expect("memory") = Some(Number(0));
        let mut batch = WriteBatch::default();
        rows.flush(&mut batch, |_, _, _| {});
        on_their_way.push_back(batch);
        if on_their_way.len() > 3 {
            // Never all of them: the next flush is on its way before the one before has arrived.
            store.write(&mut on_their_way.pop_front().expect("there are four")).expect("memory");
            rows.wrote(1);
        }
        assert!(rows.young.len() + rows.old.len() <= 2 * (4 + 4), "{} and {}", rows.young.len(), rows.old.len());
    }
}
