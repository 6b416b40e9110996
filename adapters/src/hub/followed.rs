//! Users to whom somebody else carries their feed: it is only noted that there is something new for them, never what.
//!
//! Every item that is delivered asks here, so a user is remembered as eight bytes of hash. Whoever takes the news looks the user
//! up anyway, and passes over the rare one that is none of theirs.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use application::log::stream::StreamKey;
use application::queries::Delivery;
use domain::event::Event;
use domain::ids::{ChannelId, TenantId};
use domain::tenant::event::TenantEvent;
use domain::user::event::UserEvent;
use hashbrown::HashSet;
use tokio::sync::Notify;

use super::Who;

/// What is new since it was last asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Users whose feeds grew.
    pub users: HashSet<Who>,
    /// Channels that were connected, or connected otherwise.
    pub connected: HashSet<(TenantId, ChannelId)>,
    /// Channels that said they are there again.
    pub ready: HashSet<(TenantId, ChannelId)>,
}

impl News {
    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.connected.is_empty() && self.ready.is_empty()
    }
}

/// See the file's head.
#[derive(Debug, Default)]
pub struct Followed {
    hasher: RandomState,
    any: AtomicBool,
    users: RwLock<HashSet<u64>>,
    news: Mutex<News>,
    came: Notify,
}

impl Followed {
    /// Notes news of a user from here on.
    pub fn follow(&self, who: Who) {
        self.users.write().unwrap_or_else(PoisonError::into_inner).insert(self.hasher.hash_one(who));
        self.any.store(true, Ordering::Release);
    }

    /// Something was delivered: for whom it is, and whether somebody is to be followed from here on.
    pub fn hear(&self, delivery: &Delivery) {
        match (delivery.event(), delivery.header().stream.key) {
            (Event::User(UserEvent::ChannelReceived(_)), StreamKey::User(user)) => self.follow((delivery.tenant(), user)),
            (Event::Tenant(TenantEvent::ChannelConnected(connected)), _) => {
                self.note(|news| news.connected.insert((delivery.tenant(), connected.channel)));
            }
            (
                Event::Chat(_)
                | Event::Conversation(_)
                | Event::User(_)
                | Event::Desk(_)
                | Event::Tenant(_)
                | Event::Campaign(_)
                | Event::Retrieval(_),
                _,
            ) => {}
        }
        if self.any.load(Ordering::Acquire) {
            self.items_for(delivery.readers.iter().map(|(user, ..)| (delivery.tenant(), *user)));
        }
    }

    fn items_for(&self, readers: impl Iterator<Item = Who>) {
        let users = self.users.read().unwrap_or_else(PoisonError::into_inner);
        for who in readers.filter(|who| users.contains(&self.hasher.hash_one(who))) {
            self.note(|news| news.users.insert(who));
        }
    }

    /// A channel said that it is there again.
    pub fn ready(&self, tenant: TenantId, channel: ChannelId) {
        self.note(|news| news.ready.insert((tenant, channel)));
    }

    /// What is new since the last time.
    pub fn take(&self) -> News {
        std::mem::take(&mut *self.news())
    }

    /// Waits until there may be something new.
    pub async fn came(&self) {
        if self.news().is_empty() {
            self.came.notified().await;
        }
    }

    fn note(&self, note: impl FnOnce(&mut News) -> bool) {
        note(&mut self.news());
        self.came.notify_one();
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::UserId;

    use super::*;

    #[test]
    fn news_is_of_those_who_are_followed_and_told_once() {
        let who = |number| ("acme".parse().unwrap(), UserId::from_u128(number));
        let followed = Followed::default();
        followed.items_for([who(1)].into_iter());
        followed.follow(who(1));
        followed.items_for([who(1), who(2), who(1)].into_iter());
        assert_eq!(followed.take().users.into_iter().collect::<Vec<_>>(), [who(1)]);
        assert_eq!(followed.take(), News::default());
    }
}
