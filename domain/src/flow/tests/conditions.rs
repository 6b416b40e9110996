//! Conditions: when they hold, and when they never can.

use serde_json::{Value, json};

use super::{Visit, group, label, language, said};
use crate::conversation::event::EntryPage;
use crate::flow::check::{Known, check_assignment};
use crate::flow::condition::{CONDITION_DEPTH_MAX, Condition, QueueStand, contains_word};
use crate::time::Millis;

fn condition(document: Value) -> Condition {
    serde_json::from_value(document).unwrap()
}

fn holds(document: Value, visit: &Visit) -> bool {
    condition(document).holds(visit)
}

/// What is wrong with a condition; it stands before a rule that holds always.
fn faults(condition: Value) -> Vec<String> {
    with_hours(condition, Value::Null)
}

fn with_hours(condition: Value, hours: Value) -> Vec<String> {
    let flow = json!({ "flow": "assignment", "hours": hours, "priority": [{ "when": condition, "priority": 1 }] });
    let known = Known { groups: Some([group("presale")].into()), ..Known::default() };
    said(&check_assignment(&serde_json::from_value(flow).unwrap(), &known)).iter().map(|line| line.replace("priority[0].", "")).collect()
}

#[test]
fn what_asks_nothing_holds_always() {
    assert!(holds(json!({}), &Visit::default()));
    assert!(condition(json!({})).is_always());
    assert!(!condition(json!({ "tier": ["gold"] })).is_always());
}

#[test]
fn everything_named_must_hold_and_of_a_list_any_one() {
    let gold_from_order = json!({ "tier": ["gold", "platinum"], "entry": ["order"] });
    let visit = Visit { tier: Some(label("platinum")), entry: EntryPage::Order, ..Visit::default() };
    assert!(holds(gold_from_order.clone(), &visit));
    assert!(!holds(gold_from_order.clone(), &Visit { entry: EntryPage::Shop, ..visit.clone() }));
    assert!(!holds(gold_from_order, &Visit { tier: None, ..visit }));
}

#[test]
fn the_stage_follows_from_the_page() {
    for (page, stage) in [
        (EntryPage::Product, "pre_sale"),
        (EntryPage::Shop, "pre_sale"),
        (EntryPage::Logistics, "in_sale"),
        (EntryPage::Order, "after_sale"),
    ] {
        let visit = Visit { entry: page, ..Visit::default() };
        for asked in ["pre_sale", "in_sale", "after_sale"] {
            assert_eq!(holds(json!({ "stage": [asked] }), &visit), asked == stage, "{page:?} {asked}");
        }
    }
}

#[test]
fn a_language_holds_for_its_forms() {
    let visit = Visit { language: Some(language("zh-TW")), ..Visit::default() };
    assert!(holds(json!({ "language": ["zh"] }), &visit));
    assert!(!holds(json!({ "language": ["zh-CN"] }), &visit));
    assert!(!holds(json!({ "language": ["zh"] }), &Visit::default()), "it is not known what they speak");
}

#[test]
fn tags_groups_hours_and_words_are_asked_for() {
    let visit =
        Visit {
            tags: vec![label("refund")], asked_for: Some(group("vip")), closed: true, text: Some("请转人工！"), ..Visit::default()
        };
    assert!(holds(json!({ "tag": ["refund"], "asked_for": ["vip"], "service": "closed", "words": ["人工"] }), &visit));
    assert!(!holds(json!({ "tag": ["fraud"] }), &visit));
    assert!(!holds(json!({ "asked_for": ["presale"] }), &visit));
    assert!(!holds(json!({ "service": "open" }), &visit));
    assert!(!holds(json!({ "words": ["机器人"] }), &visit));
    assert!(!holds(json!({ "words": ["人工"] }), &Visit::default()), "they wrote nothing yet");
}

#[test]
fn a_latin_word_stands_by_itself_and_a_chinese_one_does_not() {
    assert!(contains_word("I want an AGENT, now", "agent"));
    assert!(contains_word("转human吧", "human"));
    assert!(!contains_word("the start of it", "art"));
    assert!(!contains_word("agents", "agent"));
    assert!(contains_word("agents? an agent!", "agent"), "the second of them");
    assert!(contains_word("我要转人工客服", "转人工"));
    assert!(contains_word("speak to a person please", "speak to a person"));
    assert!(!contains_word("anything", " "));
}

#[test]
fn a_queue_is_asked_for_its_length_its_wait_and_its_people() {
    let stand = QueueStand { waiting: 5, longest_wait: Millis::seconds(90), staffed: true };
    let visit = Visit { queues: vec![(group("presale"), stand)], ..Visit::default() };
    let queue = |asked: Value| holds(json!({ "queue": super::with(json!({ "group": "presale" }), asked) }), &visit);
    assert!(queue(json!({ "at_least": 5, "at_most": 5, "waited": "90s", "staffed": true })));
    assert!(!queue(json!({ "at_least": 6 })));
    assert!(!queue(json!({ "at_most": 4 })));
    assert!(!queue(json!({ "waited": "91s" })));
    assert!(!queue(json!({ "staffed": false })));
    let nobody = Visit::default();
    assert!(!holds(json!({ "queue": { "group": "presale", "waited": "1s" } }), &nobody), "nobody waits");
    assert!(holds(json!({ "queue": { "group": "presale", "at_most": 0, "staffed": false } }), &nobody));
}

#[test]
fn all_any_and_not_join_conditions() {
    let gold = json!({ "tier": ["gold"] });
    let refund = json!({ "tag": ["refund"] });
    let both = Visit { tier: Some(label("gold")), tags: vec![label("refund")], ..Visit::default() };
    let one = Visit { tags: vec![], ..both.clone() };
    let neither = Visit::default();
    assert!(holds(json!({ "all": [gold, refund] }), &both) && !holds(json!({ "all": [gold, refund] }), &one));
    assert!(holds(json!({ "any": [gold, refund] }), &one) && !holds(json!({ "any": [gold, refund] }), &neither));
    assert!(holds(json!({ "not": gold }), &neither) && !holds(json!({ "not": gold }), &one));
}

#[test]
fn an_empty_list_could_never_hold_and_is_refused() {
    assert_eq!(faults(json!({ "tier": [], "any": [] })), ["when.tier: the list is empty", "when.any: the list is empty"]);
}

#[test]
fn an_unknown_group_is_found_wherever_it_is_asked_for() {
    let asked = json!({ "all": [{ "asked_for": ["presale", "night"] }, { "not": { "queue": { "group": "night", "at_least": 1 } } }] });
    assert_eq!(
        faults(asked),
        ["when.all[0].asked_for[1]: the tenant has no group `night`", "when.all[1].not.queue.group: the tenant has no group `night`"]
    );
}

#[test]
fn what_excludes_each_other_is_impossible() {
    let impossible = |condition: Value| faults(condition);
    assert_eq!(
        impossible(json!({ "entry": ["product"], "stage": ["after_sale"] })),
        ["when: this can never hold: no entry page is left of those asked for"]
    );
    assert_eq!(
        impossible(json!({ "tier": ["gold"], "all": [{ "tier": ["silver", "gold"] }, { "tier": ["silver"] }] })),
        ["when.all[1]: this can never hold: no tier is left of those asked for"]
    );
    assert_eq!(
        impossible(json!({ "language": ["zh-CN"], "any": [{ "language": ["zh"] }, { "language": ["en"] }] })),
        ["when.any[1]: this can never hold: no language is left of those asked for"]
    );
    assert_eq!(
        impossible(json!({ "queue": { "group": "presale", "at_least": 3, "at_most": 2 } })),
        ["when: this can never hold: no length of the queue is left"]
    );
    assert_eq!(
        impossible(json!({ "queue": { "group": "presale", "waited": "1m", "at_most": 0 } })),
        ["when: this can never hold: no length of the queue is left"]
    );
    assert_eq!(impossible(json!({ "not": {} })), ["when: this can never hold: what is under `not` holds always"]);
    assert_eq!(
        impossible(json!({ "stage": ["pre_sale"], "not": { "entry": ["product", "shop"] } })),
        ["when: this can never hold: no entry page is left of those asked for"]
    );
    assert_eq!(
        impossible(json!({ "tier": ["gold"], "not": { "tier": ["gold"] } })),
        ["when: this can never hold: no tier is left of those asked for"]
    );
}

#[test]
fn without_hours_it_is_never_closed() {
    assert_eq!(faults(json!({ "service": "closed" })), ["when: this can never hold: it is never so by the flow's hours"]);
    let hours = json!({ "zone": "UTC", "week": { "mon": ["09:00-18:00"] } });
    assert_eq!(with_hours(json!({ "service": "closed" }), hours), [""; 0]);
}

#[test]
fn what_can_hold_is_not_refused() {
    for possible in [
        json!({ "stage": ["pre_sale"], "entry": ["shop"], "not": { "entry": ["product"] } }),
        json!({ "tier": ["gold"], "not": { "tier": ["gold"], "tag": ["fraud"] } }),
        json!({ "any": [{ "tier": ["gold"] }, { "tier": ["silver"] }], "tag": ["a", "b"] }),
        json!({ "all": [{ "tag": ["a"] }, { "tag": ["b"] }], "language": ["zh", "en"] }),
        json!({ "queue": { "group": "presale", "at_least": 1, "at_most": 1, "waited": "5m", "staffed": false } }),
    ] {
        assert_eq!(faults(possible.clone()), [""; 0], "{possible}");
    }
}

#[test]
fn nesting_ends_where_nobody_can_read_it_any_more() {
    let nested = |depth: usize| (1..depth).fold(json!({ "tier": ["gold"] }), |inner, _| json!({ "all": [inner] }));
    assert_eq!(faults(nested(CONDITION_DEPTH_MAX)), [""; 0]);
    let too_deep = faults(nested(CONDITION_DEPTH_MAX + 1));
    assert_eq!(too_deep.len(), 1);
    assert!(too_deep[0].ends_with(": conditions are nested deeper than 6"), "{too_deep:?}");
}
