//! Given events, then the views; and the same rows however the events arrive.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use application::ports::event_log::CommitPosition;
use projections::engine::{EVERY_VIEW, Engine};
use projections::store::WriteBatch;
use proptest::prelude::*;
use support::shop::Shop;
use support::{History, memory_store, tenant};

const NO_DELIVERY: CommitPosition = CommitPosition(u64::MAX);

type Dump = BTreeMap<String, BTreeMap<Vec<u8>, Vec<u8>>>;

fn at_once(history: &History) -> Dump {
    let (memory, mut engine) = history.viewed();
    engine.checkpoint().unwrap();
    memory.dump()
}

fn two_shops(seed: u64, events: u64) -> History {
    let mut one = Shop::new(tenant("acme"), History::new(), seed, 3);
    one.run(events);
    let history = std::mem::take(&mut one.history);
    let mut other = Shop::new(tenant("b"), history, seed + 1, 2);
    other.run(events * 2);
    other.history
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Batches of any size, redelivery, checkpoints anywhere and restarts from them give the same bytes.
    #[test]
    fn the_rows_do_not_depend_on_how_the_events_arrived(seed in 0_u64..1_000_000, steps in prop::collection::vec((1_usize..60, 0_usize..30, 0_u8..4), 1..60)) {
        let history = two_shops(seed, 800);
        let commits = history.decoded();
        let (memory, store) = memory_store();
        let mut engine = Engine::open(Arc::clone(&store), history.log()).unwrap();
        let mut next = 0;
        // Steps repeat until the end is reached, so a crash must not come round forever.
        let mut crashes = 0;
        for (size, again, then) in steps.iter().cycle() {
            let from = next - (*again).min(next);
            let to = (next + size).min(commits.len());
            engine.apply(commits[from..to].to_vec(), NO_DELIVERY).unwrap();
            next = to;
            match then {
                0 => engine.checkpoint().unwrap(),
                1 if crashes < 20 => {
                    crashes += 1;
                    // A crash: whatever was applied since the last checkpoint is lost.
                    engine = Engine::open(Arc::clone(&store), history.log()).unwrap();
                    next = usize::try_from(engine.position().0).unwrap();
                }
                2 => {
                    // Writes under way while more is applied, of some views and of all: the first two as one.
                    let mut on_their_way = Vec::new();
                    let some = size % EVERY_VIEW.len();
                    let turns = [some..some + 1, EVERY_VIEW, some / 2..some];
                    for views in turns.clone() {
                        on_their_way.push(engine.begin_checkpoint(views));
                        let more = (next + 7).min(commits.len());
                        engine.apply(commits[next..more].to_vec(), NO_DELIVERY).unwrap();
                        next = more;
                    }
                    let mut last = on_their_way.pop().unwrap();
                    let mut gathered = WriteBatch::default();
                    on_their_way.into_iter().for_each(|batch| gathered.append(batch));
                    store.write(&mut gathered).unwrap();
                    let [first, second, third] = turns;
                    engine.end_checkpoint(first);
                    engine.end_checkpoint(second);
                    store.write(&mut last).unwrap();
                    engine.end_checkpoint(third);
                }
                _ => {}
            }
            prop_assert!(next <= commits.len());
            if next == commits.len() {
                break;
            }
        }
        engine.checkpoint().unwrap();
        prop_assert_eq!(engine.stopped(), vec![]);
        let expected = at_once(&history);
        let found = memory.dump();
        prop_assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (table, rows) in &expected {
            prop_assert_eq!(&found[table], rows, "{}", table);
        }
    }
}
