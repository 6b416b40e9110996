//! What the desk follows of an agent, and what each change sets in motion.

use super::*;

fn known(agent: UserId) -> AgentUpdated {
    AgentUpdated {
        agent,
        on_service: false,
        online: false,
        capacity: crate::desk::state::Agent::default().capacity,
        groups: vec![],
        abilities: Abilities::default(),
        provider: None,
    }
}

fn chief() -> Abilities {
    Abilities { rank: 1, ..Abilities::default() }
}

/// Alice serves 1 and 2 for sales, and there is nobody else.
fn alice_serves_two() -> Given<Desk> {
    given([
        on_duty(ALICE, 2, [sales()]).into(),
        queued(1, sales()).into(),
        served(1, ALICE, 1),
        queued(2, sales()).into(),
        served(2, ALICE, 2),
    ])
}

#[test]
fn an_agent_is_known_from_the_first_change_on() {
    given([])
        .when(update(ALICE, AgentChange::Service(Service::Paused)))
        .then([known(ALICE).into()])
        .when(update(ALICE, AgentChange::Service(Service::Paused)))
        .then_nothing();
}

#[test]
fn every_change_of_an_agent_is_one_fact_and_told_once() {
    for (change, updated) in [
        (AgentChange::Service(Service::Started), AgentUpdated { on_service: true, ..known(ALICE) }),
        (AgentChange::Online(true), AgentUpdated { online: true, ..known(ALICE) }),
        (AgentChange::Capacity(3), AgentUpdated { capacity: 3, ..known(ALICE) }),
        (AgentChange::Groups(vec![support(), sales(), support()]), AgentUpdated { groups: vec![sales(), support()], ..known(ALICE) }),
        (AgentChange::Abilities(chief()), AgentUpdated { abilities: chief(), ..known(ALICE) }),
    ] {
        given([known(ALICE).into()]).when(update(ALICE, change.clone())).then([updated.into()]).when(update(ALICE, change)).then_nothing();
    }
}

#[test]
fn an_agent_takes_nothing_before_service_connection_and_group_are_all_there() {
    let waiting = |agent: AgentUpdated| given([agent.into(), queued(1, sales()).into()]);
    let ready = on_duty(ALICE, 1, [sales()]);
    let missing_service = waiting(AgentUpdated { on_service: false, ..ready.clone() });
    let missing_connection = waiting(AgentUpdated { online: false, ..ready.clone() });
    let missing_group = waiting(AgentUpdated { groups: vec![support()], ..ready.clone() });
    let missing_capacity = waiting(AgentUpdated { capacity: 0, ..ready });
    for (desk, last_piece) in [
        (missing_service, AgentChange::Service(Service::Started)),
        (missing_connection, AgentChange::Online(true)),
        (missing_group, AgentChange::Groups(vec![sales()])),
        (missing_capacity, AgentChange::Capacity(1)),
    ] {
        assert_stands(&desk, [], [(1, sales())]);
        assert_stands(&desk.when(update(ALICE, last_piece)).then_accepted(), [(1, ALICE)], []);
    }
}

#[test]
fn a_paused_agent_keeps_what_they_have_and_takes_no_more() {
    let desk = given([on_duty(ALICE, 2, [sales()]).into(), queued(1, sales()).into(), served(1, ALICE, 1)])
        .when(update(ALICE, AgentChange::Service(Service::Paused)))
        .then([AgentUpdated { on_service: false, ..on_duty(ALICE, 2, [sales()]) }.into()])
        .when(enqueue(2, sales()))
        .then_accepted();
    assert_stands(&desk, [(1, ALICE)], [(2, sales())]);
}

#[test]
fn an_agent_whose_shift_ends_gives_everything_back() {
    alice_serves_two().when(update(ALICE, AgentChange::Service(Service::Stopped))).then([
        AgentUpdated { on_service: false, ..on_duty(ALICE, 2, [sales()]) }.into(),
        requeued(1, ALICE, 1, sales(), RequeueReason::ServiceStopped),
        requeued(2, ALICE, 2, sales(), RequeueReason::ServiceStopped),
    ]);
}

#[test]
fn an_agent_lost_gives_everything_back_at_its_original_time() {
    let desk = alice_serves_two().and([queued(3, sales()).into()]).when(update(ALICE, AgentChange::Online(false))).then([
        AgentUpdated { online: false, ..on_duty(ALICE, 2, [sales()]) }.into(),
        requeued(1, ALICE, 1, sales(), RequeueReason::AgentLost),
        requeued(2, ALICE, 2, sales(), RequeueReason::AgentLost),
    ]);
    let line = desk.state().queue(sales());
    assert_eq!(line, [1, 2, 3].map(|number| (false, PRIORITY, came(number), conversation(number))));
}

#[test]
fn what_an_agent_gives_back_goes_to_whoever_is_free() {
    let desk = alice_serves_two().and([on_duty(BOB, 1, [sales()]).into()]).when(update(ALICE, AgentChange::Online(false))).then_accepted();
    assert_stands(&desk, [(1, BOB)], [(2, sales())]);
}

#[test]
fn a_paused_agent_who_is_lost_gives_back_too() {
    let desk = alice_serves_two()
        .when(update(ALICE, AgentChange::Service(Service::Paused)))
        .then_accepted()
        .when(update(ALICE, AgentChange::Online(false)))
        .then_accepted();
    assert_stands(&desk, [], [(1, sales()), (2, sales())]);
}

#[test]
fn an_agent_who_comes_back_takes_what_waited_longest() {
    let desk = alice_serves_two()
        .and([queued(3, sales()).into()])
        .when(update(ALICE, AgentChange::Online(false)))
        .then_accepted()
        .when(update(ALICE, AgentChange::Online(true)))
        .then_accepted();
    assert_stands(&desk, [(1, ALICE), (2, ALICE)], [(3, sales())]);
    assert_eq!(desk.state().last_assignment, 4, "a new assignment has a new number");
}

#[test]
fn lowering_the_capacity_takes_nothing_away_and_gives_nothing_more() {
    let desk = alice_serves_two()
        .when(update(ALICE, AgentChange::Capacity(1)))
        .then([on_duty(ALICE, 1, [sales()]).into()])
        .when(enqueue(3, sales()))
        .then_accepted()
        .when(release(1))
        .then_accepted();
    assert_stands(&desk, [(2, ALICE)], [(3, sales())]);
    assert_stands(&desk.when(release(2)).then_accepted(), [(3, ALICE)], []);
}

#[test]
fn raising_the_capacity_fills_it_at_once() {
    let desk = alice_serves_two()
        .and([queued(3, sales()).into(), queued(4, sales()).into(), queued(5, sales()).into()])
        .when(update(ALICE, AgentChange::Capacity(4)))
        .then_accepted();
    assert_stands(&desk, [(1, ALICE), (2, ALICE), (3, ALICE), (4, ALICE)], [(5, sales())]);
}

#[test]
fn leaving_a_group_takes_nothing_away() {
    let desk = alice_serves_two().when(update(ALICE, AgentChange::Groups(vec![support()]))).then([on_duty(ALICE, 2, [support()]).into()]);
    assert_stands(&desk, [(1, ALICE), (2, ALICE)], []);
}
