//! A log whose appends can be held, so that what is answered meanwhile was not durable, and one commit of which can be damaged.

use std::sync::{Arc, Mutex, PoisonError};

use adapters::config::Config;
use adapters::node::Engines;
use application::log::stream::StreamId;
use application::ports::event_log::{
    AppendError, Appended, CommitPosition, EventLog, NewCommit, ReadError, ShardId, StoredCommit, Subscription,
};
use async_trait::async_trait;
use tokio::sync::watch;

use super::World;

/// See the file's head.
pub struct Gate {
    log: Arc<dyn EventLog>,
    open: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
    damaged: Mutex<Option<CommitPosition>>,
}

impl Gate {
    /// An open gate before a log.
    #[must_use]
    pub fn before(log: Arc<dyn EventLog>) -> Arc<Self> {
        Arc::new(Self { log, open: watch::Sender::new(true), waiting: watch::Sender::new(0), damaged: Mutex::default() })
    }

    /// An installation set up like this, over a log that can be held.
    ///
    /// # Panics
    /// When the node does not start.
    pub async fn world(config: Config, replace: impl FnOnce(&mut Engines)) -> (World, Arc<Self>) {
        let mut gate = None;
        let world = World::over(config, |engines| {
            replace(engines);
            let gated = Self::before(Arc::clone(&engines.log));
            engines.log = gated.clone();
            gate = Some(gated);
        });
        (world.await, gate.expect("engines are handed over to be replaced"))
    }

    /// Holds appends from here on.
    pub fn close(&self) {
        self.open.send_replace(false);
    }

    /// Lets them through.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// From here on whoever looks this commit up is told that it is damaged; with none nothing is any more.
    pub fn damage(&self, commit: Option<CommitPosition>) {
        *self.damaged.lock().unwrap_or_else(PoisonError::into_inner) = commit;
    }

    /// Whether they go through.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    /// Waits until an append is held.
    ///
    /// # Panics
    /// Never: the gate outlives whoever waits at it.
    pub async fn somebody_waits(&self) {
        self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await.expect("the gate stands");
    }

    async fn pass(&self) {
        if self.is_open() {
            return;
        }
        self.waiting.send_modify(|waiting| *waiting += 1);
        self.open.subscribe().wait_for(|open| *open).await.expect("the gate stands");
        self.waiting.send_modify(|waiting| *waiting -= 1);
    }
}

#[async_trait]
impl EventLog for Gate {
    fn shard(&self) -> ShardId {
        self.log.shard()
    }

    async fn append(&self, commit: NewCommit) -> Result<Appended, AppendError> {
        self.pass().await;
        self.log.append(commit).await
    }

    async fn read_stream(&self, stream: StreamId, from_version: u64, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        self.log.read_stream(stream, from_version, commits_max).await
    }

    async fn read_tail(&self, stream: StreamId) -> Result<Option<StoredCommit>, ReadError> {
        self.log.read_tail(stream).await
    }

    async fn read_shard(&self, after: CommitPosition, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        self.log.read_shard(after, commits_max).await
    }

    async fn read_commit(&self, position: CommitPosition) -> Result<Option<StoredCommit>, ReadError> {
        if *self.damaged.lock().unwrap_or_else(PoisonError::into_inner) == Some(position) {
            return Err(ReadError::Corrupt { place: format!("commit {}", position.0) });
        }
        self.log.read_commit(position).await
    }

    async fn subscribe(&self, after: CommitPosition) -> Result<Box<dyn Subscription>, ReadError> {
        self.log.subscribe(after).await
    }

    async fn head(&self) -> Result<CommitPosition, ReadError> {
        self.log.head().await
    }

    async fn tombstone(&self, commit: NewCommit) -> Result<Appended, AppendError> {
        self.log.tombstone(commit).await
    }
}
