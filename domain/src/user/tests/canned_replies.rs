//! Canned replies of one's own.

use super::*;
use crate::ids::CannedReplyId;
use crate::labels::Label;
use crate::message::{CannedText, ContentRefused};
use crate::user::error::UserError;
use crate::user::event::{CannedReplyRemoved, CannedReplySaved};
use crate::user::state::CANNED_REPLIES_MAX;

fn reply(number: usize) -> CannedReplyId {
    CannedReplyId::from_u128(number as u128)
}

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

fn content(text: &str) -> CannedText {
    CannedText { title: "Greeting".into(), text: text.into() }
}

fn add(number: usize, shortcut: &str) -> UserCommand {
    UserCommand::AddCannedReply { reply: reply(number), shortcut: label(shortcut), content: content("hello") }
}

fn change(number: usize, shortcut: &str, text: &str) -> UserCommand {
    UserCommand::ChangeCannedReply { reply: reply(number), shortcut: label(shortcut), content: content(text) }
}

fn remove(number: usize) -> UserCommand {
    UserCommand::RemoveCannedReply { reply: reply(number) }
}

fn saved(number: usize, shortcut: &str, text: &str) -> UserEvent {
    CannedReplySaved { reply: reply(number), shortcut: label(shortcut), private: Private::Known(content(text)) }.into()
}

fn removed(number: usize) -> UserEvent {
    CannedReplyRemoved { reply: reply(number) }.into()
}

#[test]
fn whoever_serves_keeps_their_own() {
    for role in [Role::Agent, Role::Supervisor] {
        given([registered(role)]).when(add(1, "hi")).then([saved(1, "hi", "hello")]).when(add(1, "other")).then_nothing();
    }
    for role in [Role::Customer, Role::TenantAdmin, Role::QualityReviewer] {
        given([registered(role)]).when(add(1, "hi")).then_refused(UserError::DoesNotServe { role });
    }
}

#[test]
fn each_is_found_by_a_shortcut_of_its_own() {
    given([registered(Role::Agent), saved(1, "hi", "hello"), saved(2, "yo", "hello")])
        .when(add(3, "hi"))
        .then_refused(UserError::ShortcutTaken { shortcut: label("hi") })
        .when(change(1, "yo", "hello"))
        .then_refused(UserError::ShortcutTaken { shortcut: label("yo") })
        .when(change(1, "hey", "good day"))
        .then([saved(1, "hey", "good day")])
        .when(add(3, "hi"))
        .then([saved(3, "hi", "hello")]);
}

#[test]
fn what_is_not_there_is_neither_changed_nor_removed() {
    let unknown = UserError::NoSuchCannedReply { reply: reply(1) };
    given([registered(Role::Agent)]).when(change(1, "hi", "hello")).then_refused(unknown.clone());
    given([registered(Role::Agent), saved(1, "hi", "hello")]).when(remove(1)).then([removed(1)]).when(remove(1)).then_refused(unknown);
}

#[test]
fn it_says_something() {
    let empty = UserCommand::AddCannedReply { reply: reply(1), shortcut: label("hi"), content: content("") };
    given([registered(Role::Agent)]).when(empty).then_refused(UserError::CannedText(ContentRefused::Empty));
}

#[test]
fn they_are_limited_and_a_removed_one_makes_room() {
    given([registered(Role::Agent)])
        .and((1..CANNED_REPLIES_MAX).map(|number| saved(number, &format!("s{number}"), "hello")))
        .when(add(CANNED_REPLIES_MAX, "last"))
        .then([saved(CANNED_REPLIES_MAX, "last", "hello")])
        .when(add(CANNED_REPLIES_MAX + 1, "more"))
        .then_refused(UserError::TooManyCannedReplies { replies_max: CANNED_REPLIES_MAX })
        .when(remove(1))
        .then([removed(1)])
        .when(add(CANNED_REPLIES_MAX + 1, "more"))
        .then_accepted();
}

#[test]
fn a_closed_account_keeps_none() {
    let given = given_closed([registered(Role::Agent), saved(1, "hi", "hello")]);
    let given = given.when(add(2, "yo")).then_refused(UserError::Deactivated);
    assert!(!serde_json::to_string(given.state()).unwrap().contains("hi\""));
}

#[test]
fn what_it_says_is_never_in_the_state() {
    let given = given([registered(Role::Agent)]).when(add(1, "hi")).then_accepted();
    assert!(!serde_json::to_string(given.state()).unwrap().contains("hello"));
    testing::assert_survives_a_snapshot(given.state());
}
