//! How each fact changes what is known of a user.
//!
//! It never refuses: a fact that does not fit the stage changes nothing.

use std::mem;

use crate::time::Timestamp;
use crate::user::event::{SessionRefreshed, SessionStarted, UserEvent};
use crate::user::state::{ActiveUser, Identity, Service, ServiceStatus, Session, UserState};

/// Takes one fact into the state.
pub fn evolve(state: &mut UserState, event: &UserEvent, at: Timestamp) {
    match event {
        UserEvent::UserRegistered(event) => {
            if matches!(state, UserState::Unknown) {
                *state = UserState::Active(ActiveUser::registered(event.role, event.anonymous));
            }
        }
        UserEvent::ProfileChanged(_) | UserEvent::PasswordSet(_) => {}
        UserEvent::ExternalAccountMapped(event) => with_active(state, |user| {
            user.identity.accounts.insert(event.account);
        }),
        UserEvent::SessionStarted(event) => with_active(state, |user| start_session(user, event, at)),
        UserEvent::SessionRefreshed(event) => with_active(state, |user| refresh_session(user, event)),
        UserEvent::SessionEnded(event) => with_active(state, |user| {
            user.sessions.remove(&event.session);
        }),
        UserEvent::UserDeactivated(_) => close_account(state, UserState::Deactivated),
        UserEvent::CustomerMerged(event) => close_account(state, |identity| UserState::Merged { identity, into: event.into }),
        UserEvent::GroupsChanged(event) => with_service(state, |service| service.groups = event.groups.iter().copied().collect()),
        UserEvent::CapacityChanged(event) => with_service(state, |service| service.capacity = event.capacity),
        UserEvent::AbilitiesChanged(event) => with_service(state, |service| *service.abilities = event.abilities.clone()),
        UserEvent::ServiceStarted(_) => with_service(state, |service| service.status = ServiceStatus::Started),
        UserEvent::ServicePaused(event) => {
            with_service(state, |service| service.status = ServiceStatus::Paused { reason: event.reason.clone() });
        }
        UserEvent::ServiceStopped(_) => with_service(state, |service| service.status = ServiceStatus::Stopped),
        UserEvent::CameOnline(_) => with_active(state, |user| user.online = true),
        UserEvent::WentOffline(_) => with_active(state, |user| user.online = false),
        UserEvent::CannedReplySaved(event) => with_service(state, |service| {
            service.canned_replies.insert(event.reply, event.shortcut.clone());
        }),
        UserEvent::CannedReplyRemoved(event) => with_service(state, |service| {
            service.canned_replies.remove(&event.reply);
        }),
        UserEvent::CustomerDescribed(event) => with_active(state, |user| user.description.get_or_insert_default().take_in(event)),
        UserEvent::CustomerBlocked(_) => with_active(state, |user| user.blocked = true),
        UserEvent::CustomerUnblocked(_) => with_active(state, |user| user.blocked = false),
        UserEvent::ChannelReceived(event) => with_active(state, |user| user.channel = Some((event.channel, event.up_to))),
    }
}

fn with_active(state: &mut UserState, change: impl FnOnce(&mut ActiveUser)) {
    if let UserState::Active(user) = state {
        change(user);
    }
}

fn with_service(state: &mut UserState, change: impl FnOnce(&mut Service)) {
    with_active(state, |user| {
        if let Some(service) = &mut user.service {
            change(service);
        }
    });
}

/// A new sign-in is the moment at which the expired ones are forgotten, so that the state stays small without a timer.
fn start_session(user: &mut ActiveUser, event: &SessionStarted, at: Timestamp) {
    user.sessions.retain(|_, session| session.is_live(at));
    user.sessions.insert(event.session, Session { refresh: event.refresh, expires_at: event.expires_at, kind: event.kind });
}

fn refresh_session(user: &mut ActiveUser, event: &SessionRefreshed) {
    if let Some(session) = user.sessions.get_mut(&event.session) {
        *session = Session { refresh: event.refresh, expires_at: event.expires_at, kind: session.kind };
    }
}

/// Keeps who the user is, and forgets sessions, presence and shift.
fn close_account(state: &mut UserState, next: impl FnOnce(Identity) -> UserState) {
    *state = match mem::take(state) {
        UserState::Active(user) => next(user.identity),
        other @ (UserState::Unknown | UserState::Deactivated(_) | UserState::Merged { .. }) => other,
    };
}
