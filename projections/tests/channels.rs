//! Given channels that come and go, and customers who come by them, then what the directory knows of both.

mod support;

use application::log::stream::StreamKey;
use application::ports::event_log::CommitPosition;
use application::queries::{ChannelCustomerRow, ChannelRow, EventRef};
use domain::event::Event;
use domain::private::Private;
use domain::tenant::event::TenantCreated;
use projections::engine::Engine;
use support::channels::{LI, WANG, channel, whole_story};
use support::{History, memory_store, tenant};

#[test]
fn the_directory_knows_each_channel_as_it_stands_and_how_far_its_customers_are() {
    let acme = tenant("acme");
    let mut history = History::new();
    let created = TenantCreated { time_zone: "UTC".to_owned(), private: Private::Closed };
    let first = history.commit(acme, StreamKey::Tenant, [Event::Tenant(created.into())]);
    whole_story(&mut history, acme);
    let (_, store) = memory_store();
    let mut engine = Engine::open(store, history.log()).unwrap();
    engine.apply(history.decoded(), CommitPosition(u64::MAX)).unwrap();
    assert_eq!(engine.stopped(), vec![]);
    let views = engine.views();
    let at = |after: u64, index: u32| EventRef { commit: CommitPosition(first.0 + after), index };
    let row = views.directory().tenant(acme).unwrap();
    let [wechat, app] = row.channels.as_slice() else { panic!("two channels: {:?}", row.channels) };
    let expected = ChannelRow {
        channel: channel("wechat"),
        shop: "s2".parse().unwrap(),
        settings: at(3, 0),
        secret: at(1, 1),
        connected_at: wechat.connected_at,
        delivers: false,
        disconnected: false,
    };
    assert_eq!(*wechat, expected);
    assert!(app.disconnected && !app.delivers);
    let customer = |user, up_to| ChannelCustomerRow { user, channel: channel("wechat"), up_to };
    assert_eq!(views.directory().channel_customers(acme, None, 10).unwrap(), [customer(LI, 64), customer(WANG, 0)]);
    assert_eq!(views.directory().channel_customers(acme, Some(LI), 10).unwrap(), [customer(WANG, 0)]);
    assert_eq!(views.directory().channel_customer(acme, LI).unwrap(), Some(customer(LI, 64)));
    assert_eq!(views.directory().channel_customers(tenant("b"), None, 10).unwrap(), []);
}
