//! A left message is a ticket: somebody's task, with a state and a time by which it is due.
//!
//! What staff say of a ticket is a fact of its own; what follows from the service itself (an agent gets the conversation, it
//! ends) follows here, for the decider and for whoever shows tickets alike.

use serde::{Deserialize, Serialize};

use super::Decided;
use super::error::ConversationError;
pub use super::event::TicketState;
use super::event::{CloseReason, TicketChanged, TicketRemark};
use super::state::ConversationState;
use crate::ids::UserId;
use crate::private::Private;
use crate::remark::Remark;
use crate::time::Timestamp;
use crate::user::describe::Edit;

/// Most changes of one ticket, because each of them is shown with it.
pub const TICKET_CHANGES_MAX: usize = 200;

/// What is known of a ticket without its remarks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// How far it is.
    pub state: TicketState,
    /// Whose task it is.
    pub owner: Option<UserId>,
    /// By when it is due, where staff said so; otherwise the tenant's limit says it.
    pub due_at: Option<Timestamp>,
}

impl Ticket {
    /// A message was left: there is a ticket from here on, and what was solved is open again.
    pub fn left(ticket: &mut Option<Self>) {
        let ticket = ticket.get_or_insert_default();
        if ticket.state == TicketState::Solved {
            ticket.state = TicketState::Open;
        }
    }

    /// An agent has the conversation: they are at it, and whose it is, it stays.
    pub fn given_to(&mut self, agent: UserId) {
        self.owner.get_or_insert(agent);
        if self.state == TicketState::Open {
            self.state = TicketState::InProgress;
        }
    }

    /// The conversation ended. What somebody ended is done; what ran out is not.
    pub fn ended(&mut self, reason: CloseReason) {
        match reason {
            CloseReason::EndedByCustomer
            | CloseReason::EndedByAgent
            | CloseReason::EndedBySupervisor
            | CloseReason::Abandoned
            | CloseReason::Left
            | CloseReason::Blocked => self.state = TicketState::Solved,
            CloseReason::Expired | CloseReason::Unanswered => {}
        }
    }

    /// Staff said what it is from here on.
    pub fn changed(&mut self, changed: &TicketChanged) {
        *self = Self { state: changed.state, owner: changed.owner, due_at: changed.due_at };
    }
}

/// What staff say of a ticket; what they do not mention stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketChange {
    /// Who says it.
    pub by: UserId,
    /// How far it is.
    pub state: Option<TicketState>,
    /// Whose task it is.
    pub owner: Edit<UserId>,
    /// By when it is due.
    pub due_at: Edit<Timestamp>,
    /// What staff should know of it.
    pub remark: Option<Remark>,
}

pub(super) fn change(state: &ConversationState, change: &TicketChange) -> Decided {
    let session = state.session().ok_or(ConversationError::NotOpened)?;
    let before = session.ticket.ok_or(ConversationError::NoTicket)?;
    let after = Ticket {
        state: change.state.unwrap_or(before.state),
        owner: change.owner.of(before.owner.as_ref()),
        due_at: change.due_at.of(before.due_at.as_ref()),
    };
    if after == before && change.remark.is_none() {
        return Ok(vec![]);
    }
    if session.ticket_changes as usize >= TICKET_CHANGES_MAX {
        return Err(ConversationError::TooManyTicketChanges { limit: TICKET_CHANGES_MAX });
    }
    let Ticket { state, owner, due_at } = after;
    let private = Private::Known(TicketRemark { remark: change.remark.clone() });
    Ok(vec![TicketChanged { chat: session.chat, by: change.by, state, owner, due_at, private }.into()])
}
