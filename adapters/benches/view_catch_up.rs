//! How fast all views catch up on disk: `EVENTS=5000000 cargo bench -p adapters --bench view_catch_up`.
//!
//! The log is in memory, the views are in a SQLite file in a temporary directory. Prints events per second until everything is
//! written, the size of the file, and how much memory the catch-up added (the log and its reading not included). Then, how
//! many messages a second the views take in while they go on live, and how long the applying thread was busy with one.

#[path = "../../projections/tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Instant;

use adapters::view_store::SqliteViewStore;
use application::queries::ReadModels;
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

fn main() {
    let events: u64 = std::env::var("EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let mut shop = Shop::new(tenant("acme"), History::sealed(), 1, 200);
    shop.open_max = 1_000;
    shop.run(events);
    let events = shop.history.events();
    println!("{events} events in {} commits", shop.history.commits.len());
    let log = shop.history.log();
    drop(shop);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("views.sqlite");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("starts");
    runtime.block_on(async {
        let memory = rss_mib();
        let before = Instant::now();
        let store = Arc::new(SqliteViewStore::open(&path).expect("opens"));
        let views = Views::open(store, log, Arc::new(KeepingSink::default())).await.expect("catches up");
        let applied = before.elapsed();
        views.close().await;
        let seconds = before.elapsed().as_secs_f64();
        println!("applied after {applied:?}; all written: {:.0} events/s", events as f64 / seconds);
        println!("memory grew by {} MiB", rss_mib().saturating_sub(memory));
        println!("reached {}", views.reached().0);
        drop(views);
        println!("file: {} MiB", std::fs::metadata(&path).map_or(0, |file| file.len() >> 20));
    });
}
