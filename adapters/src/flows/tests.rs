//! What `kefu flow` makes of texts: faults with their lines, differences, schemas, and what is refused at once.

use clap::Parser;
use domain::flow::check::Known;
use domain::flow::{FLOW_BYTES_MAX, Flow, FlowKind};
use serde_json::{Value, json};

use super::diff::changes;
use super::text::{TextFault, read};
use crate::cli::{Cli, Command, FlowCommand};

const SHOP: &str = "\
flow: reception
languages: [zh-CN]
welcome:
  - say: { zh-CN: 您好 }
destinations:
  sales:
    when:
      service: open
    group: presale
    otherwise: night
  night: { group: night, then: leave_message }
route:
  - to: sales
";

fn known() -> Known {
    Known { groups: Some(["presale", "aftersale"].map(|group| group.parse().unwrap()).into()), ..Known::default() }
}

/// `line:column path: problem; remedy`, a line each.
fn faults(text: &str) -> Vec<String> {
    let place = |place: Option<u64>| place.map_or("-".to_owned(), |place| place.to_string());
    let line =
        |fault: &TextFault| format!("{}:{} {}: {}; {}", place(fault.line), place(fault.column), fault.path, fault.problem, fault.remedy);
    read(text, &known()).unwrap_err().iter().map(line).collect()
}

fn flow(text: &str) -> Flow {
    read(text, &Known::default()).unwrap()
}

#[test]
fn a_fault_is_on_the_line_of_its_key() {
    assert_eq!(
        faults(SHOP),
        ["12:10 destinations.night.group: the tenant has no group `night`; form the group first, or write one of: aftersale, presale"]
            .map(|line| line.replace("12:10", "11:12"))
    );
    let hours = SHOP.replace("destinations:", "hours: { zone: UTC, week: { mon: [] } }\ndestinations:");
    assert_eq!(
        faults(&hours)[0],
        "5:21 hours.week: these hours are never open; name at least one day with hours, or leave `hours` out for always open"
    );
}

#[test]
fn faults_come_in_the_order_of_the_text() {
    let text = SHOP.replace("  - to: sales", "  - to: slaes").replace("group: presale", "group: sales");
    let lines: Vec<_> = faults(&text).iter().map(|fault| fault.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(lines, ["6", "9", "11", "13"], "nothing leads to `sales` any more, and three names are unknown");
}

#[test]
fn json_is_read_like_yaml() {
    let json = json!({ "flow": "assignment", "default": { "choose": ["least_loaded"] } }).to_string();
    assert_eq!(flow(&json), flow("flow: assignment\ndefault:\n  choose: [least_loaded]\n"));
}

#[test]
fn what_is_not_to_be_read_says_where_and_what_to_write() {
    let at = |text: &str| {
        let faults = faults(text);
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.into_iter().next().unwrap()
    };
    let rout = at(&SHOP.replace("route:", "rout:"));
    assert!(rout.starts_with("12:1 rout: nothing is called `rout` here; leave it out, or write one of: flow, languages, hours"), "{rout}");
    let then = at(&SHOP.replace("leave_message", "leave"));
    assert!(then.contains("`leave` is not one of those that there are; write one of: queue, leave_message, refuse"), "{then}");
    assert!(then.starts_with("11:32 destinations.night.then: "), "{then}");
    let missing = at(&SHOP.replace("languages: [zh-CN]\n", ""));
    assert!(missing.contains(" : `languages` is missing; add `languages`"), "{missing}");
    let nested = at(&SHOP.replace("route:", "idle: { remind: { after: 5m } }\nroute:"));
    assert!(nested.contains(" idle.remind: `say` is missing; add `say`"), "{nested}");
    let comma = at(&SHOP.replace("{ zh-CN: 您好 }", "{ zh-CN: Hello, and welcome! }"));
    assert_eq!(
        comma,
        "4:26 welcome[0].say.and welcome!: this is no language; \
         write zh, zh-CN or zh-Hant-TW; a text with a comma in it needs quotes within { }"
    );
    let zone = at(&format!("{SHOP}hours: {{ zone: Asia/Atlantis, week: {{}} }}\n"));
    assert_eq!(zone, "14:16 hours.zone: `Asia/Atlantis` is no time zone; write the name of an area and a place, such as Asia/Shanghai");
    let twice = at(&format!("{SHOP}route: []\n"));
    assert!(twice.contains("`route` is here twice"), "{twice}");
    let number = at(&SHOP.replace("route:", "hand_off: { unknown_answers: many }\nroute:"));
    assert!(number.starts_with("12:") && number.contains("hand_off.unknown_answers"), "{number}");
}

#[test]
fn a_document_says_which_flow_it_is() {
    assert_eq!(
        faults("languages: [en]\n"),
        ["1:1 flow: the document does not say which flow it is; write `flow: reception` or `flow: assignment`"]
    );
    assert_eq!(faults("flow: robot\n"), ["1:1 flow: there is no flow `robot`; write `flow: reception` or `flow: assignment`"]);
    for text in ["", "- a\n- b\n", "hello", "42", "flow: [1]\n", "a: b: c\n", "\"", "&a [*a]", "flow: reception\n---\nflow: reception\n"] {
        assert_eq!(read(text, &known()).unwrap_err().len(), 1, "{text:?}");
    }
}

#[test]
fn ten_megabytes_deep_nesting_and_bombs_are_refused_at_once() {
    let large = format!("flow: assignment\n# {}\n", "x".repeat(10 * 1024 * 1024));
    assert!(faults(&large)[0].contains("bytes, more than 131072"));
    let just = format!("flow: assignment\n#{}\n", "x".repeat(FLOW_BYTES_MAX - "flow: assignment\n#\n".len()));
    assert!(read(&just, &known()).is_ok(), "to the byte");
    for deep in [
        "[".repeat(100_000),
        "{a: ".repeat(50_000),
        "- ".repeat(100_000),
        (0..200).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(),
    ] {
        assert_eq!(faults(&deep).len(), 1);
    }
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert_eq!(faults(&bomb).len(), 1);
}

#[test]
fn a_deep_condition_is_told_the_limit_of_conditions() {
    let mut condition = "{ tier: [gold] }".to_owned();
    for _ in 0..6 {
        condition = format!("{{ all: [{condition}] }}");
    }
    let text = format!("flow: assignment\npriority:\n  - when: {condition}\n    priority: 1\n");
    assert!(faults(&text)[0].contains("conditions are nested deeper than 6; split it into several rules"), "{:?}", faults(&text));
}

#[test]
fn two_flows_differ_in_what_they_say_and_not_in_how() {
    let same = SHOP.replace("  - to: sales", "  # everybody\n  - { to: sales }");
    assert_eq!(changes(&flow(SHOP), &flow(&same)), []);
    let other = SHOP
        .replace("  - to: sales", "  - when: { tier: [gold] }\n    to: night\n  - to: sales")
        .replace("service: open", "queue: { group: presale, at_most: 3 }")
        .replace("    otherwise: night\n", "");
    let told: Vec<_> = changes(&flow(SHOP), &flow(&other)).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            r#"- destinations.sales.otherwise "night""#,
            r#"+ destinations.sales.when.queue {"at_most":3,"group":"presale"}"#,
            r#"- destinations.sales.when.service "open""#,
            r#"+ route[0] {"to":"night","when":{"tier":["gold"]}}"#,
        ]
    );
}

#[test]
fn an_entry_that_moved_or_changed_is_told_by_its_place() {
    let steps = |steps: &str| flow(&format!("flow: assignment\ndefault:\n  choose: [{steps}]\n"));
    let told = |old: &str, new: &str| changes(&steps(old), &steps(new)).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told("rank, least_loaded", "rank, language: {}, least_loaded"), [r#"+ default.choose[1] {"language":{"strict":false}}"#]);
    assert_eq!(told("rank, least_loaded", "least_loaded"), [r#"- default.choose[0] "rank""#]);
    assert_eq!(told("rank, least_loaded", "rank, weighted"), [r#"~ default.choose[1] "least_loaded" -> "weighted""#]);
    let kinds = changes(&steps("rank"), &flow(SHOP));
    assert!(kinds.iter().any(|change| change.path == "flow"), "{kinds:?}");
}

#[test]
fn the_schema_takes_what_is_in_order_and_refuses_what_cannot_be_read() {
    let valid = |kind: FlowKind, document: &Value| jsonschema::validator_for(&super::schema(kind)).unwrap().is_valid(document);
    let shop = json!({
        "flow": "reception", "languages": ["zh-CN"],
        "hours": { "zone": "Asia/Shanghai", "week": { "mon": ["09:00-18:00"] }, "holidays": [{ "from": "2026-10-01" }] },
        "destinations": { "sales": { "when": { "not": { "tier": ["gold"] } }, "group": "presale" } },
        "route": [{ "to": "sales" }], "idle": { "close_after": "30m" }
    });
    assert!(valid(FlowKind::Reception, &shop));
    assert!(!valid(FlowKind::Assignment, &shop));
    assert!(valid(
        FlowKind::Assignment,
        &json!({ "flow": "assignment", "default": { "choose": ["rank", { "last_agent": { "within": "7d" } }] } })
    ));
    for (key, bad) in
        [("rout", json!([])), ("languages", json!("zh")), ("idle", json!({ "close_after": 30 })), ("route", json!([{ "when": {} }]))]
    {
        let mut document = shop.clone();
        document[key] = bad;
        assert!(!valid(FlowKind::Reception, &document), "{key}");
    }
}

#[test]
fn the_example_tenants_are_in_order() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/tenants");
    let tenants = [("flagship", &["presale", "aftersale", "vip"][..]), ("carrier", &["relay"][..]), ("duo", &["main"][..])];
    for (tenant, groups) in tenants {
        let known = Known {
            groups: Some(groups.iter().map(|group| group.parse().unwrap()).collect()),
            robots: Some(["faq".parse().unwrap()].into()),
            scorers: Some([].into()),
        };
        for kind in FlowKind::ALL {
            let file = examples.join(tenant).join(format!("{}.flow.yaml", kind.as_str()));
            let flow = read(&std::fs::read_to_string(&file).unwrap(), &known);
            assert_eq!(flow.as_ref().map(Flow::kind), Ok(kind), "{}", file.display());
            let none = Known { groups: Some([].into()), ..Known::default() };
            let unknown = flow.unwrap().check(&none).len();
            assert!(unknown > 0 || (tenant, kind) == ("carrier", FlowKind::Assignment) || (tenant, kind) == ("duo", FlowKind::Assignment));
        }
    }
}

/// What a command says, and whether it had nothing to complain of.
fn told(command: &[&str]) -> (bool, String) {
    let command = Cli::parse_from(["kefu", "flow"].iter().chain(command)).command;
    let Some(Command::Flow { command: FlowCommand::Document(command) }) = command else { panic!("a command about flows") };
    let mut out = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let fine = runtime.block_on(super::command::run(&command, &mut out)).unwrap();
    (fine, String::from_utf8(out).unwrap())
}

#[test]
fn the_command_says_what_is_wrong_and_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (shop, other) = (file("shop.yaml", SHOP), file("other.yaml", &SHOP.replace("service: open", "tier: [gold]")));
    let unknown = "destinations.night.group: the tenant has no group `night`\n    form the group first, or write one of: presale\n";
    assert_eq!(told(&["check", &shop, "--group", "presale"]), (false, format!("{shop}:11:12: {unknown}")));
    let (fine, said) = told(&["check", &other]);
    assert_eq!(
        (fine, said),
        (true, format!("{other}: the reception flow is in order\nnames of groups were not checked; name the tenant's with --group\n"))
    );
    let (fine, said) = told(&["check", &other, "--group", "presale", "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert!(!fine);
    assert_eq!(said["in_order"], false);
    assert_eq!(said["files"][0]["faults"][0]["path"], "destinations.night.group");
    assert_eq!(said["files"][0]["faults"][0]["line"], 11);
    let gold = file("gold.yaml", &SHOP.replace("service: open", "tier: [gold, silver]"));
    assert_eq!(told(&["diff", &other, &gold]), (false, "+ destinations.sales.when.tier[1] \"silver\"\n".to_owned()));
    assert_eq!(told(&["diff", &gold, &gold, "--json"]), (true, "[]\n".to_owned()));
    let (fine, said) = told(&["schema", "assignment"]);
    assert!(fine && serde_json::from_str::<Value>(&said).unwrap()["$id"] == "urn:kefu:flow:assignment:1");
}

#[test]
fn a_short_text_that_grows_large_by_aliases_is_refused_like_a_large_one() {
    let fault = |text: &str| {
        assert!(text.len() < 32 * 1024);
        read(text, &Known::default()).unwrap_err().remove(0).problem
    };
    // Many values from few: each level holds ten of the one before.
    let mut conditions = "x0: &x0 { tier: [gold] }\n".to_owned();
    for level in 1..6 {
        let below = format!("*x{}, ", level - 1).repeat(10);
        conditions.push_str(&format!("x{level}: &x{level} {{ all: [{below}] }}\n"));
    }
    let many = fault(&format!("{SHOP}{conditions}"));
    assert!(many.starts_with("the document is nested too deeply"), "{many}");
    // Large values, each again a few times.
    let mut welcome = String::new();
    for nth in 0..14 {
        let (said, hints) = ("好".repeat(680), format!("*said{nth}, ").repeat(9));
        welcome.push_str(&format!("  - when: {{ tag: [t{nth}] }}\n    say: &said{nth} {{ zh-CN: {said} }}\n    hints: [{hints}]\n"));
    }
    let large = fault(&SHOP.replace("welcome:\n", &format!("welcome:\n{welcome}")));
    assert!(large.starts_with("without aliases the document has "), "{large}");
}
