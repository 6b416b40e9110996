//! Flows that a tenant publishes.

use super::*;
use crate::flow::assignment::{AssignmentFlow, PriorityRule, QueueRules};
use crate::flow::check::{Fault, Path, Problem};
use crate::flow::condition::Condition;
use crate::flow::{FLOW_BYTES_MAX, Flow, FlowKind};
use crate::ids::ShopId;
use crate::tenant::event::{FlowPublished, FlowText, FlowWithdrawn};
use crate::tenant::flows::default_group;

const TEXT: &str = "flow: assignment\n# 双十一\n";

fn text() -> FlowText {
    FlowText { text: TEXT.into() }
}

/// A flow with rules for a group.
pub(super) fn publish(shop: Option<ShopId>, group: &str) -> TenantCommand {
    let queues = [(group.parse().unwrap(), QueueRules::default())].into();
    let flow = Flow::Assignment(Box::new(AssignmentFlow { queues, ..AssignmentFlow::default() }));
    TenantCommand::PublishFlow { flow, shop, text: text() }
}

fn published(shop: Option<ShopId>, version: u32) -> TenantEvent {
    FlowPublished { kind: FlowKind::Assignment, shop, version, private: Private::Known(text()) }.into()
}

fn withdraw(shop: Option<ShopId>) -> TenantCommand {
    TenantCommand::WithdrawFlow { kind: FlowKind::Assignment, shop }
}

fn withdrawn(shop: Option<ShopId>, version: u32) -> TenantEvent {
    FlowWithdrawn { kind: FlowKind::Assignment, shop, version }.into()
}

fn s1() -> Option<ShopId> {
    Some("s1".parse().unwrap())
}

#[test]
fn each_one_has_the_next_number_of_its_shop_also_after_one_was_withdrawn() {
    given_created()
        .and([shop_opened("s1")])
        .when(publish(None, "main"))
        .then([published(None, 1)])
        .when(publish(s1(), "main"))
        .then([published(s1(), 1)])
        .when(publish(None, "main"))
        .then([published(None, 2)])
        .when(withdraw(None))
        .then([withdrawn(None, 2)])
        .when(withdraw(None))
        .then_nothing()
        .when(publish(None, "main"))
        .then([published(None, 3)])
        .when(withdraw(s1()))
        .then([withdrawn(s1(), 1)]);
}

#[test]
fn what_it_names_must_be_there() {
    let vip = "vip".parse().unwrap();
    let problem = Problem::UnknownGroup { group: vip, known: vec![default_group()] };
    let fault = Box::new(Fault { path: Path::default().key("queues").key("vip"), problem });
    given_created().when(publish(None, "vip")).then_refused(TenantError::FlowFaulty { fault });
    given_created().when(form_group("vip")).then_accepted().when(publish(None, "vip")).then([published(None, 1)]);
    given_created().when(publish(s1(), "main")).then_refused(TenantError::NoSuchShop { shop: "s1".parse().unwrap() });
}

#[test]
fn a_document_with_a_fault_or_a_too_long_one_is_refused() {
    let always = PriorityRule { when: Condition::default(), priority: 1 };
    let unreachable = AssignmentFlow { priority: vec![always.clone(), always], ..AssignmentFlow::default() };
    let command = TenantCommand::PublishFlow { flow: Flow::Assignment(Box::new(unreachable)), shop: None, text: text() };
    let fault = Box::new(Fault {
        path: Path::default().key("priority").index(1),
        problem: Problem::NeverReached { before: Path::default().key("priority").index(0) },
    });
    given_created().when(command).then_refused(TenantError::FlowFaulty { fault });
    let flow = Flow::Assignment(Box::default());
    let command = TenantCommand::PublishFlow { flow, shop: None, text: FlowText { text: "x".repeat(FLOW_BYTES_MAX + 1) } };
    given_created().when(command).then_refused(TenantError::TextTooLong { field: "text", bytes_max: FLOW_BYTES_MAX });
}

#[test]
fn what_it_says_is_not_in_the_state() {
    let given = given_created().when(publish(None, "main")).then_accepted();
    assert!(!serde_json::to_string(given.state()).unwrap().contains("双十一"));
    testing::assert_survives_a_snapshot(given.state());
}
