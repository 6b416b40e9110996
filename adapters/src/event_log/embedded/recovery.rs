//! Opening: lock the directory, let SQLite recover the log file, compare it with what is known of it, and take what the index
//! does not know into memory.
//!
//! The time this takes depends on the part that the index does not cover, not on the log. Whatever is visible afterwards is on
//! the disk, also what a killed process had written and not synced.

use std::fs::{File, TryLockError};
use std::sync::Arc;

use application::log::commit;
use application::ports::event_log::{CommitPosition, ReadError, StoredCommit};
use rusqlite::ErrorCode;

use super::acknowledged::Acknowledged;
use super::core::Core;
use super::index::{Covers, Entry, Index};
use super::indexer;
use super::record::Record;
use super::sql::{self, StoreError};
use super::store::{Place, Store};
use super::view::{Reader, View};
use super::{Files, OpenError, Options};

/// Read at a time while replaying.
const REPLAY_BYTES: usize = 4 * 1024 * 1024;

/// Takes the directory for this process until the file is dropped.
pub fn lock(files: &Files) -> Result<File, OpenError> {
    let unavailable = |error: std::io::Error| OpenError::Unavailable { reason: error.to_string() };
    std::fs::create_dir_all(&files.dir).map_err(unavailable)?;
    let file = File::options().write(true).create(true).truncate(false).open(&files.lock).map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
        Err(TryLockError::Error(error)) => Err(unavailable(error)),
    }
}

/// Opens the engine. The directory is locked already.
pub fn open(files: &Files, options: &Options) -> Result<(Core, Index), OpenError> {
    let store = Store::open(&files.log, options.page_bytes)?;
    let head = store.head()?;
    let (acknowledged, marked) =
        Acknowledged::open(&files.acknowledged).map_err(|error| OpenError::Unavailable { reason: error.to_string() })?;
    if head < marked {
        return Err(lost(files, head, &format!("commits up to {marked} were acknowledged")));
    }
    let index = open_index(files)?;
    let reader = Reader::connect(&files.log, &files.index, options.page_bytes)?;
    let covers = covered(files, &index, &reader, head)?;
    // Only now that nothing speaks against the head: what SQLite did not find in the WAL is gone afterwards.
    make_durable(&store)?;
    let view = Arc::new(View::after(covers, options.recent_bytes_max));
    replay(&store, &index, &reader, &view, options)?;
    if view.head() != head {
        return Err(StoreError::Damaged { place: format!("{}: replay ended at {} of {head}", files.log.name(), view.head()) }.into());
    }
    Ok((Core::new(files.clone(), options.clone(), store, reader, view, acknowledged), index))
}

/// Copies what the WAL holds into the database file, synced: a killed process may have written a flush without syncing it, and
/// readers shall not see what a power cut could still take away. On a full disk the WAL itself was synced, which is enough.
fn make_durable(store: &Store) -> Result<(), OpenError> {
    match sql::checkpoint_truncate(store.connection()) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
            tracing::warn!(%error, "disk is full, the log stays in its WAL");
            Ok(())
        }
        Err(error) => Err(OpenError::Unavailable { reason: format!("first checkpoint: {error}") }),
        Ok(()) => Ok(()),
    }
}

fn lost(files: &Files, head: u64, evidence: &str) -> OpenError {
    OpenError::Corrupt { place: format!("{} ends at commit {head}, but {evidence}", files.log.name()) }
}

/// An index that cannot be read is as good as none.
fn open_index(files: &Files) -> Result<Index, OpenError> {
    match Index::open(&files.index) {
        Err(StoreError::Damaged { place }) => {
            tracing::warn!(place, "index is damaged and will be rebuilt");
            sql::remove(&files.index.file).map_err(|error| OpenError::Unavailable { reason: error.to_string() })?;
            Ok(Index::open(&files.index)?)
        }
        opened => Ok(opened?),
    }
}

/// The position up to which the index can be believed. One that knows more than the log holds proves a loss; one that was made
/// for another log is emptied.
fn covered(files: &Files, index: &Index, reader: &Reader, head: u64) -> Result<u64, OpenError> {
    let covers = match index.covers() {
        Err(StoreError::Damaged { place }) => {
            tracing::warn!(place, "index is damaged and will be rebuilt");
            index.clear()?;
            Covers::default()
        }
        covers => covers?,
    };
    if covers.position > head {
        return Err(lost(files, head, &format!("{} knows commits up to {}", files.index.name(), covers.position)));
    }
    let view = View::after(covers.position, 0);
    match indexer::anchor(&view, reader, covers.position) {
        Ok(anchor) if anchor == covers.anchor => Ok(covers.position),
        Ok(_) => {
            tracing::warn!(position = covers.position, "index belongs to another log and will be rebuilt");
            index.clear()?;
            Ok(0)
        }
        // The commit itself is damaged. That is no reason to distrust the index; whoever reads the commit will hear of it.
        Err(ReadError::Corrupt { place }) => {
            tracing::error!(place, "log is damaged");
            Ok(covers.position)
        }
        Err(error @ (ReadError::Unavailable { .. } | ReadError::Gone)) => Err(OpenError::Unavailable { reason: error.to_string() }),
    }
}

/// Takes the commits after the covered position into memory, and into the index when they are many.
fn replay(store: &Store, index: &Index, reader: &Reader, view: &View, options: &Options) -> Result<(), OpenError> {
    let mut rebuilt: u64 = 0;
    loop {
        let records = store.records_from(view.head() + 1, REPLAY_BYTES)?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            replay_record(store, view, record)?;
        }
        while view.tail().len() >= options.index_batch {
            rebuilt += indexer::save(view, reader, index, options.index_batch)? as u64;
        }
    }
    if rebuilt > 0 {
        tracing::info!(commits = rebuilt, "index caught up with the log");
    }
    Ok(())
}

fn replay_record(store: &Store, view: &View, record: &Record) -> Result<(), OpenError> {
    let mut commits = Vec::new();
    for position in view.head() + 1..=record.last() {
        let (offset, bytes) = record.place(position).expect("the position lies in the record");
        let commit = record.commit(position).expect("the position lies in the record");
        let commit = commit.map_err(|damage| store.damaged(record.first(), offset, &damage))?;
        let header = commit::header(&commit)
            .map_err(|error| StoreError::Damaged { place: format!("record {} offset {offset}: {error}", record.first()) })?;
        let place = Place { position, record: record.first(), offset, bytes };
        let entry = Entry { first_version: header.first_version, events: header.events, place };
        commits.push((header.stream, entry, StoredCommit::read(CommitPosition(position), commit)));
    }
    view.publish(commits.into_iter());
    Ok(())
}
