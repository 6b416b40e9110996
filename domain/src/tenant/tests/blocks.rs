//! Ranges of addresses from which the tenant wants to hear nothing.

use super::*;
use crate::tenant::blocks::{BLOCKED_RANGES_MAX, RANGE_BYTES_MAX};
use crate::tenant::event::{AddressesBlocked, AddressesUnblocked, BlockedAddresses};

fn range(number: usize) -> KeyedDigest {
    KeyedDigest::from_bytes((number as u128).to_be_bytes())
}

fn addresses(range: &str) -> BlockedAddresses {
    BlockedAddresses { range: range.into(), reason: "floods us".parse().unwrap() }
}

fn block(number: usize) -> TenantCommand {
    TenantCommand::BlockAddresses { range: range(number), addresses: addresses("203.0.113.0/24") }
}

fn blocked(number: usize) -> TenantEvent {
    AddressesBlocked { range: range(number), private: Private::Known(addresses("203.0.113.0/24")) }.into()
}

#[test]
fn a_range_is_blocked_once_and_until_it_is_taken_back() {
    given_created()
        .when(TenantCommand::UnblockAddresses { range: range(1) })
        .then_nothing()
        .when(block(1))
        .then([blocked(1)])
        .when(block(1))
        .then_nothing()
        .when(TenantCommand::UnblockAddresses { range: range(1) })
        .then([AddressesUnblocked { range: range(1) }.into()])
        .when(block(1))
        .then([blocked(1)]);
}

#[test]
fn so_many_ranges_are_blocked_and_no_more() {
    given_created()
        .and((1..BLOCKED_RANGES_MAX).map(blocked).collect::<Vec<_>>())
        .when(block(0))
        .then([blocked(0)])
        .when(block(BLOCKED_RANGES_MAX))
        .then_refused(TenantError::TooManyBlockedRanges { ranges_max: BLOCKED_RANGES_MAX });
}

#[test]
fn what_is_no_range_is_too_long() {
    let long = TenantCommand::BlockAddresses { range: range(1), addresses: addresses(&"1".repeat(RANGE_BYTES_MAX + 1)) };
    given_created().when(long).then_refused(TenantError::TextTooLong { field: "range", bytes_max: RANGE_BYTES_MAX });
}
