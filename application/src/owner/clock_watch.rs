//! Whether the clock can be trusted: it is compared with how much time has really passed, and with what stands in the log.
//!
//! Commit times never run backwards, whatever the clock does; so a clock that was wrong for a while leaves times in the log that
//! make ages wrong. This file is pure: both readings come in.

use domain::time::{ClockState, Millis, Timestamp};

use crate::ports::clock::ClockReading;

/// A difference up to this is no jump: clocks are corrected by a little all the time.
const JUMP_MAX: Millis = Millis::seconds(5);
/// A clock that is being corrected runs faster or slower by less than this part, so a long pause between two readings allows more.
const SLEW_PART: i64 = 1_000;
/// How long a clock must have run evenly after a jump until it is trusted again.
const SETTLED_AFTER: Millis = Millis::minutes(10);

/// That the clock did what clocks do not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockJump {
    /// It is another time than the time that has passed makes it.
    Set {
        /// By how much; negative when it went back.
        by: Millis,
    },
    /// It lies behind the newest time in the log.
    Behind {
        /// By how much.
        by: Millis,
    },
}

/// See the file's head.
#[derive(Debug, Default)]
pub struct ClockWatch {
    last: Option<ClockReading>,
    /// When it was last set, in time that has passed.
    set_at: Option<Millis>,
    /// Whether it was known to lie behind the log.
    behind: bool,
}

impl ClockWatch {
    /// Takes a reading; answers what is new about it.
    pub fn look(&mut self, reading: ClockReading, newest: Timestamp) -> Option<ClockJump> {
        let before = self.last.replace(reading);
        let was_behind = std::mem::replace(&mut self.behind, newest - reading.now > JUMP_MAX);
        if let Some(before) = before {
            let passed = reading.elapsed.0 - before.elapsed.0;
            let by = (reading.now - before.now).0 - passed;
            if by.abs() > JUMP_MAX.0 + passed.abs() / SLEW_PART {
                self.set_at = Some(reading.elapsed);
                return Some(ClockJump::Set { by: Millis(by) });
            }
        }
        (self.behind && !was_behind).then(|| ClockJump::Behind { by: newest - reading.now })
    }

    /// Whether ages may be told by the last reading.
    #[must_use]
    pub fn state(&self, now: Timestamp, newest: Timestamp) -> ClockState {
        let settles = |set_at: Millis| self.last.is_some_and(|last| last.elapsed.0 - set_at.0 < SETTLED_AFTER.0);
        if newest - now > JUMP_MAX || self.set_at.is_some_and(settles) { ClockState::Jumped } else { ClockState::Steady }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_700_000_000_000);

    /// The clock shows so much more than the time that has passed.
    fn read(passed: Millis, ahead: Millis) -> ClockReading {
        ClockReading { now: START + passed + ahead, elapsed: passed }
    }

    fn after(readings: &[ClockReading], newest: Timestamp) -> (Option<ClockJump>, ClockState) {
        let mut watch = ClockWatch::default();
        let told = readings.iter().map(|reading| watch.look(*reading, newest)).last().flatten();
        (told, watch.state(readings.last().unwrap().now, newest))
    }

    #[test]
    fn a_clock_that_runs_evenly_is_trusted_also_after_days_without_a_reading() {
        let readings = [read(Millis(0), Millis(0)), read(Millis(1), Millis(0)), read(Millis::days(3), Millis::seconds(200))];
        assert_eq!(after(&readings, START), (None, ClockState::Steady));
    }

    #[test]
    fn a_jump_of_five_seconds_is_none_and_a_millisecond_more_is_one() {
        for sign in [1, -1] {
            let jump = |by: i64| [read(Millis(0), Millis(0)), read(Millis(0), Millis(by * sign))];
            assert_eq!(after(&jump(5_000), START - Millis::hours(1)), (None, ClockState::Steady));
            let told = Some(ClockJump::Set { by: Millis(5_001 * sign) });
            assert_eq!(after(&jump(5_001), START - Millis::hours(1)), (told, ClockState::Jumped));
        }
    }

    #[test]
    fn after_a_jump_it_is_trusted_again_when_it_has_run_evenly_for_ten_minutes() {
        let ahead = Millis::hours(2);
        let jumped = |passed| [read(Millis(0), Millis(0)), read(Millis(1), ahead), read(passed, ahead)];
        assert_eq!(after(&jumped(Millis::minutes(10)), START).1, ClockState::Jumped);
        assert_eq!(after(&jumped(Millis(10 * 60 * 1_000 + 1)), START).1, ClockState::Steady);
    }

    #[test]
    fn a_clock_behind_the_log_is_not_trusted_until_it_has_come_up_and_that_is_told_once() {
        let newest = START + Millis::seconds(60);
        let at = |seconds| read(Millis::seconds(seconds), Millis(0));
        assert_eq!(after(&[at(0)], newest), (Some(ClockJump::Behind { by: Millis::seconds(60) }), ClockState::Jumped));
        assert_eq!(after(&[at(0), at(1)], newest), (None, ClockState::Jumped));
        assert_eq!(after(&[at(0), at(54)], newest), (None, ClockState::Jumped));
        assert_eq!(after(&[at(0), at(54), at(55)], newest), (None, ClockState::Steady));
    }
}
