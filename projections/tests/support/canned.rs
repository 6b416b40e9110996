//! Canned replies come, change and go: of the tenant, of a group, and of an agent.

use application::log::stream::StreamKey;
use domain::event::Event;
use domain::ids::{CannedReplyId, TenantId, UserId};
use domain::private::Private;
use domain::tenant::event as tenant;
use domain::user::event as user;

use super::History;

pub const WRITER: UserId = UserId::from_u128(0xca);
pub const LEAVER: UserId = UserId::from_u128(0xcb);

pub fn id(number: u128) -> CannedReplyId {
    CannedReplyId::from_u128(number)
}

pub fn of_tenant(number: u128, shortcut: &str, group: Option<&str>) -> Event {
    let group = group.map(|group| group.parse().unwrap());
    Event::Tenant(
        tenant::CannedReplySaved { reply: id(number), shortcut: shortcut.parse().unwrap(), group, private: Private::Closed }.into(),
    )
}

pub fn own(number: u128, shortcut: &str) -> Event {
    Event::User(user::CannedReplySaved { reply: id(number), shortcut: shortcut.parse().unwrap(), private: Private::Closed }.into())
}

/// Two people who serve. The tenant must be there already.
pub fn people(history: &mut History, whose: TenantId) {
    for agent in [WRITER, LEAVER] {
        let registered = user::UserRegistered { role: user::Role::Agent, anonymous: false, private: Private::Closed };
        history.commit(whose, StreamKey::User(agent), [Event::User(registered.into())]);
    }
}

/// What is left of it: replies 1 and 3 of the tenant, the second saying something else by now, and 12 of the writer.
pub fn whole_story(history: &mut History, whose: TenantId) {
    people(history, whose);
    history.commit(whose, StreamKey::Tenant, [of_tenant(1, "hi", None), of_tenant(2, "bye", None), of_tenant(3, "hi", Some("main"))]);
    history.commit(whose, StreamKey::User(WRITER), [own(11, "hi"), own(12, "later")]);
    history.commit(whose, StreamKey::User(LEAVER), [own(13, "hi")]);
    history.commit(whose, StreamKey::Tenant, [Event::Tenant(tenant::CannedReplyRemoved { reply: id(2) }.into())]);
    history.commit(whose, StreamKey::Tenant, [of_tenant(3, "hello", Some("main"))]);
    history.commit(whose, StreamKey::User(WRITER), [Event::User(user::CannedReplyRemoved { reply: id(11) }.into())]);
    history.commit(whose, StreamKey::User(LEAVER), [Event::User(user::UserDeactivated {}.into())]);
}
