//! The providers that answer for tenants at desks of their own.

use domain::ids::{GroupId, UserId};
use domain::labels::Label;
use domain::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

use super::{EventRef, TenantRow};

/// A provider that answers for a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRow {
    /// Its name among the tenant's seats.
    pub provider: Label,
    /// Who it is at the desk and in chats.
    pub agent: UserId,
    /// The groups it serves.
    pub groups: Vec<GroupId>,
    /// Most conversations at a time.
    pub capacity: u32,
    /// How long the answer to a call may take.
    pub time_out: Millis,
    /// How long it may take to accept.
    pub accept_within: Millis,
    /// Where its name and address are.
    pub settings: EventRef,
    /// Where its secret is.
    pub secret: EventRef,
    /// When it was last connected.
    pub connected_at: Timestamp,
}

impl TenantRow {
    /// One of its providers, by its name.
    #[must_use]
    pub fn provider(&self, provider: &Label) -> Option<&ProviderRow> {
        self.providers.iter().find(|known| known.provider == *provider)
    }

    /// One of its providers, by who it is at the desk.
    #[must_use]
    pub fn provider_at_the_desk(&self, agent: UserId) -> Option<&ProviderRow> {
        self.providers.iter().find(|known| known.agent == agent)
    }
}
