//! What staff say of a ticket, as it is stored.

use serde::{Deserialize, Serialize};

use crate::ids::{ChatId, UserId};
use crate::private::Private;
use crate::remark::Remark;
use crate::time::Timestamp;

/// How far a ticket is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Nobody has begun.
    #[default]
    Open,
    /// Somebody is at it.
    InProgress,
    /// The customer must do or say something first.
    WaitingForCustomer,
    /// Done.
    Solved,
}

/// What staff should know of a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRemark {
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<Remark>,
}

/// Staff said how far the ticket of a left message is: all of it, as it is from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketChanged {
    /// The chat it runs in.
    pub chat: ChatId,
    /// Who said it.
    pub by: UserId,
    /// How far it is.
    pub state: TicketState,
    /// Whose task it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// By when it is due, where staff said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// The remark.
    #[serde(skip)]
    pub private: Private<TicketRemark>,
}
