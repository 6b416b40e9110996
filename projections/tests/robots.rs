//! Given robots that come and go, then what the directory knows of them.

mod support;

use application::log::stream::StreamKey;
use application::ports::event_log::CommitPosition;
use application::queries::{EventRef, RobotRow};
use domain::event::Event;
use domain::private::Private;
use domain::tenant::event::{RobotConnected, RobotDisconnected, RobotProtocol, RobotSecretSet, RobotUse};
use domain::time::Millis;
use support::{History, tenant};

fn connected(robot: &str, protocol: RobotProtocol, uses: &[RobotUse]) -> Event {
    let (robot, uses) = (robot.parse().expect("a label"), uses.to_vec());
    Event::Tenant(RobotConnected { robot, protocol, uses, time_out: Millis::seconds(5), private: Private::Closed }.into())
}

fn secret_set(robot: &str) -> Event {
    Event::Tenant(RobotSecretSet { robot: robot.parse().expect("a label"), private: Private::Closed }.into())
}

#[test]
fn each_robot_is_known_as_it_stands_with_the_secret_of_its_protocol() {
    let acme = tenant("acme");
    let mut history = History::new();
    let first = history.create_tenant(acme);
    let both = [RobotUse::Seat, RobotUse::Assist];
    history.commit(acme, StreamKey::Tenant, [connected("guide", RobotProtocol::Http, &both), secret_set("guide")]);
    history.commit(acme, StreamKey::Tenant, [connected("orders", RobotProtocol::Http, &both), secret_set("orders")]);
    history.commit(acme, StreamKey::Tenant, [connected("guide", RobotProtocol::Http, &[RobotUse::Assist])]);
    history.commit(acme, StreamKey::Tenant, [connected("orders", RobotProtocol::ChatCompletions, &[RobotUse::Seat])]);
    history.commit(acme, StreamKey::Tenant, [connected("gone", RobotProtocol::Http, &both)]);
    let gone = RobotDisconnected { robot: "gone".parse().unwrap() };
    history.commit(acme, StreamKey::Tenant, [Event::Tenant(gone.into())]);
    let views = history.viewed().1.views();
    let row = views.directory().tenant(acme).unwrap();
    let [guide, orders] = row.robots.as_slice() else { panic!("two robots: {:?}", row.robots) };
    let at = |after: u64, index: u32| EventRef { commit: CommitPosition(first.0 + after), index };
    let expected = RobotRow {
        robot: "guide".parse().unwrap(),
        protocol: RobotProtocol::Http,
        uses: vec![RobotUse::Assist],
        time_out: Millis::seconds(5),
        settings: at(3, 0),
        secret: Some(at(1, 1)),
        connected_at: guide.connected_at,
    };
    assert_eq!(*guide, expected);
    assert_eq!((orders.protocol, orders.secret), (RobotProtocol::ChatCompletions, None), "the secret was for something else");
    assert_eq!(row.seats().collect::<Vec<_>>(), [&orders.robot]);
    assert!(row.robot(&guide.robot, RobotUse::Assist).is_some() && row.robot(&guide.robot, RobotUse::Seat).is_none());
}
