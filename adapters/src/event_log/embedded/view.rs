//! What readers see: the newest commits in memory, everything else through a pair of read connections.
//!
//! The order that makes this safe: the writer puts a commit into memory after its flush and before anyone is answered; the
//! index gets an entry before memory forgets it; a reader looks into memory first and into the index second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use application::log::commit;
use application::log::stream::StreamId;
use application::ports::event_log::{CommitPosition, ReadError, StoredCommit};
use tokio::sync::watch;

use super::index::{Entry, Index};
use super::recent::Recent;
use super::sql::{Location, StoreError};
use super::store::{Place, Store};
use super::tail::Tail;

/// Most bytes that one read of the shard brings from the disk; it then answers with fewer commits than asked for.
const READ_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The part of the engine that all its threads share.
pub struct View {
    tail: Mutex<Tail>,
    recent: Mutex<Recent>,
    head: watch::Sender<u64>,
    unsettled: AtomicBool,
    keeps_wal: AtomicBool,
    closed: AtomicBool,
}

impl View {
    /// A view whose memory begins after a position, and holds at most so many bytes of recent commits.
    pub fn after(position: u64, recent_bytes_max: usize) -> Self {
        Self {
            tail: Mutex::default(),
            recent: Mutex::new(Recent::new(recent_bytes_max)),
            head: watch::Sender::new(position),
            unsettled: AtomicBool::new(false),
            keeps_wal: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// The commits that the index does not know yet.
    pub fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().expect("no code panics while it holds the tail")
    }

    /// The newest commits.
    pub fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().expect("no code panics while it holds the recent commits")
    }

    /// The newest position that readers may see.
    pub fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// Follows the head.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Shows flushed commits to readers and wakes subscribers.
    pub fn publish(&self, commits: impl Iterator<Item = (StreamId, Entry, StoredCommit)>) {
        let mut newest = self.head();
        {
            let mut tail = self.tail();
            let mut recent = self.recent();
            for (stream, entry, commit) in commits {
                newest = entry.place.position;
                tail.push(stream, entry);
                recent.push(commit);
            }
        }
        self.head.send_replace(newest);
    }

    /// Says whether the outcome of a flush is unknown at this moment.
    pub fn set_unsettled(&self, unsettled: bool) {
        self.unsettled.store(unsettled, Ordering::Release);
    }

    /// Whether the outcome of a flush is unknown at this moment.
    pub fn is_unsettled(&self) -> bool {
        self.unsettled.load(Ordering::Acquire)
    }

    /// From now on the WAL is the only copy that is known to be whole.
    pub fn keep_wal(&self) {
        self.keeps_wal.store(true, Ordering::Release);
    }

    /// See [`Self::keep_wal`].
    pub fn must_keep_wal(&self) -> bool {
        self.keeps_wal.load(Ordering::Acquire)
    }

    /// Ends all subscriptions.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.head.send_modify(|_| {});
    }

    /// Whether the log was closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The commits after a position, if memory has them all.
    pub fn recent_after(&self, after: CommitPosition, commits_max: usize) -> Option<Vec<StoredCommit>> {
        self.recent().after(after, commits_max)
    }

    /// The last commit of a stream, if memory has it. The inner error is `Gone`.
    pub fn tail_from_memory(&self, stream: &StreamId) -> Option<Result<StoredCommit, ReadError>> {
        let last = self.tail().last(stream)?;
        if last.is_tombstone() {
            return Some(Err(ReadError::Gone));
        }
        self.recent().get(last.place.position).cloned().map(Ok)
    }

    /// A stream's commits, if memory has all that are asked for. The inner error is `Gone`.
    pub fn stream_from_memory(
        &self,
        stream: &StreamId,
        from_version: u64,
        commits_max: usize,
    ) -> Option<Result<Vec<StoredCommit>, ReadError>> {
        let mut entries = {
            let tail = self.tail();
            if tail.last(stream)?.is_tombstone() {
                return Some(Err(ReadError::Gone));
            }
            tail.since_version(stream, from_version)
        };
        let first = entries.first()?.first_version;
        if first > from_version && first > 1 {
            return None;
        }
        keep_asked(&mut entries, from_version, commits_max);
        let recent = self.recent();
        entries.iter().map(|entry| recent.get(entry.place.position).cloned()).collect::<Option<Vec<_>>>().map(Ok)
    }
}

/// Cuts entries, of which only the first may lie before `from_version`, to what was asked for.
fn keep_asked(entries: &mut Vec<Entry>, from_version: u64, commits_max: usize) {
    if entries.last().is_some_and(|last| !last.is_tombstone() && last.last_version() < from_version) {
        entries.clear();
    }
    entries.truncate(commits_max);
}

/// A pair of read connections.
pub struct Reader {
    store: Store,
    index: Index,
    index_name: String,
}

impl Reader {
    /// Opens both.
    pub fn connect(log: &Location, index: &Location, page_bytes: u32) -> Result<Self, StoreError> {
        Ok(Self { store: Store::connect(log, page_bytes)?, index: Index::connect(index)?, index_name: index.name() })
    }

    /// The last commit of a stream.
    pub fn last_entry(&self, view: &View, stream: &StreamId) -> Result<Option<Entry>, StoreError> {
        let newest = view.tail().last(stream);
        if newest.is_some() { Ok(newest) } else { self.index.last(stream) }
    }

    /// The last commits of several streams. Memory is asked for all of them before the index is asked for any: its snapshot
    /// then has whatever memory has forgotten.
    pub fn last_entries(&self, view: &View, streams: &[StreamId]) -> Result<Vec<Option<Entry>>, StoreError> {
        let mut last: Vec<Option<Entry>> = {
            let tail = view.tail();
            streams.iter().map(|stream| tail.last(stream)).collect()
        };
        let missing: Vec<StreamId> = streams.iter().zip(&last).filter(|(_, last)| last.is_none()).map(|(stream, _)| *stream).collect();
        if missing.is_empty() {
            return Ok(last);
        }
        let mut indexed = self.index.last_of(&missing)?.into_iter();
        last.iter_mut().filter(|last| last.is_none()).for_each(|slot| *slot = indexed.next().flatten());
        Ok(last)
    }

    /// A stream's commits from the one that holds `from_version` on.
    pub fn entries(&self, view: &View, stream: &StreamId, from_version: u64, commits_max: usize) -> Result<Vec<Entry>, StoreError> {
        let newest = view.tail().since_version(stream, from_version);
        let in_memory_from = newest.first().map_or(u64::MAX, |entry| entry.first_version);
        let mut entries = if in_memory_from <= from_version.max(1) {
            Vec::new()
        } else {
            let mut older = self.index.range(stream, from_version, commits_max)?;
            older.retain(|entry| entry.first_version < in_memory_from);
            older
        };
        entries.extend(newest);
        keep_asked(&mut entries, from_version, commits_max);
        self.contiguous(stream, from_version, &entries)?;
        Ok(entries)
    }

    /// A hole between versions means that the index lost a row.
    fn contiguous(&self, stream: &StreamId, from_version: u64, entries: &[Entry]) -> Result<(), StoreError> {
        let mut expected = entries.first().map_or(1, |first| if first.first_version <= from_version { first.first_version } else { 1 });
        for entry in entries {
            if entry.first_version != expected {
                return Err(StoreError::Damaged { place: format!("{} {stream}: no commit at version {expected}", self.index_name) });
            }
            expected = entry.last_version() + 1;
        }
        Ok(())
    }

    /// See the port.
    pub fn read_stream(
        &self,
        view: &View,
        stream: &StreamId,
        from_version: u64,
        commits_max: usize,
    ) -> Result<Vec<StoredCommit>, ReadError> {
        match self.last_entry(view, stream)? {
            None => return Ok(Vec::new()),
            Some(last) if last.is_tombstone() => return Err(ReadError::Gone),
            Some(_) => {}
        }
        let entries = self.entries(view, stream, from_version, commits_max)?;
        // The stream may have ended since.
        if entries.last().is_some_and(Entry::is_tombstone) {
            return Err(ReadError::Gone);
        }
        Ok(self.commits(view, stream, &entries)?)
    }

    /// See the port.
    pub fn read_tail(&self, view: &View, stream: &StreamId) -> Result<Option<StoredCommit>, ReadError> {
        let Some(last) = self.last_entry(view, stream)? else { return Ok(None) };
        if last.is_tombstone() {
            return Err(ReadError::Gone);
        }
        Ok(self.commits(view, stream, &[last])?.pop())
    }

    /// The commits that entries speak of: from memory, or from the disk and then compared with what the index says.
    pub fn commits(&self, view: &View, stream: &StreamId, entries: &[Entry]) -> Result<Vec<StoredCommit>, StoreError> {
        let mut found: Vec<Option<StoredCommit>> = {
            let recent = view.recent();
            entries.iter().map(|entry| recent.get(entry.place.position).cloned()).collect()
        };
        let missing: Vec<Place> = entries.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(entry, _)| entry.place).collect();
        let mut read = self.store.commits_at(&missing)?.into_iter();
        for (entry, slot) in entries.iter().zip(&mut found) {
            if slot.is_none() {
                let bytes = read.next().expect("one commit was read for every empty slot");
                self.agrees(stream, entry, &bytes)?;
                *slot = Some(StoredCommit::read(CommitPosition(entry.place.position), bytes));
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    fn agrees(&self, stream: &StreamId, entry: &Entry, bytes: &[u8]) -> Result<(), StoreError> {
        let says = commit::header(bytes).is_ok_and(|header| header.stream == *stream && header.first_version == entry.first_version);
        if says {
            return Ok(());
        }
        let Place { position, record, offset, .. } = entry.place;
        Err(StoreError::Damaged {
            place: format!(
                "{} {stream} version {}: commit {position} (record {record} offset {offset}) is another",
                self.index_name, entry.first_version
            ),
        })
    }

    /// See the port.
    pub fn read_shard(&self, view: &View, after: CommitPosition, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        let head = view.head();
        if after.0 >= head || commits_max == 0 {
            return Ok(Vec::new());
        }
        if let Some(commits) = view.recent_after(after, commits_max) {
            return Ok(commits);
        }
        let bytes_max = READ_BYTES_MAX.min(commits_max.saturating_mul(application::ports::event_log::COMMIT_BYTES_MAX));
        self.shard_from_disk(after.0 + 1, head, commits_max, bytes_max)
    }

    fn shard_from_disk(&self, from: u64, head: u64, commits_max: usize, bytes_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        let mut commits = Vec::new();
        let mut next = from;
        // Record by record, so that a small page does not read a large stretch of the file.
        while commits.len() < commits_max && next <= head {
            let left = commits_max - commits.len();
            let records = self.store.records_from(next, bytes_max.min(left.saturating_mul(EXPECTED_COMMIT_BYTES)))?;
            if records.is_empty() {
                return Err(self.store.missing(next).into());
            }
            for record in &records {
                while let Some(commit) = record.commit(next).filter(|_| commits.len() < commits_max && next <= head) {
                    let offset = record.place(next).map_or(0, |(offset, _)| offset);
                    let bytes = commit.map_err(|damage| self.store.damaged(record.first(), offset, &damage))?;
                    commits.push(StoredCommit::read(CommitPosition(next), bytes));
                    next += 1;
                }
            }
            if commits.iter().map(|commit| commit.bytes.len()).sum::<usize>() >= bytes_max {
                break;
            }
        }
        Ok(commits)
    }

    /// See the port.
    pub fn read_commit(&self, view: &View, position: CommitPosition) -> Result<Option<StoredCommit>, ReadError> {
        if position.0 == 0 || position.0 > view.head() {
            return Ok(None);
        }
        if let Some(commit) = view.recent().get(position.0) {
            return Ok(Some(commit.clone()));
        }
        Ok(self.shard_from_disk(position.0, position.0, 1, 1)?.pop())
    }
}

/// A guess of a commit's size, to read about as many records as a page needs; reading goes on when it was too small.
const EXPECTED_COMMIT_BYTES: usize = 512;
