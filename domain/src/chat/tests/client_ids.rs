//! Exactly once: what a retry is, and which ids are too old to be sure.

use super::*;
use crate::chat::error::ChatError;
use crate::chat::state::{CLIENT_IDS_AHEAD_MAX, CLIENT_IDS_KEPT, CLIENT_IDS_KEPT_FOR};

fn in_conversation() -> Given<Chat> {
    given([opened(), started(FIRST)])
}

fn full_memory() -> impl Iterator<Item = ChatEvent> {
    (1..=CLIENT_IDS_KEPT as u64).map(|number| remembered(number, number))
}

fn remembered(number: u64, seq: u64) -> ChatEvent {
    let post = minted(NOW + Millis(number as i64), message(BUYER, number));
    fact_of(&post, seq, Some(FIRST), None).into()
}

#[test]
fn a_retry_is_the_same_message_and_is_not_posted_again() {
    in_conversation().and([posted(BUYER, 1, FIRST).into()]).when(post(message(BUYER, 1))).then_nothing();
}

#[test]
fn a_retry_counts_as_posted_whatever_changed_since() {
    given([opened(), started(FIRST), assigned_to(ALICE, 1), posted_under(1, ALICE, 1, FIRST), left(ALICE), assigned_to(BOB, 2)])
        .when(post(under(1, message(ALICE, 1))))
        .then_nothing();
}

#[test]
fn a_client_id_with_another_content_is_refused() {
    let other = PostMessage { digest: ContentDigest(99), ..message(BUYER, 1) };
    in_conversation().and([posted(BUYER, 1, FIRST).into()]).when(post(other)).then_refused(ChatError::ClientIdReused);
}

#[test]
fn two_senders_may_use_the_same_client_id() {
    let answer = PostMessage { client_message: client_id(NOW, 1), ..message(ALICE, 2) };
    given([opened(), started(FIRST), assigned_to(ALICE, 1), posted(BUYER, 1, FIRST).into()]).when(post(answer.clone())).then([fact_of(
        &answer,
        2,
        Some(FIRST),
        Some(1),
    )
    .into()]);
}

#[test]
fn a_client_id_that_is_no_uuid_v7_is_refused() {
    let nameless = PostMessage { client_message: ClientMessageId::from_u128(5), ..message(BUYER, 1) };
    in_conversation().when(post(nameless)).then_refused(ChatError::ClientIdInvalid);
}

#[test]
fn a_client_id_is_too_old_after_72_hours_to_the_millisecond() {
    let floor = NOW - CLIENT_IDS_KEPT_FOR;
    let fresh = minted(floor + ONE_MS, message(BUYER, 1));
    in_conversation()
        .when(post(minted(floor, message(BUYER, 1))))
        .then_refused(ChatError::ClientIdTooOld { floor })
        .when(post(fresh.clone()))
        .then([fact_of(&fresh, 1, Some(FIRST), None).into()]);
}

#[test]
fn a_message_forgotten_after_72_hours_is_refused_and_not_posted_twice() {
    let later = NOW + CLIENT_IDS_KEPT_FOR;
    let next = minted(later, message(BUYER, 2));
    in_conversation()
        .and([posted(BUYER, 1, FIRST).into()])
        .at(later)
        .when(post(message(BUYER, 1)))
        .then_nothing()
        .when(post(next.clone()))
        .then([fact_of(&next, 2, Some(FIRST), None).into()])
        .when(post(message(BUYER, 1)))
        .then_refused(ChatError::ClientIdTooOld { floor: NOW });
}

#[test]
fn the_oldest_of_4096_ids_is_remembered_and_the_one_before_is_too_old() {
    let limit = CLIENT_IDS_KEPT as u64;
    let one_more = minted(NOW + Millis(5_000), message(BUYER, limit + 1));
    let oldest = minted(NOW + ONE_MS, message(BUYER, 1));
    let second = minted(NOW + Millis(2), message(BUYER, 2));
    in_conversation()
        .at(NOW + Millis(5_000))
        .and(full_memory())
        .when(post(oldest.clone()))
        .then_nothing()
        .when(post(one_more.clone()))
        .then([fact_of(&one_more, limit + 1, Some(FIRST), None).into()])
        .when(post(second))
        .then_nothing()
        .when(post(oldest))
        .then_refused(ChatError::ClientIdTooOld { floor: NOW + ONE_MS });
}

#[test]
fn an_id_that_was_never_seen_but_is_older_than_what_was_forgotten_is_refused_too() {
    let limit = CLIENT_IDS_KEPT as u64;
    let one_more = minted(NOW + Millis(5_000), message(BUYER, limit + 1));
    in_conversation()
        .at(NOW + Millis(5_000))
        .and(full_memory())
        .when(post(one_more))
        .then_accepted()
        .when(post(minted(NOW, message(BUYER, 9_999))))
        .then_refused(ChatError::ClientIdTooOld { floor: NOW + ONE_MS });
}

#[test]
fn an_id_that_would_be_forgotten_at_once_is_refused_and_nothing_is_posted() {
    let limit = CLIENT_IDS_KEPT as u64;
    let late = minted(NOW, message(BUYER, 9_999));
    in_conversation()
        .at(NOW + Millis(5_000))
        .and(full_memory())
        .when(post(late.clone()))
        .then_refused(ChatError::ClientIdTooOld { floor: NOW + ONE_MS });
    let one_less = (2..=limit).map(|number| remembered(number, number - 1));
    in_conversation().at(NOW + Millis(5_000)).and(one_less).when(post(late)).then_accepted();
}

#[test]
fn an_id_from_a_far_future_is_none() {
    let ahead = |by: Millis| minted(NOW + by, message(BUYER, 1));
    in_conversation().when(post(ahead(Millis(CLIENT_IDS_AHEAD_MAX.0 + 1)))).then_refused(ChatError::ClientIdInvalid);
    in_conversation().when(post(ahead(CLIENT_IDS_AHEAD_MAX))).then_accepted();
}

#[test]
fn what_an_anonymous_customer_posted_is_not_posted_again_after_they_signed_in() {
    let retry = PostMessage { sender: SIGNED_IN_BUYER, ..message(BUYER, 1) };
    in_conversation().and([posted(BUYER, 1, FIRST).into(), replaced(BUYER, SIGNED_IN_BUYER, Some(FIRST))]).when(post(retry)).then_nothing();
}

#[test]
fn a_retry_by_the_account_that_was_merged_meanwhile_is_the_same_message_and_a_new_message_is_none_of_its() {
    let merged = || in_conversation().and([posted(BUYER, 1, FIRST).into(), replaced(BUYER, SIGNED_IN_BUYER, Some(FIRST))]);
    merged().when(post(message(BUYER, 1))).then_nothing();
    merged().when(post(message(BUYER, 2))).then_refused(ChatError::NotAMember { user: BUYER });
}

#[test]
fn what_was_forgotten_before_they_signed_in_is_too_old_afterwards_as_well() {
    let limit = CLIENT_IDS_KEPT as u64;
    let one_more = minted(NOW + Millis(5_000), message(BUYER, limit + 1));
    let oldest = minted(NOW + ONE_MS, message(SIGNED_IN_BUYER, 1));
    let second = minted(NOW + Millis(2), message(SIGNED_IN_BUYER, 2));
    in_conversation()
        .at(NOW + Millis(5_000))
        .and(full_memory())
        .when(post(one_more))
        .then_accepted()
        .and([replaced(BUYER, SIGNED_IN_BUYER, Some(FIRST))])
        .when(post(second))
        .then_nothing()
        .when(post(oldest))
        .then_refused(ChatError::ClientIdTooOld { floor: NOW + ONE_MS });
}

#[test]
fn the_chat_forgets_senders_who_have_been_silent_for_72_hours() {
    let later = NOW + CLIENT_IDS_KEPT_FOR;
    let senders = |chat: &Given<Chat>| chat.state().open().unwrap().sent.len();
    let history = [opened(), started(FIRST), assigned_to(ALICE, 1), posted_under(1, ALICE, 1, FIRST)];
    let hello = |at: Timestamp| post(minted(at, message(BUYER, 2)));
    let just_before = given(history.clone()).at(later - ONE_MS).when(hello(later - ONE_MS)).then_accepted();
    assert_eq!(senders(&just_before), 2);
    let after = given(history).at(later).when(hello(later)).then_accepted();
    assert_eq!(senders(&after), 1);
    after.when(post(message(ALICE, 1))).then_refused(ChatError::ClientIdTooOld { floor: NOW });
}
