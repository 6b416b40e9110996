//! The peer: SQLite with a row per event, group commit, WAL and synchronous=FULL, as the measurements that led to this engine
//! had it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use application::ports::event_log::NewCommit;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::{mpsc, oneshot};

/// Appends of one transaction, as in the embedded log.
const BATCH_MAX: usize = 1024;

type Request = (NewCommit, oneshot::Sender<bool>);

fn write(connection: &Connection, batch: Vec<Request>) {
    connection.prepare_cached("BEGIN IMMEDIATE").expect("sql").execute([]).expect("no other writer");
    let mut answers = Vec::with_capacity(batch.len());
    for (commit, reply) in batch {
        let stream = commit.stream.to_string();
        let head: Option<i64> = connection
            .prepare_cached("SELECT version FROM events WHERE stream = ?1 ORDER BY version DESC LIMIT 1")
            .and_then(|mut select| select.query_row([&stream], |row| row.get(0)).optional())
            .expect("a head");
        let fits = head.unwrap_or(0) + 1 == commit.first_version.cast_signed();
        if fits {
            connection
                .prepare_cached("INSERT INTO events(stream, version, bytes) VALUES (?1, ?2, ?3)")
                .and_then(|mut insert| insert.execute(params![stream, commit.first_version.cast_signed(), &commit.bytes[..]]))
                .expect("space");
        }
        answers.push((reply, fits));
    }
    connection.prepare_cached("COMMIT").expect("sql").execute([]).expect("a sync");
    for (reply, fits) in answers {
        reply.send(fits).expect("its writer waits");
    }
}

/// Runs the writers and prints the figures.
pub async fn append(file: &Path, writers: u64) {
    let connection = Connection::open(file).expect("a new file");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -131072; PRAGMA wal_autocheckpoint = 8000;
             CREATE TABLE events(position INTEGER PRIMARY KEY, stream TEXT, version INTEGER, bytes BLOB);
             CREATE UNIQUE INDEX by_stream ON events(stream, version);",
        )
        .expect("tables");
    let (sender, mut receiver) = mpsc::channel::<Request>(16 * 1024);
    let writer = std::thread::spawn(move || {
        let mut batch = Vec::new();
        while receiver.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
            write(&connection, std::mem::take(&mut batch));
        }
    });
    let events = Arc::new(AtomicU64::new(0));
    let begin = Instant::now();
    let until = begin + super::run_time();
    let tasks: Vec<_> = (0..writers)
        .map(|number| {
            let (sender, events) = (sender.clone(), Arc::clone(&events));
            tokio::spawn(async move {
                let streams = super::streams_per_writer(writers);
                let mut times = super::histogram();
                let mut turn = 0;
                while Instant::now() < until {
                    let commit = super::commit(super::number_id(number * streams + turn % streams), turn / streams + 1);
                    let at = Instant::now();
                    let (reply, answer) = oneshot::channel();
                    drop(sender.send((commit, reply)).await);
                    assert!(answer.await.expect("an answer"), "an append at the expected version");
                    times.saturating_record(u64::try_from(at.elapsed().as_nanos()).unwrap_or(u64::MAX));
                    turn += 1;
                }
                events.fetch_add(turn, Ordering::Relaxed);
                times
            })
        })
        .collect();
    drop(sender);
    let mut times = super::histogram();
    for task in tasks {
        times.add(task.await.expect("a writer")).expect("equal bounds");
    }
    super::report(&format!("SQLite row per event, {writers} writers"), events.load(Ordering::Relaxed), begin.elapsed(), &times);
    writer.join().expect("the writer");
}
