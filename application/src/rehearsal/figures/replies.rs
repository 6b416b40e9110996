//! Rounds of questions, and when they would have been answered.

use domain::time::{Millis, Timestamp};

use super::super::chance::{Experience, quantile};
use super::super::recording::REPLY_WINDOW;
use super::super::visit::Visit;
use super::{Replies, Went, count, number, ratio};

/// Rounds, counted.
#[derive(Default)]
pub(super) struct Rounds {
    rounds: u64,
    replied: u64,
    first_responses: Vec<Millis>,
}

impl Rounds {
    pub fn visit(&mut self, visit: &Visit, went: &Went, experience: &Experience, end: Timestamp) {
        let Some(asked_at) = visit.asked_at else { return };
        let drawn = || visit.services.is_empty().then(|| experience.answer(visit)).flatten();
        let answer = went.services.iter().enumerate().find_map(|(nth, (from, until))| {
            let answered = (*from + visit.answered_after(nth).or_else(drawn)?).max(asked_at);
            // Of two at the same instant the answer was first.
            until.is_none_or(|until| answered <= until).then_some(answered).filter(|answered| *answered <= end)
        });
        match answer {
            Some(answered) => {
                let response = answered - asked_at;
                self.first_responses.push(response);
                self.rounds += 1 + u64::from(visit.later_rounds);
                self.replied += u64::from(response <= REPLY_WINDOW) + u64::from(visit.later_replied);
            }
            None => self.rounds += u64::from(end - asked_at > REPLY_WINDOW),
        }
    }

    pub fn refused(&mut self, visit: &Visit, end: Timestamp) {
        self.rounds += u64::from(visit.asked_at.is_some_and(|asked| end - asked > REPLY_WINDOW));
    }

    pub fn finish(mut self) -> Replies {
        self.first_responses.sort_unstable();
        let total: i64 = self.first_responses.iter().map(|response| response.0).sum();
        Replies {
            rounds: self.rounds,
            replied: self.replied,
            rate: ratio(number(self.replied), number(self.rounds)),
            first_response_mean_ms: ratio(total, number(count(self.first_responses.iter()))),
            first_response_p90_ms: quantile(&self.first_responses, 0.9).unwrap_or_default().0,
        }
    }
}
