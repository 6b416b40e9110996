//! The log in memory, for tests and simulation.
//!
//! [`MemoryCore`] is synchronous and deterministic: a simulation drives it step by step. [`MemoryLog`] puts it behind the
//! port. Neither knows files or time, and both forget everything with the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use application::log::stream::StreamId;
use application::ports::event_log::{
    AppendError, Appended, CommitPosition, EventLog, NewCommit, ReadError, ShardId, StoredCommit, Subscription,
};
use async_trait::async_trait;
use tokio::sync::watch;

use super::{SUBSCRIPTION_PAGE_COMMITS, admit, is_intact};

/// What the next append shall answer instead of the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendFault {
    /// `InDoubt`, although the commit is stored.
    InDoubtButStored,
    /// `InDoubt`, and the commit is lost.
    InDoubtAndLost,
    /// `Unavailable`, as from a full disk.
    Unavailable,
}

#[derive(Clone, Debug, Default)]
struct Stream {
    version: u64,
    gone: bool,
    /// First version and position of each commit, oldest first.
    commits: Vec<(u64, CommitPosition)>,
}

/// The log itself: plain functions on plain memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryCore {
    commits: Vec<StoredCommit>,
    streams: HashMap<StreamId, Stream>,
    fault: Option<AppendFault>,
}

impl MemoryCore {
    /// Makes the next append that would be stored answer with a fault.
    pub fn fail_next_append(&mut self, fault: AppendFault) {
        self.fault = Some(fault);
    }

    /// Damages a stored commit: flips the lowest bit of one of its bytes. Does nothing where there is no such byte.
    pub fn flip_bit(&mut self, position: CommitPosition, offset: usize) {
        let Some(index) = index_of(position) else { return };
        if let Some(stored) = self.commits.get_mut(index) {
            let mut bytes = stored.bytes.to_vec();
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= 1;
            }
            stored.bytes = bytes.into();
        }
    }

    /// See [`EventLog::append`].
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn append(&mut self, new: NewCommit) -> Result<Appended, AppendError> {
        admit(&new, false)?;
        self.store(new, false)
    }

    /// See [`EventLog::tombstone`].
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn tombstone(&mut self, new: NewCommit) -> Result<Appended, AppendError> {
        admit(&new, true)?;
        self.store(new, true)
    }

    fn store(&mut self, new: NewCommit, tombstone: bool) -> Result<Appended, AppendError> {
        let (version, gone) = self.streams.get(&new.stream).map_or((0, false), |stream| (stream.version, stream.gone));
        if let Some(position) = self.stored_before(&new, gone, tombstone)? {
            return Ok(Appended { position });
        }
        if gone {
            return Err(AppendError::Gone);
        }
        if new.first_version != version + 1 {
            return Err(AppendError::Conflict { current: version });
        }
        let fault = self.fault.take();
        match fault {
            Some(AppendFault::InDoubtAndLost) => return Err(AppendError::InDoubt),
            Some(AppendFault::Unavailable) => return Err(AppendError::Unavailable { reason: "fault asked for".into() }),
            Some(AppendFault::InDoubtButStored) | None => {}
        }
        let position = CommitPosition(self.commits.len() as u64 + 1);
        let stream = self.streams.entry(new.stream).or_default();
        stream.version += u64::from(new.events);
        stream.gone = tombstone;
        stream.commits.push((new.first_version, position));
        self.commits.push(StoredCommit { position, bytes: new.bytes, decided: new.decided });
        if fault.is_some() { Err(AppendError::InDoubt) } else { Ok(Appended { position }) }
    }

    /// Where this very commit already lies, if this is a retry. On a stream that is gone only its tombstone is recognised.
    fn stored_before(&self, new: &NewCommit, gone: bool, tombstone: bool) -> Result<Option<CommitPosition>, AppendError> {
        if gone && !tombstone {
            return Ok(None);
        }
        let Some(stream) = self.streams.get(&new.stream) else { return Ok(None) };
        let Ok(index) = stream.commits.binary_search_by_key(&new.first_version, |(version, _)| *version) else { return Ok(None) };
        let position = stream.commits[index].1;
        let stored = self.intact(position).map_err(|error| match error {
            ReadError::Corrupt { place } => AppendError::Corrupt { place },
            ReadError::Unavailable { reason } => AppendError::Unavailable { reason },
            ReadError::Gone => AppendError::Gone,
        })?;
        let id = stored.header().map(|header| header.id);
        Ok((id == Ok(new.id)).then_some(position))
    }

    /// See [`EventLog::read_stream`].
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read_stream(&self, stream: StreamId, from_version: u64, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        let Some(stream) = self.live(stream)? else { return Ok(Vec::new()) };
        if from_version > stream.version {
            return Ok(Vec::new());
        }
        let after = stream.commits.partition_point(|(first, _)| *first <= from_version);
        stream.commits[after.saturating_sub(1)..].iter().take(commits_max).map(|(_, position)| self.intact(*position)).collect()
    }

    /// See [`EventLog::read_tail`].
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read_tail(&self, stream: StreamId) -> Result<Option<StoredCommit>, ReadError> {
        let Some(stream) = self.live(stream)? else { return Ok(None) };
        stream.commits.last().map(|(_, position)| self.intact(*position)).transpose()
    }

    /// See [`EventLog::read_shard`].
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read_shard(&self, after: CommitPosition, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        let head = self.head().0;
        (after.0..head).take(commits_max).map(|before| self.intact(CommitPosition(before + 1))).collect()
    }

    /// See [`EventLog::read_commit`].
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read_commit(&self, position: CommitPosition) -> Result<Option<StoredCommit>, ReadError> {
        if position.0 == 0 || position > self.head() { Ok(None) } else { self.intact(position).map(Some) }
    }

    /// The newest commit, or position 0.
    #[must_use]
    pub fn head(&self) -> CommitPosition {
        CommitPosition(self.commits.len() as u64)
    }

    fn live(&self, stream: StreamId) -> Result<Option<&Stream>, ReadError> {
        match self.streams.get(&stream) {
            Some(stream) if stream.gone => Err(ReadError::Gone),
            known => Ok(known),
        }
    }

    fn intact(&self, position: CommitPosition) -> Result<StoredCommit, ReadError> {
        let stored = index_of(position).and_then(|index| self.commits.get(index)).expect("the caller stays within the head");
        if is_intact(&stored.bytes) {
            Ok(stored.clone())
        } else {
            Err(ReadError::Corrupt { place: format!("memory, commit {}: checksum does not match", position.0) })
        }
    }
}

fn index_of(position: CommitPosition) -> Option<usize> {
    usize::try_from(position.0).ok()?.checked_sub(1)
}

/// [`MemoryCore`] behind the port. Clones share one log.
#[derive(Clone)]
pub struct MemoryLog {
    shard: ShardId,
    core: Arc<Mutex<MemoryCore>>,
    head: watch::Sender<CommitPosition>,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new(shard: ShardId) -> Self {
        Self::from_core(shard, MemoryCore::default())
    }

    /// A log that begins with what the core holds.
    #[must_use]
    pub fn from_core(shard: ShardId, core: MemoryCore) -> Self {
        let head = watch::Sender::new(core.head());
        Self { shard, core: Arc::new(Mutex::new(core)), head }
    }

    /// The core, for fault hooks. While the guard lives, the log stands still.
    ///
    /// # Panics
    /// When another holder of the guard panicked.
    pub fn core(&self) -> MutexGuard<'_, MemoryCore> {
        self.core.lock().expect("no code panics while it holds the core")
    }

    fn write(&self, write: impl FnOnce(&mut MemoryCore) -> Result<Appended, AppendError>) -> Result<Appended, AppendError> {
        let mut core = self.core();
        let outcome = write(&mut core);
        // Also after a fault: what was stored in doubt is there for readers.
        let head = core.head();
        self.head.send_if_modified(|known| std::mem::replace(known, head) != head);
        outcome
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    fn shard(&self) -> ShardId {
        self.shard
    }

    async fn append(&self, commit: NewCommit) -> Result<Appended, AppendError> {
        self.write(|core| core.append(commit))
    }

    async fn read_stream(&self, stream: StreamId, from_version: u64, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        self.core().read_stream(stream, from_version, commits_max)
    }

    async fn read_tail(&self, stream: StreamId) -> Result<Option<StoredCommit>, ReadError> {
        self.core().read_tail(stream)
    }

    async fn read_shard(&self, after: CommitPosition, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        self.core().read_shard(after, commits_max)
    }

    async fn read_commit(&self, position: CommitPosition) -> Result<Option<StoredCommit>, ReadError> {
        self.core().read_commit(position)
    }

    async fn subscribe(&self, after: CommitPosition) -> Result<Box<dyn Subscription>, ReadError> {
        Ok(Box::new(MemorySubscription { log: self.clone(), head: self.head.subscribe(), after }))
    }

    async fn head(&self) -> Result<CommitPosition, ReadError> {
        Ok(self.core().head())
    }

    async fn tombstone(&self, commit: NewCommit) -> Result<Appended, AppendError> {
        self.write(|core| core.tombstone(commit))
    }
}

struct MemorySubscription {
    log: MemoryLog,
    head: watch::Receiver<CommitPosition>,
    after: CommitPosition,
}

#[async_trait]
impl Subscription for MemorySubscription {
    async fn next(&mut self) -> Result<Vec<StoredCommit>, ReadError> {
        let after = self.after;
        self.head.wait_for(|head| *head > after).await.expect("the subscription itself keeps the sender alive");
        let page = {
            let core = self.log.core();
            // A damaged commit further on must not hide the intact ones before it.
            core.read_shard(after, SUBSCRIPTION_PAGE_COMMITS).or_else(|_| core.read_shard(after, 1))?
        };
        self.after = page.last().expect("there is a commit after the position").position;
        Ok(page)
    }
}
