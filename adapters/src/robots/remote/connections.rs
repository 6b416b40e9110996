//! What a tenant said of its robots elsewhere, opened from the log once per change: where they are asked, and with which secret.

use std::sync::Arc;

use application::ports::event_log::EventLog;
use application::ports::key_store::KeyStore;
use application::queries::{EventRef, RobotRow};
use domain::event::Event;
use domain::ids::TenantId;
use domain::labels::Label;
use domain::tenant::event::{RobotSettings, SharedSecret, TenantEvent};

use crate::http::error::ApiError;
use crate::http::identity_tokens::decode_base64;
use crate::opened::Opened;
use crate::reading::Reader;
use crate::webhook_signature::SigningKey;

/// An opened connection.
pub struct Connection {
    /// Its address, and what a language model is told.
    pub settings: RobotSettings,
    /// Its secret, if it has one.
    secret: Option<SharedSecret>,
}

impl Connection {
    /// What the robot is asked is signed with.
    #[must_use]
    pub fn signing_key(&self) -> Option<SigningKey> {
        decode_base64(&self.secret.as_ref()?.secret).map(SigningKey::new)
    }

    /// What the robot's server gave out.
    #[must_use]
    pub fn api_key(&self) -> Option<&str> {
        self.secret.as_ref().map(|secret| secret.secret.as_str())
    }
}

/// The connections that are in use.
pub struct Connections {
    log: Arc<dyn EventLog>,
    keys: Arc<dyn KeyStore>,
    known: Opened<(TenantId, Label), (EventRef, Option<EventRef>), Connection>,
}

impl Connections {
    /// Opens from these.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, keys: Arc<dyn KeyStore>) -> Self {
        Self { log, keys, known: Opened::default() }
    }

    /// The connection of a robot.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when its private half is gone with the tenant's key; whatever opening it reports.
    pub async fn of(&self, tenant: TenantId, row: &RobotRow) -> Result<Arc<Connection>, ApiError> {
        let whose = (tenant, row.robot.clone());
        let at = (row.settings, row.secret);
        match self.known.get(&whose, &at) {
            Some(connection) => Ok(connection),
            None => Ok(self.known.keep(whose, at, self.open(row).await?)),
        }
    }

    async fn open(&self, row: &RobotRow) -> Result<Connection, ApiError> {
        let gone = || ApiError::NotFound { kind: "robot" };
        let mut reader = Reader::over(&*self.log, &*self.keys);
        let Event::Tenant(TenantEvent::RobotConnected(connected)) = reader.open(row.settings).await?.event else {
            return Err(gone());
        };
        let secret = match row.secret {
            None => None,
            Some(at) => {
                let Event::Tenant(TenantEvent::RobotSecretSet(set)) = reader.open(at).await?.event else { return Err(gone()) };
                Some(set.private.known().cloned().ok_or_else(gone)?)
            }
        };
        Ok(Connection { settings: connected.private.known().cloned().ok_or_else(gone)?, secret })
    }
}
