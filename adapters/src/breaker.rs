//! Whether somebody elsewhere, a robot or a provider, is asked at all: one who fails time after time is left alone for a while, and
//! then tried once.

use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use domain::time::{Millis, Timestamp};
use hashbrown::HashMap;

/// Failures on end after which one rests: fewer may be chance.
pub const FAILURES_MAX: u32 = 5;
/// How long it rests: enough for a server to start again, short enough that nobody has to look after it.
pub const REST: Millis = Millis::seconds(30);
/// Breakers kept at a time: of those who failed a while ago nothing is known any more.
const KEPT_MAX: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is asked; so many failures on end so far.
    Asked { failures: u32 },
    /// It is not asked until then.
    Resting { until: Timestamp },
    /// One question was let through; whoever else comes before then is not. A question that is never told of is over by then, too.
    Tried { until: Timestamp },
}

/// See the file's head.
#[derive(Clone, Copy, Debug)]
pub struct Breaker(State);

impl Default for Breaker {
    fn default() -> Self {
        Self(State::Asked { failures: 0 })
    }
}

impl Breaker {
    /// Whether it may be asked now; whoever is told so tells what came of it.
    pub fn may_ask(&mut self, now: Timestamp) -> bool {
        let rests = self.rests(now);
        if self.is_left_alone() && !rests {
            self.0 = State::Tried { until: now + REST };
        }
        !rests
    }

    /// Whether it is not to be asked now.
    #[must_use]
    pub fn rests(&self, now: Timestamp) -> bool {
        match self.0 {
            State::Asked { .. } => false,
            // A clock that was set back makes no rest longer.
            State::Resting { until } | State::Tried { until } => now < until && until - now <= REST,
        }
    }

    /// Whether it failed too often and has not worked since. Of whoever may ask it nevertheless, this is the one try.
    #[must_use]
    pub const fn is_left_alone(&self) -> bool {
        matches!(self.0, State::Resting { .. } | State::Tried { .. })
    }

    /// It answered.
    pub fn worked(&mut self) {
        *self = Self::default();
    }

    /// It did not; answers whether that is why it rests from now on.
    pub fn failed(&mut self, now: Timestamp) -> bool {
        let (state, rests) = match self.0 {
            State::Asked { failures } if failures + 1 < FAILURES_MAX => (State::Asked { failures: failures + 1 }, false),
            State::Asked { .. } | State::Tried { .. } => (State::Resting { until: now + REST }, true),
            // Told late, by one that was asked before.
            State::Resting { until } => (State::Resting { until }, false),
        };
        self.0 = state;
        rests
    }
}

/// The breakers of those who are asked, each by who it is and how it is connected: one that is connected otherwise begins anew.
pub struct Breakers<K>(Mutex<HashMap<K, Breaker>>);

impl<K> Default for Breakers<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Breakers<K> {
    /// Acts on the breaker of one of them.
    pub fn with<T>(&self, whose: K, act: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        act(kept.entry(whose).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn resting() -> Breaker {
        let mut breaker = Breaker::default();
        for nth in 1..=FAILURES_MAX {
            assert!(breaker.may_ask(NOW));
            assert_eq!(breaker.failed(NOW), nth == FAILURES_MAX);
        }
        breaker
    }

    #[test]
    fn failures_count_when_nothing_lies_between_them() {
        let mut breaker = Breaker::default();
        for _ in 0..3 * FAILURES_MAX {
            for _ in 1..FAILURES_MAX {
                assert!(!breaker.failed(NOW));
            }
            breaker.worked();
        }
        assert!(breaker.may_ask(NOW));
    }

    #[test]
    fn after_its_rest_it_is_tried_once_and_asked_again_when_it_works() {
        let mut breaker = resting();
        let before = Timestamp((NOW + REST).0 - 1);
        assert!(!breaker.may_ask(NOW) && !breaker.may_ask(before));
        assert!(breaker.may_ask(NOW + REST) && !breaker.may_ask(NOW + REST), "one of them tries");
        assert!(breaker.is_left_alone() && breaker.rests(NOW + REST));
        breaker.worked();
        assert!(!breaker.is_left_alone() && !breaker.rests(NOW + REST));
        assert!(breaker.may_ask(NOW + REST) && breaker.may_ask(NOW + REST));
    }

    #[test]
    fn a_try_that_fails_is_the_next_rest_and_one_that_is_never_told_of_is_over_in_time() {
        let mut breaker = resting();
        let tried = NOW + REST;
        assert!(breaker.may_ask(tried) && breaker.failed(tried));
        assert!(!breaker.may_ask(Timestamp((tried + REST).0 - 1)) && breaker.may_ask(tried + REST));
        assert!(breaker.may_ask(tried + REST + REST), "nobody told of the last one");
    }

    #[test]
    fn failures_that_are_told_late_make_no_rest_longer_nor_does_a_clock_that_goes_back() {
        let mut breaker = resting();
        assert!(!breaker.failed(NOW + Millis::seconds(20)));
        assert!(breaker.may_ask(NOW + REST));
        assert!(resting().may_ask(Timestamp(1)));
    }
}
