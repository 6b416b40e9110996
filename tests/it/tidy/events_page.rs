//! `docs/EVENTS.md` against the code and the fixtures: every event with its version and fields, every word.

use std::collections::BTreeMap;

use domain::event::Event;
use serde_json::Value;

use super::rust_text::{self, Field, camel_case};
use super::{expect_none, files_with_extension, quoted, table, text};

/// A row of the page: stored name, version, clear fields, sealed fields.
#[derive(Debug, PartialEq)]
struct Row {
    name: String,
    version: String,
    clear: String,
    sealed: String,
}

fn rows_of_the_page() -> Vec<Row> {
    let rows = table(&text("docs/EVENTS.md"), "## Every event");
    let row = |cells: Vec<String>| match <[String; 5]>::try_from(cells) {
        Ok([name, version, clear, sealed, when]) => {
            assert!(!when.is_empty(), "{name}: when?");
            Row { name: name.trim_matches('`').to_owned(), version, clear, sealed }
        }
        Err(cells) => panic!("a row has five cells: {cells:?}"),
    };
    rows.into_iter().map(row).collect()
}

/// The files in which structs and words of an aggregate's events are written.
fn sources(aggregate: &str) -> Vec<String> {
    let parts = files_with_extension("rs").filter(|path| path.starts_with(format!("domain/src/{aggregate}/event")));
    let common = ["outreach", "message", "devices", "flow"].map(|name| format!("domain/src/{name}.rs").into());
    [format!("domain/src/{aggregate}/event.rs").into()].into_iter().chain(parts).chain(common).map(text).collect()
}

fn fields(sources: &[String], name: &str) -> Vec<Field> {
    sources.iter().find_map(|source| rust_text::fields(source, name)).unwrap_or_else(|| panic!("no struct {name}"))
}

/// The name of the struct behind a stored name: `Variant = "stored.name", 1;`.
fn struct_of(source: &str, stored_name: &str) -> String {
    let line = source.lines().find(|line| line.contains(&format!(" = \"{stored_name}\","))).expect("it is one of the types");
    line.split('=').next().expect("split gives at least one part").trim().to_owned()
}

fn cell(fields: &[Field]) -> String {
    let names: Vec<String> = fields.iter().map(|field| format!("`{}`{}", field.name, if field.may_be_absent { "?" } else { "" })).collect();
    if names.is_empty() { "—".to_owned() } else { names.join(", ") }
}

/// Clear and private fields of a stored type as the code declares them.
fn declared(stored_name: &str) -> (Vec<Field>, Vec<Field>) {
    let aggregate = stored_name.split('.').next().expect("split gives at least one part");
    let sources = sources(aggregate);
    let (private, clear): (Vec<Field>, Vec<Field>) =
        fields(&sources, &struct_of(&sources[0], stored_name)).into_iter().partition(|field| field.name == "private");
    let half = |field: &Field| field.kind.strip_prefix("Private<").and_then(|kind| kind.strip_suffix('>')).map(str::to_owned);
    (clear, private.first().and_then(half).map(|name| fields(&sources, &name)).unwrap_or_default())
}

#[test]
fn the_page_lists_every_event_with_the_fields_that_the_code_stores() {
    let expected: Vec<Row> = Event::types()
        .map(|stored| {
            let (clear, private) = declared(stored.name);
            Row { name: stored.name.to_owned(), version: stored.version.to_string(), clear: cell(&clear), sealed: cell(&private) }
        })
        .collect();
    let found = rows_of_the_page();
    let missing = expected.iter().filter(|row| !found.contains(row)).map(|row| format!("docs/EVENTS.md: add or mend {row:?}"));
    let extra = found.iter().filter(|row| !expected.contains(row)).map(|row| format!("docs/EVENTS.md: not in the code: {row:?}"));
    expect_none(missing.chain(extra).collect());
    assert_eq!(found, expected, "docs/EVENTS.md: the rows stand in the order of Event::types()");
}

#[test]
fn a_private_half_is_marked_as_such_exactly_where_there_is_one() {
    for stored in Event::types() {
        assert_eq!(stored.private, !declared(stored.name).1.is_empty(), "{}", stored.name);
    }
}

#[test]
fn every_fixture_that_shows_all_fields_has_the_fields_that_the_code_stores() {
    let mut complaints = Vec::new();
    for stored in Event::types() {
        let file = format!("tests/fixtures/events/{}.v{}.json", stored.name, stored.version);
        let fixture: Value = serde_json::from_str(&text(&file)).expect("a fixture is JSON");
        let (clear, private) = declared(stored.name);
        for (half, fields) in [("clear", clear), ("private", private)] {
            for field in fields.iter().filter(|field| fixture[half].get(&field.name).is_none()) {
                complaints.push(format!("{file}: {half} has no {}", field.name));
            }
        }
    }
    expect_none(complaints);
}

#[test]
fn the_page_and_the_fixture_list_every_word_of_every_enum() {
    let fixture: BTreeMap<String, Vec<Value>> = serde_json::from_str(&text("tests/fixtures/words.v1.json")).expect("lists of words");
    let word = |value: &Value| match value.as_object() {
        Some(object) => object.keys().next().expect("one key").clone(),
        None => value.as_str().expect("a word").to_owned(),
    };
    let pinned: BTreeMap<String, Vec<String>> =
        fixture.iter().map(|(list, words)| (list.clone(), words.iter().map(word).collect())).collect();
    let of_the_page: BTreeMap<String, Vec<String>> = table(&text("docs/EVENTS.md"), "## Words inside events")
        .into_iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), quoted(&row[2])))
        .collect();
    assert_eq!(of_the_page, pinned, "docs/EVENTS.md and tests/fixtures/words.v1.json");
    let sources: Vec<String> =
        ["chat", "conversation", "user", "desk", "tenant", "campaign"].iter().flat_map(|name| sources(name)).collect();
    for (list, words) in pinned {
        let name = camel_case(&list);
        let declared = sources.iter().find_map(|source| rust_text::variants(source, &name));
        let mut declared = declared.unwrap_or_else(|| panic!("no enum {name} for the words of {list}"));
        let mut words = words;
        declared.sort();
        words.sort();
        assert_eq!(words, declared, "words of {list}, variants of {name}");
    }
}
