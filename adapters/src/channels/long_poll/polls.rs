//! The devices that poll: each stays linked from one poll to the next, until it has been silent for as long as a dead socket.
//!
//! One poll of a device is held at a time; a newer one ends it. This file must not know what a poll carries.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ids::SessionId;
use hashbrown::HashMap;
use tokio::time::{Instant, Sleep, sleep_until};
use uuid::Uuid;

use crate::channels::link::Link;
use crate::http::auth::SignedIn;
use crate::state::App;

/// Polling devices of one sign-in: pages of one browser. The one that polled longest ago makes room for another.
const DEVICES_MAX: usize = 8;
/// How often silent devices are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How far a device is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The last index that was sent.
    pub reached: u64,
    /// Number of the last signals that were sent; 0 before any were.
    pub signals: u64,
    /// Whether it follows live.
    pub live: bool,
    /// Signals of this link are numbered from here on.
    first_signals: u64,
    /// Whether the device lacks signals that were sent, or never had any: until they are sent whole, whatever number it presents.
    whole_is_due: bool,
}

impl Progress {
    /// Nothing was sent yet. The number is any of this link's own: one that a device got over another link, before the server
    /// started anew, must not pass for one of these.
    const fn beginning(chance: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = chance;
        // Far below what JSON's readers hold exactly, however much is counted on.
        let first_signals = u64::from_be_bytes([0, 0, a, b, c, d, e, f]) + 1;
        Self { reached: 0, signals: 0, live: false, first_signals, whole_is_due: true }
    }

    /// Notes that signals are sent: all of them, if that was due.
    pub fn sends_signals(&mut self) {
        self.signals = (self.signals + 1).max(self.first_signals);
        self.whole_is_due = false;
    }

    /// Notes what the device presents. With another number than the last it lacks what was sent since, and goes on lacking it, also
    /// when it was told that number again with an answer that had no signals.
    pub fn presents(&mut self, signals: Option<u64>) {
        self.whole_is_due |= signals != Some(self.signals);
    }

    /// Whether all signals must be sent whole.
    #[must_use]
    pub const fn whole_is_due(&self) -> bool {
        self.whole_is_due
    }
}

/// What the poll in turn has to itself.
pub struct Held {
    /// How far the device is.
    pub progress: Progress,
    /// When it waits no longer. One for all polls of a device, because putting off is cheap and setting anew is not.
    pub alarm: Pin<Box<Sleep>>,
}

/// A device that polls.
pub struct Poll {
    /// Its link.
    pub link: Link,
    held: tokio::sync::Mutex<Held>,
    /// Number of the newest poll.
    newest: AtomicU64,
    seen: Mutex<Instant>,
}

/// The right to answer for a device, until a newer poll comes.
pub struct Turn<'a> {
    /// Which poll of the device this is.
    pub nth: u64,
    /// What it has to itself.
    pub held: tokio::sync::MutexGuard<'a, Held>,
}

impl Poll {
    fn new(link: Link) -> Arc<Self> {
        let mut chance = [0; 6];
        crate::ids::fill_random(&mut chance);
        let now = Instant::now();
        let held = Held { progress: Progress::beginning(chance), alarm: Box::pin(sleep_until(now)) };
        Arc::new(Self { link, held: tokio::sync::Mutex::new(held), newest: AtomicU64::new(0), seen: Mutex::new(now) })
    }

    /// Takes over from the poll before.
    pub async fn take_turn(&self) -> Turn<'_> {
        let nth = self.newest.fetch_add(1, Ordering::AcqRel) + 1;
        // The one before waits for its outbox and for nothing else.
        self.link.device().outbox.wake();
        self.seen();
        Turn { nth, held: self.held.lock().await }
    }

    /// Whether there is a newer poll than this one. Whoever is superseded while waiting for its outbox is woken.
    pub fn is_superseded(&self, nth: u64) -> bool {
        self.newest.load(Ordering::Acquire) > nth
    }

    /// Notes a sign of life.
    pub fn seen(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn seen_at(&self) -> Instant {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_held(&self) -> bool {
        self.held.try_lock().is_err()
    }
}

type Table = HashMap<SessionId, Vec<(Uuid, Arc<Poll>)>>;

/// See the file's head.
#[derive(Default)]
pub struct Polls {
    table: Mutex<Table>,
}

impl Polls {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device of a sign-in, linked if it is new.
    pub fn join(&self, app: &App, user: &SignedIn, device: Uuid) -> (Arc<Poll>, bool) {
        if let Some(poll) = self.find(user.session, device) {
            return (poll, false);
        }
        // Outside of the lock, which every order of a device needs. Of two that come at once one is taken off again.
        let poll = Poll::new(Link::attach(app, user));
        let mut table = self.table();
        let devices = table.entry(user.session).or_default();
        if let Some((_, first)) = devices.iter().find(|(known, _)| *known == device) {
            let first = Arc::clone(first);
            drop(table);
            return (first, false);
        }
        devices.push((device, Arc::clone(&poll)));
        let dropped = if devices.len() > DEVICES_MAX {
            let oldest = (0..devices.len()).min_by_key(|nth| devices[*nth].1.seen_at());
            oldest.map(|nth| devices.remove(nth))
        } else {
            None
        };
        drop(table);
        // Taken off outside of the lock: whoever holds it may answer first.
        drop(dropped);
        (poll, true)
    }

    /// The device with this id, if it polls.
    pub fn find(&self, session: SessionId, device: Uuid) -> Option<Arc<Poll>> {
        let table = self.table();
        let devices = table.get(&session)?;
        devices.iter().find(|(known, _)| *known == device).map(|(_, poll)| Arc::clone(poll))
    }

    /// Takes a device off that was told to go.
    pub fn forget(&self, session: SessionId, device: Uuid, poll: &Arc<Poll>) {
        let mut table = self.table();
        if let Some(devices) = table.get_mut(&session) {
            devices.retain(|(known, other)| *known != device || !Arc::ptr_eq(other, poll));
            if devices.is_empty() {
                table.remove(&session);
            }
        }
    }

    /// Takes off whoever has not polled for as long as a dead socket, until the order to stop; then everybody, and also when this
    /// is not awaited to its end: a poll holds the state that holds the polls.
    pub async fn run(&self, app: App) {
        let _emptied = Emptied(self);
        let dead_after = app.config.websocket.dead_after();
        loop {
            tokio::select! {
                () = app.shutdown.ordered() => break,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = Instant::now();
            self.take_off(|poll| poll.is_held() || now - poll.seen_at() < dead_after);
        }
    }

    fn take_off(&self, stays: impl Fn(&Poll) -> bool) {
        let mut gone = Vec::new();
        self.table().retain(|_, devices| {
            gone.extend(devices.extract_if(.., |(_, poll)| !stays(poll)));
            !devices.is_empty()
        });
        drop(gone);
    }
}

/// Takes everybody off at its end.
struct Emptied<'a>(&'a Polls);

impl Drop for Emptied<'_> {
    fn drop(&mut self) {
        self.0.take_off(|_| false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_count_from_a_number_of_their_link_and_stay_exact_in_json() {
        let mut progress = Progress::beginning([0, 0, 0, 0, 0, 6]);
        progress.presents(Some(0));
        assert!(progress.whole_is_due(), "none were sent");
        progress.sends_signals();
        assert_eq!(progress.signals, 7);
        progress.sends_signals();
        progress.presents(Some(8));
        assert!(!progress.whole_is_due());
        for chance in [[0; 6], [255; 6]] {
            let mut other = Progress::beginning(chance);
            other.sends_signals();
            assert!(other.signals != 0 && other.signals < 1 << 53);
            other.presents(Some(8));
            assert!(other.whole_is_due());
        }
    }

    #[test]
    fn a_device_that_lacks_signals_lacks_them_until_they_are_sent_whole() {
        let mut progress = Progress::beginning([0, 0, 0, 0, 0, 6]);
        progress.sends_signals();
        progress.sends_signals();
        progress.presents(Some(7));
        assert!(progress.whole_is_due());
        // The answer had items and the number 8, but no signals.
        progress.presents(Some(8));
        assert!(progress.whole_is_due());
        progress.sends_signals();
        progress.presents(Some(9));
        assert!(!progress.whole_is_due());
    }
}
