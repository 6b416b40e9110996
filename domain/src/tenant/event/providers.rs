//! What happens to the providers that answer for a tenant, as it is stored.

use serde::{Deserialize, Serialize};

use super::SharedSecret;
use crate::ids::{GroupId, UserId};
use crate::labels::Label;
use crate::private::Private;
use crate::time::Millis;

/// What a tenant says of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSettings {
    /// What customers know it as.
    pub title: String,
    /// Where it is called.
    pub url: String,
}

/// A provider is a seat, or is one otherwise from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderConnected {
    /// Its name among the tenant's seats.
    pub provider: Label,
    /// Who it is at the desk and in chats; always the same for a name.
    pub agent: UserId,
    /// The groups it serves.
    pub groups: Vec<GroupId>,
    /// Most conversations at a time.
    pub capacity: u32,
    /// How long it may take for the answer to a call.
    pub time_out: Millis,
    /// How long it may take to accept a conversation.
    pub accept_within: Millis,
    /// Its name for customers, and its address.
    #[serde(skip)]
    pub private: Private<ProviderSettings>,
}

/// What goes to the provider, and comes from it, is signed with this secret from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSecretSet {
    /// Which.
    pub provider: Label,
    /// The secret.
    #[serde(skip)]
    pub private: Private<SharedSecret>,
}

/// The provider is no seat any more: it is given nothing, and heard no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderDisconnected {
    /// Which.
    pub provider: Label,
    /// Who it was at the desk.
    pub agent: UserId,
}
