//! What a tenant said of its providers, opened from the log once per change: where they are called, and the key of all signatures.

use std::sync::Arc;

use application::ports::event_log::EventLog;
use application::ports::key_store::KeyStore;
use application::queries::{EventRef, ProviderRow};
use domain::event::Event;
use domain::ids::{TenantId, UserId};
use domain::tenant::event::{ProviderSettings, TenantEvent};

use crate::http::error::ApiError;
use crate::http::identity_tokens::decode_base64;
use crate::opened::Opened;
use crate::reading::Reader;
use crate::webhook_signature::SigningKey;

/// An opened connection.
pub struct Connection {
    /// Its name for customers, and its address.
    pub settings: ProviderSettings,
    /// What goes out and comes in is signed with it.
    pub key: SigningKey,
}

impl Connection {
    /// Under which name customers know it, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        Some(self.settings.title.clone()).filter(|title| !title.is_empty())
    }
}

/// The connections that are in use.
pub struct Connections {
    log: Arc<dyn EventLog>,
    keys: Arc<dyn KeyStore>,
    known: Opened<(TenantId, UserId), (EventRef, EventRef), Connection>,
}

impl Connections {
    /// Opens from these.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, keys: Arc<dyn KeyStore>) -> Self {
        Self { log, keys, known: Opened::default() }
    }

    /// The connection of a provider.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when its private half is gone with the tenant's key; whatever opening it reports.
    pub async fn of(&self, tenant: TenantId, row: &ProviderRow) -> Result<Arc<Connection>, ApiError> {
        let whose = (tenant, row.agent);
        let at = (row.settings, row.secret);
        match self.known.get(&whose, &at) {
            Some(connection) => Ok(connection),
            None => Ok(self.known.keep(whose, at, self.open(row).await?)),
        }
    }

    async fn open(&self, row: &ProviderRow) -> Result<Connection, ApiError> {
        let gone = || ApiError::NotFound { kind: "provider" };
        let mut reader = Reader::over(&*self.log, &*self.keys);
        let Event::Tenant(TenantEvent::ProviderConnected(connected)) = reader.open(row.settings).await?.event else {
            return Err(gone());
        };
        let Event::Tenant(TenantEvent::ProviderSecretSet(set)) = reader.open(row.secret).await?.event else {
            return Err(gone());
        };
        let settings = connected.private.known().cloned().ok_or_else(gone)?;
        let key = set.private.known().and_then(|secret| decode_base64(&secret.secret)).map(SigningKey::new).ok_or_else(gone)?;
        Ok(Connection { settings, key })
    }
}
