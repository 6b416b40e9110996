//! Choosing by a tenant's flow.

use super::*;
use crate::flow::FlowVersion;
use crate::flow::assignment::{AssignmentFlow, ChoiceStep, QueueRules};
use crate::ids::ShopId;

fn flagship() -> ShopId {
    "flagship".parse().unwrap()
}

fn flow(choose: &[ChoiceStep]) -> AssignmentFlow {
    AssignmentFlow { default: QueueRules { choose: choose.to_vec(), ..QueueRules::default() }, ..AssignmentFlow::default() }
}

fn adopt(shop: Option<ShopId>, version: u32, choose: &[ChoiceStep]) -> DeskCommand {
    DeskCommand::AdoptFlow { flow: FlowVersion { shop, version }, rules: flow(choose).into() }
}

fn adopted(shop: Option<ShopId>, version: u32, choose: &[ChoiceStep]) -> DeskEvent {
    FlowAdopted { flow: FlowVersion { shop, version }, queues: QueueBook::new(), default: flow(choose).default }.into()
}

fn drop_flow(shop: Option<ShopId>, version: u32) -> DeskCommand {
    DeskCommand::DropFlow { flow: FlowVersion { shop, version } }
}

fn last_agent() -> ChoiceStep {
    ChoiceStep::LastAgent { within: "1h".parse().unwrap() }
}

/// Somebody of the flagship whom Bob served so long ago.
fn known_to_bob(number: u128, ago: Millis) -> DeskCommand {
    let (conversation, chat, enqueued_at) = (conversation(number), chat(number), came(number));
    let last_served = Some(LastServed { agent: BOB, at: enqueued_at - ago });
    DeskCommand::Enqueue {
        conversation,
        chat,
        group: sales(),
        priority: PRIORITY,
        enqueued_at,
        left_message: false,
        shop: Some(flagship()),
        last_served,
    }
}

fn two_on_duty() -> [DeskEvent; 2] {
    [on_duty(ALICE, 2, [sales()]).into(), on_duty(BOB, 2, [sales()]).into()]
}

/// Who got a conversation, and why.
fn decided(given: &Given<Desk>, command: &DeskCommand) -> (UserId, Decision) {
    let events = Desk::decide(command, given.state(), NOW).unwrap();
    let assigned =
        events.iter().find_map(|event| if let DeskEvent::ConversationAssigned(assigned) = event { Some(assigned) } else { None });
    assigned.map(|assigned| (assigned.agent, assigned.decision.clone())).unwrap()
}

#[test]
fn a_newer_flow_replaces_an_older_one_and_never_the_other_way_round() {
    given([])
        .when(adopt(None, 2, &[last_agent()]))
        .then([adopted(None, 2, &[last_agent()])])
        .when(adopt(None, 1, &[]))
        .then_nothing()
        .when(adopt(Some(flagship()), 1, &[]))
        .then([adopted(Some(flagship()), 1, &[])])
        .when(drop_flow(None, 1))
        .then_nothing()
        .when(drop_flow(None, 2))
        .then([FlowDropped { flow: FlowVersion { shop: None, version: 2 } }.into()])
        .when(drop_flow(None, 2))
        .then_nothing();
}

#[test]
fn a_known_customer_goes_to_the_agent_they_know_if_that_was_not_too_long_ago() {
    let desk = || given(two_on_duty()).and([adopted(None, 3, &[last_agent(), ChoiceStep::LeastLoaded])]);
    let (agent, decision) = decided(&desk(), &known_to_bob(1, Millis::hours(1)));
    assert_eq!((agent, decision.rule, decision.flow_version, decision.flow_shop), (BOB, AssignmentRule::LastAgent, 3, None));
    assert_eq!(decision.losing, [(LosingReason::NotLastAgent, 1)]);
    assert_eq!(decision.candidates[1].lost, Some(LosingReason::NotLastAgent));
    let (agent, decision) = decided(&desk(), &known_to_bob(1, Millis(3_600_001)));
    assert_eq!((agent, decision.rule), (ALICE, AssignmentRule::LeastLoaded));
    let busy = desk().and([AgentUpdated { online: false, ..on_duty(BOB, 2, [sales()]) }.into()]);
    assert_eq!(decided(&busy, &known_to_bob(1, Millis(0))).0, ALICE, "whoever they know is not there");
}

#[test]
fn in_turn_whoever_was_given_none_for_the_longest_time_is_next_whatever_they_carry() {
    let mut desk = given(two_on_duty()).and([adopted(None, 1, &[ChoiceStep::RoundRobin])]);
    for (number, agent) in [(1, ALICE), (2, BOB)] {
        assert_eq!(decided(&desk, &enqueue(number, sales())).0, agent);
        desk = desk.when(enqueue(number, sales())).then_accepted();
    }
    desk = desk.when(release(2)).then_accepted();
    let (agent, decision) = decided(&desk, &enqueue(3, sales()));
    assert_eq!((agent, decision.rule), (ALICE, AssignmentRule::RoundRobin), "Bob carries nothing, but it is not his turn");
    assert_eq!(decision.losing, [(LosingReason::GivenLater, 1)]);
}

#[test]
fn a_shop_with_a_flow_of_its_own_follows_that_one() {
    let desk = given(two_on_duty()).and([adopted(None, 1, &[]), adopted(Some(flagship()), 4, &[last_agent()])]);
    let (agent, decision) = decided(&desk, &known_to_bob(1, Millis(0)));
    assert_eq!((agent, decision.flow_version, decision.flow_shop), (BOB, 4, Some(flagship())));
    let (agent, decision) = decided(&desk, &enqueue(2, sales()));
    assert_eq!((agent, decision.flow_version, decision.flow_shop), (ALICE, 1, None));
}

#[test]
fn a_group_of_its_own_rules_goes_by_those() {
    let queues = QueueBook::from([(sales(), QueueRules { choose: vec![last_agent()], ..QueueRules::default() })]);
    let flow = FlowVersion { shop: None, version: 1 };
    let adopted = FlowAdopted { flow, queues, default: QueueRules::default() };
    let desk = given(two_on_duty()).and([adopted.into()]);
    assert_eq!(decided(&desk, &known_to_bob(1, Millis(0))).0, BOB);
}
