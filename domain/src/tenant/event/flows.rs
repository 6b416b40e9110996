//! A tenant's flows, as they are stored.

use serde::{Deserialize, Serialize};

use crate::flow::FlowKind;
use crate::ids::ShopId;
use crate::private::Private;

/// A flow as its author wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowText {
    /// The document, YAML or JSON.
    pub text: String,
}

/// A flow is in force from here on, in place of the version before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowPublished {
    /// Which of the two documents.
    pub kind: FlowKind,
    /// The shop that it is for; without one, every shop that has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopId>,
    /// Its number, from 1; counted for each kind and shop.
    pub version: u32,
    /// The document.
    #[serde(skip)]
    pub private: Private<FlowText>,
}

/// A flow is in force no longer: the tenant's own goes for the shop again, and the built-in one for the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowWithdrawn {
    /// Which of the two documents.
    pub kind: FlowKind,
    /// The shop that it was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopId>,
    /// The number of the version that was in force.
    pub version: u32,
}
