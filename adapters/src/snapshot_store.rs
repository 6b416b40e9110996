//! Snapshots and consumers' checkpoints in one SQLite file that may be deleted at any time.
//!
//! Writes are not synced: what is lost is made again from the log.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use application::log::stream::StreamId;
use application::ports::checkpoints::Checkpoints;
use application::ports::snapshots::Snapshots;
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::Semaphore;

/// The store could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the snapshot store {path}")]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: rusqlite::Error,
}

/// See the module.
#[derive(Clone)]
pub struct SnapshotStore {
    connection: Arc<Mutex<Connection>>,
    /// Whose turn it is: hundreds of chats may ask at once, and none must hold a thread while it waits for the connection.
    turn: Arc<Semaphore>,
}

impl SnapshotStore {
    /// Opens or makes the file `snapshots.db` in a directory.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join("snapshots.db");
        let connection = Connection::open(&path).map_err(|source| OpenError { path: path.clone(), source })?;
        Self::prepare(connection).map_err(|source| OpenError { path, source })
    }

    /// A store in memory.
    ///
    /// # Errors
    /// [`OpenError`], which memory alone gives no reason for.
    pub fn in_memory() -> Result<Self, OpenError> {
        let path = PathBuf::from(":memory:");
        let connection = Connection::open_in_memory().map_err(|source| OpenError { path: path.clone(), source })?;
        Self::prepare(connection).map_err(|source| OpenError { path, source })
    }

    fn prepare(connection: Connection) -> rusqlite::Result<Self> {
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = OFF;
             CREATE TABLE IF NOT EXISTS snapshots (stream TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS checkpoints (consumer TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;",
        )?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), turn: Arc::new(Semaphore::new(1)) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Works on a blocking thread; none if that panicked.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> T + Send + 'static) -> Option<T> {
        let _turn = self.turn.acquire().await.ok()?;
        let store = self.clone();
        tokio::task::spawn_blocking(move || work(&store)).await.ok()
    }

    fn find(&self, sql: &str, key: &str) -> Option<Vec<u8>> {
        let connection = self.connection();
        let found = connection.prepare_cached(sql).and_then(|mut find| find.query_row(params![key], |row| row.get(0)).optional());
        found.unwrap_or_else(|error| {
            tracing::warn!(%error, "the snapshot store cannot be read");
            None
        })
    }

    fn put(&self, sql: &str, key: &str, bytes: &[u8]) {
        let connection = self.connection();
        if let Err(error) = connection.prepare_cached(sql).and_then(|mut put| put.execute(params![key, bytes])) {
            tracing::warn!(%error, "the snapshot store cannot be written");
        }
    }
}

#[async_trait]
impl Snapshots for SnapshotStore {
    async fn load(&self, stream: StreamId) -> Option<Vec<u8>> {
        let find = move |store: &Self| store.find("SELECT bytes FROM snapshots WHERE stream = ?1", &stream.to_string());
        self.in_turn(find).await.flatten()
    }

    async fn save(&self, stream: StreamId, bytes: Vec<u8>) {
        let put = move |store: &Self| store.put("INSERT OR REPLACE INTO snapshots VALUES (?1, ?2)", &stream.to_string(), &bytes);
        if self.in_turn(put).await.is_none() {
            tracing::warn!(%stream, "a snapshot was not saved");
        }
    }
}

impl Checkpoints for SnapshotStore {
    fn load(&self, consumer: &str) -> Option<Vec<u8>> {
        self.find("SELECT bytes FROM checkpoints WHERE consumer = ?1", consumer)
    }

    fn save(&self, consumer: &str, bytes: &[u8]) {
        self.put("INSERT OR REPLACE INTO checkpoints VALUES (?1, ?2)", consumer, bytes);
    }
}
