//! The sockets that are open on this node, and what the read models hand over for them.
//!
//! The read models deliver what they have taken in; the hub renders it for those who are connected, at most once per kind and
//! view, and puts it into each device's bounded queue. Nothing here waits or does I/O, because the read models wait for it.
//! It must not know what a socket is: a device's task takes from its queue ([`outbox`]).

mod device;
pub mod followed;
pub mod outbox;
mod rendered;
pub mod signal;
pub mod stale;
pub mod watchers;

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use application::log::stream::StreamKey;
use application::ports::event_log::ShardId;
use application::ports::key_store::KeyStore;
use application::queries::{Delivery, DeliverySink, ReadModels};
use domain::chat::event::ChatEvent;
use domain::event::Event;
use domain::ids::{ChatId, GroupId, TenantId, UserId};
use domain::user::event::{SessionEnd, UserEvent};
use hashbrown::{DefaultHashBuilder, HashMap};
use tokio::sync::Notify;

use crate::biz_code::biz_code;
pub use crate::hub::device::Device;
use crate::hub::followed::Followed;
use crate::hub::outbox::{Bye, Frame};
use crate::hub::rendered::Rendered;
use crate::hub::signal::{Growing, Signal};
use crate::hub::stale::{Stale, changes_unread, follow_desk};
use crate::hub::watchers::Watchers;

/// Parts of the table of users, so that registering a device seldom waits for a delivery.
const SHARDS: usize = 64;
/// Users whose presence a device may follow: a full page of a busy agent's list.
pub const WATCHED_MAX: usize = 1_000;
/// Groups whose boards a device may follow: more than a page shows side by side.
pub const BOARDS_MAX: usize = 100;
/// Most links of one user at a time, on all of their devices: each may hold a queue of what it does not read.
pub const LINKS_MAX: usize = 64;

/// A user of a tenant.
pub type Who = (TenantId, UserId);

type Table = HashMap<Who, Vec<Arc<Device>>>;

/// See the file's head.
pub struct Hub {
    shard: ShardId,
    keys: Arc<dyn KeyStore>,
    hasher: DefaultHashBuilder,
    users: Box<[RwLock<Table>]>,
    presence: Watchers<UserId>,
    /// Whose devices follow which groups' boards.
    pub boards: Watchers<GroupId>,
    connected: AtomicUsize,
    emptied: Notify,
    stale: Mutex<Stale>,
    became_stale: Notify,
    closed: std::sync::atomic::AtomicBool,
    /// Users to whom somebody else carries their feed.
    pub followed: Followed,
    /// What became of messages that are quoted; there as soon as anybody can connect.
    views: OnceLock<Arc<dyn ReadModels>>,
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// A hub without devices, for the shard whose read models deliver to it.
    #[must_use]
    pub fn new(shard: ShardId, keys: Arc<dyn KeyStore>) -> Arc<Self> {
        Arc::new(Self {
            shard,
            keys,
            hasher: DefaultHashBuilder::default(),
            users: (0..SHARDS).map(|_| RwLock::default()).collect(),
            presence: Watchers::default(),
            boards: Watchers::default(),
            connected: AtomicUsize::new(0),
            emptied: Notify::new(),
            stale: Mutex::default(),
            became_stale: Notify::new(),
            closed: std::sync::atomic::AtomicBool::new(false),
            followed: Followed::default(),
            views: OnceLock::new(),
        })
    }

    /// Lets it ask what became of messages.
    pub fn asks(&self, views: &Arc<dyn ReadModels>) {
        let _ = self.views.set(Arc::clone(views));
    }

    fn table(&self, who: &Who) -> &RwLock<Table> {
        let hash = self.hasher.hash_one(who);
        &self.users[usize::try_from(hash % SHARDS as u64).expect("less than 64")]
    }

    /// Whether a user has as many links as one may have. Two that come at once may both be let in.
    pub fn is_full(&self, who: Who) -> bool {
        read(self.table(&who)).get(&who).is_some_and(|devices| devices.len() >= LINKS_MAX)
    }

    /// Adds a device; answers whether it is its user's first. Live items go to it only once its outbox is opened for them.
    pub fn register(&self, device: &Arc<Device>) -> bool {
        self.connected.fetch_add(1, Ordering::Relaxed);
        let first = {
            let mut table = write(self.table(&device.who));
            let devices = table.entry(device.who).or_default();
            devices.push(Arc::clone(device));
            devices.len() == 1
        };
        // A hub that is closing says so to late comers, too.
        if self.closed.load(Ordering::SeqCst) {
            device.outbox.close(Bye::Shutdown);
        }
        first
    }

    /// Removes a device; answers whether it was its user's last.
    pub fn unregister(&self, device: &Arc<Device>) -> bool {
        self.watch(device, vec![]);
        self.watch_boards(device, vec![]);
        let last = {
            let mut table = write(self.table(&device.who));
            match table.get_mut(&device.who) {
                None => true,
                Some(devices) => {
                    devices.retain(|other| !Arc::ptr_eq(other, device));
                    let last = devices.is_empty();
                    if last {
                        table.remove(&device.who);
                    }
                    last
                }
            }
        };
        if self.connected.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.emptied.notify_waiters();
        }
        last
    }

    /// Whether a user has a device here.
    #[must_use]
    pub fn is_connected(&self, who: Who) -> bool {
        read(self.table(&who)).contains_key(&who)
    }

    /// How many devices are connected.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.connected.load(Ordering::Acquire)
    }

    /// Tells every device to go, now and from now on.
    pub fn close_all(&self, bye: Bye) {
        self.closed.store(true, Ordering::SeqCst);
        for table in &self.users {
            for device in read(table).values().flatten() {
                device.outbox.close(bye);
            }
        }
    }

    /// Waits until no device is connected any more.
    pub async fn drained(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.devices() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Closes the devices of a user that fit.
    fn close_where(&self, who: Who, bye: Bye, fits: impl Fn(&Device) -> bool) {
        for device in read(self.table(&who)).get(&who).into_iter().flatten().filter(|device| fits(device)) {
            device.outbox.close(bye);
        }
    }

    /// Lets a device follow the presence of these users instead of those before.
    pub fn watch(&self, device: &Arc<Device>, users: Vec<UserId>) {
        self.presence.watch(device, &device.watching, users);
    }

    /// Lets a device follow the boards of these groups instead of those before.
    pub fn watch_boards(&self, device: &Arc<Device>, groups: Vec<GroupId>) {
        self.boards.watch(device, &device.boards, groups);
    }

    /// Takes from a device the boards that it may not follow any more, and tells it so.
    pub fn retain_boards(&self, device: &Arc<Device>, may: impl Fn(&GroupId) -> bool) {
        for group in self.boards.retain(device, &device.boards, may) {
            device.outbox.push_signal(Signal::BoardGone(group));
        }
    }

    /// The devices of a user.
    #[must_use]
    pub fn devices_of(&self, who: Who) -> Vec<Arc<Device>> {
        read(self.table(&who)).get(&who).cloned().unwrap_or_default()
    }

    /// Tells all devices of a user what is current.
    pub fn signal(&self, who: Who, signal: &Signal) {
        for device in read(self.table(&who)).get(&who).into_iter().flatten() {
            device.outbox.push_signal(signal.clone());
        }
    }

    /// Takes what a robot has written so far. It is told in the next round, and the latest wins.
    pub fn note_growing(&self, of: (TenantId, ChatId, UserId), growing: Growing) {
        self.note_stale(|stale| drop(stale.growing.insert(of, growing)));
    }

    /// What has changed since the last time, for those who are connected.
    pub fn take_stale(&self) -> Stale {
        std::mem::take(&mut *self.stale.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until something may have changed.
    pub async fn stale(&self) {
        self.became_stale.notified().await;
    }

    /// Tells whoever follows a user that they came or went.
    pub fn announce(&self, who: Who, online: bool) {
        self.presence.tell(who.0, who.1, &Signal::Presence { user: who.1, online });
    }

    fn note_stale(&self, note: impl FnOnce(&mut Stale)) {
        note(&mut self.stale.lock().unwrap_or_else(PoisonError::into_inner));
        self.became_stale.notify_one();
    }

    /// Adds to `unread` whose unread count of which chat is another one now.
    fn push_to_readers(&self, delivery: &Delivery, unread: &mut Vec<(Who, ChatId)>) {
        let said = match delivery.event() {
            Event::Chat(ChatEvent::MessagePosted(posted)) => Some((posted.sender, posted.client_message)),
            Event::Chat(_)
            | Event::Conversation(_)
            | Event::User(_)
            | Event::Desk(_)
            | Event::Tenant(_)
            | Event::Campaign(_)
            | Event::Retrieval(_) => None,
        };
        let mut rendered = Rendered::new(self, delivery);
        for (user, index, kind) in &delivery.readers {
            let who = (delivery.tenant(), *user);
            let table = read(self.table(&who));
            let Some(devices) = table.get(&who) else { continue };
            if changes_unread(*kind, delivery.event(), *user)
                && let StreamKey::Chat(chat) = delivery.header().stream.key
            {
                unread.push((who, chat));
            }
            for device in devices {
                if device.outbox.wants(*index) {
                    let text = rendered.frame(*index, *kind, device.view, *user);
                    let frame = Frame { index: *index, biz_code: biz_code(*kind, delivery.event()), text };
                    if said.is_some_and(|(sender, message)| sender == *user && device.said(message)) {
                        device.outbox.push_echo(frame);
                    } else {
                        device.outbox.push_item(frame);
                    }
                }
            }
        }
    }

    /// What an event means for the devices themselves.
    fn follow_user(&self, delivery: &Delivery, stale: &mut Stale) {
        let (Event::User(event), StreamKey::User(user)) = (delivery.event(), delivery.header().stream.key) else {
            return;
        };
        let who = (delivery.tenant(), user);
        match event {
            UserEvent::CameOnline(_) => self.announce(who, true),
            UserEvent::WentOffline(_) => self.announce(who, false),
            UserEvent::SessionEnded(ended) => {
                let bye = match ended.reason {
                    SessionEnd::SignedOut | SessionEnd::Revoked | SessionEnd::RefreshReused => Bye::Revoked,
                    SessionEnd::Superseded => Bye::Superseded,
                    SessionEnd::Deactivated => Bye::Deactivated,
                    // The feed's last item follows; `CustomerMerged` closes after it.
                    SessionEnd::Merged => return,
                };
                self.close_where(who, bye, |device| device.session == ended.session);
            }
            UserEvent::GroupsChanged(_) => stale.regrouped.extend(self.is_connected(who).then_some(who)),
            UserEvent::UserDeactivated(_) => self.close_where(who, Bye::Deactivated, |_| true),
            UserEvent::CustomerMerged(_) => self.close_where(who, Bye::Revoked, |_| true),
            UserEvent::UserRegistered(_)
            | UserEvent::ProfileChanged(_)
            | UserEvent::ExternalAccountMapped(_)
            | UserEvent::PasswordSet(_)
            | UserEvent::SessionStarted(_)
            | UserEvent::SessionRefreshed(_)
            | UserEvent::CapacityChanged(_)
            | UserEvent::AbilitiesChanged(_)
            | UserEvent::ServiceStarted(_)
            | UserEvent::ServicePaused(_)
            | UserEvent::ServiceStopped(_)
            | UserEvent::CannedReplySaved(_)
            | UserEvent::CannedReplyRemoved(_)
            | UserEvent::ChannelReceived(_)
            | UserEvent::CustomerBlocked(_)
            | UserEvent::CustomerUnblocked(_)
            | UserEvent::CustomerDescribed(_) => {}
        }
    }
}

impl DeliverySink for Hub {
    fn deliver(&self, batch: Vec<Delivery>) {
        let (mut stale, mut unread) = (Stale::default(), Vec::new());
        for delivery in &batch {
            self.push_to_readers(delivery, &mut unread);
            self.follow_user(delivery, &mut stale);
            self.followed.hear(delivery);
            follow_desk(delivery, &mut stale);
        }
        if !stale.is_empty() || !unread.is_empty() {
            self.note_stale(|all| {
                all.merge(stale);
                unread.into_iter().for_each(|(who, chat)| all.unread_of(who, chat));
            });
        }
    }
}

#[cfg(test)]
mod tests;
