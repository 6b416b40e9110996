//! What a channel's settings say, opened from the log once per change: where it is delivered to, and the key of its signatures.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use application::queries::{ChannelRow, EventRef};
use domain::event::Event;
use domain::ids::TenantId;
use domain::tenant::event::{ChannelSettings, TenantEvent};

use super::rounds::Route;
use crate::http::error::ApiError;
use crate::http::identity_tokens::decode_base64;
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

/// A connection, and where in the log its parts are.
#[derive(Clone)]
struct Known {
    settings: EventRef,
    secret: EventRef,
    connection: Arc<Connection>,
}

/// The connections that are in use.
#[derive(Default)]
pub struct Connections {
    /// One per channel, replaced when the tenant connects it otherwise.
    known: Mutex<HashMap<Route, Known>>,
}

impl Connections {
    /// The connection of a channel.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when its private half is gone with the tenant's key; whatever opening it reports.
    pub async fn of(&self, app: &AppState, tenant: TenantId, row: &ChannelRow) -> Result<Arc<Connection>, ApiError> {
        let route = (tenant, row.channel);
        let cached = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&route).cloned();
        if let Some(known) = cached
            && (known.settings, known.secret) == (row.settings, row.secret)
        {
            return Ok(known.connection);
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
        let connection = Arc::new(Connection { settings, key });
        let known = Known { settings: row.settings, secret: row.secret, connection: Arc::clone(&connection) };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(route, known);
        Ok(connection)
    }
}
