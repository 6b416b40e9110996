//! Figures of the embedded log beside its peers, measured in the same run. Printed, never asserted.
//!
//! `cargo bench -p adapters --bench event_log`. Environment: `SECONDS` per append run (default 3), `EVENTS` for the opening
//! (default 1,000,000), `STREAMS` that the writers spread over (default 100,000), `WRITERS` (default 1,16,256), `BENCH_DIR`
//! for the files, and `RUN`, a choice of `disk`, `append`, `peer`, `read`, `open` separated by commas. The engine's own knobs can
//! be tried with `PAGE`, `RECORD`, `INDEX_BATCH`, `CHECKPOINT` and `RESTART`.

use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use adapters::event_log::embedded::{EmbeddedLog, Options};
use application::log::commit::{Actor, ChainHash, CommitBuilder, CommitId, EventMeta};
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::{EventLog, NewCommit};
use domain::ids::{ChatId, CommandId, EventId};
use domain::time::Timestamp;
use hdrhistogram::Histogram;
use uuid::Uuid;

#[path = "event_log/peer.rs"]
mod peer;

/// Bytes of an event's clear half.
const EVENT_BYTES: usize = 300;

/// The allocator of the kefu binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn writers() -> Vec<u64> {
    let setting = std::env::var("WRITERS").unwrap_or_else(|_| "1,16,256".into());
    setting.split(',').filter_map(|writers| writers.parse().ok()).collect()
}

fn wanted(part: &str) -> bool {
    std::env::var("RUN").map_or(true, |run| run.split(',').any(|wanted| wanted == part))
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let parent = std::env::var("BENCH_DIR").map_or_else(|_| std::env::temp_dir(), Into::into);
    let dir = tempfile::tempdir_in(parent).expect("a directory for the files");
    let commit = commit(number_id(1), 1);
    println!(
        "event of {EVENT_BYTES} B, commit of {} B, {} cores",
        commit.bytes.len(),
        std::thread::available_parallelism().map_or(0, usize::from)
    );
    if wanted("disk") {
        disk(dir.path());
    }
    for writers in writers() {
        if wanted("append") {
            runtime.block_on(append(&dir.path().join(format!("log-{writers}")), writers));
        }
        if wanted("peer") {
            runtime.block_on(peer::append(&dir.path().join(format!("peer-{writers}.sqlite3")), writers));
        }
    }
    if wanted("read") {
        runtime.block_on(read(&dir.path().join("read")));
    }
    if wanted("open") {
        runtime.block_on(open(&dir.path().join("open")));
    }
}

type NothingSealed = fn(&mut Vec<u8>) -> Result<(), std::convert::Infallible>;

/// A stable id that looks random, as ids of customers do.
fn number_id(number: u64) -> u128 {
    u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64 | u128::from(number)
}

/// A commit of one event. The chain is left out: the log does not look at it, and hashing is the caller's work.
pub fn commit(stream: u128, first_version: u64) -> NewCommit {
    let stream = StreamId::new("acme".parse().expect("a valid tenant"), StreamKey::Chat(ChatId::from_u128(stream)));
    let id = CommitId(Uuid::from_u128(u128::from(first_version) << 64 | 7));
    let mut builder = CommitBuilder::new(id, stream, first_version, Timestamp(1), 1, ChainHash::default());
    let meta = EventMeta {
        id: EventId::from_u128(1),
        command: CommandId::from_u128(1),
        command_digest: 0,
        correlation: Uuid::nil(),
        causation: Uuid::nil(),
        actor: Actor::Operator,
    };
    let clear = |bytes: &mut Vec<u8>| {
        bytes.resize(bytes.len() + EVENT_BYTES, b'x');
        Ok::<(), std::convert::Infallible>(())
    };
    let none: Option<(Uuid, NothingSealed)> = None;
    builder.event(&meta, "chat.message_posted", 1, clear, none).expect("this writer cannot fail");
    let (bytes, events) = builder.finish(false).expect("a small commit");
    NewCommit { id, stream, first_version, events, bytes, decided: None }
}

fn milliseconds(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    Duration::from_nanos(histogram.value_at_quantile(quantile)).as_secs_f64() * 1e3
}

/// One line of figures.
pub fn report(name: &str, events: u64, elapsed: Duration, histogram: &Histogram<u64>) {
    println!(
        "{name}: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms, max {:.1} ms",
        events as f64 / elapsed.as_secs_f64(),
        milliseconds(histogram, 0.5),
        milliseconds(histogram, 0.99),
        milliseconds(histogram, 1.0)
    );
}

/// A histogram of nanoseconds up to a minute.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("valid bounds")
}

/// How long each append run takes.
pub fn run_time() -> Duration {
    Duration::from_secs(setting("SECONDS", 3))
}

/// Streams of one writer: together they are `STREAMS`.
pub fn streams_per_writer(writers: u64) -> u64 {
    (setting("STREAMS", 100_000) / writers).max(1)
}

/// The disk alone: 4 KiB written and synced, into a growing file and over old bytes.
fn disk(dir: &Path) {
    let page = [1_u8; 4096];
    for (name, grows) in [("growing file", true), ("written over", false)] {
        let mut file = File::create(dir.join("disk")).expect("a file");
        if !grows {
            file.write_all(&vec![0; 4096 * 4000]).expect("space");
            file.sync_all().expect("a sync");
        }
        let mut times = histogram();
        let begin = Instant::now();
        for index in 0..2000_u64 {
            let at = Instant::now();
            std::os::unix::fs::FileExt::write_all_at(&file, &page, index * 4096).expect("space");
            file.sync_data().expect("a sync");
            times.saturating_record(u64::try_from(at.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        report(&format!("disk, 4 KiB write + fdatasync, {name}"), 2000, begin.elapsed(), &times);
    }
}

async fn append(dir: &Path, writers: u64) {
    let log = Arc::new(EmbeddedLog::open(dir, &options()).expect("a new log"));
    let events = Arc::new(AtomicU64::new(0));
    let begin = Instant::now();
    let until = begin + run_time();
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let (log, events) = (Arc::clone(&log), Arc::clone(&events));
            tokio::spawn(async move {
                let streams = streams_per_writer(writers);
                let mut times = histogram();
                let mut turn = 0;
                while Instant::now() < until {
                    let commit = commit(number_id(writer * streams + turn % streams), turn / streams + 1);
                    let at = Instant::now();
                    log.append(commit).await.expect("an append at the expected version");
                    times.saturating_record(u64::try_from(at.elapsed().as_nanos()).unwrap_or(u64::MAX));
                    turn += 1;
                }
                events.fetch_add(turn, Ordering::Relaxed);
                times
            })
        })
        .collect();
    let mut times = histogram();
    for task in tasks {
        times.add(task.await.expect("a writer")).expect("equal bounds");
    }
    let elapsed = begin.elapsed();
    report(&format!("embedded, {writers} writers"), events.load(Ordering::Relaxed), elapsed, &times);
    let closing = Instant::now();
    log.close().await;
    println!("  closed in {:.0} ms", closing.elapsed().as_secs_f64() * 1e3);
}

fn options() -> Options {
    let defaults = Options::default();
    Options {
        page_bytes: u32::try_from(setting("PAGE", u64::from(defaults.page_bytes))).expect("a page size"),
        record_bytes: setting("RECORD", defaults.record_bytes as u64) as usize,
        index_batch: setting("INDEX_BATCH", defaults.index_batch as u64) as usize,
        checkpoint_bytes: setting("CHECKPOINT", defaults.checkpoint_bytes),
        restart_wal_bytes: setting("RESTART", defaults.restart_wal_bytes),
        ..defaults
    }
}

/// Streams of 50 events, each event in another flush among 255 others, read from the disk.
async fn read(dir: &Path) {
    const STREAMS: u64 = 2000;
    const EVENTS: u64 = 50;
    let log = Arc::new(EmbeddedLog::open(dir, &options()).expect("a new log"));
    for version in 1..=EVENTS {
        for group in 0..STREAMS / 250 {
            let appends = (0..250).map(|index| log.append(commit(number_id(group * 250 + index), version)));
            for answer in futures_util::future::join_all(appends).await {
                answer.expect("an append at the expected version");
            }
        }
    }
    log.close().await;
    drop(log);
    let log = EmbeddedLog::open(dir, &options()).expect("the log");
    let mut times = histogram();
    let begin = Instant::now();
    for turn in 0..STREAMS * 2 {
        let stream = commit(number_id(turn * 7919 % STREAMS), 1).stream;
        let at = Instant::now();
        let commits = log.read_stream(stream, 1, usize::MAX).await.expect("an intact log");
        times.saturating_record(u64::try_from(at.elapsed().as_nanos()).unwrap_or(u64::MAX));
        assert_eq!(commits.len() as u64, EVENTS, "all of the stream");
        black_box(commits);
    }
    report("embedded, read a stream of 50 events over 50 flushes", STREAMS * 2, begin.elapsed(), &times);
    let scan = Instant::now();
    let mut after = application::ports::event_log::CommitPosition(0);
    loop {
        let page = log.read_shard(after, 1000).await.expect("an intact log");
        let Some(last) = page.last() else { break };
        after = last.position;
    }
    println!("embedded, read the shard in pages of 1000: {:.0}/s", after.0 as f64 / scan.elapsed().as_secs_f64());
}

/// Opening after a clean end, and after the worst: the process is gone and the index is as far behind as it can be.
async fn open(dir: &Path) {
    let events = setting("EVENTS", 1_000_000);
    let streams = setting("STREAMS", 100_000);
    let log = Arc::new(EmbeddedLog::open(dir, &options()).expect("a new log"));
    let begin = Instant::now();
    let next = Arc::new(AtomicU64::new(0));
    let writers = 256;
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let (log, next) = (Arc::clone(&log), Arc::clone(&next));
            tokio::spawn(async move {
                let own = streams_per_writer(writers);
                let mut turn = 0;
                while next.fetch_add(1, Ordering::Relaxed) < events {
                    log.append(commit(number_id(writer * own + turn % own), turn / own + 1)).await.expect("an append");
                    turn += 1;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a writer");
    }
    println!("filled with {events} events over {streams} streams: {:.0}/s", events as f64 / begin.elapsed().as_secs_f64());
    let copy = dir.with_extension("killed");
    copy_dir(&dir.join("log"), &copy.join("log"));
    log.close().await;
    drop(log);
    for (name, dir) in [("after a clean end", dir), ("after a kill under load", copy.as_path())] {
        let begin = Instant::now();
        let log = EmbeddedLog::open(dir, &options()).expect("the log");
        println!("embedded, opened {name}: {:.0} ms", begin.elapsed().as_secs_f64() * 1e3);
        log.close().await;
    }
    let begin = Instant::now();
    let report = EmbeddedLog::check(dir).expect("a log");
    println!("embedded, checked {} commits in {:.1} s, {} findings", report.commits, begin.elapsed().as_secs_f64(), report.findings.len());
    let bytes: u64 =
        std::fs::read_dir(dir.join("log")).expect("files").flatten().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum();
    println!("embedded, {} B per event on disk", bytes / events.max(1));
}

/// The files as a kill would leave them: the log is idle while they are copied.
fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for file in std::fs::read_dir(from).expect("files").flatten() {
        if !file.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
        }
    }
}
