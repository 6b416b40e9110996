//! Who asked last on a connection: mostly whoever asks next.
//!
//! A device that polls shows the same token several times a second on the same connection. Who that is stays the same until
//! anything about a user changes or the token's time is over, so it is looked up once and then only compared. A sign-in that is
//! ended is a change of its user, so ending it takes effect at once here, too.

use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderValue, header};
use domain::time::Timestamp;
use subtle::ConstantTimeEq;

use super::auth::{Caller, Identity, Origin, SignedIn, address_of};
use super::error::ApiError;
use crate::state::AppState;

struct Known {
    /// What they presented, scheme and all.
    presented: HeaderValue,
    /// How often users had changed before they were looked up.
    users_changed: u64,
    /// When their token or their sign-in ends.
    until: Timestamp,
    who: SignedIn,
}

/// See the file's head.
#[derive(Default)]
pub struct LastAsker(Mutex<Option<Known>>);

impl LastAsker {
    /// Whoever makes a request, as [`Caller::of`] says.
    ///
    /// # Errors
    /// As [`Caller::of`].
    pub fn caller(&self, app: &AppState, origin: Origin, headers: &HeaderMap) -> Result<Caller, ApiError> {
        let Some(presented) = headers.get(header::AUTHORIZATION) else {
            return Caller::of(app, origin, headers);
        };
        // Before anybody is looked up: a change meanwhile makes the answer old at once.
        let users_changed = app.ports.views.users_changed();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last.as_ref().filter(|known| {
            known.users_changed == users_changed
                && app.now() < known.until
                // A proxy may send several people's requests over one connection: the time tells nobody how far they are right.
                && bool::from(known.presented.as_bytes().ct_eq(presented.as_bytes()))
        });
        if let Some(Known { who, .. }) = known {
            let address = address_of(app, origin.peer, headers);
            return Ok(Caller { identity: Identity::User(who.clone()), correlation: origin.correlation, address });
        }
        let caller = Caller::of(app, origin, headers)?;
        if let Identity::User(who) = &caller.identity {
            *last = Some(Known { presented: presented.clone(), users_changed, until: who.until, who: who.clone() });
        }
        Ok(caller)
    }
}
