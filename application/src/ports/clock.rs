//! Time of day, asked of the outside world.

use domain::time::{Millis, Timestamp};

/// A clock. Readings may jump; the shard's owner makes commit times monotonic.
pub trait Clock: Send + Sync {
    /// The time of day now.
    fn now(&self) -> Timestamp;

    /// The time of day, and beside it how much time has really passed.
    fn reading(&self) -> ClockReading;
}

/// Two clocks, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The time of day, which may be set.
    pub now: Timestamp,
    /// The time that has passed since some fixed moment, which nobody can set.
    pub elapsed: Millis,
}

impl ClockReading {
    /// Of a clock that cannot be set: both are the same one.
    #[must_use]
    pub const fn even(now: Timestamp) -> Self {
        Self { now, elapsed: Millis(now.0) }
    }
}
