//! Settings of what one client address may do. Many people share one: an office, a carrier's customers, everybody behind a proxy that
//! `http.trusted_proxies` does not name.

use serde::Deserialize;

/// Settings of what one client address may do; an IPv6 address counts with its /64.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddressesConfig {
    /// Attempts without a valid credential that an address may make at once: wrong passwords, tokens, keys and signatures. Default
    /// 300: an office in which everybody mistypes their password on Monday. 0: no limit.
    pub attempts_at_once: u32,
    /// Further ones a minute. Default 60: who guesses gets one a second.
    pub attempts_per_minute: u32,
    /// Anonymous customers that an address may make at once. Default 3,000: a campaign's page, opened by everybody behind one
    /// carrier's address. 0: no limit.
    pub anonymous_at_once: u32,
    /// Further ones a minute. Default 1,200: each is an account that stays, with a key and a sign-in.
    pub anonymous_per_minute: u32,
    /// Sockets that an address may hold open. Default 20,000: load tests, and a proxy that nobody named. 0: no limit.
    pub sockets_max: u32,
}

impl Default for AddressesConfig {
    fn default() -> Self {
        Self { attempts_at_once: 300, attempts_per_minute: 60, anonymous_at_once: 3_000, anonymous_per_minute: 1_200, sockets_max: 20_000 }
    }
}
