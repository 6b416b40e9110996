//! The event log: the only source of truth.
//!
//! One append touches one stream. Order is promised within a shard; a tenant lives in one shard. Every implementation runs
//! the same contract suite (`tests::contracts::event_log`).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;

use crate::log::commit::CommitId;
use crate::log::decoded::Decoded;
use crate::log::stream::StreamId;

/// Largest commit in bytes, in every engine (NATS' default message limit is 1 MiB).
pub const COMMIT_BYTES_MAX: usize = 512 * 1024;

/// The place of a commit in its shard. Only order and equality mean something; 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct CommitPosition(pub u64);

/// A shard: everything that one owner decides, in one total order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ShardId(pub u16);

/// The place of an event: its shard, its commit, and its index in the commit from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The shard the commit belongs to.
    pub shard: ShardId,
    /// The commit.
    pub commit: CommitPosition,
    /// Which event of the commit.
    pub index: u32,
}

/// The text is not a position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a position is written as s<shard>c<commit>e<event>, as in s0c1042e0")]
pub struct InvalidPosition;

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}c{}e{}", self.shard.0, self.commit.0, self.index)
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;
    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        fn number<T: FromStr>(text: &str) -> Result<T, InvalidPosition> {
            if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(InvalidPosition);
            }
            text.parse().map_err(|_| InvalidPosition)
        }
        let (shard, rest) = text.strip_prefix('s').and_then(|rest| rest.split_once('c')).ok_or(InvalidPosition)?;
        let (commit, index) = rest.split_once('e').ok_or(InvalidPosition)?;
        Ok(Self { shard: ShardId(number(shard)?), commit: CommitPosition(number(commit)?), index: number(index)? })
    }
}

/// An encoded commit on its way into the log.
#[derive(Clone, Debug)]
pub struct NewCommit {
    /// Its id: a retry with the same id is recognised.
    pub id: CommitId,
    /// The one stream it extends.
    pub stream: StreamId,
    /// The version of its first event. Versions count a stream's events from 1, so this is the expected version plus one.
    pub first_version: u64,
    /// How many events it holds; at least one.
    pub events: u32,
    /// The commit's bytes as [`crate::log::commit::CommitBuilder`] made them, CRC included.
    pub bytes: Bytes,
    /// What it says, if whoever made it knows. An engine that keeps commits in memory hands it on with them; none depends on it.
    pub decided: Option<Arc<Decoded>>,
}

/// A commit as it lies in the log.
#[derive(Clone, Debug)]
pub struct StoredCommit {
    /// Its place.
    pub position: CommitPosition,
    /// Its bytes, already checked against their CRC.
    pub bytes: Bytes,
    /// See [`NewCommit::decided`].
    pub decided: Option<Arc<Decoded>>,
}

impl StoredCommit {
    /// A commit of which no more is at hand than its bytes.
    #[must_use]
    pub const fn read(position: CommitPosition, bytes: Bytes) -> Self {
        Self { position, bytes, decided: None }
    }
}

/// The bytes say all there is.
impl PartialEq for StoredCommit {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position && self.bytes == other.bytes
    }
}

impl Eq for StoredCommit {}

/// The answer to a successful append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Where the commit lies now (or already lay, when this was a retry).
    pub position: CommitPosition,
}

/// Why an append did not succeed, or may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The stream is not at the expected version, and the commit is not in it.
    #[error("stream is at version {current}")]
    Conflict {
        /// The stream's version: how many events it holds.
        current: u64,
    },
    /// Nobody knows whether the commit was stored: re-read the stream's tail and compare commit ids.
    #[error("it is unknown whether the commit was stored")]
    InDoubt,
    /// Certainly not stored; trying again later may help.
    #[error("event log is unavailable: {reason}")]
    Unavailable {
        /// The engine's words: a full disk, no leader, shutting down.
        reason: String,
    },
    /// The stream was tombstoned.
    #[error("stream is gone")]
    Gone,
    /// The log is damaged at this place and takes nothing for this stream.
    #[error("event log is damaged at {place}")]
    Corrupt {
        /// File, record and offset, as precisely as is known.
        place: String,
    },
}

/// Why a read failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Trying again later may help.
    #[error("event log is unavailable: {reason}")]
    Unavailable {
        /// The engine's words.
        reason: String,
    },
    /// The stream was tombstoned.
    #[error("stream is gone")]
    Gone,
    /// The log is damaged at this place.
    #[error("event log is damaged at {place}")]
    Corrupt {
        /// File, record and offset, as precisely as is known.
        place: String,
    },
}

/// A stream of commits in shard order: first what is there (catch up), then what comes (live), without gap or repeat.
#[async_trait]
pub trait Subscription: Send {
    /// The next commits, at least one. Waits when there are none. Cancel-safe.
    ///
    /// # Errors
    /// [`ReadError`]; after `Corrupt` the subscription stays at the damaged place.
    async fn next(&mut self) -> Result<Vec<StoredCommit>, ReadError>;
}

/// The log of one shard.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Which shard this is.
    fn shard(&self) -> ShardId;

    /// Appends a commit to its stream. Returns only when it is durable (synced).
    ///
    /// Retrying a commit that was stored answers its position again.
    ///
    /// # Errors
    /// [`AppendError`].
    async fn append(&self, commit: NewCommit) -> Result<Appended, AppendError>;

    /// Appends commits, each to a stream of its own, in this order, and answers for each what [`Self::append`] would, when the last
    /// is settled. An engine that stores many at a time makes one journey of it. They enter the log's order when this is first
    /// polled.
    async fn append_together(&self, commits: Vec<NewCommit>) -> Vec<Result<Appended, AppendError>> {
        join_all(commits.into_iter().map(|commit| self.append(commit))).await
    }

    /// Commits of a stream from the one that holds `from_version` (counted from 1) on, oldest first, at most `commits_max`.
    /// An unknown stream is empty.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn read_stream(&self, stream: StreamId, from_version: u64, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError>;

    /// What [`Self::read_stream`] answers from version 1 on, for several streams. An engine for which each look is a journey
    /// makes one for all of them.
    ///
    /// # Errors
    /// [`ReadError`], for each stream apart.
    async fn read_streams(&self, streams: &[StreamId], commits_max: usize) -> Vec<Result<Vec<StoredCommit>, ReadError>> {
        let mut read = Vec::with_capacity(streams.len());
        for stream in streams {
            read.push(self.read_stream(*stream, 1, commits_max).await);
        }
        read
    }

    /// The last commit of a stream, read from the authority and not from a cache or a stale replica; `None` for an unknown
    /// stream. Settles appends in doubt.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn read_tail(&self, stream: StreamId) -> Result<Option<StoredCommit>, ReadError>;

    /// Commits of the shard after a position, oldest first, at most `commits_max`; empty at the head.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn read_shard(&self, after: CommitPosition, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError>;

    /// One commit by its exact position; `None` when there is none.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn read_commit(&self, position: CommitPosition) -> Result<Option<StoredCommit>, ReadError>;

    /// Follows the shard after a position.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn subscribe(&self, after: CommitPosition) -> Result<Box<dyn Subscription>, ReadError>;

    /// The newest commit, or position 0 of an empty log.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn head(&self) -> Result<CommitPosition, ReadError>;

    /// Ends a stream for good at the expected version: later appends and reads answer `Gone`. Subscribers and readers of the
    /// shard see it as a commit without events.
    ///
    /// # Errors
    /// [`AppendError`].
    async fn tombstone(&self, commit: NewCommit) -> Result<Appended, AppendError>;
}
