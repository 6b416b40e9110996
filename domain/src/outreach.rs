//! The outreach rule: when somebody who works for a shop may start contact with a customer. And the words in which an attempt is told.
//!
//! It is one function of what is known at a moment, asked when an attempt is made and again when its message is handed over to a
//! channel. It must not know chats, who may ask, or where the facts it is given come from.

use serde::{Deserialize, Serialize};

use crate::ids::{MessageId, UserId};
use crate::labels::Label;
use crate::time::{ClockState, Millis, Timestamp};

/// The number of the rule below; another rule gets another one, so that an old attempt is checked against what was in force.
pub const RULE: u16 = 1;
/// How old the customer's newest message may be: this old is allowed, a millisecond more is not.
pub const AGE_MAX: Millis = Millis::hours(72);
/// From where contact may be started.
pub const ENTRIES: [&str; 2] = ["order_page", "agent_console"];

/// The newest message that a customer themself sent to a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QualifyingMessage {
    /// Which.
    pub message: MessageId,
    /// Its place in the chat.
    pub seq: u64,
    /// The account under which the customer sent it; an anonymous one may have been merged since.
    pub sender: UserId,
    /// The time of its commit.
    pub at: Timestamp,
}

/// Why contact may not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutreachRefusal {
    /// It is started neither from an order page nor from the agent console.
    EntryNotAllowed,
    /// The customer's account is closed.
    AccountClosed,
    /// The clock jumped lately, so no age is to be trusted.
    ClockJumped,
    /// The customer never sent a message to this shop.
    NoMessage,
    /// Their newest message is too old.
    TooOld,
    /// Somebody else serves the customer now: they speak, and nobody beside them.
    ServedByAnother,
}

/// What the rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutreachVerdict {
    /// Contact may be started.
    Allowed,
    /// It may not.
    Refused(OutreachRefusal),
}

/// What the rule says, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The number of the rule.
    pub rule: u16,
    /// How old the qualifying message may be.
    pub age_max: Millis,
    /// The customer's newest message, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qualifying: Option<QualifyingMessage>,
    /// How old it was: the time of the decision minus its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<Millis>,
    /// What follows.
    pub verdict: OutreachVerdict,
}

impl Ruling {
    /// The rule, for a message that is there already and is handed over to a channel.
    #[must_use]
    pub fn of_age(newest: Option<QualifyingMessage>, clock: ClockState, at: Timestamp) -> Self {
        let age = newest.map(|message| at - message.at);
        let verdict = match (clock, age) {
            (ClockState::Jumped, _) => OutreachVerdict::Refused(OutreachRefusal::ClockJumped),
            (ClockState::Steady, None) => OutreachVerdict::Refused(OutreachRefusal::NoMessage),
            (ClockState::Steady, Some(age)) if age > AGE_MAX => OutreachVerdict::Refused(OutreachRefusal::TooOld),
            (ClockState::Steady, Some(_)) => OutreachVerdict::Allowed,
        };
        Self { rule: RULE, age_max: AGE_MAX, qualifying: newest, age, verdict }
    }

    /// The same, refused for another reason.
    #[must_use]
    pub const fn refused(self, reason: OutreachRefusal) -> Self {
        Self { verdict: OutreachVerdict::Refused(reason), ..self }
    }

    /// Whether contact may be started.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.verdict == OutreachVerdict::Allowed
    }
}

/// Whether contact may be started from there.
#[must_use]
pub fn is_entry(entry: &Label) -> bool {
    ENTRIES.contains(&entry.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    fn said(at: Timestamp) -> Option<QualifyingMessage> {
        Some(QualifyingMessage { message: MessageId::from_u128(1), seq: 1, sender: UserId::from_u128(2), at })
    }

    fn after(age: Millis) -> OutreachVerdict {
        Ruling::of_age(said(NOW), ClockState::Steady, NOW + age).verdict
    }

    #[test]
    fn seventy_two_hours_are_allowed_and_a_millisecond_more_is_not() {
        assert_eq!(after(Millis(0)), OutreachVerdict::Allowed);
        assert_eq!(after(Millis(72 * 60 * 60 * 1_000 - 1)), OutreachVerdict::Allowed);
        assert_eq!(after(Millis(72 * 60 * 60 * 1_000)), OutreachVerdict::Allowed);
        assert_eq!(after(Millis(72 * 60 * 60 * 1_000 + 1)), OutreachVerdict::Refused(OutreachRefusal::TooOld));
    }

    #[test]
    fn whoever_never_wrote_is_not_written_to() {
        let ruling = Ruling::of_age(None, ClockState::Steady, NOW);
        assert_eq!((ruling.age, ruling.verdict), (None, OutreachVerdict::Refused(OutreachRefusal::NoMessage)));
    }

    #[test]
    fn no_age_is_trusted_while_the_clock_is_not_and_it_is_written_down_all_the_same() {
        let ruling = Ruling::of_age(said(NOW), ClockState::Jumped, NOW + Millis(5));
        assert_eq!((ruling.age, ruling.verdict), (Some(Millis(5)), OutreachVerdict::Refused(OutreachRefusal::ClockJumped)));
    }

    #[test]
    fn contact_is_started_from_an_order_page_or_the_agent_console_and_from_nowhere_else() {
        assert!(["order_page", "agent_console"].iter().all(|entry| is_entry(&entry.parse().unwrap())));
        assert!(["order", "campaign", "robot", "shop_page"].iter().all(|entry| !is_entry(&entry.parse().unwrap())));
    }
}
