//! How somebody who works for the shop starts contact with the customer: the rule is asked, the attempt becomes a fact whatever it says,
//! and the message is posted with it where it is allowed.

use super::{Decided, check_client_id, check_minted, is_posted};
use crate::chat::command::{HandOver, ReachOut};
use crate::chat::error::ChatError;
use crate::chat::event::{MessagePosted, OutreachAttempted, OutreachHandedOver};
use crate::chat::state::{CLIENT_IDS_KEPT_FOR, ChatState, OpenChat, ServiceChat};
use crate::message::{Category, Origin, Persona, Visibility};
use crate::outreach::{OutreachRefusal, Ruling, is_entry};
use crate::private::Private;
use crate::time::Timestamp;

pub(super) fn reach_out(order: &ReachOut, state: &ChatState, at: Timestamp) -> Decided {
    // What cannot be said at all is no attempt.
    order.content.check()?;
    let chat = state.open();
    let service = chat.map(|chat| belonging(chat, order)).transpose()?;
    match chat {
        Some(chat) if is_posted(chat, order.by, order.client_message, order.digest)? => return Ok(vec![]),
        Some(chat) => check_client_id(chat, order.by, order.client_message, at)?,
        None => check_minted(order.client_message, at - CLIENT_IDS_KEPT_FOR, at)?,
    }
    let ruling = rule(order, service, at);
    let attempted = OutreachAttempted {
        attempt: order.attempt,
        shop: order.shop,
        customer: order.customer,
        by: order.by,
        entry: order.entry.clone(),
        order: order.order.clone(),
        ruling,
    };
    let mut events = vec![attempted.into()];
    if let Some(chat) = chat.filter(|_| ruling.is_allowed()) {
        events.push(message(chat, order).into());
    }
    Ok(events)
}

/// The chat, if it is the one between this shop and this customer.
fn belonging<'a>(chat: &'a OpenChat, order: &ReachOut) -> Result<&'a ServiceChat, ChatError> {
    let service = chat.service().ok_or(ChatError::OtherKind)?;
    if service.shop == order.shop && service.customer == order.customer { Ok(service) } else { Err(ChatError::BelongsToAnother) }
}

fn rule(order: &ReachOut, service: Option<&ServiceChat>, at: Timestamp) -> Ruling {
    let ruling = Ruling::of_age(service.and_then(|service| service.contact.newest), order.clock, at);
    let serves_another = service.and_then(|service| service.serving).is_some_and(|(agent, _)| agent != order.by);
    if !is_entry(&order.entry) {
        ruling.refused(OutreachRefusal::EntryNotAllowed)
    } else if order.account_closed {
        ruling.refused(OutreachRefusal::AccountClosed)
    } else if ruling.is_allowed() && serves_another {
        ruling.refused(OutreachRefusal::ServedByAnother)
    } else {
        ruling
    }
}

/// It belongs to no conversation, and begins none: the customer does, by answering.
fn message(chat: &OpenChat, order: &ReachOut) -> MessagePosted {
    MessagePosted {
        message: order.message,
        seq: chat.last_seq + 1,
        client_message: order.client_message,
        digest: order.digest,
        sender: order.by,
        category: Category::Agent,
        origin: Origin::Outreach { attempt: order.attempt },
        persona: Persona::Shop,
        visibility: Visibility::All,
        style: order.style,
        kind: order.kind,
        conversation: None,
        assignment: None,
        quote: None,
        quote_seq: None,
        attachment: None,
        body_bytes: u32::try_from(order.content.bytes()).unwrap_or(u32::MAX),
        private: Private::Known(order.content.clone()),
    }
}

/// What the rule said last of this message is not said again: its delivery is tried more than once.
pub(super) fn hand_over(service: &ServiceChat, order: &HandOver, at: Timestamp) -> Decided {
    let ruling = Ruling::of_age(service.contact.newest, order.clock, at);
    if service.contact.handed_over(order.attempt) == Some(ruling.verdict) {
        return Ok(vec![]);
    }
    Ok(vec![OutreachHandedOver { attempt: order.attempt, channel: order.channel, ruling }.into()])
}
