//! How far each view is and for whom it stands still: kept beside the rows and written with them.
//!
//! A view that is rebuilt because its version changed keeps its position apart until it has reached the position of the old
//! one; then its tables take the place of the old ones in one write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use application::ports::event_log::CommitPosition;
use application::queries::{EventRef, StoppedConsumer};
use domain::ids::TenantId;
use serde::{Deserialize, Serialize};

use super::Halt;
use crate::keys::{prefix_end, read_tenant, write_tenant};
use crate::projection::ViewInfo;
use crate::rows::unreadable;
use crate::store::{ViewStore, WriteBatch};
use crate::view_set::VIEWS;

/// The table of positions and of views that stand still.
pub const META_TABLE: &str = "meta";

/// Most tenants of one view that may stand still and be read back.
const STOPS_MAX: usize = 1_000_000;

/// Where a view stands still for a tenant, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRecord {
    /// The event it cannot take.
    pub at: EventRef,
    /// Why.
    pub cause: String,
}

/// How far a view is, and what it cost since it was opened.
#[derive(Clone, Copy, Debug)]
pub struct Positions {
    /// The view.
    pub info: ViewInfo,
    /// How far it is.
    pub position: CommitPosition,
    /// Events that came by since it was opened.
    pub events: u64,
    /// Time spent on them, writing not included.
    pub spent: Duration,
}

/// A position as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedPosition {
    version: u32,
    position: CommitPosition,
}

/// One view's progress.
pub(super) struct Consumer {
    info: ViewInfo,
    pub(super) position: CommitPosition,
    /// The position of the old version beside which this one is rebuilt.
    replaces: Option<CommitPosition>,
    pub(super) stopped: BTreeMap<TenantId, StopRecord>,
    changed: BTreeSet<TenantId>,
    pub(super) events: u64,
    pub(super) spent: Duration,
}

impl Consumer {
    pub(super) fn stop(&mut self, tenant: TenantId, record: StopRecord) {
        self.stopped.insert(tenant, record);
        self.changed.insert(tenant);
    }

    pub(super) fn resume(&mut self, tenant: TenantId) {
        self.stopped.remove(&tenant);
        self.changed.insert(tenant);
    }

    pub(super) fn positions(&self, info: ViewInfo) -> Positions {
        Positions { info, position: self.position, events: self.events, spent: self.spent }
    }
}

/// All stops, by view and tenant.
pub(super) fn stopped(consumers: &[Consumer]) -> Vec<StoppedConsumer> {
    let of = |consumer: &Consumer| {
        let name = consumer.info.name;
        let stop = move |(tenant, record): (&TenantId, &StopRecord)| StoppedConsumer {
            consumer: name.to_owned(),
            tenant: *tenant,
            at: record.at,
            cause: record.cause.clone(),
        };
        consumer.stopped.iter().map(stop).collect::<Vec<_>>()
    };
    consumers.iter().flat_map(of).collect()
}

fn active_key(info: ViewInfo) -> Vec<u8> {
    format!("view/{}", info.name).into_bytes()
}

fn next_key(info: ViewInfo) -> Vec<u8> {
    format!("next/{}", info.name).into_bytes()
}

fn stop_prefix(name: &str, version: Option<u32>) -> Vec<u8> {
    match version {
        Some(version) => format!("stop/{name}/{version}/"),
        None => format!("stop/{name}/"),
    }
    .into_bytes()
}

fn saved(store: &dyn ViewStore, key: &[u8]) -> Result<Option<SavedPosition>, Halt> {
    let read = |bytes: Vec<u8>| postcard::from_bytes(&bytes).map_err(|_| Halt::Open(unreadable(META_TABLE, key)));
    store.get(META_TABLE, key)?.map(read).transpose()
}

/// Reads how far each view is. Tables that an unfinished rebuild of another version left behind go into `clean`.
pub(super) fn open(store: &dyn ViewStore, clean: &mut WriteBatch) -> Result<Vec<Consumer>, Halt> {
    let tables = store.tables()?;
    // An old version ended where the other views are: that is how far a new one must come before it takes its place.
    let mut consumers = Vec::with_capacity(VIEWS.len());
    for info in VIEWS {
        let active = saved(store, &active_key(info))?;
        let next = saved(store, &next_key(info))?.filter(|next| next.version == info.version);
        let prefix = stop_prefix(info.name, Some(info.version));
        let (position, replaces) = match (active, next) {
            (Some(active), _) if active.version == info.version => (active.position, None),
            (active, Some(next)) => (next.position, active.map(|active| active.position)),
            (active, None) => {
                let mine = format!("{}_v{}_", info.name, info.version);
                for table in tables.iter().filter(|table| table.starts_with(&mine)) {
                    clean.drop_table(table.clone());
                }
                for (key, _) in store.scan(META_TABLE, &prefix, &prefix_end(&prefix), STOPS_MAX)? {
                    clean.table(&META_TABLE.into()).delete(&key);
                }
                (CommitPosition(0), active.map(|active| active.position))
            }
        };
        let stopped = if position == CommitPosition(0) { BTreeMap::new() } else { stops(store, info)? };
        consumers.push(Consumer { info, position, replaces, stopped, changed: BTreeSet::new(), events: 0, spent: Duration::ZERO });
    }
    Ok(consumers)
}

fn stops(store: &dyn ViewStore, info: ViewInfo) -> Result<BTreeMap<TenantId, StopRecord>, Halt> {
    let prefix = stop_prefix(info.name, Some(info.version));
    let rows = store.scan(META_TABLE, &prefix, &prefix_end(&prefix), STOPS_MAX)?;
    let read = |(key, value): (Vec<u8>, Vec<u8>)| {
        let tenant = key.get(prefix.len()..).and_then(read_tenant).map(|(tenant, _)| tenant);
        let record = postcard::from_bytes(&value).ok();
        tenant.zip(record).ok_or_else(|| Halt::Open(unreadable(META_TABLE, &key)))
    };
    rows.into_iter().map(read).collect()
}

/// Adds the positions and stops to a checkpoint, and switches to rebuilt views that have come far enough.
pub(super) fn write(consumers: &mut [Consumer], store: &dyn ViewStore, batch: &mut WriteBatch) {
    let meta: Arc<str> = META_TABLE.into();
    for consumer in consumers {
        let info = consumer.info;
        let prefix = stop_prefix(info.name, Some(info.version));
        for tenant in std::mem::take(&mut consumer.changed) {
            let mut key = prefix.clone();
            write_tenant(&mut key, tenant);
            match consumer.stopped.get(&tenant) {
                Some(record) => batch.table(&meta).put(&key, &bytes(record)),
                None => batch.table(&meta).delete(&key),
            }
        }
        let saved = bytes(&SavedPosition { version: info.version, position: consumer.position });
        match consumer.replaces {
            Some(old) if consumer.position < old => batch.table(&meta).put(&next_key(info), &saved),
            Some(_) if !drop_old(store, info, batch) => batch.table(&meta).put(&next_key(info), &saved),
            Some(_) => {
                batch.table(&meta).put(&active_key(info), &saved);
                batch.table(&meta).delete(&next_key(info));
                consumer.replaces = None;
            }
            None => batch.table(&meta).put(&active_key(info), &saved),
        }
    }
}

/// Adds the removal of a view's other versions; false when the store cannot say now what there is.
fn drop_old(store: &dyn ViewStore, info: ViewInfo, batch: &mut WriteBatch) -> bool {
    let prefix = stop_prefix(info.name, None);
    let (Ok(tables), Ok(stops)) = (store.tables(), store.scan(META_TABLE, &prefix, &prefix_end(&prefix), STOPS_MAX)) else {
        return false;
    };
    let mine = format!("{}_v{}_", info.name, info.version);
    for table in tables.into_iter().filter(|table| info.owns(table) && !table.starts_with(&mine)) {
        batch.drop_table(table);
    }
    let mine = stop_prefix(info.name, Some(info.version));
    let meta: Arc<str> = META_TABLE.into();
    for (key, _) in stops.into_iter().filter(|(key, _)| !key.starts_with(&mine)) {
        batch.table(&meta).delete(&key);
    }
    true
}

fn bytes(value: &impl Serialize) -> Vec<u8> {
    postcard::to_allocvec(value).expect("positions and stops are plain numbers and texts")
}
