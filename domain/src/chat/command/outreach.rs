//! What is asked of a chat when somebody who works for the shop starts contact with the customer.

use crate::ids::{ChannelId, ClientMessageId, MessageId, OutreachId, ShopId, UserId};
use crate::labels::{Label, Reference};
use crate::message::{ContentDigest, Kind, MessageContent, Style};
use crate::time::ClockState;

/// An attempt to start contact with the customer. It works on a chat that nobody opened, too: then nobody wrote in it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReachOut {
    /// Which attempt; derived from who makes it and their id for it, so that a repetition is the same one.
    pub attempt: OutreachId,
    /// For which shop.
    pub shop: ShopId,
    /// Whom.
    pub customer: UserId,
    /// Whether the customer's account is closed, as looked up.
    pub account_closed: bool,
    /// Who wants to.
    pub by: UserId,
    /// From where.
    pub entry: Label,
    /// The order that it is about.
    pub order: Option<Reference>,
    /// How the clock runs, as the owner says.
    pub clock: ClockState,
    /// The sender's id for the message, a UUIDv7.
    pub client_message: ClientMessageId,
    /// Id of the message, if it is posted.
    pub message: MessageId,
    /// Keyed digest of the content.
    pub digest: ContentDigest,
    /// The content.
    pub content: MessageContent,
    /// How it is shown.
    pub style: Style,
    /// What it carries.
    pub kind: Kind,
}

/// The message of an attempt on its way out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HandOver {
    /// Of which attempt.
    pub attempt: OutreachId,
    /// To which channel.
    pub channel: ChannelId,
    /// How the clock runs, as the owner says.
    pub clock: ClockState,
}
