//! Which uploads are on their way: so many at a time, at most half of them of one tenant, and each attachment once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ids::{AttachmentId, TenantId};

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
}

/// The right to upload one attachment, given back when it is dropped.
pub struct Slot {
    uploads: Uploads,
    tenant: TenantId,
    attachment: AttachmentId,
}

impl Uploads {
    /// So many at a time.
    #[must_use]
    pub fn new(at_once: u16) -> Self {
        Self { at_once: usize::from(at_once), now: Arc::default() }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot; `None` when there is none now, or when this very attachment is on its way.
    #[must_use]
    pub fn enter(&self, tenant: TenantId, attachment: AttachmentId) -> Option<Slot> {
        let mut now = self.now();
        let of_tenant = now.by_tenant.get(&tenant).copied().unwrap_or(0);
        let full = now.attachments.len() >= self.at_once || of_tenant >= self.at_once.div_ceil(2);
        if full { None } else { self.take(&mut now, tenant, attachment) }
    }

    /// Takes an attachment whatever the limits are, so that nobody uploads it meanwhile; `None` when it is on its way.
    #[must_use]
    pub fn hold(&self, tenant: TenantId, attachment: AttachmentId) -> Option<Slot> {
        self.take(&mut self.now(), tenant, attachment)
    }

    fn take(&self, now: &mut Now, tenant: TenantId, attachment: AttachmentId) -> Option<Slot> {
        if !now.attachments.insert((tenant, attachment)) {
            return None;
        }
        *now.by_tenant.entry(tenant).or_default() += 1;
        Some(Slot { uploads: self.clone(), tenant, attachment })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut now = self.uploads.now();
        now.attachments.remove(&(self.tenant, self.attachment));
        let left = now.by_tenant.get(&self.tenant).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            now.by_tenant.remove(&self.tenant);
        } else {
            now.by_tenant.insert(self.tenant, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_limited_in_all_and_per_tenant_and_come_back() {
        let uploads = Uploads::new(4);
        let tenant = |name: &str| name.parse().unwrap();
        let id = AttachmentId::from_u128;
        let first = uploads.enter(tenant("a"), id(1)).expect("free");
        assert!(uploads.enter(tenant("a"), id(1)).is_none(), "it is on its way");
        let second = uploads.enter(tenant("a"), id(2)).expect("free");
        assert!(uploads.enter(tenant("a"), id(3)).is_none(), "half of them are this tenant's");
        let others = [("b", 1), ("c", 1)].map(|(name, number)| uploads.enter(tenant(name), id(number)).expect("free"));
        assert!(uploads.enter(tenant("d"), id(9)).is_none(), "all are taken");
        drop(first);
        assert!(uploads.enter(tenant("a"), id(1)).is_some());
        drop((second, others));
        assert!(uploads.now().by_tenant.is_empty());
    }
}
