//! The desk learns of every change of an agent: service, connection, groups, capacity, abilities.

use domain::desk::command::{AgentChange, DeskCommand, Service};
use domain::ids::UserId;
use domain::user::event::UserEvent;

use super::Caused;
use crate::log::stream::StreamKey;

pub(super) fn react(agent: UserId, event: &UserEvent, caused: &mut Vec<Caused>) {
    let change = match event {
        UserEvent::ServiceStarted(_) => AgentChange::Service(Service::Started),
        UserEvent::ServicePaused(_) => AgentChange::Service(Service::Paused),
        UserEvent::ServiceStopped(_) => AgentChange::Service(Service::Stopped),
        UserEvent::GroupsChanged(changed) => AgentChange::Groups(changed.groups.clone()),
        UserEvent::CapacityChanged(changed) => AgentChange::Capacity(changed.capacity),
        UserEvent::AbilitiesChanged(changed) => AgentChange::Abilities(changed.abilities.clone()),
        UserEvent::CameOnline(came) if came.serves => AgentChange::Online(true),
        UserEvent::WentOffline(went) if went.serves => AgentChange::Online(false),
        UserEvent::CameOnline(_)
        | UserEvent::WentOffline(_)
        | UserEvent::UserRegistered(_)
        | UserEvent::ProfileChanged(_)
        | UserEvent::ExternalAccountMapped(_)
        | UserEvent::PasswordSet(_)
        | UserEvent::SessionStarted(_)
        | UserEvent::SessionRefreshed(_)
        | UserEvent::SessionEnded(_)
        // Deactivating stops the service first, which is a fact of its own.
        | UserEvent::UserDeactivated(_)
        | UserEvent::CustomerMerged(_)
        | UserEvent::CannedReplySaved(_)
        | UserEvent::CannedReplyRemoved(_)
        | UserEvent::ChannelReceived(_)
        | UserEvent::CustomerBlocked(_)
        | UserEvent::CustomerUnblocked(_)
        | UserEvent::CustomerDescribed(_) => return,
    };
    caused.push(Caused::new(StreamKey::Desk, DeskCommand::UpdateAgent { agent, change }));
}
