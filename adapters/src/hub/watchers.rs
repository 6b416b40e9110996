//! Who watches what: devices by the thing that they want to be told of, be it a person's presence or a group's board.
//!
//! One mechanism for everything that is watched; the file must not know what a thing is, or what is told of it.

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use domain::ids::TenantId;
use hashbrown::HashMap;

use super::signal::Signal;
use super::{Device, read, write};

/// Devices by what they watch, apart for each tenant.
type Table<K> = HashMap<TenantId, HashMap<K, Vec<Arc<Device>>>>;

/// See the file's head.
pub struct Watchers<K> {
    table: RwLock<Table<K>>,
}

impl<K> Default for Watchers<K> {
    fn default() -> Self {
        Self { table: RwLock::default() }
    }
}

impl<K: Copy + Eq + Hash> Watchers<K> {
    /// Lets a device watch these instead of those before, which are noted in `watching`.
    pub(super) fn watch(&self, device: &Arc<Device>, watching: &Mutex<Vec<K>>, wanted: Vec<K>) {
        self.replace(device, &mut watching.lock().unwrap_or_else(PoisonError::into_inner), wanted);
    }

    /// Lets a device watch on what it may of what is noted in `watching`, and nothing else of it: what was taken away.
    pub(super) fn retain(&self, device: &Arc<Device>, watching: &Mutex<Vec<K>>, may: impl Fn(&K) -> bool) -> Vec<K> {
        // One lock over reading and writing: nothing that the device asks for in between is undone, and no device that went in
        // between comes back.
        let mut watching = watching.lock().unwrap_or_else(PoisonError::into_inner);
        let (stays, goes): (Vec<K>, Vec<K>) = watching.iter().copied().partition(may);
        if !goes.is_empty() {
            self.replace(device, &mut watching, stays);
        }
        goes
    }

    fn replace(&self, device: &Arc<Device>, watching: &mut Vec<K>, wanted: Vec<K>) {
        let tenant = device.who.0;
        if watching.is_empty() && wanted.is_empty() {
            return;
        }
        let mut table = write(&self.table);
        let of_tenant = table.entry(tenant).or_default();
        for thing in watching.drain(..) {
            if let Some(devices) = of_tenant.get_mut(&thing) {
                devices.retain(|other| !Arc::ptr_eq(other, device));
                if devices.is_empty() {
                    of_tenant.remove(&thing);
                }
            }
        }
        for thing in &wanted {
            of_tenant.entry(*thing).or_default().push(Arc::clone(device));
        }
        if of_tenant.is_empty() {
            table.remove(&tenant);
        }
        *watching = wanted;
    }

    /// Tells all devices that watch it.
    pub fn tell(&self, tenant: TenantId, thing: K, signal: &Signal) {
        let table = read(&self.table);
        for device in table.get(&tenant).and_then(|of_tenant| of_tenant.get(&thing)).into_iter().flatten() {
            device.outbox.push_signal(signal.clone());
        }
    }

    /// Everything of a tenant that somebody watches.
    #[must_use]
    pub fn watched(&self, tenant: TenantId) -> Vec<K> {
        read(&self.table).get(&tenant).into_iter().flat_map(HashMap::keys).copied().collect()
    }
}
