//! Opening, handing off, following the desk, ending and reopening.

use super::*;
use crate::conversation::error::ConversationError;
use crate::conversation::event::{EntryPage, HandOffRefused};
use crate::conversation::state::{ConversationState, Stage};
use crate::flow::RouteTaken;
use crate::testing::NOW;
use crate::time::Millis;

#[test]
fn a_conversation_opens_as_it_was_entered() {
    let entry = Entry { page: EntryPage::Order, subject: Some("4711".parse().expect("a reference")), group: Some(complaints()) };
    given([])
        .when(ConversationCommand::Open { chat: CHAT, shop: shop(), customer: BUYER, entry: entry.clone() })
        .then([ConversationOpened { chat: CHAT, shop: shop(), customer: BUYER, entry }.into()]);
}

#[test]
fn opening_again_changes_nothing_even_after_the_end() {
    in_reception().when(open()).then_nothing().and([closed_by_buyer()]).when(open()).then_nothing();
}

#[test]
fn a_conversation_is_never_given_to_another_chat_or_customer() {
    let elsewhere = ConversationCommand::Open { chat: ChatId::from_u128(11), shop: shop(), customer: BUYER, entry: Entry::default() };
    let stranger = ConversationCommand::Open { chat: CHAT, shop: shop(), customer: STRANGER, entry: Entry::default() };
    in_reception()
        .when(elsewhere)
        .then_refused(ConversationError::BelongsToAnother)
        .when(stranger)
        .then_refused(ConversationError::BelongsToAnother);
}

#[test]
fn nothing_can_be_asked_of_a_conversation_that_nobody_opened() {
    for command in [
        hand_off(PROBLEM, sales()),
        follow_assignment(ALICE, 1),
        follow_release(1),
        invite(),
        rate(BUYER, 5),
        close(Closer::Customer(BUYER)),
        close(Closer::Agent(ALICE)),
        close(Closer::Supervisor(SUPERVISOR)),
        close(Closer::Expiry),
        close(Closer::Unanswered),
        ConversationCommand::Reopen,
        replace(BUYER, SIGNED_IN_BUYER),
    ] {
        given([]).when(command).then_refused(ConversationError::NotOpened);
    }
}

#[test]
fn the_first_hand_off_names_the_problem() {
    in_reception().when(hand_off(PROBLEM, sales())).then([handed_off(PROBLEM, sales())]);
}

#[test]
fn a_hand_off_of_what_waits_or_is_served_changes_nothing() {
    waiting().when(hand_off(NEXT_PROBLEM, complaints())).then_nothing();
    alice_serves().when(hand_off(NEXT_PROBLEM, complaints())).then_nothing();
}

#[test]
fn a_closed_conversation_is_not_handed_off() {
    alice_serves().and([closed_by_alice()]).when(hand_off(PROBLEM, sales())).then_refused(ConversationError::Closed);
}

#[test]
fn the_problem_stays_the_same_when_it_is_handed_off_again_before_an_agent_ended_it() {
    alice_serves()
        .and([closed_by_buyer(), reopened(Some(sales()))])
        .when(hand_off(NEXT_PROBLEM, sales()))
        .then([handed_off(PROBLEM, sales())]);
}

#[test]
fn a_hand_off_after_the_agent_ended_it_is_another_problem() {
    alice_serves()
        .and([closed_by_alice(), reopened(Some(sales()))])
        .when(hand_off(NEXT_PROBLEM, sales()))
        .then([handed_off(NEXT_PROBLEM, sales())]);
}

#[test]
fn a_conversation_follows_the_desk_from_agent_to_agent() {
    waiting().when(follow_assignment(ALICE, 1)).then([assigned_to(ALICE, 1)]).when(follow_assignment(BOB, 4)).then([assigned_to(BOB, 4)]);
}

#[test]
fn an_assignment_that_is_not_newer_is_ignored() {
    let served = || waiting().and([assigned_to(ALICE, 5)]);
    served().when(follow_assignment(BOB, 4)).then_nothing();
    served().when(follow_assignment(BOB, 5)).then_nothing();
    served().and([released(ALICE, 5)]).when(follow_assignment(ALICE, 5)).then_nothing();
}

#[test]
fn an_assignment_that_arrives_after_the_end_is_ignored() {
    waiting().and([closed_by_buyer()]).when(follow_assignment(ALICE, 1)).then_nothing();
}

#[test]
fn a_released_conversation_waits_again_and_is_assigned_anew() {
    alice_serves()
        .when(follow_release(1))
        .then([released(ALICE, 1)])
        .when(follow_release(1))
        .then_nothing()
        .when(follow_assignment(ALICE, 2))
        .then([assigned_to(ALICE, 2)]);
}

#[test]
fn a_conversation_that_the_desk_moved_to_another_group_waits_for_that_one() {
    let other: crate::ids::GroupId = "aftersale".parse().expect("a slug");
    let moved = ConversationCommand::FollowRelease { assignment: 1, group: Some(other) };
    let event = AgentReleased { chat: CHAT, agent: ALICE, assignment: 1, group: Some(other) };
    let after = alice_serves().when(moved).then([event.into()]);
    assert!(matches!(after.state(), ConversationState::Open { stage: Stage::Waiting { group }, .. } if *group == other));
}

#[test]
fn a_release_of_another_assignment_is_ignored() {
    alice_serves().when(follow_release(2)).then_nothing();
    waiting().when(follow_release(1)).then_nothing();
    alice_serves().and([closed_by_alice()]).when(follow_release(1)).then_nothing();
}

#[test]
fn a_release_is_followed_once_even_when_nobody_ever_asked_for_a_group() {
    in_reception().and([assigned_to(ALICE, 1)]).when(follow_release(1)).then([released(ALICE, 1)]).when(follow_release(1)).then_nothing();
}

#[test]
fn a_customer_who_ends_before_anybody_answered_has_abandoned_it() {
    let abandoned = || closed(CloseReason::Abandoned, Party::User(BUYER));
    in_reception().when(close(Closer::Customer(BUYER))).then([closed_in_reception(CloseReason::Abandoned, Party::User(BUYER))]);
    waiting().when(close(Closer::Customer(BUYER))).then([abandoned()]);
}

#[test]
fn a_customer_who_was_served_ends_it_even_while_they_wait_again() {
    alice_serves().when(close(Closer::Customer(BUYER))).then([closed_by_buyer()]);
    alice_serves().and([released(ALICE, 1)]).when(close(Closer::Customer(BUYER))).then([closed_by_buyer()]);
}

#[test]
fn a_stranger_ends_nothing_before_and_after_the_end() {
    alice_serves()
        .when(close(Closer::Customer(STRANGER)))
        .then_refused(ConversationError::NotTheCustomer)
        .and([closed_by_alice()])
        .when(close(Closer::Customer(STRANGER)))
        .then_refused(ConversationError::NotTheCustomer);
}

#[test]
fn the_serving_agent_ends_it() {
    alice_serves().when(close(Closer::Agent(ALICE))).then([closed_by_alice()]);
}

#[test]
fn an_agent_who_was_replaced_hears_that_it_is_not_theirs_any_more() {
    alice_serves()
        .and([assigned_to(BOB, 2)])
        .when(close(Closer::Agent(ALICE)))
        .then_refused(ConversationError::NotYoursAnyMore { current: Some(BOB) });
}

#[test]
fn an_agent_does_not_end_what_waits_or_was_not_handed_off() {
    let nobodys = || ConversationError::NotYoursAnyMore { current: None };
    in_reception().when(close(Closer::Agent(ALICE))).then_refused(nobodys());
    alice_serves().and([released(ALICE, 1)]).when(close(Closer::Agent(ALICE))).then_refused(nobodys());
}

#[test]
fn a_supervisor_and_the_timers_end_it_at_any_stage() {
    for (closer, reason, by) in [
        (Closer::Supervisor(SUPERVISOR), CloseReason::EndedBySupervisor, Party::User(SUPERVISOR)),
        (Closer::Expiry, CloseReason::Expired, Party::System),
        (Closer::Unanswered, CloseReason::Unanswered, Party::System),
    ] {
        in_reception().when(close(closer)).then([closed_in_reception(reason, by)]);
        for stage in [waiting(), alice_serves()] {
            stage.when(close(closer)).then([closed(reason, by)]);
        }
    }
}

#[test]
fn ending_what_has_ended_changes_nothing() {
    for closer in [
        Closer::Customer(BUYER),
        Closer::Agent(ALICE),
        Closer::Agent(BOB),
        Closer::Supervisor(SUPERVISOR),
        Closer::Expiry,
        Closer::Unanswered,
    ] {
        alice_serves().and([closed_by_alice()]).when(close(closer)).then_nothing();
    }
}

#[test]
fn a_closed_conversation_reopens_once_for_the_group_that_was_asked() {
    alice_serves()
        .and([closed_by_alice()])
        .when(ConversationCommand::Reopen)
        .then([reopened(Some(sales()))])
        .when(ConversationCommand::Reopen)
        .then_nothing();
}

#[test]
fn a_conversation_that_asked_for_no_group_reopens_for_none() {
    in_reception().and([closed_by_buyer()]).when(ConversationCommand::Reopen).then([reopened(None)]);
}

#[test]
fn a_reopened_conversation_does_not_follow_the_assignment_from_before() {
    alice_serves().and([closed_by_alice(), reopened(Some(sales()))]).when(follow_assignment(ALICE, 1)).then_nothing();
}

#[test]
fn the_identified_customer_takes_the_place_of_the_anonymous_one_at_any_stage() {
    for stage in [in_reception(), waiting(), alice_serves(), alice_serves().and([closed_by_alice()])] {
        stage
            .when(replace(BUYER, SIGNED_IN_BUYER))
            .then([replaced(SIGNED_IN_BUYER)])
            .when(replace(BUYER, SIGNED_IN_BUYER))
            .then_nothing()
            .when(close(Closer::Customer(BUYER)))
            .then_refused(ConversationError::NotTheCustomer)
            .when(close(Closer::Customer(SIGNED_IN_BUYER)))
            .then_accepted();
    }
}

#[test]
fn only_the_customer_of_the_conversation_is_replaced() {
    in_reception().when(replace(STRANGER, SIGNED_IN_BUYER)).then_refused(ConversationError::NotTheCustomer);
}

fn route() -> RouteTaken {
    let version = FlowVersion { shop: None, version: 3 };
    RouteTaken { flow: version, rule: 1, tried: vec!["us".parse().unwrap(), "night".parse().unwrap()] }
}

#[test]
fn a_hand_off_keeps_how_it_came_about_and_that_a_message_was_left() {
    let left = ConversationCommand::HandOff {
        task: PROBLEM,
        group: sales(),
        left_message: true,
        route: Some(route()),
        skills: vec![],
        patience: Patience::default(),
    };
    let fact = HandedOff {
        chat: CHAT,
        task: PROBLEM,
        group: sales(),
        left_message: true,
        route: Some(route()),
        skills: vec![],
        patience: Patience::default(),
        robot: None,
    };
    in_reception().when(left).then([fact.into()]);
}

#[test]
fn a_refused_hand_off_leaves_it_in_the_reception_where_it_may_be_tried_again() {
    let refuse = || ConversationCommand::RefuseHandOff { route: route(), opens_at: Some(NOW) };
    in_reception()
        .when(refuse())
        .then([HandOffRefused { chat: CHAT, route: route(), opens_at: Some(NOW) }.into()])
        .when(hand_off(PROBLEM, sales()))
        .then([handed_off(PROBLEM, sales())])
        .when(refuse())
        .then_nothing();
    given([]).when(refuse()).then_refused(ConversationError::NotOpened);
}

fn patient(busy_after: &[Millis]) -> ConversationEvent {
    let patience = Patience { busy_after: busy_after.to_vec(), leave_message_after: Some(Millis::minutes(9)) };
    HandedOff {
        chat: CHAT,
        task: PROBLEM,
        group: sales(),
        left_message: false,
        route: Some(route()),
        skills: vec![],
        patience,
        robot: None,
    }
    .into()
}

#[test]
fn somebody_who_still_waits_is_told_each_notice_once() {
    let tell = |notice| ConversationCommand::TellToWait { notice };
    let told = |notice| ConversationEvent::from(StillWaiting { chat: CHAT, notice, flow: route().flow });
    let waiting = in_reception().and([patient(&[Millis::minutes(1), Millis::minutes(2)])]);
    waiting
        .when(tell(0))
        .then([told(0)])
        .when(tell(0))
        .then_nothing()
        .when(tell(1))
        .then([told(1)])
        .and([assigned_to(ALICE, 1)])
        .when(tell(2))
        .then_nothing();
    in_reception().and([patient(&[]), closed_by_buyer()]).when(tell(0)).then_nothing();
}

#[test]
fn who_waited_too_long_leaves_a_message_whether_somebody_has_it_or_not() {
    let left = || ConversationEvent::from(MessageLeft { chat: CHAT });
    let leave = || ConversationCommand::LeaveMessage;
    waiting().when(leave()).then([left()]).when(leave()).then_nothing();
    alice_serves().when(leave()).then([left()]);
    alice_serves().and([left(), released(ALICE, 1), assigned_to(BOB, 2)]).when(leave()).then([left()]);
    in_reception().when(leave()).then_nothing();
    waiting().and([closed_by_buyer()]).when(leave()).then_nothing();
}

#[test]
fn what_waits_follows_the_desk_to_another_group() {
    let follow = |group| ConversationCommand::FollowMove { group };
    waiting()
        .when(follow(sales()))
        .then_nothing()
        .when(follow(complaints()))
        .then([ConversationMoved { chat: CHAT, group: complaints() }.into()])
        .when(follow(complaints()))
        .then_nothing();
    alice_serves().when(follow(complaints())).then_nothing();
}
