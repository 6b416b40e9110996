//! What happens to the channels that a tenant connects, as it is stored.

use serde::{Deserialize, Serialize};

use super::SharedSecret;
use crate::ids::{ChannelId, ShopId};
use crate::private::Private;

/// What a tenant says of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSettings {
    /// Its name.
    pub title: String,
    /// Where its customers' items are delivered.
    pub url: String,
}

/// A channel is connected, or is connected otherwise from here on; what is delivered goes to this address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelConnected {
    /// Which.
    pub channel: ChannelId,
    /// The shop that its customers talk with.
    pub shop: ShopId,
    /// Its name and address.
    #[serde(skip)]
    pub private: Private<ChannelSettings>,
}

/// What goes in and out of a channel is signed with this secret from here on, and with no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSecretSet {
    /// Which.
    pub channel: ChannelId,
    /// The secret.
    #[serde(skip)]
    pub private: Private<SharedSecret>,
}

/// The channel's address said that it is gone: nothing is delivered until the channel is connected again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelDeliveryStopped {
    /// Which.
    pub channel: ChannelId,
}

/// Nothing goes in or out of the channel any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelDisconnected {
    /// Which.
    pub channel: ChannelId,
}
