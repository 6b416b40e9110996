//! Which uploads are on their way: so many at a time, at most half of them of one tenant, a few of one user, and each attachment
//! once.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ids::{AttachmentId, TenantId, UserId};

/// See the file's head.
#[derive(Clone)]
pub struct Uploads {
    at_once: usize,
    now: Arc<Mutex<Now>>,
}

#[derive(Default)]
struct Now {
    attachments: HashSet<(TenantId, AttachmentId)>,
    by_tenant: HashMap<TenantId, usize>,
    by_user: HashMap<(TenantId, UserId), usize>,
}

/// The right to upload one attachment, given back when it is dropped.
pub struct Slot {
    uploads: Uploads,
    tenant: TenantId,
    attachment: AttachmentId,
    /// Who uploads, if it counts as theirs.
    user: Option<UserId>,
}

/// Uploads of one user at a time: a page sends a few at once, and nobody takes what the others of the tenant need.
const OF_USER_MAX: usize = 4;

impl Uploads {
    /// So many at a time.
    #[must_use]
    pub fn new(at_once: u16) -> Self {
        Self { at_once: usize::from(at_once), now: Arc::default() }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot, for a user if it counts as theirs; `None` when there is none now, or when this very attachment is on its way.
    #[must_use]
    pub fn enter(&self, tenant: TenantId, user: Option<UserId>, attachment: AttachmentId) -> Option<Slot> {
        let mut now = self.now();
        let of_tenant = now.by_tenant.get(&tenant).copied().unwrap_or(0);
        let of_user = user.and_then(|user| now.by_user.get(&(tenant, user)).copied()).unwrap_or(0);
        let full = now.attachments.len() >= self.at_once || of_tenant >= self.at_once.div_ceil(2) || of_user >= OF_USER_MAX;
        if full { None } else { self.take(&mut now, tenant, attachment, user) }
    }

    /// Takes an attachment whatever the limits are, so that nobody uploads it meanwhile; `None` when it is on its way.
    #[must_use]
    pub fn hold(&self, tenant: TenantId, attachment: AttachmentId) -> Option<Slot> {
        self.take(&mut self.now(), tenant, attachment, None)
    }

    fn take(&self, now: &mut Now, tenant: TenantId, attachment: AttachmentId, user: Option<UserId>) -> Option<Slot> {
        if !now.attachments.insert((tenant, attachment)) {
            return None;
        }
        *now.by_tenant.entry(tenant).or_default() += 1;
        if let Some(user) = user {
            *now.by_user.entry((tenant, user)).or_default() += 1;
        }
        Some(Slot { uploads: self.clone(), tenant, attachment, user })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut now = self.uploads.now();
        now.attachments.remove(&(self.tenant, self.attachment));
        one_less(&mut now.by_tenant, self.tenant);
        if let Some(user) = self.user {
            one_less(&mut now.by_user, (self.tenant, user));
        }
    }
}

fn one_less<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Option<UserId> = Some(UserId::from_u128(1));

    #[test]
    fn slots_are_limited_in_all_and_per_tenant_and_come_back() {
        let uploads = Uploads::new(4);
        let tenant = |name: &str| name.parse().unwrap();
        let id = AttachmentId::from_u128;
        let first = uploads.enter(tenant("a"), USER, id(1)).expect("free");
        assert!(uploads.enter(tenant("a"), USER, id(1)).is_none(), "it is on its way");
        let second = uploads.enter(tenant("a"), USER, id(2)).expect("free");
        assert!(uploads.enter(tenant("a"), USER, id(3)).is_none(), "half of them are this tenant's");
        let others = [("b", 1), ("c", 1)].map(|(name, number)| uploads.enter(tenant(name), USER, id(number)).expect("free"));
        assert!(uploads.enter(tenant("d"), USER, id(9)).is_none(), "all are taken");
        drop(first);
        assert!(uploads.enter(tenant("a"), USER, id(1)).is_some());
        drop((second, others));
        assert!(uploads.now().by_tenant.is_empty());
    }

    #[test]
    fn nobody_takes_all_the_slots_of_their_tenant() {
        let (uploads, tenant) = (Uploads::new(100), || "a".parse().unwrap());
        let enter = |user, number| uploads.enter(tenant(), Some(UserId::from_u128(user)), AttachmentId::from_u128(number));
        let mine: Vec<Slot> = (0..OF_USER_MAX as u128).map(|number| enter(1, number).expect("free")).collect();
        assert!(enter(1, 90).is_none());
        assert!(enter(2, 90).is_some(), "others have theirs");
        assert!(uploads.enter(tenant(), None, AttachmentId::from_u128(90)).is_some(), "and whoever speaks for many");
        drop(mine);
        assert!(enter(1, 90).is_some());
        assert!(uploads.now().by_user.is_empty());
    }
}
