//! Assignment flows: what holds for a queue, and what is wrong with one.

use serde_json::{Value, json};

use super::{Visit, group, known, label, said, with};
use crate::flow::assignment::{AssignmentFlow, ChoiceStep, PRIORITY_DEFAULT};
use crate::flow::check::check_assignment;
use crate::flow::words::Span;
use crate::time::Millis;

/// VIPs first, and to whoever knows them; what waits too long goes to the other group.
fn shop() -> Value {
    json!({
        "flow": "assignment",
        "priority": [{ "when": { "tier": ["gold"] }, "priority": 10 }],
        "queues": {
            "vip": {
                "choose": [{ "last_agent": { "within": "30d" } }, { "skills": { "strict": true } }, { "language": { "strict": false } }, "rank", "least_loaded"],
                "accept_within": "30s", "answer_within": "3m", "overflow": { "after": "1m", "to": "presale" }
            },
            "aftersale": { "take": "picked" }
        },
        "default": { "choose": [{ "scorer": { "name": "model", "within_ms": 150 } }, "weighted"] }
    })
}

fn flow(document: Value) -> AssignmentFlow {
    serde_json::from_value(document).unwrap()
}

fn faults(change: Value) -> Vec<String> {
    said(&check_assignment(&flow(with(shop(), change)), &known()))
}

#[test]
fn a_flow_in_order_has_no_fault_and_is_read_as_it_is_written() {
    assert_eq!(faults(json!({})), [""; 0]);
    assert_eq!(serde_json::to_value(flow(shop())).unwrap(), shop());
    let least = json!({ "flow": "assignment" });
    assert_eq!(serde_json::to_value(flow(least.clone())).unwrap(), least);
}

#[test]
fn the_first_priority_that_holds_is_taken() {
    let flow = flow(shop());
    assert_eq!(flow.priority(&Visit { tier: Some(label("gold")), ..Visit::default() }), 10);
    assert_eq!(flow.priority(&Visit::default()), PRIORITY_DEFAULT);
}

#[test]
fn a_group_without_rules_of_its_own_has_the_default_ones() {
    let flow = flow(shop());
    assert_eq!(flow.queue(group("presale")), &flow.default);
    assert_eq!(flow.queue(group("vip")).choose.last(), Some(&ChoiceStep::LeastLoaded));
}

#[test]
fn queues_that_overflow_in_a_circle_are_found_once() {
    let over = |to: &str| json!({ "overflow": { "after": "1m", "to": to } });
    assert_eq!(
        faults(json!({ "queues": { "vip": over("presale"), "presale": over("vip") } })),
        ["queues.presale.overflow.to: conversations go in a circle: presale -> vip -> presale"]
    );
    assert_eq!(faults(json!({ "default": over("aftersale") })), [""; 0], "agents pick from aftersale, and nothing flows out of it");
    assert_eq!(
        faults(json!({ "queues": {}, "default": over("vip") })),
        ["default.overflow.to: conversations go in a circle: vip -> vip"],
        "vip is one of the other groups"
    );
}

#[test]
fn a_step_after_an_order_is_never_reached() {
    let choose = json!(["least_loaded", "round_robin", { "language": { "strict": false } }, { "language": { "strict": false } }]);
    assert_eq!(
        faults(json!({ "default": { "choose": choose } })),
        [
            "default.choose[1]: this is never reached, because default.choose[0] holds always",
            "default.choose[2]: this is never reached, because default.choose[0] holds always",
            "default.choose[3]: `language` is here twice",
        ]
    );
}

#[test]
fn unknown_groups_and_senseless_rules_are_found() {
    assert_eq!(
        faults(json!({
            "queues": {
                "night": {},
                "vip": { "overflow": { "after": "1m", "to": "day" } },
                "presale": { "take": "picked", "choose": ["least_loaded"], "accept_within": "30s" }
            },
            "default": { "choose": [{ "scorer": { "name": "model", "within_ms": 201 } }, { "scorer": { "name": "oracle" } }] }
        })),
        [
            "queues.night: the tenant has no group `night`",
            "queues.presale.choose: agents pick from this queue, so nothing is chosen and nothing is to be accepted",
            "queues.presale.accept_within: agents pick from this queue, so nothing is chosen and nothing is to be accepted",
            "queues.vip.overflow.to: the tenant has no group `day`",
            "default.choose[0].scorer.within_ms: 201 is not from 1 to 200",
            "default.choose[1].scorer.name: the tenant has no scorer `oracle`",
        ]
    );
}

#[test]
fn a_span_is_a_number_with_its_unit() {
    for (text, span) in
        [("1s", Millis::seconds(1)), ("90s", Millis::seconds(90)), ("5m", Millis::minutes(5)), ("24h", Millis::days(1)), ("31d", Span::MAX)]
    {
        assert_eq!(text.parse::<Span>().unwrap().millis(), span, "{text}");
    }
    for bad in ["", "0s", "5", "m", "-5m", "5 m", "1.5h", "32d", "99999999s", "5ms", "５m"] {
        assert!(bad.parse::<Span>().is_err(), "{bad}");
    }
    assert_eq!("120s".parse::<Span>().unwrap().to_string(), "2m");
    assert_eq!("90s".parse::<Span>().unwrap().to_string(), "90s");
    assert_eq!("48h".parse::<Span>().unwrap().to_string(), "2d");
}
