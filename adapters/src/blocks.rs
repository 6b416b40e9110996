//! Who is blocked: customers whom a tenant wants to hear nothing of, and ranges of client addresses.
//!
//! The ranges lie sealed in the log and are opened once per change. What a blocked customer may still do (read what was said, sign
//! out) does not come here; what they may not is refused wherever they ask for it, by HTTP, socket, long poll and signed channel.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use application::queries::{EventRef, TenantRow};
use domain::event::Event;
use domain::ids::{TenantId, UserId};
use domain::tenant::event::TenantEvent;

use crate::config::Network;
use crate::http::error::ApiError;
use crate::reading::Reader;
use crate::state::AppState;

/// The ranges of a tenant as they were opened: where they lie, and what they are.
type Opened = (Vec<EventRef>, Arc<[Network]>);

/// See the file's head.
#[derive(Default)]
pub struct Blocks {
    /// Of each tenant that has some; replaced when they change.
    known: Mutex<HashMap<TenantId, Opened>>,
}

/// Whether a customer is blocked.
#[must_use]
pub fn is_blocked(app: &AppState, tenant: TenantId, user: UserId) -> bool {
    app.ports.views.user(tenant, user).is_some_and(|row| row.blocked.is_some())
}

/// Whether a tenant has blocked any addresses.
#[must_use]
pub fn has_ranges(app: &AppState, tenant: TenantId) -> bool {
    app.ports.views.tenant(tenant).is_some_and(|row| !row.blocked_ranges.is_empty())
}

impl Blocks {
    /// Refuses a customer who is blocked, or comes from where somebody is.
    ///
    /// # Errors
    /// [`ApiError::Blocked`]; whatever opening the ranges reports.
    pub async fn check(&self, app: &AppState, tenant: TenantId, user: UserId, address: Option<IpAddr>) -> Result<(), ApiError> {
        if is_blocked(app, tenant, user) {
            return Err(ApiError::Blocked);
        }
        match address {
            Some(address) => self.check_address(app, tenant, address).await,
            None => Ok(()),
        }
    }

    /// Refuses a customer who comes from a blocked address.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub async fn check_address(&self, app: &AppState, tenant: TenantId, address: IpAddr) -> Result<(), ApiError> {
        let row = app.ports.views.tenant(tenant).filter(|row| !row.blocked_ranges.is_empty());
        let Some(row) = row else { return Ok(()) };
        let address = address.to_canonical();
        let ranges = self.ranges(app, &row).await?;
        if ranges.iter().any(|range| range.contains(address)) { Err(ApiError::Blocked) } else { Ok(()) }
    }

    async fn ranges(&self, app: &AppState, row: &TenantRow) -> Result<Arc<[Network]>, ApiError> {
        let places: Vec<EventRef> = row.blocked_ranges.iter().map(|(_, at)| *at).collect();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&row.tenant).cloned();
        if let Some((at, ranges)) = known
            && at == places
        {
            return Ok(ranges);
        }
        let mut reader = Reader::new(app);
        let mut ranges = Vec::with_capacity(places.len());
        for at in &places {
            // What the tenant's destroyed key hides blocks nobody any more.
            if let Event::Tenant(TenantEvent::AddressesBlocked(blocked)) = reader.open(*at).await?.event
                && let Some(range) = blocked.private.known().and_then(|known| known.range.parse().ok())
            {
                ranges.push(range);
            }
        }
        let ranges: Arc<[Network]> = ranges.into();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(row.tenant, (places, Arc::clone(&ranges)));
        Ok(ranges)
    }
}
