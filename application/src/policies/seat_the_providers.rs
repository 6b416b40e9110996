//! A provider that is connected is an agent of the desk, always there and at work; one that is disconnected gives back what it has.

use domain::chat::command::ChatCommand;
use domain::conversation::event::{ConversationEvent, ProviderAnswer};
use domain::desk::command::{AgentChange, DeskCommand, Service};
use domain::ids::UserId;
use domain::tenant::event::TenantEvent;

use super::Caused;
use crate::log::stream::StreamKey;

pub(super) fn react(event: &TenantEvent, caused: &mut Vec<Caused>) {
    match event {
        TenantEvent::ProviderConnected(connected) => {
            let changes = [
                // What it had let pass by is offered again to one that was connected anew.
                AgentChange::Service(Service::Paused),
                AgentChange::Provider(connected.accept_within),
                AgentChange::Groups(connected.groups.clone()),
                AgentChange::Capacity(connected.capacity),
                AgentChange::Online(true),
                AgentChange::Service(Service::Started),
            ];
            changes.into_iter().for_each(|change| tell(connected.agent, change, caused));
        }
        TenantEvent::ProviderDisconnected(gone) => {
            [AgentChange::Service(Service::Stopped), AgentChange::Online(false)]
                .into_iter()
                .for_each(|change| tell(gone.agent, change, caused));
        }
        TenantEvent::TenantCreated(_)
        | TenantEvent::ShopOpened(_)
        | TenantEvent::GroupFormed(_)
        | TenantEvent::ApiKeyIssued(_)
        | TenantEvent::ApiKeyRevoked(_)
        | TenantEvent::IdentitySecretSet(_)
        | TenantEvent::LimitsChanged(_)
        | TenantEvent::DevicePolicyChanged(_)
        | TenantEvent::ConsumerResumed(_)
        | TenantEvent::CannedReplySaved(_)
        | TenantEvent::CannedReplyRemoved(_)
        | TenantEvent::ChannelConnected(_)
        | TenantEvent::ChannelSecretSet(_)
        | TenantEvent::ChannelDeliveryStopped(_)
        | TenantEvent::ChannelDisconnected(_)
        | TenantEvent::FlowPublished(_)
        | TenantEvent::FlowWithdrawn(_)
        | TenantEvent::AddressesBlocked(_)
        | TenantEvent::AddressesUnblocked(_)
        | TenantEvent::RobotConnected(_)
        | TenantEvent::RobotSecretSet(_)
        | TenantEvent::RobotDisconnected(_)
        | TenantEvent::ProviderSecretSet(_) => {}
    }
}

fn tell(agent: UserId, change: AgentChange, caused: &mut Vec<Caused>) {
    caused.push(Caused::new(StreamKey::Desk, DeskCommand::UpdateAgent { agent, change }));
}

/// What a provider accepted, its chat has accepted.
pub(super) fn react_to_answer(event: &ConversationEvent, caused: &mut Vec<Caused>) {
    if let ConversationEvent::ProviderAnswered(answered) = event
        && answered.answer == ProviderAnswer::Accepted
    {
        caused.push(Caused::new(StreamKey::Chat(answered.chat), ChatCommand::AcceptAssignment { agent: answered.agent }));
    }
}
