//! A connected device as the hub knows it: whose it is, what waits for it, whom it follows, and what it says itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::{ClientMessageId, GroupId, SessionId, UserId};

use super::Who;
use super::outbox::{Outbox, OutboxLimits};
use crate::render::View;

/// Messages of a device that are remembered as its own until they are delivered: more than are on their way at once.
const SAYS_MAX: usize = 32;

/// A connected device.
pub struct Device {
    /// Whose.
    pub who: Who,
    /// Under which sign-in.
    pub session: SessionId,
    /// How its messages are shown.
    pub view: View,
    /// What waits for it.
    pub outbox: Outbox,
    pub(super) watching: Mutex<Vec<UserId>>,
    pub(super) boards: Mutex<Vec<GroupId>>,
    /// What it says itself, until it is delivered: its answer tells it the same.
    says: Mutex<VecDeque<ClientMessageId>>,
}

impl Device {
    /// A device that has just said hello.
    #[must_use]
    pub fn new(who: Who, session: SessionId, view: View, limits: OutboxLimits) -> Arc<Self> {
        let outbox = Outbox::new(limits);
        Arc::new(Self { who, session, view, outbox, watching: Mutex::default(), boards: Mutex::default(), says: Mutex::default() })
    }

    /// Whose presence it follows.
    #[must_use]
    pub fn watching(&self) -> Vec<UserId> {
        self.watching.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Which groups' boards it follows.
    #[must_use]
    pub fn boards(&self) -> Vec<GroupId> {
        self.boards.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Device {
    /// Notes that the device itself posts a message and waits for the answer. Told before it is posted.
    pub fn says(&self, message: ClientMessageId) {
        let mut says = self.says.lock().unwrap_or_else(PoisonError::into_inner);
        if says.len() >= SAYS_MAX {
            // Refused, or posted before.
            says.pop_front();
        }
        says.push_back(message);
    }

    /// Whether this is what the device said, and has not heard yet.
    pub(super) fn said(&self, message: ClientMessageId) -> bool {
        let mut says = self.says.lock().unwrap_or_else(PoisonError::into_inner);
        let place = says.iter().position(|said| *said == message);
        place.is_some_and(|place| says.remove(place).is_some())
    }
}
