//! The devices that poll: each stays linked from one poll to the next, until it has been silent for as long as a dead socket.
//!
//! One poll of a device is held at a time; a newer one ends it. This file must not know what a poll carries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ids::SessionId;
use hashbrown::HashMap;
use tokio::time::Instant;
use uuid::Uuid;

use crate::channels::link::Link;
use crate::http::auth::SignedIn;
use crate::state::App;

/// Polling devices of one sign-in: pages of one browser. The one that polled longest ago makes room for another.
const DEVICES_MAX: usize = 8;
/// How often silent devices are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How far a device is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// The last index that was sent.
    pub reached: u64,
    /// Number of the last signals that were sent.
    pub signals: u64,
    /// Whether it follows live.
    pub live: bool,
}

/// A device that polls.
pub struct Poll {
    /// Its link.
    pub link: Link,
    progress: tokio::sync::Mutex<Progress>,
    /// Number of the newest poll.
    newest: AtomicU64,
    seen: Mutex<Instant>,
}

/// The right to answer for a device, until a newer poll comes.
pub struct Turn<'a> {
    /// Which poll of the device this is.
    pub nth: u64,
    /// How far the device is.
    pub progress: tokio::sync::MutexGuard<'a, Progress>,
}

impl Poll {
    fn new(link: Link) -> Arc<Self> {
        Arc::new(Self { link, progress: tokio::sync::Mutex::default(), newest: AtomicU64::new(0), seen: Mutex::new(Instant::now()) })
    }

    /// Takes over from the poll before.
    pub async fn take_turn(&self) -> Turn<'_> {
        let nth = self.newest.fetch_add(1, Ordering::AcqRel) + 1;
        // The one before waits for its outbox and for nothing else.
        self.link.device().outbox.wake();
        self.seen();
        Turn { nth, progress: self.progress.lock().await }
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
        self.progress.try_lock().is_err()
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
        let mut table = self.table();
        let devices = table.entry(user.session).or_default();
        if let Some((_, poll)) = devices.iter().find(|(known, _)| *known == device) {
            return (Arc::clone(poll), false);
        }
        let poll = Poll::new(Link::attach(app, user));
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

    /// Takes off whoever has not polled for as long as a dead socket, until the order to stop; then everybody who holds no poll.
    pub async fn run(&self, app: App) {
        let dead_after = app.config.websocket.dead_after();
        loop {
            tokio::select! {
                () = app.shutdown.ordered() => break,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = Instant::now();
            self.take_off(|poll| poll.is_held() || now - poll.seen_at() < dead_after);
        }
        self.take_off(|_| false);
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
