//! How each fact changes what is known of a tenant.
//!
//! It never refuses: a fact that does not fit the stage changes nothing.

use crate::tenant::event::TenantEvent;
use crate::tenant::flows::FlowStand;
use crate::tenant::providers::Provider;
use crate::tenant::robots::Robot;
use crate::tenant::state::{ApiKey, CannedReply, Channel, CreatedTenant, TenantState};
use crate::time::Timestamp;

/// Takes one fact into the state.
pub fn evolve(state: &mut TenantState, event: &TenantEvent, at: Timestamp) {
    match state {
        TenantState::NotCreated => {
            if let TenantEvent::TenantCreated(event) = event {
                *state = TenantState::Created(Box::new(CreatedTenant::new(event.time_zone.clone())));
            }
        }
        TenantState::Created(tenant) => evolve_created(tenant, event, at),
    }
}

fn evolve_created(tenant: &mut CreatedTenant, event: &TenantEvent, at: Timestamp) {
    match event {
        TenantEvent::TenantCreated(_)
        | TenantEvent::IdentitySecretSet(_)
        | TenantEvent::ConsumerResumed(_)
        | TenantEvent::ChannelSecretSet(_)
        | TenantEvent::RobotSecretSet(_)
        | TenantEvent::ProviderSecretSet(_) => {}
        TenantEvent::ShopOpened(event) => {
            tenant.shops.insert(event.shop);
        }
        TenantEvent::GroupFormed(event) => {
            tenant.groups.insert(event.group);
        }
        TenantEvent::ApiKeyIssued(event) => {
            let scopes = event.scopes.iter().copied().collect();
            tenant.api_keys.insert(event.key, ApiKey { secret: event.secret, scopes });
        }
        TenantEvent::ApiKeyRevoked(event) => {
            tenant.api_keys.remove(&event.key);
        }
        TenantEvent::LimitsChanged(event) => tenant.limits = event.limits,
        TenantEvent::DevicePolicyChanged(event) => {
            tenant.device_policies.insert(event.role, event.policy.clone());
        }
        TenantEvent::CannedReplySaved(event) => {
            tenant.canned_replies.insert(event.reply, CannedReply { shortcut: event.shortcut.clone(), group: event.group });
        }
        TenantEvent::CannedReplyRemoved(event) => {
            tenant.canned_replies.remove(&event.reply);
        }
        TenantEvent::ChannelConnected(event) => {
            tenant.channels.insert(event.channel, Channel { connected_at: at, delivers: true });
        }
        TenantEvent::ChannelDeliveryStopped(event) => {
            if let Some(channel) = tenant.channels.get_mut(&event.channel) {
                channel.delivers = false;
            }
        }
        TenantEvent::ChannelDisconnected(event) => {
            tenant.channels.remove(&event.channel);
        }
        TenantEvent::AddressesBlocked(event) => {
            tenant.blocked_ranges.insert(event.range);
        }
        TenantEvent::AddressesUnblocked(event) => {
            tenant.blocked_ranges.remove(&event.range);
        }
        TenantEvent::FlowPublished(event) => {
            tenant.set_flow(FlowStand { kind: event.kind, shop: event.shop, last_version: event.version, in_force: true });
        }
        TenantEvent::FlowWithdrawn(event) => {
            tenant.set_flow(FlowStand { kind: event.kind, shop: event.shop, last_version: event.version, in_force: false });
        }
        TenantEvent::RobotConnected(event) => {
            let robot = Robot { protocol: event.protocol, uses: event.uses.iter().copied().collect() };
            tenant.robots.insert(event.robot.clone(), robot);
        }
        TenantEvent::ProviderConnected(event) => {
            tenant.providers.insert(event.provider.clone(), Provider { agent: event.agent });
        }
        TenantEvent::ProviderDisconnected(event) => {
            tenant.providers.remove(&event.provider);
        }
        TenantEvent::RobotDisconnected(event) => {
            tenant.robots.remove(&event.robot);
        }
    }
}
