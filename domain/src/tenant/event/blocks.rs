//! Blocked ranges of client addresses, as they are stored.

use serde::{Deserialize, Serialize};

use crate::private::Private;
use crate::remark::Remark;
use crate::user::event::KeyedDigest;

/// A range of client addresses, and why it is blocked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedAddresses {
    /// An address or a network, as `10.0.0.7` or `10.0.0.0/8`, IPv4 or IPv6.
    pub range: String,
    /// Why.
    pub reason: Remark,
}

/// The tenant wants to hear nothing of customers from these addresses from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressesBlocked {
    /// Keyed digest of the range.
    pub range: KeyedDigest,
    /// The range.
    #[serde(skip)]
    pub private: Private<BlockedAddresses>,
}

/// The addresses are like any others again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressesUnblocked {
    /// Keyed digest of the range.
    pub range: KeyedDigest,
}
