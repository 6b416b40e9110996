//! Where snapshots are kept: a cache of folded aggregates that may be deleted at any time.

use async_trait::async_trait;

use crate::log::stream::StreamId;

/// Keeps the newest snapshot of a stream. Losing one costs time, never truth.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// The newest snapshot, if there is one that can be read.
    async fn load(&self, stream: StreamId) -> Option<Vec<u8>>;
    /// Replaces the snapshot. Failing is allowed, and silent to the caller.
    async fn save(&self, stream: StreamId, bytes: Vec<u8>);
}
