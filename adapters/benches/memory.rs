//! Fills a data directory with a long history, to see what a server needs in memory to serve it:
//! `EVENTS=10000000 CHATS=1000000 DATA=/somewhere cargo bench -p adapters --bench memory`, then `kefu serve --data /somewhere` and
//! a look at its resident memory. Without `DATA` the directory is a temporary one, and all views but search catch up over it here.
//!
//! The commits are what the deciders could have written: chained, sealed under the keys of the key store, of one tenant, within the
//! last month. The policies are as far as the log. Snapshots are missing, as if their file had been deleted.

#[path = "../../projections/tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use adapters::clock::SystemClock;
use adapters::data_dir::views_of;
use adapters::event_log::embedded::{EmbeddedLog, Options};
use adapters::key_store::sqlite::SqliteKeyStore;
use adapters::policy_task::CONSUMER;
use adapters::snapshot_store::SnapshotStore;
use adapters::view_store::SqliteViewStore;
use application::log::commit;
use application::ports::checkpoints::Checkpoints as _;
use application::ports::clock::Clock as _;
use application::ports::event_log::{CommitPosition, EventLog, NewCommit, StoredCommit};
use application::ports::key_store::{KeyState, KeyStore, SubjectId, SubjectKey};
use application::queries::{Delivery, DeliverySink};
use domain::ids::TenantId;
use domain::time::Millis;
use futures_util::future::join_all;
use projections::runner::RunnerOptions;
use projections::views::Views;
use support::shop::{Shop, customer};
use support::{History, tenant};
use tokio::runtime::Runtime;

/// The allocator of the kefu binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many days ago the history begins.
const DAYS: i64 = 30;
/// Events that are made while those before them are written.
const EVENTS_AT_A_TIME: u64 = 65_536;
/// Commits on their way into the log at a time: half of its queue.
const COMMITS_AT_A_TIME: usize = 8_192;
/// Customers whose keys are made together.
const KEYS_AT_A_TIME: u64 = 1_024;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("starts");
    match std::env::var_os("DATA") {
        Some(data) => fill(&runtime, Path::new(&data)),
        None => {
            let data = tempfile::tempdir().expect("a temporary directory");
            fill(&runtime, data.path());
            runtime.block_on(catch_up(data.path()));
        }
    }
}

fn fill(runtime: &Runtime, data: &Path) {
    let (events, chats) = (setting("EVENTS", 10_000_000), setting("CHATS", 1_000_000));
    std::fs::create_dir_all(data).expect("a directory");
    let log = Arc::new(EmbeddedLog::open(data, &Options::default()).expect("a log"));
    assert_eq!(runtime.block_on(log.head()).expect("answers"), CommitPosition(0), "the directory is a new one");
    let keys = SqliteKeyStore::open(data).expect("a key store");
    let begin = Instant::now();
    let mut shop = shop(runtime, keys, events, chats);
    let mut writing = runtime.spawn(append(Arc::clone(&log), Vec::new()));
    while shop.history.events() < events {
        shop.run(events.min(shop.history.events() + EVENTS_AT_A_TIME));
        runtime.block_on(writing).expect("everything is taken");
        writing = runtime.spawn(append(Arc::clone(&log), shop.history.take()));
    }
    runtime.block_on(writing).expect("everything is taken");
    runtime.block_on(log.close());
    let head = shop.history.head().0;
    let policies = format!(r#"{{"done":{head},"stopped":{{}}}}"#);
    SnapshotStore::open(data).expect("a snapshot store").save(CONSUMER, policies.as_bytes());
    println!(
        "{} events in {head} commits, {} chats, {} conversations: filled at {:.0} events/s",
        shop.history.events(),
        shop.chats_opened,
        shop.conversations,
        shop.history.events() as f64 / begin.elapsed().as_secs_f64()
    );
}

/// A shop whose history ends before now, and whose private halves are sealed with keys of the store.
fn shop(runtime: &Runtime, store: SqliteKeyStore, events: u64, chats: u64) -> Shop {
    let mut made = 0;
    let handle = runtime.handle().clone();
    let key_of = move |tenant: TenantId, subject: SubjectId| -> SubjectKey {
        if let Ok(KeyState::Present(key)) = store.get(tenant, subject) {
            return key;
        }
        // Somebody new: those who come next get theirs with the same flush.
        let next = (made + 1..=made + KEYS_AT_A_TIME).map(|number| SubjectId::from(customer(number)));
        made += KEYS_AT_A_TIME;
        let next: Vec<SubjectId> = next.collect();
        handle.block_on(join_all(next.into_iter().map(|next| store.ensure(tenant, next))));
        handle.block_on(store.ensure(tenant, subject)).expect("a key")
    };
    let mut history = History::sealed_with(Box::new(key_of));
    history.now = SystemClock::default().now() - Millis::days(DAYS);
    let mut shop = Shop::new(tenant("acme"), history, 1, 200);
    shop.open_max = 1_000;
    shop.messages_per_conversation = 4;
    shop.events_per_chat = Some(events / chats);
    // A third of a step an event, and half of this a step: time does not run beyond now.
    shop.pause_max = Millis(Millis::days(DAYS).0 / i64::try_from(events).expect("a small number"));
    shop
}

async fn append(log: Arc<EmbeddedLog>, commits: Vec<StoredCommit>) {
    for some in commits.chunks(COMMITS_AT_A_TIME) {
        // They are polled, and so queued, in order.
        for (answer, stored) in join_all(some.iter().map(|stored| log.append(as_new(stored)))).await.into_iter().zip(some) {
            assert_eq!(answer.expect("at the expected version").position, stored.position, "the log is this history's alone");
        }
    }
}

fn as_new(stored: &StoredCommit) -> NewCommit {
    let header = stored.header().expect("made here");
    let commit::CommitHeader { id, stream, first_version, events, .. } = header;
    NewCommit { id, stream, first_version, events, bytes: stored.bytes.clone(), decided: None }
}

async fn catch_up(data: &Path) {
    let (events, before, begin) = (setting("EVENTS", 10_000_000), rss_mib(), Instant::now());
    let log = Arc::new(EmbeddedLog::open(data, &Options::default()).expect("opens again"));
    let store = Arc::new(SqliteViewStore::open(&views_of(data)).expect("opens"));
    let views = Views::open(store, log.clone(), Arc::new(Nobody), RunnerOptions::default()).await.expect("catches up");
    let grown = rss_mib().saturating_sub(before);
    views.close().await;
    let rate = events as f64 / begin.elapsed().as_secs_f64();
    println!("all views but search, from the log on disk to the last row on disk: {rate:.0} events/s, memory grew by {grown} MiB");
    log.close().await;
}

/// Nobody is connected.
struct Nobody;

impl DeliverySink for Nobody {
    fn deliver(&self, _: Vec<Delivery>) {}
}

fn rss_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default() / 1024
}
