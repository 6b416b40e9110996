//! What the read models hand over for those who are connected.

use std::sync::Arc;

use bytes::Bytes;
use domain::event::Event;
use domain::ids::{TenantId, UserId};

use super::{EventRef, FeedKind};
use crate::log::commit::{CommitHeader, EventMeta};
use crate::log::decoded::{Decoded, DecodedEvent};

/// An event with the readers whose feeds it entered, handed to whoever pushes to devices.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Where it lies.
    pub at: EventRef,
    /// The bytes of the commit that it is part of: a closed private half is opened from here.
    pub bytes: Bytes,
    /// What they say. The event at [`Self::at`] is known.
    commit: Arc<Decoded>,
    /// Whose feed it entered, under which index, as what.
    pub readers: Vec<(UserId, u64, FeedKind)>,
    /// The customer of the chat, where the event is about a member of whom it does not say what they are there.
    pub customer: Option<UserId>,
}

impl Delivery {
    /// An event of a commit. `None` if it could not be read: nobody can be shown that.
    #[must_use]
    pub fn new(
        at: EventRef,
        bytes: Bytes,
        commit: Arc<Decoded>,
        readers: Vec<(UserId, u64, FeedKind)>,
        customer: Option<UserId>,
    ) -> Option<Self> {
        let delivery = Self { at, bytes, commit, readers, customer };
        delivery.known().is_some().then_some(delivery)
    }

    fn known(&self) -> Option<(&EventMeta, &Event)> {
        match self.commit.events.get(usize::try_from(self.at.index).ok()?)? {
            DecodedEvent::Known(meta, event) => Some((meta, event)),
            DecodedEvent::Poison(_) => None,
        }
    }

    /// The commit's header.
    #[must_use]
    pub fn header(&self) -> &CommitHeader {
        &self.commit.header
    }

    /// Whose it is.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.commit.header.stream.tenant
    }

    /// What surrounds the event.
    ///
    /// # Panics
    /// Never: it was looked at when the delivery was made.
    #[must_use]
    pub fn meta(&self) -> &EventMeta {
        self.known().expect("looked at when it was made").0
    }

    /// The event. Its private half is open if it was decided a moment ago, closed if it was read.
    ///
    /// # Panics
    /// Never: it was looked at when the delivery was made.
    #[must_use]
    pub fn event(&self) -> &Event {
        self.known().expect("looked at when it was made").1
    }
}

/// Receives what the read models have taken in, in order, right after they did. Must not block.
pub trait DeliverySink: Send + Sync {
    /// Some events of one tenant or several, oldest first. Events without readers are included: presence and boards follow them.
    fn deliver(&self, batch: Vec<Delivery>);
}
