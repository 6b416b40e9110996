//! Canned replies of the tenant and of its groups.

use super::*;
use crate::ids::{CannedReplyId, GroupId};
use crate::labels::Label;
use crate::message::{CANNED_TITLE_BYTES_MAX, CONTENT_BYTES_MAX, CannedText, ContentRefused};
use crate::tenant::event::{CannedReplyRemoved, CannedReplySaved};
use crate::tenant::state::CANNED_REPLIES_MAX;

fn reply(number: usize) -> CannedReplyId {
    CannedReplyId::from_u128(number as u128)
}

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

fn group(name: &str) -> Option<GroupId> {
    Some(name.parse().unwrap())
}

fn content(text: &str) -> CannedText {
    CannedText { title: "Greeting".into(), text: text.into() }
}

fn add(number: usize, group: Option<GroupId>, shortcut: &str) -> TenantCommand {
    TenantCommand::AddCannedReply { reply: reply(number), group, shortcut: label(shortcut), content: content("hello") }
}

fn change(number: usize, shortcut: &str, text: &str) -> TenantCommand {
    TenantCommand::ChangeCannedReply { reply: reply(number), shortcut: label(shortcut), content: content(text) }
}

fn remove(number: usize) -> TenantCommand {
    TenantCommand::RemoveCannedReply { reply: reply(number) }
}

fn saved(number: usize, group: Option<GroupId>, shortcut: &str, text: &str) -> TenantEvent {
    CannedReplySaved { reply: reply(number), shortcut: label(shortcut), group, private: Private::Known(content(text)) }.into()
}

fn removed(number: usize) -> TenantEvent {
    CannedReplyRemoved { reply: reply(number) }.into()
}

#[test]
fn a_canned_reply_is_the_tenants_or_a_groups() {
    given_created().when(add(1, None, "hi")).then([saved(1, None, "hi", "hello")]);
    given_created().and([group_formed("vip")]).when(add(1, group("vip"), "hi")).then([saved(1, group("vip"), "hi", "hello")]);
    let unknown = TenantError::NoSuchGroup { group: "vip".parse().unwrap() };
    given_created().when(add(1, group("vip"), "hi")).then_refused(unknown);
}

#[test]
fn adding_it_again_is_nothing_whatever_it_says() {
    given_created().and([saved(1, None, "hi", "hello")]).when(add(1, None, "other")).then_nothing();
}

#[test]
fn a_shortcut_is_unique_in_its_scope_only() {
    let given = || {
        given_created().and([
            group_formed("vip"),
            group_formed("night"),
            saved(1, None, "hi", "hello"),
            saved(2, group("vip"), "yo", "hello"),
        ])
    };
    given().when(add(3, None, "hi")).then_refused(TenantError::ShortcutTaken { shortcut: label("hi") });
    given().when(add(3, group("vip"), "yo")).then_refused(TenantError::ShortcutTaken { shortcut: label("yo") });
    given().when(add(3, group("vip"), "hi")).then([saved(3, group("vip"), "hi", "hello")]);
    given().when(add(3, group("night"), "yo")).then([saved(3, group("night"), "yo", "hello")]);
    given().when(add(3, None, "yo")).then([saved(3, None, "yo", "hello")]);
}

#[test]
fn a_changed_one_stays_where_it_is_and_frees_its_old_shortcut() {
    given_created()
        .and([group_formed("vip"), saved(1, group("vip"), "hi", "hello")])
        .when(change(1, "hey", "good day"))
        .then([saved(1, group("vip"), "hey", "good day")])
        .when(change(1, "hey", "good day"))
        .then([saved(1, group("vip"), "hey", "good day")])
        .when(add(2, group("vip"), "hi"))
        .then([saved(2, group("vip"), "hi", "hello")])
        .when(change(1, "hi", "good day"))
        .then_refused(TenantError::ShortcutTaken { shortcut: label("hi") });
}

#[test]
fn what_is_not_there_is_neither_changed_nor_removed() {
    let unknown = TenantError::NoSuchCannedReply { reply: reply(1) };
    given_created().when(change(1, "hi", "hello")).then_refused(unknown.clone()).when(remove(1)).then_refused(unknown.clone());
    given_created().and([saved(1, None, "hi", "hello")]).when(remove(1)).then([removed(1)]).when(remove(1)).then_refused(unknown);
}

#[test]
fn it_says_something_that_fits_a_message() {
    let with = |title: &str, text: &str| TenantCommand::AddCannedReply {
        reply: reply(1),
        group: None,
        shortcut: label("hi"),
        content: CannedText { title: title.into(), text: text.into() },
    };
    given_created().when(with(&"t".repeat(CANNED_TITLE_BYTES_MAX), &"x".repeat(CONTENT_BYTES_MAX))).then_accepted();
    given_created().when(with("", "x")).then_accepted();
    let refused = |command, error| {
        given_created().when(command).then_refused(TenantError::CannedText(error));
    };
    refused(with("t", ""), ContentRefused::Empty);
    let too_long = |part, bytes_max| ContentRefused::TooLong { part, bytes_max };
    refused(with(&"t".repeat(CANNED_TITLE_BYTES_MAX + 1), "x"), too_long("title", CANNED_TITLE_BYTES_MAX));
    refused(with("t", &"x".repeat(CONTENT_BYTES_MAX + 1)), too_long("text", CONTENT_BYTES_MAX));
}

#[test]
fn canned_replies_are_limited_over_tenant_and_groups_together() {
    given_created()
        .and([group_formed("vip")])
        .and((1..CANNED_REPLIES_MAX).map(|number| saved(number, None, &format!("s{number}"), "hello")))
        .when(add(CANNED_REPLIES_MAX, group("vip"), "last"))
        .then([saved(CANNED_REPLIES_MAX, group("vip"), "last", "hello")])
        .when(add(CANNED_REPLIES_MAX + 1, None, "more"))
        .then_refused(TenantError::TooManyCannedReplies { replies_max: CANNED_REPLIES_MAX })
        .when(change(1, "s1", "still"))
        .then([saved(1, None, "s1", "still")])
        .when(remove(1))
        .then([removed(1)])
        .when(add(CANNED_REPLIES_MAX + 1, None, "more"))
        .then_accepted();
}

#[test]
fn what_it_says_is_never_in_the_state() {
    let given = given_created().when(add(1, None, "hi")).then_accepted();
    let state = serde_json::to_string(given.state()).unwrap();
    assert!(!state.contains("hello") && !state.contains("Greeting"));
    testing::assert_survives_a_snapshot(given.state());
}
