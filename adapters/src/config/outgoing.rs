//! Settings of requests that this server sends to addresses which tenants wrote down.

use std::time::Duration;

use serde::Deserialize;

use super::http::Network;

/// Settings of outgoing requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutgoingConfig {
    /// Internal addresses (`10.0.0.7`) and networks (`10.0.0.0/8`) that tenants' addresses may lead to, also without TLS. Default
    /// none: whoever may write an address down must not reach with it what only this server can reach.
    pub internal_networks: Vec<Network>,
    /// Seconds for one request, from looking the name up to the head of the answer. Default 10.
    pub timeout_s: u16,
    /// Milliseconds before a provider that could not be reached is called again; each further wait is twice as long, of five.
    /// Default 500.
    pub provider_retry_ms: u32,
}

impl Default for OutgoingConfig {
    fn default() -> Self {
        Self { internal_networks: Vec::new(), timeout_s: 10, provider_retry_ms: 500 }
    }
}

impl OutgoingConfig {
    /// See [`Self::timeout_s`].
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout_s))
    }

    /// See [`Self::provider_retry_ms`].
    #[must_use]
    pub fn provider_retry(&self) -> Duration {
        Duration::from_millis(u64::from(self.provider_retry_ms))
    }
}
