//! Whose presence a device may follow: staff anybody's, customers that of those they have met.

use std::collections::HashSet;
use std::sync::Arc;

use application::access::{Action, Principal, Reach, Resource, allowed, reach};
use domain::ids::UserId;

use crate::http::error::{ApiError, InputError};
use crate::hub::signal::Signal;
use crate::hub::{Device, WATCHED_MAX};
use crate::messaging::Sender;
use crate::presence;
use crate::state::AppState;

/// Lets a device follow the presence of these users instead of those before, and tells it how they are.
///
/// # Errors
/// [`ApiError::Denied`]; [`InputError::TooManyWatched`].
pub fn watch(app: &AppState, device: &Arc<Device>, sender: Sender, mut users: Vec<UserId>) -> Result<(), ApiError> {
    let tenant = sender.tenant;
    let principal = Principal::User { tenant, role: sender.role, groups: &[] };
    allowed(principal, Action::WatchPresence, Resource::of_tenant(tenant).own(true))?;
    users.sort_unstable();
    users.dedup();
    if users.len() > WATCHED_MAX {
        return Err(InputError::TooManyWatched.into());
    }
    let views = &app.ports.views;
    if reach(principal, Action::WatchPresence) == Some(Reach::Own) {
        let chats = views.chats_of(tenant, sender.user).into_iter().filter_map(|chat| views.chat(tenant, chat));
        let met: HashSet<UserId> = chats.flat_map(|chat| chat.members).map(|member| member.user).collect();
        users.retain(|user| met.contains(user));
    }
    users.retain(|user| views.user(tenant, *user).is_some());
    app.hub.watch(device, users.clone());
    // Asked after the hub knows of the watch: a change in between is told twice rather than not at all.
    for user in users {
        device.outbox.push_signal(Signal::Presence { user, online: presence::is_online(app, (tenant, user)) });
    }
    Ok(())
}
