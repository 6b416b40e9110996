//! The default engine: one directory, one process, SQLite underneath.
//!
//! SQLite keeps the bytes, one row per record of a flush (`store`), and in a second file, rebuildable, where each stream's
//! commits lie (`index`). One writer thread takes whatever waits, decides versions from memory, and commits it in one synced
//! transaction (`core`); nobody is answered before. The index follows in large batches. Readers use memory for what is new and
//! read connections for the rest (`view`). docs/adr tells why: a row per event costs more than the flush.
//!
//! It must not know what events mean. A tombstone keeps its stream's bytes; erasing is done by destroying keys.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use application::log::stream::StreamId;
use application::ports::event_log::{
    AppendError, Appended, CommitPosition, EventLog, NewCommit, ReadError, ShardId, StoredCommit, Subscription,
};
use async_trait::async_trait;
use tokio::sync::oneshot;

use super::admit;

mod acknowledged;
pub mod check;
mod checkpoint;
pub mod core;
mod heads;
mod index;
mod indexer;
mod pool;
pub mod queue;
mod recent;
mod record;
mod recovery;
mod sql;
mod store;
mod subscription;
mod tail;
mod threads;
pub mod view;

use self::check::CheckReport;
use self::core::{Append, Core};
use self::pool::Pool;
use self::queue::Queue;
use self::sql::{Location, StoreError};
use self::store::Store;
use self::subscription::EmbeddedSubscription;
use self::threads::Threads;
use self::view::{Reader, View};

/// The knobs of the engine. The defaults were measured (`cargo bench -p adapters --bench event_log`).
#[derive(Clone, Debug)]
pub struct Options {
    /// Which shard this log is.
    pub shard: ShardId,
    /// The SQLite VFS to use instead of the default one; tests put a faulty disk here.
    pub vfs: Option<String>,
    /// Page size of a new log file.
    pub page_bytes: u32,
    /// A flush is cut into records of about this size: larger ones cost less to write, smaller ones less to read from.
    pub record_bytes: usize,
    /// Commits that the index takes at a time. Large batches touch each page of the index once for many rows; what is not
    /// saved after a kill is replayed, at about a million commits per second.
    pub index_batch: usize,
    /// Commits that memory holds for the index before appends must wait; about 150 bytes each.
    pub tail_commits_max: usize,
    /// Bytes of the newest commits that are kept for subscribers and readers.
    pub recent_bytes_max: usize,
    /// A checkpoint is asked for whenever this much was written to the WAL.
    pub checkpoint_bytes: u64,
    /// When the WAL is this long, the writer finishes a checkpoint itself, so that the WAL begins anew.
    pub restart_wal_bytes: u64,
    /// Limits of the append queue and of a flush.
    pub queue: queue::Limits,
}

impl Default for Options {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            shard: ShardId::default(),
            vfs: None,
            page_bytes: 4096,
            record_bytes: 16 * 1024,
            index_batch: 128 * 1024,
            tail_commits_max: 512 * 1024,
            recent_bytes_max: 32 * MIB,
            checkpoint_bytes: 4 * MIB as u64,
            restart_wal_bytes: 32 * MIB as u64,
            queue: queue::Limits { commits_max: 16 * 1024, bytes_max: 64 * MIB, flush_commits_max: 1024, flush_bytes_max: 4 * MIB },
        }
    }
}

/// Why the log was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another process (or another part of this one) has the directory open.
    #[error("log directory is in use")]
    InUse,
    /// Trying again later may help.
    #[error("log cannot be opened: {reason}")]
    Unavailable {
        /// The engine's words.
        reason: String,
    },
    /// The log is damaged, and going on could hide that.
    #[error("log is damaged at {place}")]
    Corrupt {
        /// File, record and offset, as precisely as is known.
        place: String,
    },
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { place } => Self::Corrupt { place },
            StoreError::Sql { .. } => Self::Unavailable { reason: error.to_string() },
        }
    }
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Corrupt { place } => Self::Corrupt { place },
            ReadError::Unavailable { .. } | ReadError::Gone => Self::Unavailable { reason: error.to_string() },
        }
    }
}

/// Where everything lies: `DIR/log/`.
#[derive(Clone, Debug)]
pub struct Files {
    dir: PathBuf,
    lock: PathBuf,
    acknowledged: PathBuf,
    log: Location,
    index: Location,
}

impl Files {
    fn in_dir(dir: &Path, vfs: Option<&str>) -> Self {
        let dir = dir.join("log");
        let location = |name: &str| Location { file: dir.join(name), vfs: vfs.map(str::to_owned) };
        Self {
            lock: dir.join("lock"),
            acknowledged: dir.join("acknowledged"),
            log: location("log.sqlite3"),
            index: location("index.sqlite3"),
            dir,
        }
    }
}

/// The engine without threads, for tests that crash it at a chosen write. Everything happens when it is called.
pub struct Unthreaded {
    /// The writing half.
    pub core: Core,
    index: index::Index,
    index_batch: usize,
    _lock: File,
}

impl Unthreaded {
    /// See [`EmbeddedLog::open`].
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(dir: &Path, options: &Options) -> Result<Self, OpenError> {
        let files = Files::in_dir(dir, options.vfs.as_deref());
        let lock = recovery::lock(&files)?;
        let (core, index) = recovery::open(&files, options)?;
        Ok(Self { core, index, index_batch: options.index_batch, _lock: lock })
    }

    /// Moves what waits to the index.
    ///
    /// # Errors
    /// [`ReadError`]; nothing is forgotten.
    pub fn save_index(&self) -> Result<usize, ReadError> {
        indexer::save(self.core.view(), self.core.reader(), &self.index, self.index_batch)
    }
}

struct Running {
    threads: Threads,
    lock: File,
}

/// The log of one directory. Dropping it closes it, which waits for the disk; [`EmbeddedLog::close`] does so politely.
pub struct EmbeddedLog {
    shard: ShardId,
    view: Arc<View>,
    queue: Arc<Queue>,
    pool: Arc<Pool>,
    running: Arc<Mutex<Option<Running>>>,
}

impl EmbeddedLog {
    /// Opens the log in `DIR/log/`, or makes a new one. Blocks: up to a second or two after a kill under load.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(dir: &Path, options: &Options) -> Result<Self, OpenError> {
        let files = Files::in_dir(dir, options.vfs.as_deref());
        let lock = recovery::lock(&files)?;
        let (core, index) = recovery::open(&files, options)?;
        let view = Arc::clone(core.view());
        let queue = Arc::new(Queue::new(options.queue));
        let index_reader = Reader::connect(&files.log, &files.index, options.page_bytes)?;
        let checkpointer = Store::connect(&files.log, options.page_bytes)?;
        let threads = Threads::start(core, index, index_reader, checkpointer, Arc::clone(&queue), options)
            .map_err(|error| OpenError::Unavailable { reason: error.to_string() })?;
        let pool = Arc::new(Pool::new(&files, options.page_bytes));
        Ok(Self { shard: options.shard, view, queue, pool, running: Arc::new(Mutex::new(Some(Running { threads, lock }))) })
    }

    /// Checks everything in `DIR/log/` and reports what it finds. Changes nothing. The log must not be open.
    ///
    /// # Errors
    /// [`OpenError::InUse`], or [`OpenError::Unavailable`] when the files cannot be read at all. Damage is no error here: it is
    /// in the report.
    pub fn check(dir: &Path) -> Result<CheckReport, OpenError> {
        Self::check_with(dir, None)
    }

    /// [`EmbeddedLog::check`] through another VFS.
    ///
    /// # Errors
    /// As [`EmbeddedLog::check`].
    pub fn check_with(dir: &Path, vfs: Option<&str>) -> Result<CheckReport, OpenError> {
        let files = Files::in_dir(dir, vfs);
        let _lock = recovery::lock(&files)?;
        check::check(&files)
    }

    /// Serves what waits, saves the index and gives the directory back. Later appends answer `Unavailable`.
    pub async fn close(&self) {
        self.queue.close();
        let (view, pool, running) = (Arc::clone(&self.view), Arc::clone(&self.pool), Arc::clone(&self.running));
        let closing = tokio::task::spawn_blocking(move || close(&view, &pool, &running));
        if closing.await.is_err() {
            tracing::error!("closing the log panicked");
        }
    }

    async fn write(&self, commit: NewCommit, tombstone: bool) -> Result<Appended, AppendError> {
        self.write_together(vec![commit], tombstone).await.pop().expect("as many answers as commits")
    }

    async fn write_together(&self, commits: Vec<NewCommit>, tombstone: bool) -> Vec<Result<Appended, AppendError>> {
        let admitted: Vec<Result<(), AppendError>> = commits.iter().map(|commit| admit(commit, tombstone)).collect();
        let appends = commits.into_iter().zip(&admitted).filter(|(_, admitted)| admitted.is_ok());
        let appends: Vec<Append> = appends.map(|(commit, _)| Append { commit, tombstone }).collect();
        let count = appends.len();
        let (reply, answer) = oneshot::channel();
        let answers = match self.queue.push(appends, reply) {
            // The writer answers everyone; it can only be gone after a panic, and then nobody knows.
            Ok(()) => answer.await.unwrap_or_else(|_| vec![Err(AppendError::InDoubt); count]),
            Err(refused) => vec![Err(refused); count],
        };
        let mut answers = answers.into_iter();
        admitted.into_iter().map(|admitted| admitted.and_then(|()| answers.next().expect("one for each that was admitted"))).collect()
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&View, &Reader) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let view = Arc::clone(&self.view);
        self.pool.run(move |reader| read(&view, reader)).await
    }
}

fn close(view: &View, pool: &Pool, running: &Mutex<Option<Running>>) {
    let taken = running.lock().map_or(None, |mut running| running.take());
    if let Some(Running { threads, lock }) = taken {
        view.close();
        pool.close();
        threads.stop();
        drop(lock);
    }
}

impl Drop for EmbeddedLog {
    fn drop(&mut self) {
        self.queue.close();
        close(&self.view, &self.pool, &self.running);
    }
}

#[async_trait]
impl EventLog for EmbeddedLog {
    fn shard(&self) -> ShardId {
        self.shard
    }

    async fn append(&self, commit: NewCommit) -> Result<Appended, AppendError> {
        self.write(commit, false).await
    }

    async fn append_together(&self, commits: Vec<NewCommit>) -> Vec<Result<Appended, AppendError>> {
        self.write_together(commits, false).await
    }

    async fn read_stream(&self, stream: StreamId, from_version: u64, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        if let Some(commits) = self.view.stream_from_memory(&stream, from_version, commits_max) {
            return commits;
        }
        self.read(move |view, reader| reader.read_stream(view, &stream, from_version, commits_max)).await
    }

    async fn read_streams(&self, streams: &[StreamId], commits_max: usize) -> Vec<Result<Vec<StoredCommit>, ReadError>> {
        let mut found: Vec<_> = streams.iter().map(|stream| self.view.stream_from_memory(stream, 1, commits_max)).collect();
        let missing: Vec<StreamId> = streams.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(stream, _)| *stream).collect();
        if !missing.is_empty() {
            let count = missing.len();
            let read = move |view: &View, reader: &Reader| {
                Ok(missing.iter().map(|stream| reader.read_stream(view, stream, 1, commits_max)).collect::<Vec<_>>())
            };
            let mut read = match self.read(read).await {
                Ok(read) => read.into_iter(),
                Err(error) => vec![Err(error); count].into_iter(),
            };
            found.iter_mut().filter(|found| found.is_none()).for_each(|slot| *slot = read.next());
        }
        found.into_iter().map(|found| found.expect("read for every stream that memory did not have")).collect()
    }

    async fn read_tail(&self, stream: StreamId) -> Result<Option<StoredCommit>, ReadError> {
        if self.view.is_unsettled() {
            return Err(ReadError::Unavailable { reason: "the outcome of a flush is not settled yet".into() });
        }
        if let Some(tail) = self.view.tail_from_memory(&stream) {
            return tail.map(Some);
        }
        self.read(move |view, reader| reader.read_tail(view, &stream)).await
    }

    async fn read_shard(&self, after: CommitPosition, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        if after.0 >= self.view.head() {
            return Ok(Vec::new());
        }
        if let Some(commits) = self.view.recent_after(after, commits_max) {
            return Ok(commits);
        }
        self.read(move |view, reader| reader.read_shard(view, after, commits_max)).await
    }

    async fn read_commit(&self, position: CommitPosition) -> Result<Option<StoredCommit>, ReadError> {
        if let Some(commit) = self.view.recent().get(position.0) {
            return Ok(Some(commit.clone()));
        }
        self.read(move |view, reader| reader.read_commit(view, position)).await
    }

    async fn subscribe(&self, after: CommitPosition) -> Result<Box<dyn Subscription>, ReadError> {
        Ok(Box::new(EmbeddedSubscription::new(Arc::clone(&self.view), Arc::clone(&self.pool), after)))
    }

    async fn head(&self) -> Result<CommitPosition, ReadError> {
        Ok(CommitPosition(self.view.head()))
    }

    async fn tombstone(&self, commit: NewCommit) -> Result<Appended, AppendError> {
        self.write(commit, true).await
    }
}
