//! A bucket of tokens that fills evenly: what may happen at once, and how often in the long run.

use domain::time::Timestamp;

/// Parts of a token, so that a bucket that gets one a minute fills by the millisecond.
const PARTS: u64 = 60_000;

/// How large a bucket is, and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Tokens that it holds.
    pub at_once: u32,
    /// Tokens that it gets.
    pub per_minute: u32,
}

/// A bucket as it was left.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    parts: u64,
    at: Timestamp,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub fn full(rate: Rate, now: Timestamp) -> Self {
        Self { parts: u64::from(rate.at_once) * PARTS, at: now }
    }

    /// What is in it now. A clock that went back fills nothing.
    #[must_use]
    pub fn filled(self, rate: Rate, now: Timestamp) -> Self {
        let since = u64::try_from((now - self.at).0).unwrap_or(0);
        let most = u64::from(rate.at_once) * PARTS;
        let parts = since.saturating_mul(u64::from(rate.per_minute)).saturating_add(self.parts).min(most);
        Self { parts, at: self.at.max(now) }
    }

    /// Takes a token out; `false` when there is none.
    #[must_use]
    pub fn take(&mut self) -> bool {
        let left = self.parts.checked_sub(PARTS);
        self.parts = left.unwrap_or(self.parts);
        left.is_some()
    }

    /// Milliseconds until there is a token; 0 when there is one.
    #[must_use]
    pub fn wait_ms(&self, rate: Rate) -> u64 {
        PARTS.saturating_sub(self.parts).div_ceil(u64::from(rate.per_minute.max(1)))
    }

    /// When it was last looked at.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use domain::time::Millis;

    use super::*;

    #[test]
    fn a_bucket_gives_what_it_holds_and_then_what_it_gets() {
        let rate = Rate { at_once: 2, per_minute: 30 };
        let now = Timestamp(1_700_000_000_000);
        let mut bucket = Bucket::full(rate, now);
        assert!(bucket.take() && bucket.take() && !bucket.take());
        assert_eq!(bucket.wait_ms(rate), 2_000);
        let mut later = bucket.filled(rate, now + Millis(1_999));
        assert_eq!((later.take(), later.wait_ms(rate)), (false, 1));
        let mut later = later.filled(rate, now + Millis(2_000));
        assert!(later.take() && !later.take());
        let mut full = later.filled(rate, now + Millis::days(9));
        assert!(full.take() && full.take() && !full.take(), "no more than it holds is saved up");
        assert_eq!(full.filled(rate, now).wait_ms(rate), 2_000, "a clock that goes back gives nothing and takes nothing");
    }
}
