//! Names and pictures of those who speak for a shop: read from the log once, and again when they change.
//!
//! A message keeps the name under which its customer saw the sender, as it stood then, in its sealed half.

use std::sync::{Arc, Mutex, PoisonError};

use application::queries::{EventRef, UserRow};
use domain::event::Event;
use domain::ids::{TenantId, UserId};
use domain::user::event::{Profile, UserEvent};
use hashbrown::HashMap;

use crate::http::error::ApiError;
use crate::reading::Reader;
use crate::state::AppState;

/// Profiles kept at a time: they are short, and are read again when they are asked for again.
const PROFILES_MAX: usize = 10_000;

/// A profile, and where it lies; none for somebody who was erased.
type Known = (EventRef, Option<Arc<Profile>>);

/// See the file's head.
#[derive(Default)]
pub struct Profiles {
    known: Mutex<HashMap<(TenantId, UserId), Known>>,
}

impl Profiles {
    /// A profile, if it need not be read; `None` when it must be.
    #[must_use]
    pub fn at_hand(&self, app: &AppState, tenant: TenantId, user: UserId) -> Option<Option<Arc<Profile>>> {
        let row = app.ports.views.user(tenant, user)?;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(tenant, user)).filter(|(at, _)| *at == row.profile).map(|(_, profile)| profile.clone())
    }

    /// Nobody is told any more what somebody was called.
    pub fn forget(&self, tenant: TenantId, user: UserId) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&(tenant, user));
    }

    /// A profile; none of somebody unknown or erased.
    ///
    /// # Errors
    /// [`ApiError::Read`], [`ApiError::Decode`].
    pub async fn of(&self, app: &AppState, tenant: TenantId, user: UserId) -> Result<Option<Arc<Profile>>, ApiError> {
        if let Some(known) = self.at_hand(app, tenant, user) {
            return Ok(known);
        }
        let Some(row) = app.ports.views.user(tenant, user) else { return Ok(None) };
        let profile = read(&mut Reader::new(app), &row).await?.map(Arc::new);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= PROFILES_MAX {
            known.clear();
        }
        known.insert((tenant, user), (row.profile, profile.clone()));
        Ok(profile)
    }
}

/// Name and picture of a user; `None` when they were erased.
///
/// # Errors
/// [`ApiError::Read`], [`ApiError::Decode`].
pub async fn read(reader: &mut Reader<'_>, row: &UserRow) -> Result<Option<Profile>, ApiError> {
    Ok(match reader.open(row.profile).await?.event {
        Event::User(UserEvent::UserRegistered(event)) => event.private.known().cloned(),
        Event::User(UserEvent::ProfileChanged(event)) => event.private.known().cloned(),
        Event::User(_)
        | Event::Chat(_)
        | Event::Conversation(_)
        | Event::Desk(_)
        | Event::Tenant(_)
        | Event::Campaign(_)
        | Event::Retrieval(_) => None,
    })
}
