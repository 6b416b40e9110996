//! What a tenant knows of a customer: tier, language, tags and attributes.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::labels::{Label, Language};
use crate::user::decide::TEXT_BYTES_MAX;
use crate::user::describe::{ATTRIBUTES_MAX, Describe, Edit, TAGS_MAX};
use crate::user::error::UserError;
use crate::user::event::{AttributeValues, CustomerDescribed};

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

fn labels<const N: usize>(texts: [&str; N]) -> BTreeSet<Label> {
    texts.map(label).into()
}

fn english() -> Language {
    "en".parse().unwrap()
}

fn attributes<const N: usize>(attributes: [(&str, &str); N]) -> BTreeMap<Label, String> {
    attributes.map(|(name, value)| (label(name), value.to_owned())).into()
}

fn describe(order: Describe) -> UserCommand {
    UserCommand::Describe(Box::new(order))
}

fn described() -> CustomerDescribed {
    CustomerDescribed {
        tier: None,
        language: None,
        tags: vec![],
        set_attributes: vec![],
        removed_attributes: vec![],
        private: Private::Known(AttributeValues::default()),
    }
}

fn gold_with_refund() -> CustomerDescribed {
    CustomerDescribed { tier: Some(label("gold")), tags: vec![label("refund")], ..described() }
}

fn given_customer() -> Given<User> {
    given([registered(Role::Customer)])
}

#[test]
fn a_customer_gets_a_tier_a_language_and_tags() {
    let order = Describe {
        tier: Edit::Set(label("gold")),
        language: Edit::Set(english()),
        add_tags: labels(["refund", "angry"]),
        ..Describe::default()
    };
    let all = CustomerDescribed {
        tier: Some(label("gold")),
        language: Some(english()),
        tags: vec![label("angry"), label("refund")],
        ..described()
    };
    given_customer().when(describe(order)).then([all.into()]);
}

#[test]
fn what_is_not_named_stays() {
    let described_before = || given_customer().and([gold_with_refund().into()]);
    let add = Describe { add_tags: labels(["angry"]), ..Describe::default() };
    let added = CustomerDescribed { tags: vec![label("angry"), label("refund")], ..gold_with_refund() };
    described_before().when(describe(add)).then([added.into()]);
    let clear = Describe { tier: Edit::Clear, remove_tags: labels(["refund", "unknown"]), ..Describe::default() };
    described_before().when(describe(clear)).then([described().into()]);
}

#[test]
fn what_is_true_already_is_nothing() {
    let again =
        Describe { tier: Edit::Set(label("gold")), add_tags: labels(["refund"]), remove_tags: labels(["angry"]), ..Describe::default() };
    given_customer().and([gold_with_refund().into()]).when(describe(again)).then([]);
    given_customer().when(describe(Describe::default())).then([]);
}

#[test]
fn a_tag_that_is_added_and_removed_at_once_is_lost() {
    let both = Describe { add_tags: labels(["refund"]), remove_tags: labels(["refund"]), ..Describe::default() };
    given_customer().and([gold_with_refund().into()]).when(describe(both.clone())).then([CustomerDescribed {
        tags: vec![],
        ..gold_with_refund()
    }
    .into()]);
    given_customer().when(describe(both)).then([]);
}

#[test]
fn attributes_are_set_and_removed_by_name_and_their_values_are_private() {
    let set = Describe { set_attributes: attributes([("city", "杭州"), ("size", "XL")]), ..Describe::default() };
    let was_set = CustomerDescribed {
        set_attributes: vec![label("city"), label("size")],
        private: Private::Known(AttributeValues { values: attributes([("city", "杭州"), ("size", "XL")]) }),
        ..described()
    };
    given_customer().when(describe(set.clone())).then([was_set.clone().into()]);
    given_customer().and([was_set.clone().into()]).when(describe(set)).then([was_set.clone().into()]);
    let remove = Describe { remove_attributes: labels(["city", "unknown"]), ..Describe::default() };
    let removed = CustomerDescribed { removed_attributes: vec![label("city")], ..described() };
    given_customer().and([was_set.clone().into()]).when(describe(remove.clone())).then([removed.clone().into()]);
    given_customer().and([was_set.into(), removed.into()]).when(describe(remove)).then([]);
}

#[test]
fn there_are_so_many_tags_and_attributes_and_no_more() {
    let named = |prefix: &str, count: usize| (0..count).map(|nth| label(&format!("{prefix}{nth:03}"))).collect::<BTreeSet<_>>();
    let most = Describe { add_tags: named("t", TAGS_MAX), ..Describe::default() };
    let full = CustomerDescribed { tags: named("t", TAGS_MAX).into_iter().collect(), ..described() };
    given_customer().when(describe(most)).then([full.clone().into()]);
    let one_more = Describe { add_tags: labels(["one_more"]), ..Describe::default() };
    given_customer()
        .and([full.clone().into()])
        .when(describe(one_more.clone()))
        .then_refused(UserError::TooManyTags { tags_max: TAGS_MAX });
    let in_its_place = Describe { remove_tags: labels(["t000"]), ..one_more };
    let mut tags = named("t", TAGS_MAX);
    tags.remove(&label("t000"));
    tags.insert(label("one_more"));
    given_customer().and([full.into()]).when(describe(in_its_place)).then([CustomerDescribed {
        tags: tags.into_iter().collect(),
        ..described()
    }
    .into()]);
    let values = |count| named("a", count).into_iter().map(|name| (name, String::new())).collect();
    let too_many = Describe { set_attributes: values(ATTRIBUTES_MAX + 1), ..Describe::default() };
    given_customer().when(describe(too_many)).then_refused(UserError::TooManyAttributes { attributes_max: ATTRIBUTES_MAX });
}

#[test]
fn a_value_keeps_its_limit_to_the_byte() {
    let set = |bytes: usize| Describe { set_attributes: [(label("note"), "x".repeat(bytes))].into(), ..Describe::default() };
    given_customer()
        .when(describe(set(TEXT_BYTES_MAX + 1)))
        .then_refused(UserError::TextTooLong { field: "attributes", bytes_max: TEXT_BYTES_MAX });
    let longest = CustomerDescribed {
        set_attributes: vec![label("note")],
        private: Private::Known(AttributeValues { values: set(TEXT_BYTES_MAX).set_attributes }),
        ..described()
    };
    given_customer().when(describe(set(TEXT_BYTES_MAX))).then([longest.into()]);
}

#[test]
fn only_customers_with_an_account_are_described() {
    let order = describe(Describe { tier: Edit::Set(label("gold")), ..Describe::default() });
    given([registered(Role::Agent)]).when(order.clone()).then_refused(UserError::OnlyCustomersAreDescribed { role: Role::Agent });
    given([]).when(order.clone()).then_refused(UserError::NotRegistered);
    given_closed([registered(Role::Customer)]).when(order.clone()).then_refused(UserError::Deactivated);
    given_merged().when(order).then_refused(UserError::Merged { into: BUYER });
}
