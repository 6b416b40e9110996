//! Given flows that come and go, then which one each shop follows.

mod support;

use application::ports::event_log::CommitPosition;
use application::queries::EventRef;
use domain::flow::FlowKind;
use support::flows::whole_story;
use support::{History, tenant};

#[test]
fn a_shop_follows_its_own_flow_or_else_the_tenants() {
    let acme = tenant("acme");
    let mut history = History::new();
    let first = history.create_tenant(acme);
    whole_story(&mut history, acme);
    let views = history.viewed().1.views();
    let row = views.directory().tenant(acme).unwrap();
    let (s1, s2) = ("s1".parse().unwrap(), "s2".parse().unwrap());
    let at = |after: u64| EventRef { commit: CommitPosition(first.0 + after), index: 0 };
    for shop in [s1, s2] {
        let followed = row.flow(FlowKind::Reception, shop).unwrap();
        assert_eq!((followed.version, followed.shop, followed.text), (2, None, at(4)));
    }
    assert_eq!(row.flow(FlowKind::Assignment, s1).unwrap().version, 1);
    let in_force: Vec<bool> = row.flows.iter().map(|flow| flow.in_force).collect();
    assert_eq!(in_force, [false, true, false, true], "versions stay");
}

#[test]
fn a_flow_of_its_own_goes_before_the_tenants() {
    let acme = tenant("acme");
    let mut history = History::new();
    history.create_tenant(acme);
    whole_story(&mut history, acme);
    let own = support::flows::published(FlowKind::Assignment, Some("s1"), 1);
    history.commit(acme, application::log::stream::StreamKey::Tenant, [own]);
    let views = history.viewed().1.views();
    let row = views.directory().tenant(acme).unwrap();
    let shop = |shop: &str| row.flow(FlowKind::Assignment, shop.parse().unwrap()).unwrap().shop;
    assert_eq!((shop("s1"), shop("s2")), (Some("s1".parse().unwrap()), None));
}
