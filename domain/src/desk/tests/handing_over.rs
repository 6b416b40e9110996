//! Transfers, take-overs and recorded holders.

use super::*;
use crate::desk::error::DeskError;

const TO_BOB: TransferTarget = TransferTarget::Agent(BOB);

/// Alice serves 1 for sales and is full; Bob and Carol answer support.
fn alice_serves() -> Given<Desk> {
    given([
        on_duty(ALICE, 1, [sales()]).into(),
        on_duty(BOB, 1, [support()]).into(),
        on_duty(CAROL, 1, [support()]).into(),
        queued(1, sales()).into(),
        served(1, ALICE, 1),
    ])
}

fn handed(rule: AssignmentRule, desk_version: u64, agent: UserId, capacity: u32, previous: Option<UserId>) -> DeskEvent {
    ConversationAssigned { previous, ..assigned(1, agent, 2, named(rule, desk_version, winner(agent, 0, capacity))) }.into()
}

#[test]
fn an_agent_hands_over_to_another_by_name_whatever_their_groups() {
    alice_serves().when(transfer(1, Some(ALICE), TO_BOB)).then([handed(AssignmentRule::Transfer, 5, BOB, 1, Some(ALICE))]);
}

#[test]
fn a_supervisor_hands_over_what_somebody_serves_or_what_waits() {
    alice_serves().when(transfer(1, None, TO_BOB)).then([handed(AssignmentRule::Transfer, 5, BOB, 1, Some(ALICE))]);
    let desk = alice_serves().and([queued(2, sales()).into()]).when(transfer(2, None, TO_BOB)).then_accepted();
    assert_stands(&desk, [(1, ALICE), (2, BOB)], []);
}

#[test]
fn an_agent_who_was_replaced_hears_that_it_is_not_theirs_any_more() {
    alice_serves()
        .when(transfer(1, Some(CAROL), TO_BOB))
        .then_refused(DeskError::NotYoursAnyMore { current: Some(ALICE) })
        .and([requeued(1, ALICE, 1, sales(), RequeueReason::AgentLost)])
        .when(transfer(1, Some(ALICE), TO_BOB))
        .then_refused(DeskError::NotYoursAnyMore { current: None });
}

#[test]
fn what_is_not_at_the_desk_is_not_handed_over() {
    let absent = || DeskError::NotAtTheDesk { conversation: conversation(7) };
    for command in [
        transfer(7, None, TO_BOB),
        transfer(7, Some(ALICE), TO_BOB),
        transfer(7, None, TransferTarget::Group(support())),
        take_over(7, SUPERVISOR),
        assign_recorded(7, BOB),
    ] {
        alice_serves().when(command).then_refused(absent());
    }
}

#[test]
fn nobody_hands_over_to_an_agent_who_is_not_there() {
    for absent in
        [AgentUpdated { on_service: false, ..on_duty(BOB, 1, [support()]) }, AgentUpdated { online: false, ..on_duty(BOB, 1, [support()]) }]
    {
        alice_serves()
            .and([absent.into()])
            .when(transfer(1, Some(ALICE), TO_BOB))
            .then_refused(DeskError::AgentNotAvailable { agent: BOB });
    }
    alice_serves()
        .when(transfer(1, Some(ALICE), TransferTarget::Agent(SUPERVISOR)))
        .then_refused(DeskError::AgentNotAvailable { agent: SUPERVISOR });
}

#[test]
fn no_assignment_is_made_above_capacity_by_transfer_take_over_or_record() {
    for command in [transfer(1, Some(ALICE), TO_BOB), transfer(1, None, TO_BOB), take_over(1, BOB), assign_recorded(1, BOB)] {
        alice_serves()
            .and([queued(2, support()).into(), served(2, BOB, 2)])
            .when(command)
            .then_refused(DeskError::AgentAtCapacity { agent: BOB, limit: 1 });
    }
}

#[test]
fn handing_over_to_whoever_has_it_already_changes_nothing() {
    for command in [
        transfer(1, Some(ALICE), TransferTarget::Agent(ALICE)),
        transfer(1, None, TransferTarget::Agent(ALICE)),
        take_over(1, ALICE),
        assign_recorded(1, ALICE),
    ] {
        alice_serves().when(command).then_nothing();
    }
}

#[test]
fn the_slot_of_whoever_handed_over_goes_to_the_next_in_line() {
    let desk = alice_serves().and([queued(2, sales()).into()]).when(transfer(1, Some(ALICE), TO_BOB)).then_accepted();
    assert_stands(&desk, [(1, BOB), (2, ALICE)], []);
}

#[test]
fn what_is_handed_to_a_group_goes_to_its_least_loaded_agent() {
    let table = [winner(BOB, 0, 1), loser(CAROL, 0, 1, LosingReason::TieBroken), loser(ALICE, 0, 1, LosingReason::OtherGroup)];
    let decision = by_load(6, vec![(LosingReason::TieBroken, 1), (LosingReason::OtherGroup, 1)], table);
    alice_serves()
        .when(transfer(1, Some(ALICE), TransferTarget::Group(support())))
        .then([requeued(1, ALICE, 1, support(), RequeueReason::TransferredToGroup), assigned(1, BOB, 2, decision).into()]);
}

#[test]
fn what_is_handed_to_a_busy_group_waits_there_since_it_first_waited() {
    let desk = alice_serves()
        .and([on_duty(BOB, 0, [support()]).into(), on_duty(CAROL, 0, [support()]).into(), queued(2, support()).into()])
        .when(transfer(1, Some(ALICE), TransferTarget::Group(support())))
        .then([requeued(1, ALICE, 1, support(), RequeueReason::TransferredToGroup)]);
    let line = desk.state().queue(support());
    assert_eq!(line, [1, 2].map(|number| (false, PRIORITY, came(number), conversation(number))));
}

/// Today nothing remembers who just let a conversation go, and nobody may wait beside a free agent. Eligibility should learn
/// to pass over whoever handed it over.
#[test]
fn an_agent_alone_in_a_group_who_hands_over_to_it_gets_the_conversation_back() {
    let desk = alice_serves().when(transfer(1, Some(ALICE), TransferTarget::Group(sales()))).then_accepted();
    assert_stands(&desk, [(1, ALICE)], []);
    assert_eq!(desk.state().last_assignment, 2);
}

#[test]
fn a_supervisor_moves_what_waits_to_another_group_at_its_place_in_time() {
    let history = [queued(1, sales()).into(), queued(2, support()).into()];
    let desk = given(history)
        .when(transfer(1, None, TransferTarget::Group(support())))
        .then([ConversationQueued { queue: QueueKind::Offline, moved_from: Some(sales()), ..queued(1, support()) }.into()])
        .when(transfer(1, None, TransferTarget::Group(support())))
        .then_nothing();
    assert_stands(&desk, [], [(1, support()), (2, support())]);
    assert_eq!(desk.state().queue(sales()).len(), 0);
    assert_eq!(desk.state().queue(support())[0].3, conversation(1));
}

#[test]
fn what_is_moved_to_a_group_with_a_free_agent_is_assigned_at_once() {
    let desk = alice_serves().and([queued(2, sales()).into()]).when(transfer(2, None, TransferTarget::Group(support()))).then_accepted();
    assert_stands(&desk, [(1, ALICE), (2, BOB)], []);
}

#[test]
fn a_supervisor_takes_over_what_is_served_and_what_waits() {
    let capacity = crate::desk::state::Agent::default().capacity;
    alice_serves().when(take_over(1, SUPERVISOR)).then([handed(AssignmentRule::TakeOver, 5, SUPERVISOR, capacity, Some(ALICE))]);
    given([queued(1, sales()).into(), served(2, ALICE, 1)]).when(take_over(1, SUPERVISOR)).then([handed(
        AssignmentRule::TakeOver,
        2,
        SUPERVISOR,
        capacity,
        None,
    )]);
}

#[test]
fn a_recorded_holder_gets_their_conversation_even_off_duty() {
    let off_duty = AgentUpdated { on_service: false, online: false, ..on_duty(BOB, 1, []) };
    given([off_duty.into(), queued(1, sales()).into(), served(2, ALICE, 1)])
        .when(assign_recorded(1, BOB))
        .then([handed(AssignmentRule::Recorded, 3, BOB, 1, None)])
        .when(assign_recorded(1, BOB))
        .then_nothing();
}

#[test]
fn a_provider_accepts_what_it_is_given_also_what_is_handed_to_it() {
    let within = crate::time::Millis::minutes(2);
    let provider = AgentUpdated { provider: Some(within), ..on_duty(BOB, 1, [support()]) };
    let handed = ConversationAssigned {
        previous: Some(ALICE),
        accept_within: Some(within),
        provider: true,
        ..assigned(1, BOB, 2, named(AssignmentRule::Transfer, 6, winner(BOB, 0, 1)))
    };
    alice_serves()
        .when(update(BOB, AgentChange::Provider(within)))
        .then([provider.into()])
        .when(transfer(1, Some(ALICE), TO_BOB))
        .then([handed.into()]);
}
