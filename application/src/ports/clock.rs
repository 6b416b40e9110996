//! Time of day, asked of the outside world.

use domain::time::Timestamp;

/// A clock. Readings may jump; the shard's owner makes commit times monotonic.
pub trait Clock: Send + Sync {
    /// The time of day now.
    fn now(&self) -> Timestamp;
}
