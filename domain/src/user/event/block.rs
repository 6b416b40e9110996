//! That a customer is blocked, as it is stored.

use serde::{Deserialize, Serialize};

use crate::message::Party;
use crate::private::Private;
use crate::remark::Remark;

/// Why a customer is blocked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockReason {
    /// Free text. None where the block followed the customer from an account that was merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Remark>,
}

/// The tenant wants to hear nothing of the customer from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerBlocked {
    /// Who says so.
    pub by: Party,
    /// Why.
    #[serde(skip)]
    pub private: Private<BlockReason>,
}

/// The customer is one like any other again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerUnblocked {
    /// Who says so.
    pub by: Party,
}
