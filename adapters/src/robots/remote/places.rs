//! How many questions to robots elsewhere may be open at a time: of each tenant, so that its slow robot takes nobody else's place,
//! and altogether.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ids::TenantId;
use hashbrown::HashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests of one tenant under way at a time.
pub const CALLS_MAX: usize = 16;
/// Questions of one tenant that are asked or wait to be.
pub const OF_TENANT_MAX: usize = 80;
/// Questions of all tenants that are asked or wait to be: half of what the robots' task has under way.
pub const ALL_MAX: usize = 2_048;

#[derive(Default)]
struct Lines {
    open: usize,
    of_tenant: HashMap<TenantId, Line>,
}

struct Line {
    open: usize,
    calls: Arc<Semaphore>,
}

/// See the file's head.
#[derive(Clone, Default)]
pub struct Places(Arc<Mutex<Lines>>);

/// One of them, for as long as it is held.
pub struct Place {
    places: Places,
    tenant: TenantId,
    calls: Arc<Semaphore>,
}

impl Places {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a question of a tenant, if there is one.
    #[must_use]
    pub fn take(&self, tenant: TenantId) -> Option<Place> {
        let mut lines = self.lines();
        if lines.open >= ALL_MAX {
            return None;
        }
        let new = || Line { open: 0, calls: Arc::new(Semaphore::new(CALLS_MAX)) };
        let line = lines.of_tenant.entry(tenant).or_insert_with(new);
        if line.open >= OF_TENANT_MAX {
            return None;
        }
        line.open += 1;
        let calls = Arc::clone(&line.calls);
        lines.open += 1;
        Some(Place { places: self.clone(), tenant, calls })
    }
}

impl Place {
    /// Waits until a request may leave; others may once the permit is given back.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.calls).acquire_owned().await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.places.lines();
        lines.open -= 1;
        if let Some(line) = lines.of_tenant.get_mut(&self.tenant) {
            line.open -= 1;
            if line.open == 0 {
                lines.of_tenant.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn tenant(number: usize) -> TenantId {
        format!("t{number}").parse().unwrap()
    }

    #[test]
    fn one_tenants_questions_take_nobody_elses_place() {
        let places = Places::default();
        let taken: Vec<Place> = std::iter::from_fn(|| places.take(tenant(1))).collect();
        assert_eq!(taken.len(), OF_TENANT_MAX);
        assert!(places.take(tenant(2)).is_some());
        drop(taken);
        assert!(places.take(tenant(1)).is_some());
        assert!(places.lines().of_tenant.is_empty(), "nothing is kept of whoever asks nothing");
    }

    #[test]
    fn all_of_them_together_leave_room_for_whoever_needs_none() {
        let places = Places::default();
        let taken: Vec<Place> = (0..).flat_map(|number| vec![tenant(number); OF_TENANT_MAX]).map_while(|of| places.take(of)).collect();
        assert_eq!(taken.len(), ALL_MAX);
    }

    #[test]
    fn whoever_has_a_place_waits_for_their_turn() {
        let places = Places::default();
        let taken: Vec<Place> = (0..=CALLS_MAX).map(|_| places.take(tenant(1)).unwrap()).collect();
        let mut permits: Vec<_> = taken.iter().map(|place| place.turn().now_or_never().flatten()).collect();
        assert_eq!(permits.iter().filter(|permit| permit.is_some()).count(), CALLS_MAX);
        permits.clear();
        assert!(taken[CALLS_MAX].turn().now_or_never().flatten().is_some());
    }
}
