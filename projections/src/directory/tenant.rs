//! How each fact changes the row of a tenant.

use application::queries::{ApiKeyRow, CannedReplyRow, ChannelRow, FlowRow, ProviderRow, RobotRow, TenantRow};
use domain::flow::FlowKind;
use domain::ids::ShopId;
use domain::tenant::event::{ChannelConnected, FlowPublished, Limits, ProviderConnected, RobotConnected, TenantCreated, TenantEvent};

use super::save;
use crate::projection::Fact;

/// The row of a new tenant.
pub(super) fn created(event: &TenantCreated, fact: &Fact<'_>) -> TenantRow {
    TenantRow {
        tenant: fact.tenant,
        time_zone: event.time_zone.clone(),
        title: fact.at,
        shops: Vec::new(),
        groups: Vec::new(),
        api_keys: Vec::new(),
        identity_secret: None,
        limits: Limits::default(),
        device_policies: Vec::new(),
        canned_replies: Vec::new(),
        channels: Vec::new(),
        flows: Vec::new(),
        blocked_ranges: Vec::new(),
        robots: Vec::new(),
        providers: Vec::new(),
    }
}

/// Takes one fact in.
pub(super) fn evolve(row: &mut TenantRow, event: &TenantEvent, fact: &Fact<'_>) {
    let at = fact.at;
    match event {
        TenantEvent::TenantCreated(_) | TenantEvent::ConsumerResumed(_) => {}
        TenantEvent::ShopOpened(opened) => row.shops.push((opened.shop, at)),
        TenantEvent::GroupFormed(formed) => row.groups.push((formed.group, at)),
        TenantEvent::ApiKeyIssued(issued) => row.api_keys.push(ApiKeyRow {
            key: issued.key,
            secret: issued.secret,
            scopes: issued.scopes.clone(),
            title: at,
            revoked: false,
        }),
        TenantEvent::ApiKeyRevoked(revoked) => {
            for key in row.api_keys.iter_mut().filter(|key| key.key == revoked.key) {
                key.revoked = true;
            }
        }
        TenantEvent::IdentitySecretSet(_) => row.identity_secret = Some(at),
        TenantEvent::LimitsChanged(changed) => row.limits = changed.limits,
        TenantEvent::DevicePolicyChanged(changed) => {
            row.device_policies.retain(|(role, _)| *role != changed.role);
            row.device_policies.push((changed.role, changed.policy.clone()));
        }
        TenantEvent::CannedReplySaved(saved) => {
            let (reply, shortcut, group) = (saved.reply, saved.shortcut.clone(), saved.group);
            save(&mut row.canned_replies, CannedReplyRow { reply, shortcut, group, content: at });
        }
        TenantEvent::CannedReplyRemoved(removed) => row.canned_replies.retain(|known| known.reply != removed.reply),
        TenantEvent::ChannelConnected(connected) => connect(row, connected, fact),
        TenantEvent::ChannelSecretSet(set) => {
            for channel in row.channels.iter_mut().filter(|known| known.channel == set.channel) {
                channel.secret = at;
            }
        }
        TenantEvent::ChannelDeliveryStopped(stopped) => {
            for channel in row.channels.iter_mut().filter(|known| known.channel == stopped.channel) {
                channel.delivers = false;
            }
        }
        TenantEvent::ChannelDisconnected(disconnected) => {
            for channel in row.channels.iter_mut().filter(|known| known.channel == disconnected.channel) {
                (channel.delivers, channel.disconnected) = (false, true);
            }
        }
        TenantEvent::FlowPublished(published) => {
            let FlowPublished { kind, shop, version, .. } = *published;
            end_flow(row, kind, shop);
            row.flows.push(FlowRow { kind, shop, version, published_at: fact.time, text: at, in_force: true });
        }
        TenantEvent::AddressesBlocked(blocked) => row.blocked_ranges.push((blocked.range, at)),
        TenantEvent::AddressesUnblocked(unblocked) => row.blocked_ranges.retain(|(range, _)| *range != unblocked.range),
        TenantEvent::FlowWithdrawn(withdrawn) => end_flow(row, withdrawn.kind, withdrawn.shop),
        TenantEvent::RobotConnected(connected) => connect_robot(row, connected, fact),
        TenantEvent::RobotSecretSet(set) => {
            for robot in row.robots.iter_mut().filter(|known| known.robot == set.robot) {
                robot.secret = Some(at);
            }
        }
        TenantEvent::ProviderConnected(connected) => connect_provider(row, connected, fact),
        TenantEvent::ProviderSecretSet(set) => {
            for provider in row.providers.iter_mut().filter(|known| known.provider == set.provider) {
                provider.secret = at;
            }
        }
        TenantEvent::ProviderDisconnected(gone) => row.providers.retain(|known| known.provider != gone.provider),
        TenantEvent::RobotDisconnected(disconnected) => row.robots.retain(|known| known.robot != disconnected.robot),
    }
}

/// No version of this flow is in force.
fn end_flow(row: &mut TenantRow, kind: FlowKind, shop: Option<ShopId>) {
    for known in row.flows.iter_mut().filter(|known| (known.kind, known.shop) == (kind, shop)) {
        known.in_force = false;
    }
}

/// It keeps its secret as long as it is talked with in the same way.
fn connect_robot(row: &mut TenantRow, event: &RobotConnected, fact: &Fact<'_>) {
    let before = row.robots.iter().position(|known| known.robot == event.robot);
    let secret = before.and_then(|nth| row.robots[nth].secret.filter(|_| row.robots[nth].protocol == event.protocol));
    let connected = RobotRow {
        robot: event.robot.clone(),
        protocol: event.protocol,
        uses: event.uses.clone(),
        time_out: event.time_out,
        settings: fact.at,
        secret,
        connected_at: fact.time,
    };
    match before {
        Some(nth) => row.robots[nth] = connected,
        None => row.robots.push(connected),
    }
}

/// A new provider gets its secret by the fact that follows in the same commit.
fn connect_provider(row: &mut TenantRow, event: &ProviderConnected, fact: &Fact<'_>) {
    let before = row.providers.iter().position(|known| known.provider == event.provider);
    let connected = ProviderRow {
        provider: event.provider.clone(),
        agent: event.agent,
        groups: event.groups.clone(),
        capacity: event.capacity,
        time_out: event.time_out,
        accept_within: event.accept_within,
        settings: fact.at,
        secret: before.map_or(fact.at, |nth| row.providers[nth].secret),
        connected_at: fact.time,
    };
    match before {
        Some(nth) => row.providers[nth] = connected,
        None => row.providers.push(connected),
    }
}

/// A new channel gets its secret by the fact that follows in the same commit.
fn connect(row: &mut TenantRow, event: &ChannelConnected, fact: &Fact<'_>) {
    let before = row.channels.iter().position(|known| known.channel == event.channel);
    let connected = ChannelRow {
        channel: event.channel,
        shop: event.shop,
        settings: fact.at,
        secret: before.map_or(fact.at, |nth| row.channels[nth].secret),
        connected_at: fact.time,
        delivers: true,
        disconnected: false,
    };
    match before {
        Some(nth) => row.channels[nth] = connected,
        None => row.channels.push(connected),
    }
}
