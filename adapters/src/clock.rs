//! The machine's clocks, behind the application's port. It must not know who asks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use application::ports::clock::{Clock, ClockReading};
use domain::time::{Millis, Timestamp};

/// The time of day as the operating system tells it, and the time since this was made.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    made: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { made: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let ms = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Timestamp(ms)
    }

    fn reading(&self) -> ClockReading {
        let elapsed = Millis(i64::try_from(self.made.elapsed().as_millis()).unwrap_or(i64::MAX));
        ClockReading { now: self.now(), elapsed }
    }
}
