//! Settings: one struct per concern, read from a TOML file, overlaid by the environment. Unknown names are refused.
//!
//! `KEFU_A__B=value` sets field `b` of section `a`. A value is read as TOML where that fits the field, otherwise as text.
//! This file must not know what a setting does.

pub mod addresses;
pub mod attachments;
pub mod auth;
pub mod channels;
pub mod http;
pub mod outgoing;
pub mod websocket;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use self::addresses::AddressesConfig;
pub use self::attachments::AttachmentsConfig;
pub use self::auth::AuthConfig;
pub use self::channels::ChannelsConfig;
pub use self::http::{HttpConfig, Network, TrustedProxies};
pub use self::outgoing::OutgoingConfig;
pub use self::websocket::WebSocketConfig;

/// Prefix of environment variables that set a field.
const ENVIRONMENT_PREFIX: &str = "KEFU_";

/// Everything that can be set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The HTTP listener.
    pub http: HttpConfig,
    /// What one client address may do.
    pub addresses: AddressesConfig,
    /// Who may sign in, and for how long.
    pub auth: AuthConfig,
    /// Sockets of devices.
    pub websocket: WebSocketConfig,
    /// Files that are uploaded.
    pub attachments: AttachmentsConfig,
    /// Requests to addresses that tenants wrote down.
    pub outgoing: OutgoingConfig,
    /// Channels that tenants connect.
    pub channels: ChannelsConfig,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("configuration {path} cannot be read")]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML, or says something that cannot be set.
    #[error("configuration is not valid")]
    Invalid {
        /// Line, column and field.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// An environment variable points into a value.
    #[error("environment variable {name} names no section and field")]
    Environment {
        /// Its name.
        name: String,
    },
}

impl Config {
    /// Reads a file, if one is given, and lays the environment over it.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let text = match file {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|source| ConfigError::Io { path: path.to_owned(), source })?,
        };
        Self::parse(&text, environment)
    }

    fn parse(text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let invalid = |source| ConfigError::Invalid { source: Box::new(source) };
        let mut table: toml::Table = text.parse().map_err(invalid)?;
        for (name, value) in environment {
            // Only names with both parts are ours: KEFU_OPERATOR_KEY and the like belong to the command line.
            if let Some(path) = name.strip_prefix(ENVIRONMENT_PREFIX).and_then(|rest| rest.split_once("__")) {
                overlay(&mut table, path, &value).ok_or(ConfigError::Environment { name })?;
            }
        }
        table.try_into().map_err(invalid)
    }
}

fn overlay(table: &mut toml::Table, (section, field): (&str, &str), value: &str) -> Option<()> {
    let section = table.entry(section.to_lowercase()).or_insert_with(|| toml::Table::new().into());
    let parsed = format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut parsed| parsed.remove("value"));
    section.as_table_mut()?.insert(field.to_lowercase(), parsed.unwrap_or_else(|| value.into()));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, value: &str) -> [(String, String); 1] {
        [(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        let config = Config::parse("", []).unwrap();
        assert_eq!(config.http.listen, HttpConfig::default().listen);
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = "[http]\nlisten = \"127.0.0.1:1\"\n";
        let config = Config::parse(file, variable("KEFU_HTTP__LISTEN", "127.0.0.1:2")).unwrap();
        assert_eq!(config.http.listen.port(), 2);
        let config = Config::parse(file, variable("KEFU_WEBSOCKET__QUEUE_FRAMES_MAX", "7")).unwrap();
        assert_eq!(config.websocket.queue_frames_max, 7);
        let config = Config::parse(file, variable("KEFU_HTTP__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]")).unwrap();
        assert!(config.http.trusted_proxies.contains("10.1.2.3".parse().unwrap()));
    }

    #[test]
    fn an_unknown_field_is_refused_in_the_file_and_in_the_environment() {
        assert!(matches!(Config::parse("[http]\nlisen = 1\n", []), Err(ConfigError::Invalid { .. })));
        assert!(matches!(Config::parse("", variable("KEFU_HTTP__LISEN", "1")), Err(ConfigError::Invalid { .. })));
        assert!(Config::parse("", variable("KEFU_OPERATOR_KEY", "x")).is_ok());
    }
}
