//! Where the sealed bytes of attachments lie: too large for the log, and not needed to decide anything.
//!
//! A blob is there as a whole or not at all. The store sees sealed bytes only; it must not know what they say, nor who may
//! read them. Every implementation runs the same contract suite (`tests::contracts::blob_store`).

use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ids::{AttachmentId, TenantId};
use domain::time::Timestamp;

/// Which blob. It is made of checked ids, so it cannot name anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlobName {
    /// Whose.
    pub tenant: TenantId,
    /// Of which attachment.
    pub attachment: AttachmentId,
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.attachment)
    }
}

/// When it is to be decided whether a blob stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlobNote {
    /// Which.
    pub name: BlobName,
    /// When; after the beginning of 1970.
    pub due: Timestamp,
}

/// Some bytes of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobPart {
    /// The bytes of the range that was asked for, as far as the blob goes.
    pub bytes: Bytes,
    /// Bytes of the whole blob.
    pub total: u64,
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob.
    #[error("there is no such blob")]
    NotFound,
    /// The store cannot be read or written now: a full disk, no connection, no right.
    #[error("blob store is unavailable: {reason}")]
    Unavailable {
        /// The engine's words.
        reason: String,
    },
}

/// A blob on its way into the store. Dropping it is aborting it.
#[async_trait]
pub trait BlobWriter: Send {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`]; the blob cannot be finished any more.
    async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError>;

    /// Makes the blob readable, in the place of one that has the name already. It is durable when this returns.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`]; nothing is left of it.
    async fn finish(self: Box<Self>) -> Result<(), BlobError>;

    /// Gives up; nothing is left of it.
    async fn abort(self: Box<Self>);
}

/// Keeps blobs.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Begins to write a blob. Until it is finished nobody can read it.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    async fn begin(&self, name: BlobName) -> Result<Box<dyn BlobWriter>, BlobError>;

    /// Reads a range of a blob that begins inside of it; what lies beyond the end is left out.
    ///
    /// # Errors
    /// [`BlobError`].
    async fn read(&self, name: BlobName, range: Range<u64>) -> Result<BlobPart, BlobError>;

    /// Removes a blob for good. One that is not there is removed already.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`]; it may be gone nevertheless.
    async fn remove(&self, name: BlobName) -> Result<(), BlobError>;

    /// Notes that it is to be decided at an instant whether a blob stays, whether it is there by now or not. The note is durable
    /// when this returns, and stays until it is settled.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    async fn note(&self, note: BlobNote) -> Result<(), BlobError>;

    /// Notes of what is due before an instant, at most so many, in no order.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<BlobNote>, BlobError>;

    /// It was decided: the note goes.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    async fn settle(&self, note: BlobNote) -> Result<(), BlobError>;
}
