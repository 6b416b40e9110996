//! The tickets of left messages.

use domain::conversation::ticket::{Ticket, TicketState};
use domain::ids::UserId;
use domain::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

use super::EventRef;

/// The ticket of a left message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRow {
    /// How far it is.
    pub ticket: Ticket,
    /// When the message was left, the first time.
    pub left_at: Timestamp,
    /// Where staff said something of it, the first one first.
    pub changes: Vec<EventRef>,
}

impl TicketRow {
    /// By when it is due: as staff said, or so long after the message was left.
    #[must_use]
    pub fn due_at(&self, due: Millis) -> Timestamp {
        self.ticket.due_at.unwrap_or(self.left_at + due)
    }

    /// Whether it should have been solved.
    #[must_use]
    pub fn is_overdue(&self, due: Millis, now: Timestamp) -> bool {
        self.ticket.state != TicketState::Solved && self.due_at(due) < now
    }
}

/// Which tickets a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TicketFilter {
    /// Only in this state.
    pub state: Option<TicketState>,
    /// Only this one's.
    pub owner: Option<UserId>,
    /// Only those that are overdue: the time now, and the tenant's limit.
    pub overdue: Option<(Timestamp, Millis)>,
}

impl TicketFilter {
    /// Whether a ticket is shown.
    #[must_use]
    pub fn shows(&self, row: &TicketRow) -> bool {
        self.state.is_none_or(|state| state == row.ticket.state)
            && self.owner.is_none_or(|owner| row.ticket.owner == Some(owner))
            && self.overdue.is_none_or(|(now, due)| row.is_overdue(due, now))
    }
}
