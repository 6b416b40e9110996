//! Settings of sign-in.

use serde::Deserialize;

/// Settings of sign-in.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// The operator key of this installation. Default none: nobody is the operator. Also `--operator-key`, `KEFU_OPERATOR_KEY`.
    pub operator_key: Option<String>,
    /// Life of an access token in seconds. Default 900: short, because it only saves a look at the refresh secret; revocation is
    /// checked at every request anyway.
    pub access_token_s: u32,
    /// Life of a sign-in without refresh in days. Default 30: a device that was away longer signs in again.
    pub session_days: u32,
    /// Password hashes computed at a time. Default 2: each takes 19 MiB and a core for about 20 ms; more waits in line.
    pub password_hashes_at_once: u16,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self { operator_key: None, access_token_s: 15 * 60, session_days: 30, password_hashes_at_once: 2 }
    }
}

impl std::fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthConfig")
            .field("operator_key", &self.operator_key.as_ref().map(|_| ".."))
            .field("access_token_s", &self.access_token_s)
            .field("session_days", &self.session_days)
            .field("password_hashes_at_once", &self.password_hashes_at_once)
            .finish()
    }
}
