//! How many messages a second each tenant's people have left: so that one tenant's storm is refused at the door, before it costs
//! the others anything.
//!
//! A bucket that holds what one second may bring and fills evenly. It lives in memory: after a restart it is full.

use std::sync::{Mutex, PoisonError};

use domain::ids::TenantId;
use domain::time::Timestamp;
use hashbrown::HashMap;

use crate::bucket::{Bucket, Rate};

/// Buckets kept. A full bucket is worth nothing, so those are thrown away first.
const BUCKETS_MAX: usize = 10_000;

/// See the file's head.
#[derive(Debug, Default)]
pub struct Quotas(Mutex<HashMap<TenantId, Bucket>>);

impl Quotas {
    /// Takes one message off what a tenant has left; `false` when nothing is left. 0 a second means there is no quota.
    #[must_use]
    pub fn take(&self, tenant: TenantId, per_second: u32, now: Timestamp) -> bool {
        if per_second == 0 {
            return true;
        }
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&tenant) {
            // Whoever posted nothing for a second has a full one.
            buckets.retain(|_, bucket| (now - bucket.at()).0 < 1_000);
        }
        let rate = Rate { at_once: per_second, per_minute: per_second.saturating_mul(60) };
        let bucket = buckets.entry(tenant).or_insert_with(|| Bucket::full(rate, now));
        *bucket = bucket.filled(rate, now);
        bucket.take()
    }
}

#[cfg(test)]
mod tests {
    use domain::time::Millis;

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn taken(quotas: &Quotas, tenant: &str, per_second: u32, now: Timestamp) -> usize {
        (0..1_000).filter(|_| quotas.take(tenant.parse().unwrap(), per_second, now)).count()
    }

    #[test]
    fn a_tenant_posts_what_a_second_allows_and_then_as_fast_as_its_quota_fills() {
        let quotas = Quotas::default();
        assert_eq!(taken(&quotas, "acme", 20, NOW), 20);
        assert_eq!(taken(&quotas, "acme", 20, NOW + Millis(49)), 0);
        assert_eq!(taken(&quotas, "acme", 20, NOW + Millis(50)), 1);
        assert_eq!(taken(&quotas, "acme", 20, NOW + Millis(60_000)), 20, "no more than a second's worth is saved up");
    }

    #[test]
    fn each_tenant_has_its_own_and_without_one_there_is_no_end() {
        let quotas = Quotas::default();
        assert_eq!(taken(&quotas, "acme", 5, NOW), 5);
        assert_eq!(taken(&quotas, "other", 7, NOW), 7);
        assert_eq!(taken(&quotas, "free", 0, NOW), 1_000);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_and_takes_nothing() {
        let quotas = Quotas::default();
        assert_eq!(taken(&quotas, "acme", 5, NOW), 5);
        assert_eq!(taken(&quotas, "acme", 5, NOW + Millis(-10_000)), 0);
        assert_eq!(taken(&quotas, "acme", 5, NOW + Millis(200)), 1);
    }

    #[test]
    fn a_smaller_quota_holds_at_once() {
        let quotas = Quotas::default();
        assert!(quotas.take("acme".parse().unwrap(), 1_000, NOW));
        assert_eq!(taken(&quotas, "acme", 3, NOW), 3);
    }
}
