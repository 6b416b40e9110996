//! How each fact changes what is known of a tenant.
//!
//! It never refuses: a fact that does not fit the stage changes nothing.

use crate::tenant::event::TenantEvent;
use crate::tenant::state::{ApiKey, CannedReply, CreatedTenant, TenantState};
use crate::time::Timestamp;

/// Takes one fact into the state.
pub fn evolve(state: &mut TenantState, event: &TenantEvent, _at: Timestamp) {
    match state {
        TenantState::NotCreated => {
            if let TenantEvent::TenantCreated(event) = event {
                *state = TenantState::Created(CreatedTenant::new(event.time_zone.clone()));
            }
        }
        TenantState::Created(tenant) => evolve_created(tenant, event),
    }
}

fn evolve_created(tenant: &mut CreatedTenant, event: &TenantEvent) {
    match event {
        TenantEvent::TenantCreated(_) | TenantEvent::IdentitySecretSet(_) | TenantEvent::ConsumerResumed(_) => {}
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
        TenantEvent::CannedReplySaved(event) => {
            tenant.canned_replies.insert(event.reply, CannedReply { shortcut: event.shortcut.clone(), group: event.group });
        }
        TenantEvent::CannedReplyRemoved(event) => {
            tenant.canned_replies.remove(&event.reply);
        }
    }
}
