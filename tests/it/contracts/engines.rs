//! The implementations, dressed for the contracts.

use std::sync::Arc;

use adapters::event_log::embedded::{EmbeddedLog, Options};
use adapters::event_log::memory::{AppendFault, MemoryLog};
use adapters::key_store::memory::MemoryKeyStore;
use adapters::key_store::sqlite::SqliteKeyStore;
use application::ports::event_log::{EventLog, ShardId, StoredCommit};
use application::ports::key_store::KeyStore;
use async_trait::async_trait;
use tempfile::TempDir;
use tests::contracts::event_log::{Engine, InDoubtOutcome};
use tests::contracts::key_store;
use tests::fault_vfs::FaultDisk;

/// The log in memory.
pub struct Memory(MemoryLog);

#[async_trait]
impl Engine for Memory {
    async fn start() -> Self {
        Self(MemoryLog::new(ShardId(0)))
    }

    fn log(&self) -> Arc<dyn EventLog> {
        Arc::new(self.0.clone())
    }

    async fn reopen(&mut self) {
        let core = self.0.core().clone();
        self.0 = MemoryLog::from_core(ShardId(0), core);
    }

    fn put_next_append_in_doubt(&mut self) -> InDoubtOutcome {
        self.0.core().fail_next_append(AppendFault::InDoubtButStored);
        InDoubtOutcome::Stored
    }

    async fn damage(&mut self, commit: &StoredCommit) {
        self.0.core().flip_bit(commit.position, commit.bytes.len() / 2);
    }
}

/// The embedded log on a disk that can fail. The lock and the mark of what was acknowledged lie in a real directory.
pub struct Embedded {
    // Dropped in this order: the log closes its connections before the disk goes.
    log: Option<Arc<EmbeddedLog>>,
    disk: FaultDisk,
    dir: TempDir,
}

impl Embedded {
    fn options(&self) -> Options {
        // Little memory, so that the contract also reads from the disk while the log is live.
        Options { vfs: Some(self.disk.vfs().to_owned()), recent_bytes_max: 64 * 1024, index_batch: 256, ..Options::default() }
    }

    fn open(&mut self) {
        self.log = Some(Arc::new(EmbeddedLog::open(self.dir.path(), &self.options()).unwrap()));
    }

    async fn close(&mut self) {
        if let Some(log) = self.log.take() {
            log.close().await;
        }
    }
}

#[async_trait]
impl Engine for Embedded {
    async fn start() -> Self {
        let mut engine = Self { log: None, disk: FaultDisk::new(0), dir: tempfile::tempdir().unwrap() };
        engine.open();
        engine
    }

    fn log(&self) -> Arc<dyn EventLog> {
        let log: Arc<EmbeddedLog> = Arc::clone(self.log.as_ref().expect("the log is open between the calls of the contract"));
        log
    }

    async fn reopen(&mut self) {
        self.close().await;
        self.open();
    }

    fn put_next_append_in_doubt(&mut self) -> InDoubtOutcome {
        self.disk.fail_syncs("log.sqlite3-wal", 1);
        InDoubtOutcome::Lost
    }

    async fn damage(&mut self, commit: &StoredCommit) {
        self.close().await;
        // Its id, which stands nowhere else in the file.
        self.disk.flip_bit_in("log.sqlite3", &commit.bytes[4..20]);
        self.open();
    }
}

/// Keys in memory.
pub struct MemoryKeys(Arc<MemoryKeyStore>);

#[async_trait]
impl key_store::Engine for MemoryKeys {
    async fn start() -> Self {
        Self(Arc::new(MemoryKeyStore::seeded(1)))
    }

    fn keys(&self) -> Arc<dyn KeyStore> {
        let keys: Arc<MemoryKeyStore> = Arc::clone(&self.0);
        keys
    }

    async fn reopen(&mut self) {}
}

/// Keys in a file.
pub struct SqliteKeys {
    keys: Option<Arc<SqliteKeyStore>>,
    dir: TempDir,
}

#[async_trait]
impl key_store::Engine for SqliteKeys {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { keys: Some(Arc::new(SqliteKeyStore::open(dir.path()).unwrap())), dir }
    }

    fn keys(&self) -> Arc<dyn KeyStore> {
        let keys: Arc<SqliteKeyStore> = Arc::clone(self.keys.as_ref().expect("the store is open between the calls of the contract"));
        keys
    }

    async fn reopen(&mut self) {
        self.keys = None;
        self.keys = Some(Arc::new(SqliteKeyStore::open(self.dir.path()).unwrap()));
    }
}
