//! The desk chooses by the assignment flow that is in force: it learns of each one that is published or withdrawn.

use domain::desk::command::DeskCommand;
use domain::flow::{FlowKind, FlowVersion};
use domain::tenant::event::TenantEvent;

use super::{Caused, PolicyView};
use crate::log::stream::StreamKey;

pub(super) fn needs_document(event: &TenantEvent) -> bool {
    matches!(event, TenantEvent::FlowPublished(published) if published.kind == FlowKind::Assignment)
}

pub(super) fn react(event: &TenantEvent, view: &dyn PolicyView, caused: &mut Vec<Caused>) {
    let command = match event {
        TenantEvent::FlowPublished(published) if published.kind == FlowKind::Assignment => view.published().map(|rules| {
            let flow = FlowVersion { shop: published.shop, version: published.version };
            DeskCommand::AdoptFlow { flow, rules: rules.clone() }
        }),
        TenantEvent::FlowWithdrawn(withdrawn) if withdrawn.kind == FlowKind::Assignment => {
            Some(DeskCommand::DropFlow { flow: FlowVersion { shop: withdrawn.shop, version: withdrawn.version } })
        }
        TenantEvent::FlowPublished(_)
        | TenantEvent::FlowWithdrawn(_)
        | TenantEvent::AddressesBlocked(_)
        | TenantEvent::AddressesUnblocked(_)
        | TenantEvent::TenantCreated(_)
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
        | TenantEvent::RobotConnected(_)
        | TenantEvent::RobotSecretSet(_)
        | TenantEvent::RobotDisconnected(_)
        | TenantEvent::ProviderConnected(_)
        | TenantEvent::ProviderSecretSet(_)
        | TenantEvent::ProviderDisconnected(_) => None,
    };
    caused.extend(command.map(|command| Caused::new(StreamKey::Desk, command)));
}
