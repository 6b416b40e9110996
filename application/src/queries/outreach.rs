//! What can be known of attempts to start contact with customers. What each says stands in the log.

use domain::ids::{ChatId, OutreachId};
use serde::{Deserialize, Serialize};

use super::EventRef;

/// An attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutreachRow {
    /// Which.
    pub attempt: OutreachId,
    /// In whose stream it is told: the chat of the shop and the customer, or one that nobody ever opened.
    pub chat: ChatId,
    /// Where it is told.
    pub at: EventRef,
    /// Where it is told what became of its message on the way out.
    pub handed_over: Vec<EventRef>,
}
