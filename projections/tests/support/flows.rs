//! Flows that a tenant publishes and withdraws.

use application::log::stream::StreamKey;
use domain::event::Event;
use domain::flow::FlowKind;
use domain::ids::{ShopId, TenantId};
use domain::private::Private;
use domain::tenant::event as tenant;

use super::History;

pub fn published(kind: FlowKind, shop: Option<&str>, version: u32) -> Event {
    let shop = shop.map(|shop| shop.parse::<ShopId>().unwrap());
    Event::Tenant(tenant::FlowPublished { kind, shop, version, private: Private::Closed }.into())
}

/// What is left of it: the second version of the tenant's reception flow, and none for the first shop. The tenant must be there.
pub fn whole_story(history: &mut History, whose: TenantId) {
    history.commit(whose, StreamKey::Tenant, [published(FlowKind::Reception, None, 1)]);
    history.commit(whose, StreamKey::Tenant, [published(FlowKind::Assignment, None, 1)]);
    history.commit(whose, StreamKey::Tenant, [published(FlowKind::Reception, Some("s1"), 1)]);
    history.commit(whose, StreamKey::Tenant, [published(FlowKind::Reception, None, 2)]);
    let withdrawn = tenant::FlowWithdrawn { kind: FlowKind::Reception, shop: Some("s1".parse().unwrap()), version: 1 };
    history.commit(whose, StreamKey::Tenant, [Event::Tenant(withdrawn.into())]);
}
