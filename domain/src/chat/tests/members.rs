//! Who takes part: opening, joining, leaving, and following the desk.

use super::*;
use crate::chat::error::ChatError;
use crate::chat::state::MEMBERS_MAX;

fn open(shop_name: &str, customer: UserId) -> ChatCommand {
    ChatCommand::Open { shop: shop(shop_name), customer }
}

fn join(user: UserId, role: ChatRole) -> ChatCommand {
    ChatCommand::Join { user, role }
}

fn follow_assignment(conversation: ConversationId, agent: UserId, assignment: u64) -> ChatCommand {
    ChatCommand::FollowAssignment { conversation, agent, assignment, accept_within: None, answer_within: None }
}

#[test]
fn a_chat_opens_for_a_customer_and_a_shop() {
    given([]).when(open("flowers", BUYER)).then([opened()]);
}

#[test]
fn opening_the_same_chat_again_changes_nothing() {
    given([opened()]).when(open("flowers", BUYER)).then_nothing();
}

#[test]
fn a_chat_is_never_given_to_another_customer_or_shop() {
    given([opened()])
        .when(open("flowers", STRANGER))
        .then_refused(ChatError::BelongsToAnother)
        .when(open("books", BUYER))
        .then_refused(ChatError::BelongsToAnother);
}

#[test]
fn nothing_can_be_asked_of_a_chat_that_nobody_opened() {
    for command in [
        join(ROBOT, ChatRole::Robot),
        ChatCommand::Leave { user: ROBOT },
        post(message(BUYER, 1)),
        ChatCommand::Recall { by: BUYER, message: message_id(1), window: ONE_MS },
        ChatCommand::Hide { reader: BUYER, message: message_id(1), seq: 1 },
        ChatCommand::MarkRead { reader: BUYER, up_to_seq: 0 },
        ChatCommand::StartConversation { conversation: FIRST, entry: Entry::default() },
        ChatCommand::EndConversation { conversation: FIRST, seen_seq: 0 },
        ChatCommand::ExpireIdle { conversation: FIRST, idle_expiry: ONE_MS, unanswered_expiry: ONE_MS },
        follow_assignment(FIRST, ALICE, 1),
        ChatCommand::FollowRelease { assignment: 1 },
        ChatCommand::ReplaceCustomer { from: BUYER, into: SIGNED_IN_BUYER },
    ] {
        given([]).when(command).then_refused(ChatError::NotOpen);
    }
}

#[test]
fn supervisors_robots_and_providers_join_by_themselves_and_once() {
    for role in [ChatRole::Supervisor, ChatRole::Robot, ChatRole::Provider] {
        given([opened()]).when(join(STRANGER, role)).then([joined(STRANGER, role)]).when(join(STRANGER, role)).then_nothing();
    }
}

#[test]
fn agents_and_customers_do_not_join_by_themselves() {
    for role in [ChatRole::Agent, ChatRole::Customer] {
        given([opened()]).when(join(STRANGER, role)).then_refused(ChatError::NotJoinable { role });
    }
}

#[test]
fn a_chat_takes_its_last_member_and_no_more() {
    let all_but_one = (1..MEMBERS_MAX - 1).map(|number| joined(UserId::from_u128(5_000 + number as u128), ChatRole::Supervisor));
    given([opened()])
        .and(all_but_one)
        .when(join(SUPERVISOR, ChatRole::Supervisor))
        .then([joined(SUPERVISOR, ChatRole::Supervisor)])
        .when(join(ROBOT, ChatRole::Robot))
        .then_refused(ChatError::TooManyMembers { limit: MEMBERS_MAX });
}

#[test]
fn a_member_leaves_once() {
    given([opened(), joined(ROBOT, ChatRole::Robot)])
        .when(ChatCommand::Leave { user: ROBOT })
        .then([left(ROBOT)])
        .when(ChatCommand::Leave { user: ROBOT })
        .then_nothing();
}

#[test]
fn the_customer_cannot_leave() {
    given([opened()]).when(ChatCommand::Leave { user: BUYER }).then_refused(ChatError::CustomerStays);
}

#[test]
fn the_agent_who_serves_cannot_walk_out_past_the_desk() {
    given([opened(), started(FIRST), assigned_to(ALICE, 1)])
        .when(ChatCommand::Leave { user: ALICE })
        .then_refused(ChatError::ServingAgentStays)
        .and([left(ALICE)])
        .when(ChatCommand::Leave { user: ALICE })
        .then_nothing();
}

#[test]
fn the_assigned_agent_becomes_a_member() {
    given([opened(), started(FIRST)]).when(follow_assignment(FIRST, ALICE, 1)).then([assigned_to(ALICE, 1)]);
}

#[test]
fn the_next_agent_takes_the_place_of_the_one_before() {
    given([opened(), started(FIRST), assigned_to(ALICE, 1)])
        .when(follow_assignment(FIRST, BOB, 2))
        .then([left(ALICE), assigned_to(BOB, 2)]);
}

#[test]
fn the_same_agent_under_a_new_assignment_does_not_leave() {
    given([opened(), started(FIRST), assigned_to(ALICE, 1)]).when(follow_assignment(FIRST, ALICE, 2)).then([assigned_to(ALICE, 2)]);
}

#[test]
fn an_assignment_that_is_not_newer_is_ignored() {
    let history = [opened(), started(FIRST), assigned_to(ALICE, 5)];
    given(history.clone()).when(follow_assignment(FIRST, BOB, 4)).then_nothing();
    given(history.clone()).when(follow_assignment(FIRST, BOB, 5)).then_nothing();
    given(history).and([left(ALICE)]).when(follow_assignment(FIRST, BOB, 5)).then_nothing();
}

#[test]
fn an_assignment_of_another_or_an_ended_conversation_is_ignored() {
    given([opened(), started(FIRST)])
        .when(follow_assignment(SECOND, ALICE, 1))
        .then_nothing()
        .and([ended(FIRST)])
        .when(follow_assignment(FIRST, ALICE, 1))
        .then_nothing();
}

#[test]
fn a_released_agent_leaves() {
    given([opened(), started(FIRST), assigned_to(ALICE, 1)])
        .when(ChatCommand::FollowRelease { assignment: 1 })
        .then([left(ALICE)])
        .when(ChatCommand::FollowRelease { assignment: 1 })
        .then_nothing();
}

#[test]
fn a_release_of_an_older_assignment_is_ignored() {
    given([opened(), started(FIRST), assigned_to(ALICE, 1), assigned_to(ALICE, 2)])
        .when(ChatCommand::FollowRelease { assignment: 1 })
        .then_nothing();
}

#[test]
fn an_anonymous_customer_becomes_the_identified_one() {
    given([opened()])
        .when(ChatCommand::ReplaceCustomer { from: BUYER, into: SIGNED_IN_BUYER })
        .then([replaced(BUYER, SIGNED_IN_BUYER, None)])
        .when(ChatCommand::ReplaceCustomer { from: BUYER, into: SIGNED_IN_BUYER })
        .then_nothing();
}

#[test]
fn the_conversation_that_is_open_or_ended_last_changes_hands_with_the_customer() {
    let replace = || ChatCommand::ReplaceCustomer { from: BUYER, into: SIGNED_IN_BUYER };
    let change = || [replaced(BUYER, SIGNED_IN_BUYER, Some(FIRST))];
    given([opened(), started(FIRST)]).when(replace()).then(change());
    given([opened(), started(FIRST), ended(FIRST)]).when(replace()).then(change());
}

#[test]
fn only_the_customer_of_the_chat_can_be_replaced() {
    given([opened()])
        .when(ChatCommand::ReplaceCustomer { from: STRANGER, into: SIGNED_IN_BUYER })
        .then_refused(ChatError::BelongsToAnother);
}

#[test]
fn the_anonymous_account_is_no_member_any_more_and_the_identified_one_is() {
    given([opened(), started(FIRST), replaced(BUYER, SIGNED_IN_BUYER, Some(FIRST))])
        .when(post(message(BUYER, 1)))
        .then_refused(ChatError::NotAMember { user: BUYER })
        .when(post(message(SIGNED_IN_BUYER, 1)))
        .then([posted(SIGNED_IN_BUYER, 1, FIRST).into()]);
}
