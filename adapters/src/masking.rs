//! Whom a customer sees: themself, and one service account of the shop.
//!
//! Whoever answers in a chat with a customer, agent, supervisor, robot or provider, is to the customer the shop. The account by
//! which they are shown has the id of the chat: it is the same on every surface, tells the sides apart, and leads to nobody. The
//! name and the picture of whoever spoke go with each message (`crate::profiles`). In a group thread everybody sees everybody.

use application::queries::ChatRow;
use domain::ids::{ChatId, UserId};

use crate::render::View;

/// The shop as its customer sees it in a chat.
#[must_use]
pub const fn service_account(chat: ChatId) -> UserId {
    UserId::from_uuid(chat.uuid())
}

/// Somebody of a chat as this view sees them. The customer is that of the chat, if it is with one.
#[must_use]
pub fn shown(user: UserId, chat: ChatId, customer: Option<UserId>, view: View) -> UserId {
    match view {
        View::Customer if customer.is_some_and(|customer| customer != user) => service_account(chat),
        View::Customer | View::Staff => user,
    }
}

/// Whoever serves as this view sees them; only chats with a customer are served.
#[must_use]
pub fn shown_agent(agent: UserId, chat: ChatId, view: View) -> UserId {
    match view {
        View::Customer => service_account(chat),
        View::Staff => agent,
    }
}

/// Somebody of a chat as another member sees them.
#[must_use]
pub fn shown_to(reader: UserId, user: UserId, row: &ChatRow) -> UserId {
    let view = if row.customer() == Some(reader) { View::Customer } else { View::Staff };
    shown(user, row.chat, row.customer(), view)
}
