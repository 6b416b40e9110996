//! What robots need of the edge: a way out, and devices on which their answers grow.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::ids::{ChatId, ClientMessageId, TenantId, UserId};
use domain::message::Visibility;
use tokio::time::Instant;

use crate::config::OutgoingConfig;
use crate::hub::Hub;
use crate::hub::signal;
use crate::outgoing::Outgoing;

/// Between two times that an answer is shown as it grows: devices are told twice a second anyway.
const SHOWN_EVERY: Duration = Duration::from_millis(200);

/// Shows the members of a chat what a robot has written so far.
pub trait ShowsGrowing: Send + Sync {
    /// Shows it, to everybody but the one in whose name it is written.
    fn show(&self, of: (TenantId, ChatId, UserId), growing: signal::Growing);
}

impl ShowsGrowing for Hub {
    fn show(&self, of: (TenantId, ChatId, UserId), growing: signal::Growing) {
        self.note_growing(of, growing);
    }
}

/// Nobody looks.
#[derive(Clone, Copy, Debug)]
pub struct Unseen;

impl ShowsGrowing for Unseen {
    fn show(&self, _: (TenantId, ChatId, UserId), _: signal::Growing) {}
}

/// See the file's head.
pub struct Seats {
    /// Requests to addresses that tenants wrote down.
    pub outgoing: Arc<Outgoing>,
    /// Whoever shows what grows.
    pub shows: Arc<dyn ShowsGrowing>,
    /// The first wait before a provider is called again.
    pub provider_retry: std::time::Duration,
}

impl Seats {
    /// What is needed, with these settings.
    #[must_use]
    pub fn new(config: &OutgoingConfig, shows: Arc<dyn ShowsGrowing>) -> Self {
        Self { outgoing: Arc::new(Outgoing::new(config)), shows, provider_retry: config.provider_retry() }
    }
}

/// An answer that is shown while it grows. Unless it becomes a message, it is taken away again, whatever happens.
pub(super) struct Growing<'a> {
    shows: &'a dyn ShowsGrowing,
    of: (TenantId, ChatId, UserId),
    id: ClientMessageId,
    shown_at: Mutex<Option<Instant>>,
}

impl<'a> Growing<'a> {
    pub(super) fn new(shows: &'a dyn ShowsGrowing, of: (TenantId, ChatId, UserId), id: ClientMessageId) -> Self {
        Self { shows, of, id, shown_at: Mutex::default() }
    }

    fn show(&self, text: &str) {
        self.shows.show(self.of, signal::Growing { id: self.id, content: text.into(), visibility: Visibility::All });
    }

    /// It has come so far.
    pub(super) fn is_now(&self, text: &str) {
        let mut shown_at = self.shown_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if shown_at.is_none_or(|at| now - at >= SHOWN_EVERY) {
            *shown_at = Some(now);
            self.show(text);
        }
    }

    /// The message takes its place.
    pub(super) fn becomes_a_message(self) {
        *self.shown_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Drop for Growing<'_> {
    fn drop(&mut self) {
        if self.shown_at.get_mut().unwrap_or_else(PoisonError::into_inner).is_some() {
            self.show("");
        }
    }
}
