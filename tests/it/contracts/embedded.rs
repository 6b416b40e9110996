//! What only the embedded log promises: its directory, its damage, its index.

use std::path::Path;

use adapters::event_log::embedded::check::{CheckReport, FindingKind};
use adapters::event_log::embedded::{EmbeddedLog, OpenError, Options};
use application::log::commit;
use application::ports::event_log::{AppendError, CommitPosition, EventLog, ReadError, StoredCommit};
use tempfile::TempDir;
use tests::contracts::event_log::{Author, stream};

const COMMITS: usize = 60;

fn open(dir: &Path) -> Result<EmbeddedLog, OpenError> {
    EmbeddedLog::open(dir, &Options::default())
}

/// A closed log with some streams and several records.
async fn filled() -> (TempDir, Vec<StoredCommit>) {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    let mut authors: Vec<Author> = (0..4).map(|number| Author::of(stream(number))).collect();
    let mut stored = Vec::new();
    for index in 0..COMMITS {
        let commit = authors[index % 4].commit(1 + index as u64 % 2, 100);
        let bytes = commit.bytes.clone();
        let position = log.append(commit).await.unwrap().position;
        stored.push(StoredCommit::read(position, bytes));
    }
    log.close().await;
    (dir, stored)
}

fn change(dir: &TempDir, file: &str, sql: &str) {
    let connection = rusqlite::Connection::open(dir.path().join("log").join(file)).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
}

fn check(dir: &TempDir) -> CheckReport {
    EmbeddedLog::check(dir.path()).unwrap()
}

fn kinds(report: &CheckReport) -> Vec<FindingKind> {
    report.findings.iter().map(|finding| finding.kind).collect()
}

#[tokio::test]
async fn a_second_opener_of_a_directory_is_refused_until_the_first_has_closed() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    assert_eq!(open(dir.path()).err(), Some(OpenError::InUse));
    assert_eq!(EmbeddedLog::check(dir.path()).err(), Some(OpenError::InUse));
    first.close().await;
    assert!(open(dir.path()).is_ok());
}

#[tokio::test]
async fn a_closed_log_answers_that_it_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    let mut subscription = log.subscribe(CommitPosition(0)).await.unwrap();
    log.close().await;
    assert!(matches!(log.append(Author::of(stream(1)).next_commit()).await, Err(AppendError::Unavailable { .. })));
    assert!(matches!(log.read_stream(stream(1), 1, 1).await, Err(ReadError::Unavailable { .. })));
    assert!(matches!(subscription.next().await, Err(ReadError::Unavailable { .. })));
}

#[tokio::test]
async fn an_intact_log_checks_clean_and_its_counts_are_right() {
    let (dir, stored) = filled().await;
    let report = check(&dir);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.head, report.commits, report.streams), (COMMITS as u64, COMMITS as u64, 4));
    assert_eq!(report.events, stored.iter().map(|stored| u64::from(commit::header(&stored.bytes).unwrap().events)).sum::<u64>());
    assert_eq!(report.index_covers, Some(COMMITS as u64));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["findings"], serde_json::json!([]));
}

#[tokio::test]
async fn an_index_that_was_deleted_is_rebuilt_from_the_log() {
    let (dir, stored) = filled().await;
    std::fs::remove_file(dir.path().join("log/index.sqlite3")).unwrap();
    assert!(check(&dir).is_clean(), "a log without an index is not damaged");
    let log = open(dir.path()).unwrap();
    let read = log.read_stream(stream(1), 1, 100).await.unwrap();
    assert_eq!(read, stored.iter().skip(1).step_by(4).cloned().collect::<Vec<_>>());
    log.close().await;
    assert_eq!(check(&dir).index_covers, Some(COMMITS as u64));
}

#[tokio::test]
async fn an_index_that_is_no_database_is_rebuilt_from_the_log() {
    let (dir, stored) = filled().await;
    std::fs::write(dir.path().join("log/index.sqlite3"), vec![7; 10_000]).unwrap();
    assert_eq!(kinds(&check(&dir)), [FindingKind::Index]);
    let log = open(dir.path()).unwrap();
    assert_eq!(log.read_tail(stream(3)).await.unwrap().as_ref(), stored.last());
    log.close().await;
    assert!(check(&dir).is_clean());
}

#[tokio::test]
async fn an_index_of_another_log_is_noticed_and_rebuilt() {
    let (dir, stored) = filled().await;
    let other = tempfile::tempdir().unwrap();
    let log = open(other.path()).unwrap();
    for number in 0..10 {
        log.append(Author::of(stream(50 + number)).next_commit()).await.unwrap();
    }
    log.close().await;
    std::fs::copy(other.path().join("log/index.sqlite3"), dir.path().join("log/index.sqlite3")).unwrap();
    assert!(kinds(&check(&dir)).contains(&FindingKind::Index));
    let log = open(dir.path()).unwrap();
    assert_eq!(log.read_tail(stream(3)).await.unwrap().as_ref(), stored.last());
    assert_eq!(log.read_tail(stream(50)).await, Ok(None));
    log.close().await;
    assert!(check(&dir).is_clean());
}

#[tokio::test]
async fn a_missing_record_is_a_gap_with_its_place() {
    let (dir, stored) = filled().await;
    change(&dir, "log.sqlite3", "DELETE FROM records WHERE first = 10");
    let report = check(&dir);
    assert!(kinds(&report).contains(&FindingKind::Gap), "{report:?}");
    assert!(kinds(&report).contains(&FindingKind::Version) && kinds(&report).contains(&FindingKind::Chain));
    let log = open(dir.path()).unwrap();
    for outcome in
        [log.read_shard(CommitPosition(9), 1).await, log.read_shard(CommitPosition(0), 20).await, log.read_stream(stream(1), 1, 100).await]
    {
        assert!(matches!(&outcome, Err(ReadError::Corrupt { place }) if place.contains("10")), "{outcome:?}");
    }
    assert_eq!(log.read_commit(CommitPosition(11)).await.unwrap().as_ref(), Some(&stored[10]));
}

#[tokio::test]
async fn a_log_that_lost_its_end_is_not_opened_as_if_nothing_had_happened() {
    let (dir, _) = filled().await;
    change(&dir, "log.sqlite3", "DELETE FROM records WHERE first = 60");
    assert!(matches!(open(dir.path()).err(), Some(OpenError::Corrupt { .. })));
    assert!(kinds(&check(&dir)).contains(&FindingKind::Lost));
    // Also when the index does not know better.
    std::fs::remove_file(dir.path().join("log/index.sqlite3")).unwrap();
    assert!(matches!(open(dir.path()).err(), Some(OpenError::Corrupt { .. })));
    assert!(kinds(&check(&dir)).contains(&FindingKind::Lost));
}

#[tokio::test]
async fn a_record_under_another_row_is_damage() {
    let (dir, _) = filled().await;
    change(&dir, "log.sqlite3", "UPDATE records SET bytes = (SELECT bytes FROM records WHERE first = 21) WHERE first = 20");
    assert!(kinds(&check(&dir)).contains(&FindingKind::Record));
    let log = open(dir.path()).unwrap();
    assert!(matches!(log.read_shard(CommitPosition(19), 1).await, Err(ReadError::Corrupt { .. })));
    assert!(matches!(log.read_stream(stream(3), 1, 100).await, Err(ReadError::Corrupt { .. })));
}

#[tokio::test]
async fn an_index_that_lies_is_noticed_by_readers_and_by_the_check() {
    let (dir, _) = filled().await;
    change(&dir, "index.sqlite3", "DELETE FROM commits WHERE position = 30");
    let report = check(&dir);
    assert_eq!(kinds(&report), [FindingKind::Index]);
    assert_eq!(report.findings[0].place.position, Some(30));
    let log = open(dir.path()).unwrap();
    assert!(matches!(log.read_stream(stream(1), 1, 100).await, Err(ReadError::Corrupt { .. })));
    log.close().await;
    let (dir, _) = filled().await;
    change(&dir, "index.sqlite3", "UPDATE commits SET back = 0, offset = 24, position = 31 WHERE position = 30");
    assert!(kinds(&check(&dir)).contains(&FindingKind::Index));
    let log = open(dir.path()).unwrap();
    assert!(matches!(log.read_stream(stream(1), 1, 100).await, Err(ReadError::Corrupt { .. })));
}

#[tokio::test]
async fn a_log_of_a_newer_format_is_refused() {
    let (dir, _) = filled().await;
    let connection = rusqlite::Connection::open(dir.path().join("log/log.sqlite3")).unwrap();
    connection.pragma_update(None, "user_version", 2).unwrap();
    drop(connection);
    assert!(matches!(open(dir.path()).err(), Some(OpenError::Corrupt { place }) if place.contains("newer")));
}
