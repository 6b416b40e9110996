//! Reception flows: what is said and where a conversation goes, and what is wrong with one.

use serde_json::{Value, json};

use super::{Visit, group, known, label, language, said, with};
use crate::conversation::event::EntryPage;
use crate::flow::check::{Known, check_reception};
use crate::flow::condition::QueueStand;
use crate::flow::reception::{Arrival, ReceptionFlow};

/// A shop with two groups, a robot, and a night at which messages are left.
fn shop() -> Value {
    json!({
        "flow": "reception",
        "languages": ["zh-CN", "en"],
        "hours": { "zone": "Asia/Shanghai", "week": { "mon": ["09:00-18:00"] } },
        "welcome": [
            { "when": { "entry": ["order"] }, "say": { "zh-CN": "您好，请问订单有什么问题？" } },
            { "say": { "zh-CN": "您好！", "en": "Hello!" }, "hints": [{ "zh-CN": "什么时候发货？" }] }
        ],
        "robot": [{ "when": { "tier": ["gold"] }, "seat": "none" }, { "seat": "faq" }],
        "hand_off": { "button": true, "keywords": ["人工", "human"], "unknown_answers": 2, "rating_at_most": 2, "picture": true },
        "destinations": {
            "sales": { "when": { "service": "open", "queue": { "group": "presale", "at_most": 20 } }, "group": "presale", "otherwise": "night" },
            "service": { "when": { "service": "open" }, "group": "aftersale", "skills": ["refunds"], "otherwise": "night" },
            "night": { "group": "presale", "then": "leave_message", "say": { "zh-CN": "请留言" } }
        },
        "route": [{ "when": { "stage": ["in_sale", "after_sale"] }, "to": "service" }, { "to": "sales" }],
        "waiting": { "busy": [{ "after": "3m", "say": { "zh-CN": "客服繁忙" } }], "leave_message_after": "10m" },
        "idle": { "remind": { "after": "5m", "say": { "zh-CN": "还在吗？" } }, "close_after": "30m", "say": { "zh-CN": "再见" } },
        "rating": { "invite": "on_close", "say": { "zh-CN": "请评价" }, "tags": ["polite", "slow"] }
    })
}

fn flow(document: Value) -> ReceptionFlow {
    serde_json::from_value(document).unwrap()
}

fn faults(change: Value) -> Vec<String> {
    said(&check_reception(&flow(with(shop(), change)), &known()))
}

#[test]
fn a_flow_in_order_has_no_fault() {
    assert_eq!(faults(json!({})), [""; 0]);
}

#[test]
fn what_is_written_is_read_the_same() {
    let written = serde_json::to_value(flow(shop())).unwrap();
    assert_eq!(written, shop());
    let least =
        json!({ "flow": "reception", "languages": ["en"], "destinations": { "all": { "group": "presale" } }, "route": [{ "to": "all" }] });
    assert_eq!(serde_json::to_value(flow(least.clone())).unwrap(), least, "what is not said is not written");
}

#[test]
fn a_key_that_nobody_knows_is_refused() {
    let read = serde_json::from_value::<ReceptionFlow>(with(shop(), json!({ "rout": [] })));
    assert!(read.unwrap_err().to_string().contains("unknown field `rout`"));
}

#[test]
fn the_first_rule_that_holds_is_taken() {
    let flow = flow(shop());
    let visit = Visit { queues: vec![], ..Visit::default() };
    let order = Visit { entry: EntryPage::Order, ..visit.clone() };
    let gold = Visit { tier: Some(label("gold")), ..visit.clone() };
    assert_eq!(flow.welcome(&visit).unwrap().say.said_in(Some(&language("en-GB")), &flow.languages), Some("Hello!"));
    assert_eq!(flow.welcome(&order).unwrap().say.said_in(Some(&language("en")), &flow.languages), Some("您好，请问订单有什么问题？"));
    assert_eq!(flow.robot(&visit), Some(&label("faq")));
    assert_eq!(flow.robot(&gold), None, "straight to the humans");
}

#[test]
fn a_notice_is_said_in_the_language_or_a_form_of_it_or_the_flows_first() {
    let flow = flow(shop());
    let say = &flow.welcome[1].say;
    let said = |wanted: Option<&str>| say.said_in(wanted.map(language).as_ref(), &flow.languages);
    assert_eq!(said(Some("en")), Some("Hello!"));
    assert_eq!(said(Some("zh-TW")), Some("您好！"));
    assert_eq!(said(Some("de")), Some("您好！"));
    assert_eq!(said(None), Some("您好！"));
}

#[test]
fn a_destination_that_cannot_be_reached_leads_on_to_another() {
    let flow = flow(shop());
    let arrives = |visit: &Visit| {
        let routed = flow.routed(visit).unwrap();
        let tried: Vec<_> = routed.tried.iter().map(ToString::to_string).collect();
        (routed.rule, tried.join(" "), routed.destination.map(|there| (there.group.unwrap(), there.then)))
    };
    let full = QueueStand { waiting: 21, ..QueueStand::default() };
    let day = Visit::default();
    assert_eq!(arrives(&day), (1, "sales".into(), Some((group("presale"), Arrival::Queue))));
    let order = Visit { entry: EntryPage::Order, ..day.clone() };
    assert_eq!(arrives(&order), (0, "service".into(), Some((group("aftersale"), Arrival::Queue))));
    let night = Visit { closed: true, ..order };
    assert_eq!(arrives(&night), (0, "service night".into(), Some((group("presale"), Arrival::LeaveMessage))));
    let crowded = Visit { queues: vec![(group("presale"), full)], ..day };
    assert_eq!(arrives(&crowded), (1, "sales night".into(), Some((group("presale"), Arrival::LeaveMessage))));
}

#[test]
fn where_no_destination_is_left_the_hand_off_cannot_be_made() {
    let only = json!({ "sales": { "when": { "service": "open" }, "group": "presale" } });
    let flow = flow(with(shop(), json!({ "destinations": only, "route": [{ "to": "sales" }] })));
    assert_eq!(said(&check_reception(&flow, &known())), [""; 0]);
    let routed = flow.routed(&Visit { closed: true, ..Visit::default() });
    assert_eq!(routed.unwrap().destination, None);
}

#[test]
fn names_that_nobody_has_are_found() {
    let destinations = json!({ "sales": { "group": "sales" } });
    assert_eq!(
        faults(json!({ "destinations": destinations, "route": [{ "to": "slaes" }, { "to": "sales" }], "robot": [{ "seat": "gpt" }] })),
        [
            "robot[0].seat: the tenant has no robot `gpt`",
            "destinations.sales.group: the tenant has no group `sales`",
            "route[1]: this is never reached, because route[0] holds always",
            "route[0].to: there is no destination `slaes`",
        ]
    );
}

#[test]
fn what_is_not_known_is_not_checked() {
    let unknown = check_reception(&flow(shop()), &Known::default());
    assert_eq!(said(&unknown), [""; 0]);
}

#[test]
fn destinations_that_lead_in_a_circle_are_found_once() {
    let closed = json!({ "service": "closed" });
    let destinations = json!({
        "a": { "when": closed, "group": "presale", "otherwise": "b" },
        "b": { "when": closed, "group": "vip", "otherwise": "c" },
        "c": { "when": closed, "group": "aftersale", "otherwise": "b" },
    });
    assert_eq!(
        faults(json!({ "destinations": destinations, "route": [{ "to": "a" }] })),
        ["destinations.b.otherwise: conversations go in a circle: b -> c -> b"]
    );
}

#[test]
fn what_is_never_reached_is_found() {
    assert_eq!(
        faults(json!({ "route": [{ "to": "sales" }, { "when": { "tier": ["gold"] }, "to": "service" }] })),
        [
            "route[1]: this is never reached, because route[0] holds always",
            "route[1]: the last rule must hold always, or some conversations have nowhere to go"
        ]
    );
    let destinations =
        json!({ "all": { "group": "presale", "otherwise": "spare" }, "spare": { "group": "vip" }, "lost": { "group": "vip" } });
    assert_eq!(
        faults(json!({ "destinations": destinations, "route": [{ "to": "all" }] })),
        [
            "destinations.all.otherwise: this is never reached, because destinations.all holds always",
            "destinations.lost: nothing leads to this destination",
        ]
    );
    assert_eq!(faults(json!({ "route": [], "destinations": {} })), ["route: the list is empty"]);
}

#[test]
fn every_notice_is_there_in_the_first_language_and_in_no_other_than_the_flows() {
    assert_eq!(
        faults(json!({ "welcome": [{ "say": { "en": "Hello!", "fr": "Bonjour" }, "hints": [{ "zh-CN": " " }] }] })),
        [
            "welcome[0].say: nothing is said in `zh-CN`",
            "welcome[0].say.fr: the flow has no language `fr`",
            "welcome[0].hints[0].zh-CN: the text is blank",
        ]
    );
    let long = "很".repeat(700);
    assert_eq!(faults(json!({ "idle": { "say": { "zh-CN": long } } })), ["idle.say.zh-CN: the text has 2100 bytes, more than 2048"]);
    assert_eq!(faults(json!({ "languages": [] }))[0], "languages: the list is empty");
}

#[test]
fn a_robot_leaves_a_way_to_the_humans() {
    assert_eq!(
        faults(json!({ "hand_off": { "button": false, "unknown_answers": 3 } })),
        ["hand_off: a robot receives, but nothing brings a customer to the humans"]
    );
    assert_eq!(faults(json!({ "hand_off": { "button": false, "keywords": ["人工"] } })), [""; 0]);
    assert_eq!(faults(json!({ "hand_off": { "button": false }, "robot": [] })), [""; 0], "nobody receives but humans");
}

#[test]
fn numbers_and_spans_are_within_sense() {
    assert_eq!(
        faults(json!({
            "hand_off": { "unknown_answers": 0, "rating_at_most": 5, "keywords": ["", "a", "a"] },
            "waiting": { "busy": [{ "after": "10m", "say": { "zh-CN": "忙" } }], "leave_message_after": "10m" },
            "idle": { "remind": { "after": "30m", "say": { "zh-CN": "在吗" } }, "close_after": "30m" },
            "rating": { "tags": ["slow", "slow"] }
        })),
        [
            "hand_off.keywords[2]: `a` is here twice",
            "hand_off.keywords[0]: the text is blank",
            "hand_off.unknown_answers: 0 is not from 1 to 20",
            "hand_off.rating_at_most: 5 is not from 1 to 4",
            "waiting.busy[0].after: this is not before `waiting.leave_message_after`",
            "idle.remind.after: this is not before `idle.close_after`",
            "rating.tags[1]: `slow` is here twice",
        ]
    );
}

#[test]
fn a_destination_has_a_group_unless_it_refuses() {
    let destinations = json!({ "nowhere": { "then": "leave_message" }, "no": { "then": "refuse", "group": "vip" }, "nay": { "then": "refuse", "skills": ["a"] } });
    let open = json!({ "tier": ["a"] });
    let route = json!([{ "when": open, "to": "nowhere" }, { "when": { "tier": ["b"] }, "to": "nay" }, { "to": "no" }]);
    assert_eq!(
        faults(json!({ "destinations": destinations, "route": route })),
        [
            "destinations.nay.skills: a refusal leads to no group",
            "destinations.no.group: a refusal leads to no group",
            "destinations.nowhere: a destination that queues, or where a message is left, needs a group",
        ]
    );
}

#[test]
fn hours_of_a_day_do_not_overlap_and_are_open_at_some_time() {
    let hours = json!({
        "zone": "UTC",
        "week": { "mon": ["09:00-12:00", "13:00-18:00", "11:30-12:30"], "tue": ["09:00-12:00", "12:00-13:00"] },
        "holidays": [{ "from": "2026-10-07", "to": "2026-10-01" }],
        "make_up": [{ "day": "2026-10-10", "open": ["09:00-10:00"] }, { "day": "2026-10-10", "open": [] }]
    });
    assert_eq!(
        faults(json!({ "hours": hours })),
        [
            "hours.week.mon[2]: 09:00-12:00 and 11:30-12:30 overlap",
            "hours.holidays[0].to: the holiday ends before it begins",
            "hours.make_up[1]: `2026-10-10` is here twice",
        ]
    );
    let never = json!({ "zone": "UTC", "week": { "mon": [] } });
    assert_eq!(faults(json!({ "hours": never })), ["hours.week: these hours are never open"]);
}
