//! New ids, asked of the outside world, so that a simulation can repeat them.

use domain::time::Timestamp;
use uuid::Uuid;

/// A source of ids.
pub trait Ids: Send + Sync {
    /// A UUIDv7 minted at the given instant, unique.
    fn uuid_v7(&self, at: Timestamp) -> Uuid;
}
