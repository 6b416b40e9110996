//! Waiting, being chosen, and leaving.

use super::*;
use crate::desk::choose::CANDIDATES_KEPT;
use crate::desk::decide::check_room;
use crate::desk::error::DeskError;
use crate::desk::state::DESK_CONVERSATIONS_MAX;

#[test]
fn a_conversation_waits_offline_when_nobody_of_the_group_is_on_duty() {
    let offline = |number| DeskEvent::from(ConversationQueued { queue: QueueKind::Offline, ..queued(number, sales()) });
    given([]).when(enqueue(1, sales())).then([offline(1)]);
    for absent in [
        AgentUpdated { on_service: false, ..on_duty(ALICE, 1, [sales()]) },
        AgentUpdated { online: false, ..on_duty(ALICE, 1, [sales()]) },
        on_duty(ALICE, 1, [support()]),
    ] {
        given([absent.into()]).when(enqueue(1, sales())).then([offline(1)]);
    }
}

#[test]
fn a_conversation_waits_online_when_those_on_duty_are_busy() {
    given([on_duty(ALICE, 0, [sales()]).into()]).when(enqueue(1, sales())).then([queued(1, sales()).into()]);
}

#[test]
fn enqueueing_again_changes_nothing_while_it_waits_or_is_served() {
    given([queued(1, sales()).into()])
        .when(enqueue(1, support()))
        .then_nothing()
        .and([served(1, ALICE, 1)])
        .when(enqueue(1, support()))
        .then_nothing();
}

#[test]
fn a_desk_holds_its_last_conversation_and_no_more() {
    assert_eq!(check_room(DESK_CONVERSATIONS_MAX - 1), Ok(()));
    assert_eq!(check_room(DESK_CONVERSATIONS_MAX), Err(DeskError::DeskFull { limit: DESK_CONVERSATIONS_MAX }));
}

#[test]
fn a_free_agent_gets_a_conversation_in_the_same_decision() {
    given([on_duty(ALICE, 1, [sales()]).into()])
        .when(enqueue(1, sales()))
        .then([queued(1, sales()).into(), assigned(1, ALICE, 1, by_load(2, vec![], [winner(ALICE, 0, 1)])).into()]);
}

#[test]
fn the_decision_tells_why_each_agent_did_not_get_it() {
    let agent = UserId::from_u128;
    let duty = |number| on_duty(agent(number), 3, [sales()]);
    let history = [
        duty(1).into(),
        on_duty(agent(2), 1, [sales()]).into(),
        duty(3).into(),
        duty(4).into(),
        AgentUpdated { on_service: false, ..duty(5) }.into(),
        AgentUpdated { online: false, ..duty(6) }.into(),
        on_duty(agent(7), 3, [support()]).into(),
        queued(1, sales()).into(),
        served(1, agent(1), 1),
        queued(2, sales()).into(),
        served(2, agent(2), 2),
    ];
    let losing = vec![
        (LosingReason::MoreLoaded, 1),
        (LosingReason::TieBroken, 1),
        (LosingReason::AtCapacity, 1),
        (LosingReason::NotOnService, 1),
        (LosingReason::Offline, 1),
        (LosingReason::OtherGroup, 1),
    ];
    let candidates = [
        winner(agent(3), 0, 3),
        loser(agent(4), 0, 3, LosingReason::TieBroken),
        loser(agent(1), 1, 3, LosingReason::MoreLoaded),
        loser(agent(5), 0, 3, LosingReason::NotOnService),
        loser(agent(6), 0, 3, LosingReason::Offline),
        loser(agent(7), 0, 3, LosingReason::OtherGroup),
        loser(agent(2), 1, 1, LosingReason::AtCapacity),
    ];
    given(history)
        .when(enqueue(3, sales()))
        .then([queued(3, sales()).into(), assigned(3, agent(3), 3, by_load(12, losing, candidates)).into()]);
}

#[test]
fn a_decision_keeps_sixteen_candidates_and_counts_them_all() {
    let crowd = 40_u32;
    let desk =
        given((1..=u128::from(crowd)).map(|number| on_duty(UserId::from_u128(number), 1, [sales()]).into())).when(enqueue(1, sales()));
    let kept: Vec<Candidate> = (1..=CANDIDATES_KEPT as u128)
        .map(|number| Candidate {
            agent: UserId::from_u128(number),
            load: 0,
            capacity: 1,
            lost: (number > 1).then_some(LosingReason::TieBroken),
            score: None,
        })
        .collect();
    let decision = Decision { candidates: kept, ..by_load(u64::from(crowd) + 1, vec![(LosingReason::TieBroken, crowd - 1)], []) };
    desk.then([queued(1, sales()).into(), assigned(1, ALICE, 1, decision).into()]);
}

#[test]
fn the_agent_with_the_fewest_conversations_is_chosen_and_the_smaller_id_breaks_ties() {
    let desk = given([on_duty(ALICE, 3, [sales()]).into(), on_duty(BOB, 3, [sales()]).into()]);
    let desk = [1, 2, 3, 4].into_iter().fold(desk, |desk, number| desk.when(enqueue(number, sales())).then_accepted());
    assert_stands(&desk, [(1, ALICE), (2, BOB), (3, ALICE), (4, BOB)], []);
}

#[test]
fn the_smaller_priority_goes_first_and_then_the_longer_wait_and_then_the_smaller_id() {
    let desk = given([])
        .when(enqueue_with(1, sales(), 200, NOW))
        .then_accepted()
        .when(enqueue_with(5, sales(), 100, came(2)))
        .then_accepted()
        .when(enqueue_with(4, sales(), 100, came(2)))
        .then_accepted()
        .when(enqueue_with(3, sales(), 100, came(1)))
        .then_accepted()
        .when(enqueue_with(2, sales(), 50, came(9)))
        .then_accepted()
        .and([AgentUpdated { on_service: false, ..on_duty(ALICE, 9, [sales()]) }.into()])
        .when(start(ALICE))
        .then_accepted();
    let mut order: Vec<_> = desk.state().tickets.iter().map(|(id, ticket)| (ticket.owner.unwrap().1, *id)).collect();
    order.sort_unstable();
    assert_eq!(order, [(1, conversation(2)), (2, conversation(3)), (3, conversation(4)), (4, conversation(5)), (5, conversation(1))]);
}

#[test]
fn an_agent_of_several_groups_takes_the_first_in_line_over_all_of_them() {
    let history = [
        on_duty(ALICE, 0, [sales(), support()]).into(),
        queued(2, sales()).into(),
        queued(1, support()).into(),
        queued(3, support()).into(),
    ];
    let desk = given(history).when(update(ALICE, AgentChange::Capacity(1))).then_accepted();
    assert_stands(&desk, [(1, ALICE)], [(2, sales()), (3, support())]);
    let desk = desk.when(release(1)).then_accepted();
    assert_stands(&desk, [(2, ALICE)], [(3, support())]);
}

#[test]
fn an_older_conversation_of_a_group_without_a_free_agent_holds_nobody_up() {
    let desk = given([queued(1, support()).into(), on_duty(ALICE, 1, [sales()]).into()]).when(enqueue(2, sales())).then_accepted();
    assert_stands(&desk, [(2, ALICE)], [(1, support())]);
}

#[test]
fn a_conversation_that_ends_frees_its_slot_for_the_next_in_line() {
    given([on_duty(ALICE, 1, [sales()]).into(), queued(1, sales()).into(), served(1, ALICE, 1), queued(2, sales()).into()])
        .when(release(1))
        .then([released(1, Some((ALICE, 1))), assigned(2, ALICE, 2, by_load(5, vec![], [winner(ALICE, 0, 1)])).into()]);
}

#[test]
fn a_conversation_that_ends_while_it_waits_leaves_the_queue() {
    let desk = given([queued(1, sales()).into(), queued(2, sales()).into()]).when(release(1)).then([released(1, None)]);
    assert_stands(&desk, [], [(2, sales())]);
}

#[test]
fn releasing_what_is_not_at_the_desk_changes_nothing() {
    given([]).when(release(1)).then_nothing();
    given([queued(1, sales()).into(), released(1, None)]).when(release(1)).then_nothing();
}

#[test]
fn a_left_message_is_taken_up_after_everybody_who_waits_and_is_like_any_other_once_somebody_had_it() {
    let left = |number| DeskEvent::from(ConversationQueued { queue: QueueKind::Message, priority: 0, ..queued(number, sales()) });
    let served_by_alice = |number, assignment| {
        move |events: &[DeskEvent]| {
            events.iter().any(|event| matches!(event, DeskEvent::ConversationAssigned(assigned) if assigned.conversation == conversation(number) && assigned.assignment == assignment))
        }
    };
    let story = given([]).when(leave_message(1, sales())).then([left(1)]).when(enqueue(2, sales())).then_accepted();
    let state = story.and([on_duty(ALICE, 1, [sales()]).into()]).state().clone();
    let first = Desk::decide(&update(ALICE, AgentChange::Capacity(1)), &state, NOW).unwrap();
    assert!(served_by_alice(2, 1)(&first), "{first:?}");
    let state = given([left(1), served(1, ALICE, 1), requeued(1, ALICE, 1, sales(), RequeueReason::AgentLost)])
        .and([queued(2, sales()).into()])
        .state()
        .clone();
    assert_eq!(
        state.queue(sales()).iter().map(|(left, .., id)| (*left, *id)).collect::<Vec<_>>(),
        [(false, conversation(1)), (false, conversation(2))]
    );
}

#[test]
fn a_left_message_that_is_moved_stays_one() {
    given([on_duty(ALICE, 0, [support()]).into()])
        .when(leave_message(1, sales()))
        .then_accepted()
        .when(transfer(1, None, TransferTarget::Group(support())))
        .then([ConversationQueued { queue: QueueKind::Message, priority: 0, moved_from: Some(sales()), ..queued(1, support()) }.into()]);
}
