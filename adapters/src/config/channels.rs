//! Settings of the channels that tenants connect.

use serde::Deserialize;

/// Settings of channels.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelsConfig {
    /// Customers of channels who are delivered to at a time, at most 8 of them by one channel. Default 64: each takes a connection
    /// and a page of items.
    pub deliveries_at_once: u16,
}

impl Default for ChannelsConfig {
    fn default() -> Self {
        Self { deliveries_at_once: 64 }
    }
}
