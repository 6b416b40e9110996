//! Every view, each behind its own lock: the worker changes one after the other, queries read them meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::articles::Articles;
use crate::campaigns::Campaigns;
use crate::conversation_list::ConversationList;
use crate::directory::Directory;
use crate::feed::Feed;
use crate::outreach::Outreach;
use crate::projection::{ApplyError, Projection, ViewInfo};
use crate::queues::Queues;
use crate::store::ViewStore;
use crate::timers::Timers;
use crate::unread::Unread;

/// Every view, in the order in which facts reach them.
pub const VIEWS: [ViewInfo; 9] = [
    crate::directory::INFO,
    crate::conversation_list::INFO,
    crate::unread::INFO,
    crate::feed::INFO,
    crate::queues::INFO,
    crate::timers::INFO,
    crate::campaigns::INFO,
    crate::articles::INFO,
    crate::outreach::INFO,
];

/// The opened views.
pub struct ViewSet {
    directory: RwLock<Directory>,
    conversation_list: RwLock<ConversationList>,
    unread: RwLock<Unread>,
    feed: RwLock<Feed>,
    queues: RwLock<Queues>,
    timers: RwLock<Timers>,
    campaigns: RwLock<Campaigns>,
    articles: RwLock<Articles>,
    outreach: RwLock<Outreach>,
    users_changed: Arc<AtomicU64>,
}

// A lock is poisoned when a view panicked; its worker is gone with it, and what it last held can still be shown.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn change<T: Projection, R>(lock: &RwLock<T>, act: impl FnOnce(&mut dyn Projection) -> R) -> R {
    act(&mut *lock.write().unwrap_or_else(PoisonError::into_inner))
}

impl ViewSet {
    /// Opens every view over a store.
    ///
    /// # Errors
    /// [`ApplyError`] when rows that are kept in memory cannot be read.
    pub fn open(store: &Arc<dyn ViewStore>) -> Result<Self, ApplyError> {
        let directory = Directory::open(store)?;
        Ok(Self {
            users_changed: directory.users_changed(),
            directory: RwLock::new(directory),
            conversation_list: RwLock::new(ConversationList::open(store)),
            unread: RwLock::new(Unread::open(store)),
            feed: RwLock::new(Feed::open(store)),
            queues: RwLock::new(Queues::open(store)?),
            timers: RwLock::new(Timers::open(store)?),
            campaigns: RwLock::new(Campaigns::open(store)?),
            articles: RwLock::new(Articles::open(store)?),
            outreach: RwLock::new(Outreach::open(store)),
        })
    }

    /// Changes a view, by its place in [`VIEWS`].
    pub(crate) fn with_mut<R>(&self, view: usize, act: impl FnOnce(&mut dyn Projection) -> R) -> R {
        match view {
            0 => change(&self.directory, act),
            1 => change(&self.conversation_list, act),
            2 => change(&self.unread, act),
            3 => change(&self.feed, act),
            4 => change(&self.queues, act),
            5 => change(&self.timers, act),
            6 => change(&self.campaigns, act),
            7 => change(&self.articles, act),
            8 => change(&self.outreach, act),
            other => panic!("there is no view {other}"),
        }
    }

    /// Looks at a view, by its place in [`VIEWS`].
    pub(crate) fn with<R>(&self, view: usize, look: impl FnOnce(&dyn Projection) -> R) -> R {
        match view {
            0 => look(&*self.directory()),
            1 => look(&*self.conversation_list()),
            2 => look(&*self.unread()),
            3 => look(&*self.feed()),
            4 => look(&*self.queues()),
            5 => look(&*self.timers()),
            6 => look(&*self.campaigns()),
            7 => look(&*self.articles()),
            8 => look(&*self.outreach()),
            other => panic!("there is no view {other}"),
        }
    }

    /// Who and what there is.
    pub fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        read(&self.directory)
    }

    /// How often any user changed.
    pub fn users_changed(&self) -> u64 {
        self.users_changed.load(Ordering::Acquire)
    }

    /// Chats and conversations.
    pub fn conversation_list(&self) -> RwLockReadGuard<'_, ConversationList> {
        read(&self.conversation_list)
    }

    /// Unread counts and marks.
    pub fn unread(&self) -> RwLockReadGuard<'_, Unread> {
        read(&self.unread)
    }

    /// Feeds and chats' messages.
    pub fn feed(&self) -> RwLockReadGuard<'_, Feed> {
        read(&self.feed)
    }

    /// Queues and agents.
    pub fn queues(&self) -> RwLockReadGuard<'_, Queues> {
        read(&self.queues)
    }

    /// Timers.
    pub fn timers(&self) -> RwLockReadGuard<'_, Timers> {
        read(&self.timers)
    }

    /// Articles.
    pub fn articles(&self) -> RwLockReadGuard<'_, Articles> {
        read(&self.articles)
    }

    /// Attempts to start contact.
    pub fn outreach(&self) -> RwLockReadGuard<'_, Outreach> {
        read(&self.outreach)
    }

    /// Campaigns.
    pub fn campaigns(&self) -> RwLockReadGuard<'_, Campaigns> {
        read(&self.campaigns)
    }
}
