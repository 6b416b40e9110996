//! What a channel's settings say, opened from the log once per change: where it is delivered to, and the key of its signatures.

use std::sync::Arc;

use application::queries::{ChannelRow, EventRef};
use domain::event::Event;
use domain::ids::TenantId;
use domain::tenant::event::{ChannelSettings, TenantEvent};

use super::rounds::Route;
use crate::http::error::ApiError;
use crate::http::identity_tokens::decode_base64;
use crate::opened::Opened;
use crate::reading;
use crate::state::AppState;
use crate::webhook_signature::SigningKey;

/// An opened connection.
#[derive(Debug)]
pub struct Connection {
    /// Name and address.
    pub settings: ChannelSettings,
    /// What goes in and out is signed with it.
    pub key: SigningKey,
}

/// The connections that are in use.
#[derive(Default)]
pub struct Connections {
    /// One per channel, replaced when the tenant connects it otherwise.
    known: Opened<Route, (EventRef, EventRef), Connection>,
}

impl Connections {
    /// The connection of a channel.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when its private half is gone with the tenant's key; whatever opening it reports.
    pub async fn of(&self, app: &AppState, tenant: TenantId, row: &ChannelRow) -> Result<Arc<Connection>, ApiError> {
        let route = (tenant, row.channel);
        let at = (row.settings, row.secret);
        if let Some(connection) = self.known.get(&route, &at) {
            return Ok(connection);
        }
        let gone = || ApiError::NotFound { kind: "channel" };
        let Event::Tenant(TenantEvent::ChannelConnected(connected)) = reading::open(app, row.settings).await?.event else {
            return Err(gone());
        };
        let Event::Tenant(TenantEvent::ChannelSecretSet(set)) = reading::open(app, row.secret).await?.event else {
            return Err(gone());
        };
        let settings = connected.private.known().cloned().ok_or_else(gone)?;
        let key = set.private.known().and_then(|secret| decode_base64(&secret.secret)).map(SigningKey::new).ok_or_else(gone)?;
        Ok(self.known.keep(route, at, Connection { settings, key }))
    }
}
