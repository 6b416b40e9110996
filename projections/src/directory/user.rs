//! How each fact changes the row of a user.

use application::queries::{AccountStage, DescriptionRow, EventRef, ServiceStatus, SessionRow, UserRow};
use domain::ids::UserId;
use domain::user::abilities::Abilities;
use domain::user::event::{CustomerDescribed, UserEvent, UserRegistered};
use domain::user::state::CAPACITY_DEFAULT;

use crate::projection::Fact;

/// The row of a new user.
pub(super) fn registered(user: UserId, event: &UserRegistered, fact: &Fact<'_>) -> UserRow {
    UserRow {
        user,
        role: event.role,
        anonymous: event.anonymous,
        stage: AccountStage::Active,
        registered_at: fact.time,
        profile: fact.at,
        password: None,
        accounts: Vec::new(),
        sessions: Vec::new(),
        service: ServiceStatus::Stopped,
        online: false,
        groups: Vec::new(),
        capacity: if event.role.serves() { CAPACITY_DEFAULT } else { 0 },
        abilities: Abilities::default(),
        blocked: None,
    }
}

/// Takes one fact in. An account that is closed keeps who it was, and forgets sign-ins, presence and shift.
pub(super) fn evolve(row: &mut UserRow, event: &UserEvent, fact: &Fact<'_>) {
    match event {
        UserEvent::UserRegistered(_) => {}
        UserEvent::ProfileChanged(_) => row.profile = fact.at,
        UserEvent::ExternalAccountMapped(mapped) => {
            row.accounts.retain(|(account, _)| *account != mapped.account);
            row.accounts.push((mapped.account, fact.at));
        }
        UserEvent::PasswordSet(_) => row.password = Some(fact.at),
        UserEvent::SessionStarted(started) => {
            // As in the domain: a new sign-in is the moment at which the expired ones are forgotten.
            row.sessions.retain(|session| session.session != started.session && fact.time < session.expires_at);
            row.sessions.push(SessionRow {
                session: started.session,
                started_at: fact.time,
                expires_at: started.expires_at,
                kind: started.kind,
                device: fact.at,
            });
        }
        UserEvent::SessionRefreshed(refreshed) => {
            for session in row.sessions.iter_mut().filter(|session| session.session == refreshed.session) {
                session.expires_at = refreshed.expires_at;
            }
        }
        UserEvent::SessionEnded(ended) => row.sessions.retain(|session| session.session != ended.session),
        UserEvent::UserDeactivated(_) => close(row, AccountStage::Deactivated),
        UserEvent::CustomerMerged(merged) => close(row, AccountStage::Merged { into: merged.into }),
        UserEvent::GroupsChanged(changed) => {
            row.groups.clone_from(&changed.groups);
            row.groups.sort_unstable();
            row.groups.dedup();
        }
        UserEvent::CapacityChanged(changed) => row.capacity = changed.capacity,
        UserEvent::AbilitiesChanged(changed) => row.abilities.clone_from(&changed.abilities),
        UserEvent::ServiceStarted(_) => row.service = ServiceStatus::Started,
        UserEvent::ServicePaused(_) => row.service = ServiceStatus::Paused,
        UserEvent::ServiceStopped(_) => row.service = ServiceStatus::Stopped,
        UserEvent::CameOnline(_) => row.online = true,
        UserEvent::WentOffline(_) => row.online = false,
        UserEvent::CustomerBlocked(_) => row.blocked = Some(fact.at),
        UserEvent::CustomerUnblocked(_) => row.blocked = None,
        // They lie in tables of their own.
        UserEvent::CannedReplySaved(_)
        | UserEvent::CannedReplyRemoved(_)
        | UserEvent::ChannelReceived(_)
        | UserEvent::CustomerDescribed(_) => {}
    }
}

/// Takes a description in: all words are said anew, and each attribute that is set lies where this fact does.
pub(super) fn describe(row: &mut DescriptionRow, event: &CustomerDescribed, at: EventRef) {
    row.tier.clone_from(&event.tier);
    row.language.clone_from(&event.language);
    row.tags.clone_from(&event.tags);
    row.attributes.retain(|(name, _)| !event.removed_attributes.contains(name) && !event.set_attributes.contains(name));
    row.attributes.extend(event.set_attributes.iter().map(|name| (name.clone(), at)));
    row.attributes.sort();
}

fn close(row: &mut UserRow, stage: AccountStage) {
    row.stage = stage;
    row.sessions.clear();
    row.online = false;
    row.service = ServiceStatus::Stopped;
}
