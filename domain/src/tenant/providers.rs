//! The providers that answer for a tenant at desks of their own: what they are called, and how much they are given.

use serde::{Deserialize, Serialize};

use super::command::ProviderConnection;
use super::decide::{TITLE_BYTES_MAX, check_secret};
use super::error::TenantError;
use super::event::{ProviderConnected, ProviderDisconnected, ProviderSecretSet, TenantEvent};
use super::state::CreatedTenant;
use crate::ids::UserId;
use crate::labels::Label;
use crate::message::URL_BYTES_MAX;
use crate::private::Private;
use crate::time::Millis;

/// Most providers of one tenant: a carrier for each region, and some to try.
pub const PROVIDERS_MAX: usize = 50;
/// Most conversations that a provider is given at a time: a large call centre.
pub const PROVIDER_CAPACITY_MAX: u32 = 10_000;
/// How long the answer to a call may take when the tenant says nothing.
pub const PROVIDER_TIME_OUT_DEFAULT: Millis = Millis::seconds(5);
/// The longest that the answer to a call may take: it only says that the call was heard.
pub const PROVIDER_TIME_OUT_MAX: Millis = Millis::seconds(30);
/// How long a provider may take to accept when the tenant says nothing.
pub const PROVIDER_ACCEPT_DEFAULT: Millis = Millis::minutes(2);
/// The longest that a provider may take to accept: its own queue included, nobody waits for longer.
pub const PROVIDER_ACCEPT_MAX: Millis = Millis::hours(1);

/// A connected provider, without its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Who it is at the desk.
    pub agent: UserId,
}

pub(super) fn connect(tenant: &CreatedTenant, provider: &Label, connection: &ProviderConnection) -> Result<Vec<TenantEvent>, TenantError> {
    let ProviderConnection { agent, groups, capacity, time_out, accept_within, settings, secret, rotate } = connection;
    let mut groups = groups.clone();
    groups.sort_unstable();
    groups.dedup();
    if groups.is_empty() {
        return Err(TenantError::ProviderWithoutGroup);
    }
    if let Some(group) = groups.iter().find(|group| !tenant.groups.contains(*group)) {
        return Err(TenantError::NoSuchGroup { group: *group });
    }
    if !(1..=PROVIDER_CAPACITY_MAX).contains(capacity) {
        return Err(TenantError::ProviderCapacityOutOfRange { capacity: *capacity, max: PROVIDER_CAPACITY_MAX });
    }
    check_time("timeout_ms", *time_out, PROVIDER_TIME_OUT_MAX)?;
    check_time("accept_within_ms", *accept_within, PROVIDER_ACCEPT_MAX)?;
    if settings.url.is_empty() {
        return Err(TenantError::ProviderAddressEmpty);
    }
    for (field, text, bytes_max) in [("url", &settings.url, URL_BYTES_MAX), ("title", &settings.title, TITLE_BYTES_MAX)] {
        if text.len() > bytes_max {
            return Err(TenantError::TextTooLong { field, bytes_max });
        }
    }
    let is_new = !tenant.providers.contains_key(provider);
    if is_new && tenant.providers.len() >= PROVIDERS_MAX {
        return Err(TenantError::TooManyProviders { providers_max: PROVIDERS_MAX });
    }
    let mut events = vec![
        ProviderConnected {
            provider: provider.clone(),
            agent: *agent,
            groups,
            capacity: *capacity,
            time_out: *time_out,
            accept_within: *accept_within,
            private: Private::Known(settings.clone()),
        }
        .into(),
    ];
    if is_new || *rotate {
        check_secret(secret)?;
        events.push(ProviderSecretSet { provider: provider.clone(), private: Private::Known(secret.clone()) }.into());
    }
    Ok(events)
}

fn check_time(limit: &'static str, value: Millis, max: Millis) -> Result<(), TenantError> {
    if (Millis(1)..=max).contains(&value) { Ok(()) } else { Err(TenantError::LimitOutOfRange { limit, value, max }) }
}

pub(super) fn disconnect(tenant: &CreatedTenant, provider: &Label) -> Vec<TenantEvent> {
    let known = tenant.providers.get(provider);
    known.map(|known| ProviderDisconnected { provider: provider.clone(), agent: known.agent }.into()).into_iter().collect()
}
