//! What a device may follow: of presence, staff anybody's, customers that of those they are in a group thread with; of boards, whoever may read the
//! queue those that they may read.

use std::collections::HashSet;
use std::sync::Arc;

use application::access::{Action, Principal, Reach, Resource, allowed, reach};
use domain::ids::{GroupId, UserId};

use crate::http::error::{ApiError, InputError};
use crate::hub::signal::Signal;
use crate::hub::{BOARDS_MAX, Device, WATCHED_MAX, Who};
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
        // Of the shop's people a customer knows the shop alone.
        let chats = views.chats_of(tenant, sender.user).into_iter().filter_map(|chat| views.chat(tenant, chat));
        let chats = chats.filter(|chat| chat.customer().is_none());
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

/// Lets a device follow the boards of these groups instead of those before, and tells it how they stand.
///
/// # Errors
/// [`ApiError::Denied`], which an agent gets for a group that they do not serve; [`ApiError::NotFound`] for a group that the tenant
/// does not have; [`InputError::TooManyBoards`].
pub fn watch_boards(app: &AppState, device: &Arc<Device>, sender: Sender, mut groups: Vec<GroupId>) -> Result<(), ApiError> {
    let (tenant, views) = (sender.tenant, &app.ports.views);
    let serves = views.user(tenant, sender.user).map(|row| row.groups.clone()).unwrap_or_default();
    let principal = Principal::User { tenant, role: sender.role, groups: &serves };
    allowed(principal, Action::ReadQueue, Resource::of_tenant(tenant).own(true))?;
    groups.sort_unstable();
    groups.dedup();
    if groups.len() > BOARDS_MAX {
        return Err(InputError::TooManyBoards.into());
    }
    let known = views.tenant(tenant);
    for group in &groups {
        allowed(principal, Action::ReadQueue, Resource::of_tenant(tenant).in_group(Some(*group)))?;
        if !known.as_ref().is_some_and(|row| row.groups.iter().any(|(known, _)| known == group)) {
            return Err(ApiError::NotFound { kind: "group" });
        }
    }
    app.hub.watch_boards(device, groups);
    // Asked again now that the hub knows of it: a change of the groups in between is seen here, a later one by the signals.
    give_up_boards(app, device.who);
    app.signals.tell_boards(app, device);
    Ok(())
}

/// Takes from a user's devices the boards that they may not see any more, because they serve other groups now.
pub fn give_up_boards(app: &AppState, who: Who) {
    let Some(row) = app.ports.views.user(who.0, who.1) else { return };
    let principal = Principal::User { tenant: who.0, role: row.role, groups: &row.groups };
    let may = |group: &GroupId| allowed(principal, Action::ReadQueue, Resource::of_tenant(who.0).in_group(Some(*group))).is_ok();
    for device in app.hub.devices_of(who) {
        app.hub.retain_boards(&device, may);
    }
}
