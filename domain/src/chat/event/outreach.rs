//! What is stored of every attempt to start contact with a customer, sent or refused.

use serde::{Deserialize, Serialize};

use crate::ids::{ChannelId, OutreachId, ShopId, UserId};
use crate::labels::{Label, Reference};
use crate::outreach::Ruling;

/// Somebody who works for the shop wanted to start contact with the customer. Whether they did stands in the ruling; where it was
/// allowed, the message is the next event of the same commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutreachAttempted {
    /// Which attempt.
    pub attempt: OutreachId,
    /// For which shop.
    pub shop: ShopId,
    /// Whom.
    pub customer: UserId,
    /// Who wanted to.
    pub by: UserId,
    /// From where: `order_page`, `agent_console`, or another word and thus refused.
    pub entry: Label,
    /// What the tenant's own systems call the order that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Reference>,
    /// What the rule said.
    pub ruling: Ruling,
}

/// The message of an attempt was about to be handed over to the customer's channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutreachHandedOver {
    /// The message of which attempt.
    pub attempt: OutreachId,
    /// To which channel.
    pub channel: ChannelId,
    /// What the rule said then: handed over where it is allowed, held back where it is refused.
    pub ruling: Ruling,
}
