//! How fast all views catch up on disk: `EVENTS=5000000 cargo bench -p adapters --bench view_catch_up`.
//!
//! The log is in memory, the views are in a SQLite file in a temporary directory. Prints events per second until everything is
//! written, the size of the file, and how much memory the catch-up added (the log and its reading not included). Then the same
//! for events that arrive a few at a time.

#[path = "../../projections/tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Instant;

use adapters::view_store::SqliteViewStore;
use application::queries::ReadModels;
use projections::runner::RunnerOptions;
use projections::views::Views;
use support::shop::Shop;
use support::{History, KeepingSink, tenant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn rss_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// Processor time of this process so far, in microseconds: what is fair to compare on a machine that others use, too.
fn cpu_us() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<u64> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(|text| text.parse().unwrap_or(0)).collect();
    // Fields 14 and 15 of the line, user and system time, in hundredths of a second; the first two are cut off here.
    (fields.get(11).unwrap_or(&0) + fields.get(12).unwrap_or(&0)) * 10_000
}

/// Commits kept back for the live part, and how many of them arrive at a time (about two milliseconds' worth at 22,000/s).
const LIVE_COMMITS: usize = 100_000;
const LIVE_AT_A_TIME: usize = 44;

fn main() {
    let events: u64 = std::env::var("EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let mut shop = Shop::new(tenant("acme"), History::sealed(), 1, 200);
    shop.open_max = 1_000;
    shop.run(events);
    let all = shop.history.events();
    let caught_up = shop.history.commits.len().saturating_sub(LIVE_COMMITS);
    let log = shop.history.log_until(caught_up);
    let live = shop.history.commits.split_off(caught_up);
    let live_events: u64 = live.iter().map(|commit| u64::from(commit.header().expect("made here").events)).sum();
    drop(shop);
    let events = all - live_events;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("views.sqlite");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("starts");
    runtime.block_on(async {
        let (memory, cpu, before) = (rss_mib(), cpu_us(), Instant::now());
        let store = Arc::new(SqliteViewStore::open(&path).expect("opens"));
        let views =
            Views::open(store.clone(), log.clone(), Arc::new(KeepingSink::default()), RunnerOptions::default()).await.expect("catches up");
        views.close().await;
        let seconds = before.elapsed().as_secs_f64();
        let cpu = cpu_us() - cpu;
        println!(
            "{events} events, all written: {:.0} events/s, {:.2} us of processor an event",
            events as f64 / seconds,
            cpu as f64 / events as f64
        );
        println!(
            "memory grew by {} MiB, file {} MiB",
            rss_mib().saturating_sub(memory),
            std::fs::metadata(&path).map_or(0, |file| file.len() >> 20)
        );
        drop(views);

        let views = Views::open(store, log.clone(), Arc::new(NoSink), RunnerOptions::default()).await.expect("opens again");
        let (cpu, before) = (cpu_us(), Instant::now());
        for some in live.chunks(LIVE_AT_A_TIME) {
            log.extend(some);
            views.at_least(some.last().expect("not empty").position).await.expect("in time");
        }
        views.close().await;
        let (seconds, cpu) = (before.elapsed().as_secs_f64(), cpu_us() - cpu);
        let each = cpu as f64 / live_events as f64;
        println!(
            "live, {LIVE_AT_A_TIME} commits at a time: {:.0} events/s, {each:.2} us of processor an event",
            live_events as f64 / seconds
        );
    });
}

/// Nobody is connected.
struct NoSink;

impl application::queries::DeliverySink for NoSink {
    fn deliver(&self, _: Vec<application::queries::Delivery>) {}
}
