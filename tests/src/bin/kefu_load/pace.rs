//! The open loop: messages fall due at a fixed rate whatever the server does, and latency counts from then.
//!
//! A thread of its own sleeps from one due time to the next, because the runtime's timer rounds to milliseconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinHandle as TaskHandle;

use super::error::LoadError;

/// Due times closer than this are waited for together, so that a wake-up is not dearer than the message.
const GRAIN: Duration = Duration::from_millis(1);
/// Until the first message is due: time for everything to stand ready.
const LEAD: Duration = Duration::from_millis(20);

/// When messages are due.
#[derive(Clone, Copy, Debug)]
struct Timetable {
    begins: Instant,
    every: Duration,
    grain: Duration,
}

impl Timetable {
    fn new(begins: Instant, rate: f64) -> Self {
        let every = Duration::from_secs_f64(1.0 / rate);
        Self { begins, every, grain: every.max(GRAIN) }
    }

    /// When a message is due: on the grain, at or just before its even share of the rate.
    fn due(&self, nth: u64) -> Instant {
        let even = self.every.as_secs_f64() * nth as f64;
        let grains = (even / self.grain.as_secs_f64()).floor();
        self.begins + self.grain.mul_f64(grains)
    }
}

/// See the file's head.
pub struct Pacer {
    stopped: Arc<AtomicBool>,
    clock: JoinHandle<()>,
    speaker: TaskHandle<()>,
}

impl Pacer {
    /// Begins to let messages fall due, so many a second; `say` is told the how manieth it is, and when it was due.
    pub fn start(rate: f64, say: impl Fn(u64, Instant) + 'static) -> Result<Self, LoadError> {
        let timetable = Timetable::new(Instant::now() + LEAD, rate);
        let (stopped, wake) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let clock = std::thread::Builder::new().name("pacer".into()).spawn({
            let (stopped, wake) = (Arc::clone(&stopped), Arc::clone(&wake));
            move || {
                let mut next = timetable.begins;
                while !stopped.load(Ordering::Relaxed) {
                    let now = Instant::now();
                    if next > now {
                        std::thread::sleep(next - now);
                    }
                    wake.notify_one();
                    next += timetable.grain;
                }
            }
        })?;
        let speaker = tokio::task::spawn_local(async move {
            let mut nth = 0;
            loop {
                wake.notified().await;
                let now = Instant::now();
                while timetable.due(nth) <= now {
                    say(nth, timetable.due(nth));
                    nth += 1;
                }
            }
        });
        Ok(Self { stopped, clock, speaker })
    }

    /// Nothing falls due any more.
    pub fn stop(self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.speaker.abort();
        // The thread sleeps for one grain at most, and cannot fail.
        let _ = self.clock.join();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_keep_the_rate_whatever_the_grain() {
        let begins = Instant::now();
        for rate in [10.0, 5_000.0, 100_000.0] {
            let timetable = Timetable::new(begins, rate);
            let messages = rate as u64;
            let after = timetable.due(messages) - begins;
            assert!(after <= Duration::from_secs(1) && after >= Duration::from_secs(1) - 2 * timetable.grain, "{rate}: {after:?}");
            assert!((1..messages.min(1_000)).all(|nth| timetable.due(nth) >= timetable.due(nth - 1)));
        }
    }
}
