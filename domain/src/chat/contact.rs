//! What a chat remembers for the outreach rule: the customer's newest message, and what was said of messages on their way out.

use serde::{Deserialize, Serialize};

use crate::ids::OutreachId;
use crate::outreach::{OutreachVerdict, QualifyingMessage};

/// How many messages on their way out are remembered: more than wait for a channel at a time.
const HANDED_OVER_KEPT: usize = 16;

/// See the file's head.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// The newest message that the customer themself sent.
    pub newest: Option<QualifyingMessage>,
    /// What the rule last said of the messages that were handed over lately, in the order of their attempts.
    handed_over: Vec<(OutreachId, OutreachVerdict)>,
}

impl Contact {
    /// What the rule last said of an attempt's message on its way out.
    #[must_use]
    pub fn handed_over(&self, attempt: OutreachId) -> Option<OutreachVerdict> {
        self.handed_over.iter().find(|(known, _)| *known == attempt).map(|(_, verdict)| *verdict)
    }

    /// Remembers what the rule said of it.
    pub(super) fn remember(&mut self, attempt: OutreachId, verdict: OutreachVerdict) {
        self.handed_over.retain(|(known, _)| *known != attempt);
        if self.handed_over.len() >= HANDED_OVER_KEPT {
            self.handed_over.remove(0);
        }
        self.handed_over.push((attempt, verdict));
    }
}
