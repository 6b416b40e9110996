//! Who may be rated, by whom, how often and in how many words.

use super::*;
use crate::conversation::decide::rating::{COMMENT_BYTES_MAX, TAGS_MAX};
use crate::conversation::error::ConversationError;
use crate::labels::Label;

fn rate_with(tags: Vec<Label>, comment: String) -> ConversationCommand {
    ConversationCommand::Rate(Rating { by: BUYER, score: 5, tags, choices: vec![], solved: Some(true), comment })
}

fn rated_with(tags: Vec<Label>, comment: String) -> ConversationEvent {
    let private = Private::Known(RatingComment { comment });
    ConversationRated { tags, solved: Some(true), private, ..rating(ALICE, 5) }.into()
}

#[test]
fn a_rating_goes_to_the_agent_who_served_last() {
    alice_serves().and([assigned_to(BOB, 2)]).when(rate(BUYER, 4)).then([rated(BOB, 4)]);
}

#[test]
fn an_agent_is_rated_also_after_the_release_and_after_the_end() {
    alice_serves().and([released(ALICE, 1)]).when(rate(BUYER, 4)).then([rated(ALICE, 4)]);
    alice_serves().and([closed_by_alice()]).when(rate(BUYER, 4)).then([rated(ALICE, 4)]);
}

#[test]
fn there_is_nothing_to_rate_or_invite_before_a_human_served() {
    for stage in [in_reception(), waiting(), waiting().and([closed_by_buyer()])] {
        stage
            .when(rate(BUYER, 5))
            .then_refused(ConversationError::NothingToRate)
            .when(invite())
            .then_refused(ConversationError::NothingToRate);
    }
}

#[test]
fn only_the_customer_rates() {
    alice_serves()
        .when(rate(ALICE, 5))
        .then_refused(ConversationError::NotTheCustomer)
        .and([replaced(SIGNED_IN_BUYER)])
        .when(rate(BUYER, 5))
        .then_refused(ConversationError::NotTheCustomer)
        .when(rate(SIGNED_IN_BUYER, 5))
        .then([ConversationRated { by: SIGNED_IN_BUYER, ..rating(ALICE, 5) }.into()]);
}

#[test]
fn a_score_is_one_to_five() {
    for score in [0, 6, u8::MAX] {
        alice_serves().when(rate(BUYER, score)).then_refused(ConversationError::InvalidScore { score });
    }
    for score in 1..=5 {
        alice_serves().when(rate(BUYER, score)).then([rated(ALICE, score)]);
    }
}

#[test]
fn a_service_is_rated_once_and_the_next_service_again() {
    alice_serves()
        .and([rated(ALICE, 2)])
        .when(rate(BUYER, 5))
        .then_refused(ConversationError::AlreadyRated)
        .and([closed_by_alice(), reopened(Some(sales()))])
        .when(rate(BUYER, 5))
        .then_refused(ConversationError::AlreadyRated)
        .and([handed_off(NEXT_PROBLEM, sales()), assigned_to(ALICE, 2)])
        .when(rate(BUYER, 5))
        .then([rated(ALICE, 5)]);
}

#[test]
fn a_rating_tells_whether_it_was_invited() {
    alice_serves()
        .when(invite())
        .then([invited()])
        .when(rate(BUYER, 5))
        .then([ConversationRated { invited: true, ..rating(ALICE, 5) }.into()]);
}

#[test]
fn an_invitation_for_another_service_does_not_count() {
    alice_serves().and([invited(), assigned_to(BOB, 2)]).when(rate(BUYER, 5)).then([rated(BOB, 5)]);
}

#[test]
fn a_service_is_invited_once_and_not_after_it_was_rated() {
    alice_serves()
        .and([invited()])
        .when(invite())
        .then_nothing()
        .and([rated(ALICE, 5)])
        .when(invite())
        .then_refused(ConversationError::AlreadyRated)
        .and([assigned_to(BOB, 2)])
        .when(invite())
        .then([invited()]);
}

#[test]
fn tags_and_comment_keep_their_limits() {
    let tags = |count: usize| vec!["fast".parse::<Label>().unwrap(); count];
    let words = |bytes: usize| "w".repeat(bytes);
    let too_long = |what, limit| ConversationError::RatingTooLong { what, limit };
    alice_serves()
        .when(rate_with(tags(TAGS_MAX + 1), words(0)))
        .then_refused(too_long("tags", TAGS_MAX))
        .when(rate_with(vec![], words(COMMENT_BYTES_MAX + 1)))
        .then_refused(too_long("bytes in the comment", COMMENT_BYTES_MAX))
        .when(rate_with(tags(TAGS_MAX), words(COMMENT_BYTES_MAX)))
        .then([rated_with(tags(TAGS_MAX), words(COMMENT_BYTES_MAX))]);
}

#[test]
fn a_rating_has_the_tags_that_the_flow_offers_or_any_where_it_offers_none() {
    let label = |text: &str| text.parse::<Label>().unwrap();
    let choosing = |tag: &str, choices: &[&str]| {
        let choices = choices.iter().copied().map(label).collect();
        let rating = Rating { by: BUYER, score: 5, tags: vec![label(tag)], choices, solved: Some(true), comment: String::new() };
        ConversationCommand::Rate(rating)
    };
    let chosen = |tag: &str| rated_with(vec![label(tag)], String::new());
    alice_serves()
        .when(choosing("rude", &["fast", "patient"]))
        .then_refused(ConversationError::TagNotOffered { tag: label("rude") })
        .when(choosing("patient", &["fast", "patient"]))
        .then([chosen("patient")]);
    alice_serves().when(choosing("rude", &[])).then([chosen("rude")]);
}
