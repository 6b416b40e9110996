//! Channels come and go, and customers come by them.

use application::log::stream::StreamKey;
use domain::event::Event;
use domain::ids::{ChannelId, TenantId, UserId};
use domain::private::Private;
use domain::tenant::event as tenant;
use domain::user::event as user;

use super::History;

pub const LI: UserId = UserId::from_u128(0x11);
pub const WANG: UserId = UserId::from_u128(0x22);

pub fn channel(name: &str) -> ChannelId {
    name.parse().unwrap()
}

fn connected(name: &str, shop: &str) -> Event {
    Event::Tenant(tenant::ChannelConnected { channel: channel(name), shop: shop.parse().unwrap(), private: Private::Closed }.into())
}

fn secret_set(name: &str) -> Event {
    Event::Tenant(tenant::ChannelSecretSet { channel: channel(name), private: Private::Closed }.into())
}

fn received(name: &str, up_to: u64) -> Event {
    Event::User(user::ChannelReceived { channel: channel(name), up_to }.into())
}

/// What is left of it: `wechat` of the second shop, which delivers nothing, `app`, which is disconnected, and two customers of the
/// first. The tenant must be there already.
pub fn whole_story(history: &mut History, whose: TenantId) {
    history.commit(whose, StreamKey::Tenant, [connected("wechat", "s1"), secret_set("wechat")]);
    history.commit(whose, StreamKey::Tenant, [connected("app", "s1"), secret_set("app")]);
    history.commit(whose, StreamKey::Tenant, [connected("wechat", "s2")]);
    let stopped = tenant::ChannelDeliveryStopped { channel: channel("wechat") };
    history.commit(whose, StreamKey::Tenant, [Event::Tenant(stopped.into())]);
    let gone = tenant::ChannelDisconnected { channel: channel("app") };
    history.commit(whose, StreamKey::Tenant, [Event::Tenant(gone.into())]);
    for customer in [WANG, LI] {
        let registered = user::UserRegistered { role: user::Role::Customer, anonymous: false, private: Private::Closed };
        history.commit(whose, StreamKey::User(customer), [Event::User(registered.into()), received("wechat", 0)]);
    }
    history.commit(whose, StreamKey::User(LI), [received("wechat", 64)]);
}
