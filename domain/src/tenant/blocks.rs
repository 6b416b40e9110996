//! Ranges of client addresses from which a tenant wants to hear nothing.
//!
//! An address is personal data: the range lies in the private half, and is known here by a keyed digest of it alone.

use crate::private::Private;
use crate::tenant::error::TenantError;
use crate::tenant::event::{AddressesBlocked, AddressesUnblocked, BlockedAddresses, TenantEvent};
use crate::tenant::state::CreatedTenant;
use crate::user::event::KeyedDigest;

/// Most blocked ranges of one tenant, because each sign-in and each message of a customer is held against all of them.
pub const BLOCKED_RANGES_MAX: usize = 1_000;
/// Longest range in bytes: the longest IPv6 network takes 43.
pub const RANGE_BYTES_MAX: usize = 64;

pub(super) fn block(tenant: &CreatedTenant, range: KeyedDigest, addresses: &BlockedAddresses) -> Result<Vec<TenantEvent>, TenantError> {
    if tenant.blocked_ranges.contains(&range) {
        return Ok(vec![]);
    }
    if addresses.range.len() > RANGE_BYTES_MAX {
        return Err(TenantError::TextTooLong { field: "range", bytes_max: RANGE_BYTES_MAX });
    }
    if tenant.blocked_ranges.len() >= BLOCKED_RANGES_MAX {
        return Err(TenantError::TooManyBlockedRanges { ranges_max: BLOCKED_RANGES_MAX });
    }
    Ok(vec![AddressesBlocked { range, private: Private::Known(addresses.clone()) }.into()])
}

pub(super) fn unblock(tenant: &CreatedTenant, range: KeyedDigest) -> Vec<TenantEvent> {
    tenant.blocked_ranges.contains(&range).then(|| AddressesUnblocked { range }.into()).into_iter().collect()
}
