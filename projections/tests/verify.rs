//! `verify` accepts what the log says, and nothing else: one altered row of any table of any view is found.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use application::log::stream::StreamKey;
use application::ports::event_log::CommitPosition;
use domain::event::Event;
use domain::tenant::event::{Limits, LimitsChanged};
use domain::time::Millis;
use projections::engine::Engine;
use projections::store::MemoryStore;
use projections::verify::{VerifyReport, verify};
use support::shop::Shop;
use support::{History, memory_store, tenant};

type Dump = BTreeMap<String, BTreeMap<Vec<u8>, Vec<u8>>>;

/// A history in which every table of every view has rows.
fn history() -> History {
    let mut shop = Shop::new(tenant("acme"), History::new(), 7, 2);
    shop.open_max = 2;
    shop.messages_per_conversation = 200;
    shop.run(1_500);
    shop.open_max = 12;
    shop.messages_per_conversation = 6;
    shop.run(2_000);
    let limits = Limits { idle_expiry: Millis::minutes(5), ..Limits::default() };
    shop.history.commit(shop.tenant, StreamKey::Tenant, [Event::Tenant(LimitsChanged { limits }.into())]);
    support::threads::whole_story(&mut shop.history, shop.tenant);
    support::canned::whole_story(&mut shop.history, shop.tenant);
    support::channels::whole_story(&mut shop.history, shop.tenant);
    support::flows::whole_story(&mut shop.history, shop.tenant);
    support::descriptions::whole_story(&mut shop.history, shop.tenant);
    support::outreach::whole_story(&mut shop.history, shop.tenant);
    shop.run(3_000);
    shop.history
}

/// The store as it is after so many commits.
fn stored(history: &History, commits: usize) -> Dump {
    let (memory, store) = memory_store();
    let mut engine = Engine::open(store, history.log()).unwrap();
    let mut decoded = history.decoded();
    decoded.truncate(commits);
    engine.apply(decoded, CommitPosition(u64::MAX)).unwrap();
    engine.checkpoint().unwrap();
    memory.dump()
}

async fn verified(history: &History, dump: Dump) -> VerifyReport {
    verify(history.log(), Arc::new(MemoryStore::restored(dump))).await.unwrap()
}

#[tokio::test]
async fn views_that_are_as_the_log_says_are_verified_at_their_position_and_at_the_head() {
    let history = history();
    for commits in [0, history.commits.len() / 2, history.commits.len()] {
        let report = verified(&history, stored(&history, commits)).await;
        assert!(report.ok, "{commits}: {report:#?}");
        assert!(report.views.iter().all(|view| view.position == CommitPosition(commits as u64) && view.rows_compared > 0));
        assert!(report.invariants.iter().all(|invariant| invariant.checked > 0), "{report:#?}");
        assert!(serde_json::to_string(&report).unwrap().contains("\"ok\":true"));
    }
}

#[tokio::test]
async fn one_altered_row_of_any_table_of_any_view_is_found() {
    let history = history();
    // Half-way, there are also rows of what is under way: waiting tickets, running timers.
    let sound = stored(&history, history.commits.len() - 40);
    for info in projections::all() {
        for table in info.tables {
            let name = info.table(table).to_string();
            let rows = sound.get(&name).unwrap_or_else(|| panic!("{name} has no rows: this history is too short"));
            let (key, value) = rows.iter().nth(rows.len() / 2).unwrap();
            let mut wrong = value.clone();
            match wrong.last_mut() {
                Some(byte) => *byte ^= 1,
                None => wrong.push(1),
            }
            let mut other_key = key.clone();
            *other_key.last_mut().unwrap() ^= 0x55;
            for (alteration, key, value) in
                [("different", key, Some(wrong)), ("missing", key, None), ("extra", &other_key, Some(value.clone()))]
            {
                let mut altered = sound.clone();
                let rows = altered.get_mut(&name).unwrap();
                match value {
                    Some(value) => rows.insert(key.clone(), value),
                    None => rows.remove(key),
                };
                let report = verified(&history, altered).await;
                let view = report.views.iter().find(|view| view.name == info.name).unwrap();
                assert!(!report.ok && view.different > 0, "{alteration} row of {name} was not found");
                let found = view.differences.iter().any(|difference| difference.table == name && difference.what == alteration);
                assert!(found, "{alteration} in {name}: {:?}", view.differences);
            }
        }
    }
}

#[tokio::test]
async fn a_broken_log_breaks_the_invariants() {
    let mut history = history();
    // The same commit twice: versions, hashes, places and client ids cannot be right any more.
    let repeated = history.commits.iter().rev().find(|commit| is_message(&commit.bytes)).unwrap().bytes.clone();
    let position = CommitPosition(history.commits.len() as u64 + 1);
    history.commits.push(application::ports::event_log::StoredCommit::read(position, repeated));
    let report = verified(&history, Dump::new()).await;
    let broken: Vec<&str> = report.invariants.iter().filter(|invariant| invariant.violated > 0).map(|invariant| invariant.name).collect();
    for expected in ["versions", "hash", "contiguous places", "client id"] {
        assert!(broken.iter().any(|name| name.contains(expected)), "{expected}: {broken:?}");
    }
}

fn is_message(bytes: &[u8]) -> bool {
    application::log::commit::events(bytes).unwrap().any(|event| event.unwrap().name == "chat.message_posted")
}
