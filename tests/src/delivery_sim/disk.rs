//! What survives a killed process: the log, the views, the snapshots; and how a process sees them while it lives.
//!
//! Appends enter in the order in which they were given, are stored a moment later, and are answered later still: a kill in
//! between loses the newest ones, or only their answers. What a dead process writes reaches nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use adapters::event_log::memory::{AppendFault, MemoryLog};
use adapters::key_store::memory::MemoryKeyStore;
use adapters::snapshot_store::SnapshotStore;
use application::log::stream::StreamId;
use application::ports::event_log::{
    AppendError, Appended, CommitPosition, EventLog, NewCommit, ReadError, ShardId, StoredCommit, Subscription,
};
use async_trait::async_trait;
use futures_util::FutureExt;
use projections::store::{MemoryStore, Pair, StoreError, ViewStore, WriteBatch};

use crate::random::Random;

/// What survives a killed process.
pub(super) struct Disk {
    pub(super) log: MemoryLog,
    pub(super) keys: Arc<MemoryKeyStore>,
    pub(super) views: Arc<MemoryStore>,
    pub(super) snapshots: SnapshotStore,
}

/// Gives way so many times.
async fn pause(times: usize) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

#[derive(Default)]
struct Writing {
    given: u64,
    waiting: VecDeque<(u64, NewCommit)>,
    answers: HashMap<u64, Result<Appended, AppendError>>,
}

/// The log as one process sees it.
pub(super) struct ProcessLog {
    disk: MemoryLog,
    alive: Arc<AtomicBool>,
    faults: Arc<AtomicBool>,
    random: Mutex<Random>,
    writing: Mutex<Writing>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ProcessLog {
    pub(super) fn new(disk: MemoryLog, alive: Arc<AtomicBool>, faults: Arc<AtomicBool>, random: Random) -> Self {
        Self { disk, alive, faults, random: Mutex::new(random), writing: Mutex::default() }
    }

    /// How long something takes; long once in a while.
    fn span(&self) -> usize {
        let mut random = lock(&self.random);
        if random.once_in(20) { random.below(60) } else { random.below(4) }
    }

    fn fault(&self) -> Option<AppendFault> {
        let mut random = lock(&self.random);
        let fails = self.faults.load(Ordering::Relaxed) && random.once_in(80);
        fails.then(|| random.pick(&[AppendFault::InDoubtButStored, AppendFault::InDoubtAndLost, AppendFault::Unavailable]))
    }

    /// Stores what was given up to this one, in order.
    fn store_up_to(&self, mine: u64) {
        let mut writing = lock(&self.writing);
        while self.alive.load(Ordering::SeqCst) && writing.waiting.front().is_some_and(|(given, _)| *given <= mine) {
            let Some((given, commit)) = writing.waiting.pop_front() else { return };
            if let Some(fault) = self.fault() {
                self.disk.core().fail_next_append(fault);
            }
            let answer = self.disk.append(commit).now_or_never().expect("memory answers at once");
            writing.answers.insert(given, answer);
        }
    }
}

#[async_trait]
impl EventLog for ProcessLog {
    fn shard(&self) -> ShardId {
        self.disk.shard()
    }

    async fn append(&self, commit: NewCommit) -> Result<Appended, AppendError> {
        let mine = {
            let mut writing = lock(&self.writing);
            writing.given += 1;
            let given = writing.given;
            writing.waiting.push_back((given, commit));
            given
        };
        pause(self.span()).await;
        self.store_up_to(mine);
        pause(self.span()).await;
        let answer = lock(&self.writing).answers.remove(&mine);
        match answer {
            Some(answer) => answer,
            // Killed before it was stored.
            None => std::future::pending().await,
        }
    }

    async fn read_stream(&self, stream: StreamId, from_version: u64, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        pause(self.span()).await;
        self.disk.read_stream(stream, from_version, commits_max).await
    }

    async fn read_tail(&self, stream: StreamId) -> Result<Option<StoredCommit>, ReadError> {
        pause(self.span()).await;
        self.disk.read_tail(stream).await
    }

    async fn read_shard(&self, after: CommitPosition, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        self.disk.read_shard(after, commits_max).await
    }

    async fn read_commit(&self, position: CommitPosition) -> Result<Option<StoredCommit>, ReadError> {
        pause(self.span()).await;
        self.disk.read_commit(position).await
    }

    async fn subscribe(&self, after: CommitPosition) -> Result<Box<dyn Subscription>, ReadError> {
        self.disk.subscribe(after).await
    }

    async fn head(&self) -> Result<CommitPosition, ReadError> {
        self.disk.head().await
    }

    async fn tombstone(&self, commit: NewCommit) -> Result<Appended, AppendError> {
        self.disk.tombstone(commit).await
    }
}

/// The store of the views as one process sees it: what is written after the kill is written nowhere.
pub(super) struct ProcessViews {
    disk: Arc<MemoryStore>,
    alive: Arc<AtomicBool>,
}

impl ProcessViews {
    pub(super) fn new(disk: Arc<MemoryStore>, alive: Arc<AtomicBool>) -> Self {
        Self { disk, alive }
    }
}

impl ViewStore for ProcessViews {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.disk.get(table, key)
    }

    fn scan(&self, table: &str, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        self.disk.scan(table, from, to, limit)
    }

    fn write(&self, batch: &mut WriteBatch) -> Result<(), StoreError> {
        if self.alive.load(Ordering::SeqCst) { self.disk.write(batch) } else { Ok(()) }
    }

    fn tables(&self) -> Result<Vec<String>, StoreError> {
        self.disk.tables()
    }
}
