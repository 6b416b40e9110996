//! How fast all views catch up with a made-up log: `EVENTS=1000000 cargo bench -p projections --bench catch_up`.
//!
//! Prints events per second in total (decoding, applying and writing, on three threads) and per view (applying alone).

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Instant;

use application::ports::event_log::CommitPosition;
use projections::engine::Engine;
use projections::runner::RunnerOptions;
use projections::store::ViewStore;
use projections::views::Views;
use support::shop::Shop;
use support::{History, KeepingSink, memory_store, tenant};

fn main() {
    let events: u64 = std::env::var("EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let mut shop = Shop::new(tenant("acme"), History::sealed(), 1, 200);
    shop.open_max = 1_000;
    shop.run(events);
    let bytes: usize = shop.history.commits.iter().map(|commit| commit.bytes.len()).sum();
    let events = shop.history.events();
    println!("{events} events in {} commits, {} bytes an event", shop.history.commits.len(), bytes as u64 / events);
    let log = shop.history.log();

    let before = Instant::now();
    let decoded: Vec<Vec<_>> = shop
        .history
        .commits
        .chunks(256)
        .map(|chunk| chunk.iter().cloned().map(|commit| projections::decode::decode(commit).expect("made here")).collect())
        .collect();
    println!("decode alone: {} events/s", rate(events, before));
    let (_, store) = memory_store();
    let mut engine = Engine::open(store, Arc::clone(&log) as Arc<_>).expect("opens");
    let before = Instant::now();
    for chunk in decoded {
        engine.apply(chunk, CommitPosition(u64::MAX)).expect("applies");
        if engine.pending() > 100_000 {
            engine.checkpoint().expect("memory takes it");
        }
    }
    engine.checkpoint().expect("memory takes it");
    println!("apply alone, one thread, memory store: {} events/s", rate(events, before));
    for view in engine.positions() {
        println!("  {:<20} {:>6.0} ns an event", view.info.name, view.spent.as_nanos() as f64 / events as f64);
    }
    drop(engine);

    let (_, store) = memory_store();
    catch_up("memory store", store, log, events);
}

fn catch_up(name: &str, store: Arc<dyn ViewStore>, log: Arc<support::TestLog>, events: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("starts");
    runtime.block_on(async {
        let before = Instant::now();
        let sink = Arc::new(KeepingSink::default());
        let views = Views::start(store, log, sink, RunnerOptions::default()).await.expect("opens");
        views.caught_up().await.expect("catches up");
        views.close().await;
        println!("catch-up over a {name}: {} events/s", rate(events, before));
    });
}

fn rate(events: u64, since: Instant) -> u64 {
    (events as f64 / since.elapsed().as_secs_f64()) as u64
}
