//! The attempts to start contact with customers: where each is told. Few beside the messages, but kept for years, so rows stay on the
//! disk.

use std::sync::Arc;

use application::log::stream::StreamKey;
use application::queries::{EventRef, OutreachRow};
use domain::chat::event::{ChatEvent, OutreachAttempted, OutreachHandedOver};
use domain::event::Event;
use domain::ids::{ChatId, OutreachId, TenantId};
use serde::{Deserialize, Serialize};

use crate::keys::Key;
use crate::projection::{ApplyError, Fact, Projection, Streams, ViewInfo};
use crate::rows::{Row, Rows};
use crate::store::{ViewStore, WriteBatch};

/// What is fixed about this view.
pub const INFO: ViewInfo = ViewInfo { name: "outreach", version: 1, streams: Streams::CHAT, tables: &["attempts", "places"] };

/// Where an attempt is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place(EventRef);

impl Row for OutreachRow {}
impl Row for Place {}

/// See the file's head.
pub struct Outreach {
    /// By place, the newest first.
    attempts: Rows<OutreachRow>,
    /// By attempt.
    places: Rows<Place>,
}

impl Outreach {
    /// The view over a store.
    #[must_use]
    pub fn open(store: &Arc<dyn ViewStore>) -> Self {
        let rows = |table| (Arc::clone(store), INFO.table(table));
        let (attempts, places) = (rows("attempts"), rows("places"));
        Self { attempts: Rows::new(attempts.0, attempts.1), places: Rows::new(places.0, places.1) }
    }

    /// An attempt.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn attempt(&self, tenant: TenantId, attempt: OutreachId) -> Result<Option<OutreachRow>, ApplyError> {
        match self.places.read(by_attempt(tenant, attempt))? {
            Some(Place(at)) => self.attempts.read(Key::new(tenant, newest_first(at))),
            None => Ok(None),
        }
    }

    /// Attempts of a tenant, the newest first, before the one that is told at a place.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn attempts(&self, tenant: TenantId, before: Option<EventRef>, limit: usize) -> Result<Vec<OutreachRow>, ApplyError> {
        let page = self.attempts.page(tenant, before.map(newest_first), limit)?;
        Ok(page.into_iter().map(|(_, row)| row).collect())
    }

    fn attempted(&mut self, fact: &Fact<'_>, chat: ChatId, attempted: &OutreachAttempted) -> Result<(), ApplyError> {
        let row = OutreachRow { attempt: attempted.attempt, chat, at: fact.at, handed_over: vec![] };
        // The same id may have been used for two customers; the first one keeps it.
        self.places.change(by_attempt(fact.tenant, attempted.attempt))?.get_or_insert(Place(fact.at));
        self.attempts.insert_new(Key::new(fact.tenant, newest_first(fact.at)), row);
        Ok(())
    }

    fn handed_over(&mut self, fact: &Fact<'_>, handed_over: &OutreachHandedOver) -> Result<(), ApplyError> {
        let place = self.places.get(by_attempt(fact.tenant, handed_over.attempt))?.copied().ok_or(ApplyError::NotOpened)?;
        let row = self.attempts.change_if_there(Key::new(fact.tenant, newest_first(place.0)))?.ok_or(ApplyError::NotOpened)?;
        row.handed_over.push(fact.at);
        Ok(())
    }
}

fn by_attempt(tenant: TenantId, attempt: OutreachId) -> Key {
    Key::new(tenant, *attempt.as_bytes())
}

/// A place as a key in the order from the newest to the oldest.
fn newest_first(at: EventRef) -> [u8; 16] {
    (!((u128::from(at.commit.0) << 64) | u128::from(at.index))).to_be_bytes()
}

impl Projection for Outreach {
    fn apply(&mut self, fact: &Fact<'_>) -> Result<(), ApplyError> {
        match (fact.event, fact.stream) {
            (Event::Chat(ChatEvent::OutreachAttempted(attempted)), StreamKey::Chat(chat)) => self.attempted(fact, chat, attempted),
            (Event::Chat(ChatEvent::OutreachHandedOver(handed_over)), StreamKey::Chat(_)) => self.handed_over(fact, handed_over),
            (
                Event::Chat(_)
                | Event::Conversation(_)
                | Event::User(_)
                | Event::Desk(_)
                | Event::Tenant(_)
                | Event::Campaign(_)
                | Event::Retrieval(_),
                _,
            ) => Ok(()),
        }
    }

    fn flush(&mut self, batch: &mut WriteBatch) {
        self.attempts.flush(batch, |_, _, _| {});
        self.places.flush(batch, |_, _, _| {});
    }

    fn wrote(&mut self, flushes: usize) {
        self.attempts.wrote(flushes);
        self.places.wrote(flushes);
    }

    fn pending(&self) -> usize {
        self.attempts.pending() + self.places.pending()
    }
}
