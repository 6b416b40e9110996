//! A customer of whom the tenant says one thing and then another, and whom it blocks in the end.

use application::log::stream::StreamKey;
use domain::event::Event;
use domain::ids::{TenantId, UserId};
use domain::labels::Label;
use domain::message::Party;
use domain::private::Private;
use domain::user::event as user;

use super::History;

pub const ZHAO: UserId = UserId::from_u128(0x33);

fn labels<const N: usize>(texts: [&str; N]) -> Vec<Label> {
    texts.map(|text| text.parse().unwrap()).into()
}

/// What is left of it: a gold customer with one tag and two attributes, one of which was said twice. The tenant must be there.
pub fn whole_story(history: &mut History, whose: TenantId) {
    let registered = user::UserRegistered { role: user::Role::Customer, anonymous: false, private: Private::Closed };
    let at_first = user::CustomerDescribed {
        tier: Some("silver".parse().unwrap()),
        language: None,
        tags: labels(["angry", "refund"]),
        set_attributes: labels(["city", "height", "size"]),
        removed_attributes: vec![],
        private: Private::Closed,
    };
    let then = user::CustomerDescribed {
        tier: Some("gold".parse().unwrap()),
        language: Some("zh-CN".parse().unwrap()),
        tags: labels(["refund"]),
        set_attributes: labels(["city"]),
        removed_attributes: labels(["size"]),
        private: Private::Closed,
    };
    let blocked = user::CustomerBlocked { by: Party::System, private: Private::Closed };
    for event in [Event::User(registered.into()), Event::User(at_first.into()), Event::User(then.into()), Event::User(blocked.into())] {
        history.commit(whose, StreamKey::User(ZHAO), [event]);
    }
}
