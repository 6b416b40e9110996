//! Given channels that come and go, and customers who come by them, then what the directory knows of both.

mod support;

use application::ports::event_log::CommitPosition;
use application::queries::{ChannelCustomerRow, ChannelRow, EventRef};
use support::channels::{LI, WANG, channel, whole_story};
use support::{History, tenant};

#[test]
fn the_directory_knows_each_channel_as_it_stands_and_how_far_its_customers_are() {
    let acme = tenant("acme");
    let mut history = History::new();
    let first = history.create_tenant(acme);
    whole_story(&mut history, acme);
    let views = history.viewed().1.views();
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
