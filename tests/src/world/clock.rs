//! The time of a story.

use std::sync::{Mutex, MutexGuard, PoisonError};

use application::ports::clock::{Clock, ClockReading};
use domain::time::{Millis, Timestamp};

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct StoryClock(Mutex<ClockReading>);

impl StoryClock {
    /// A clock that stands at this instant.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(ClockReading::even(now)))
    }

    /// Lets time pass.
    pub fn pass(&self, span: Millis) {
        let mut reading = self.read();
        reading.now = reading.now + span;
        reading.elapsed.0 += span.0;
    }

    /// Sets it forward, or back, without any time having passed.
    pub fn jump(&self, by: Millis) {
        let mut reading = self.read();
        reading.now = reading.now + by;
    }

    fn read(&self) -> MutexGuard<'_, ClockReading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        self.read().now
    }

    fn reading(&self) -> ClockReading {
        *self.read()
    }
}
