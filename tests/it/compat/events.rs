//! Every stored event type has a fixture, and every fixture is read, and written again as it was.

use std::collections::BTreeMap;

use application::log::codec::{self, DecodeError, Reading};
use application::log::commit::{self, ChainHash, CommitBuilder, CommitId};
use bytes::Bytes;
use domain::event::Event;
use domain::private::PrivateState;
use domain::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{FixedKeys, KEY, SUBJECT, fixtures, meta, stream_of};

/// One file: `<stored name>.v<version>[.<what is special>].json`.
struct Fixture {
    file: String,
    name: String,
    version: u16,
    halves: Halves,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Halves {
    clear: Value,
    private: Option<Value>,
}

impl Fixture {
    /// Whether it shows the type with all of its optional fields.
    fn is_full(&self) -> bool {
        self.file == format!("{}.v{}.json", self.name, self.version)
    }

    /// Whether it was stored before a field with a default, or a private half, was added: today it is written with that.
    fn is_before_a_field(&self) -> bool {
        self.file.starts_with(&format!("{}.v{}.before_", self.name, self.version))
    }

    fn decode(&self) -> Result<Event, DecodeError> {
        decode(&self.name, self.version, &self.halves.clear, self.halves.private.as_ref(), &FixedKeys::with_the_key())
    }
}

fn all() -> Vec<Fixture> {
    let folder = fixtures("events");
    let files = std::fs::read_dir(&folder).expect("the fixtures are there").map(|entry| entry.expect("readable").path());
    let mut all: Vec<Fixture> = files.map(|path| read(&path)).collect();
    all.sort_by(|a, b| a.file.cmp(&b.file));
    all
}

fn read(path: &std::path::Path) -> Fixture {
    let file = path.file_name().and_then(|name| name.to_str()).expect("fixture names are ascii").to_owned();
    let (name, rest) = file.split_once(".v").unwrap_or_else(|| panic!("{file}: no version in the name"));
    let version = rest.split('.').next().and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{file}: no version"));
    let text = std::fs::read_to_string(path).expect("readable");
    let halves = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    Fixture { name: name.to_owned(), version, halves, file }
}

/// Puts the halves into a commit as bytes and reads them through the one way in.
fn decode(name: &str, version: u16, clear: &Value, private: Option<&Value>, keys: &FixedKeys) -> Result<Event, DecodeError> {
    let stream = stream_of(name);
    let surroundings = meta(1);
    let sealed = private.map(|private| {
        (SUBJECT.0, |bytes: &mut Vec<u8>| {
            let from = bytes.len();
            serde_json::to_writer(&mut *bytes, private)?;
            application::log::seal::seal_in_place(&KEY, &stream, surroundings.id, bytes, from);
            Ok::<(), serde_json::Error>(())
        })
    });
    let mut builder = builder(stream);
    builder.event(&surroundings, name, version, |bytes| serde_json::to_writer(bytes, clear), sealed).expect("json writes into memory");
    let bytes = finish(builder);
    let raw = commit::events(&bytes).expect("just built").next().expect("one event").expect("just built");
    codec::decode(&stream, &raw, Reading::Open(keys))
}

fn builder(stream: application::log::stream::StreamId) -> CommitBuilder {
    CommitBuilder::new(CommitId(Uuid::from_u128(1)), stream, 1, Timestamp(1_720_000_000_000), 1, ChainHash::default())
}

fn finish(builder: CommitBuilder) -> Bytes {
    builder.finish(false).expect("far below the limit").0
}

/// Both halves as today's code writes them.
fn encode(event: &Event) -> (Value, Option<Value>) {
    let clear = event.serialize_clear(serde_json::value::Serializer).expect("events are plain data");
    let private = match event.private_state() {
        PrivateState::Absent => None,
        PrivateState::Known => Some(event.serialize_private(serde_json::value::Serializer).expect("events are plain data")),
        // Stored before its type had a private half, or after the key was gone: nobody can tell.
        PrivateState::Erased => None,
        PrivateState::Closed => panic!("the private half is closed"),
    };
    (clear, private)
}

#[test]
fn every_stored_type_has_a_fixture() {
    let all = all();
    let missing: Vec<String> = Event::types()
        .filter(|stored| !all.iter().any(|fixture| fixture.name == stored.name && fixture.version == stored.version && fixture.is_full()))
        .map(|stored| format!("tests/fixtures/events/{}.v{}.json", stored.name, stored.version))
        .collect();
    assert!(missing.is_empty(), "add fixtures: {missing:#?}");
}

#[test]
fn every_fixture_is_of_a_known_type_and_no_newer_than_this_program() {
    for fixture in all() {
        let known = Event::types().find(|stored| stored.name == fixture.name);
        let known = known.unwrap_or_else(|| panic!("{}: a stored name is never given up", fixture.file));
        assert!(fixture.version <= known.version, "{}: newer than version {}", fixture.file, known.version);
    }
}

#[test]
fn every_fixture_is_read_and_written_again_as_it_was() {
    for fixture in all() {
        let event = fixture.decode().unwrap_or_else(|error| panic!("{}: {error}", fixture.file));
        let stored = event.event_type();
        assert_eq!(stored.name, fixture.name, "{}", fixture.file);
        let is_whole = stored.private == fixture.halves.private.is_some();
        assert!(is_whole || (stored.private && fixture.is_before_a_field()), "{}: private half", fixture.file);
        let (clear, private) = encode(&event);
        if stored.version == fixture.version && !fixture.is_before_a_field() {
            assert_eq!((clear, private), (fixture.halves.clear, fixture.halves.private), "{}", fixture.file);
        } else {
            // An older shape is upcast or completed on reading, so it is written as the newest one, which must be read back as the same event.
            let keys = FixedKeys::with_the_key();
            let again = decode(stored.name, stored.version, &clear, private.as_ref(), &keys);
            assert_eq!(again.expect("readable"), event, "{}", fixture.file);
        }
    }
}

#[test]
fn wherever_a_field_may_be_absent_a_fixture_shows_it_absent() {
    let all = all();
    let mut of_type: BTreeMap<(&str, u16), Vec<&Fixture>> = BTreeMap::new();
    for fixture in &all {
        of_type.entry((&fixture.name, fixture.version)).or_default().push(fixture);
    }
    for ((name, version), fixtures) in of_type {
        let full = fixtures.iter().find(|fixture| fixture.is_full()).unwrap_or_else(|| panic!("{name}.v{version}: no full fixture"));
        let lacks = |half: fn(&Halves) -> Option<&Value>, field: &str| {
            fixtures.iter().filter_map(|fixture| half(&fixture.halves)).any(|half| half.get(field).is_none_or(Value::is_null))
        };
        for field in fields(&full.halves.clear) {
            let mut clear = full.halves.clear.clone();
            remove(&mut clear, &field);
            let optional = decode(name, version, &clear, full.halves.private.as_ref(), &FixedKeys::with_the_key()).is_ok();
            assert!(!optional || lacks(|halves| Some(&halves.clear), &field), "{name}.v{version}: no fixture without {field}");
        }
        for field in full.halves.private.iter().flat_map(fields) {
            let mut private = full.halves.private.clone().expect("it has fields");
            remove(&mut private, &field);
            let optional = decode(name, version, &full.halves.clear, Some(&private), &FixedKeys::with_the_key()).is_ok();
            assert!(!optional || lacks(|halves| halves.private.as_ref(), &field), "{name}.v{version}: no fixture without private {field}");
        }
    }
}

fn fields(half: &Value) -> Vec<String> {
    half.as_object().expect("a half is an object").keys().cloned().collect()
}

fn remove(half: &mut Value, field: &str) {
    half.as_object_mut().expect("a half is an object").remove(field);
}

#[test]
fn a_destroyed_or_unknown_key_erases_the_private_half_and_nothing_else() {
    for fixture in all().into_iter().filter(|fixture| fixture.halves.private.is_some()) {
        for keys in [FixedKeys::after_destroying_it(), FixedKeys::empty()] {
            let Halves { clear, private } = &fixture.halves;
            let event = decode(&fixture.name, fixture.version, clear, private.as_ref(), &keys).expect("readable without its key");
            assert_eq!(event.private_state(), PrivateState::Erased, "{}", fixture.file);
            let mut whole = fixture.decode().expect("readable");
            whole.mark_erased();
            assert_eq!(event, whole, "{}", fixture.file);
        }
    }
}

#[test]
fn an_event_that_was_stored_without_its_private_half_reads_as_erased() {
    for fixture in all().into_iter().filter(|fixture| fixture.halves.private.is_some()) {
        let event = decode(&fixture.name, fixture.version, &fixture.halves.clear, None, &FixedKeys::with_the_key()).expect("readable");
        assert_eq!(event.private_state(), PrivateState::Erased, "{}", fixture.file);
    }
}

#[test]
fn a_field_of_a_newer_optional_kind_is_passed_over() {
    for mut fixture in all() {
        let before = fixture.decode().expect("readable");
        fixture.halves.clear.as_object_mut().expect("an object").insert("added_later".to_owned(), Value::from(1));
        assert_eq!(fixture.decode().expect("an old reader reads what a newer writer added"), before, "{}", fixture.file);
    }
}

#[test]
fn an_unknown_name_and_a_newer_schema_are_told_apart() {
    let keys = FixedKeys::with_the_key();
    let nothing = Value::Object(serde_json::Map::new());
    for name in ["chat.closed_by_magic", "weather.rained", "chat", "", "chat.opened.again"] {
        match decode(name, 1, &nothing, None, &keys) {
            Err(DecodeError::UnknownEvent { name: told }) => assert_eq!(told, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    for stored in Event::types() {
        match decode(stored.name, stored.version + 1, &nothing, None, &keys) {
            Err(DecodeError::NewerSchema { name, schema }) => assert_eq!((name.as_str(), schema), (stored.name, stored.version + 1)),
            other => panic!("{}: {other:?}", stored.name),
        }
    }
}

#[test]
fn a_clear_half_that_is_not_what_its_schema_says_is_malformed() {
    let keys = FixedKeys::with_the_key();
    for clear in [Value::Null, Value::from("text"), serde_json::json!({"shop": "NOT A SLUG", "customer": 1})] {
        let refused = decode("chat.opened", 1, &clear, None, &keys);
        assert!(matches!(refused, Err(DecodeError::Malformed { ref name, .. }) if name == "chat.opened"), "{refused:?}");
    }
}

/// Lists of words by the name of their enum.
type Words = BTreeMap<String, Vec<Value>>;
/// See [`check_words`].
type CheckWords = fn(&str, &Words);

/// Reads every word with the enum it belongs to, and writes it again.
fn check_words<T: serde::Serialize + serde::de::DeserializeOwned>(list: &str, words: &Words) {
    for word in words.get(list).unwrap_or_else(|| panic!("no list {list}")) {
        let value: T = serde_json::from_value(word.clone()).unwrap_or_else(|error| panic!("{list} {word}: {error}"));
        assert_eq!(&serde_json::to_value(value).expect("plain data"), word, "{list}");
    }
}

#[test]
fn every_word_that_an_event_ever_held_still_means_the_same() {
    use domain::{conversation::event as conversation, desk::event as desk, message, tenant::event as tenant, user::event as user};
    let text = std::fs::read_to_string(fixtures("words.v1.json")).expect("the fixture is there");
    let words: Words = serde_json::from_str(&text).expect("lists of words");
    let lists: [(&str, CheckWords); 32] = [
        ("category", check_words::<message::Category>),
        ("style", check_words::<message::Style>),
        ("kind", check_words::<message::Kind>),
        ("origin", check_words::<message::Origin>),
        ("outreach_verdict", check_words::<domain::outreach::OutreachVerdict>),
        ("outreach_refusal", check_words::<domain::outreach::OutreachRefusal>),
        ("persona", check_words::<message::Persona>),
        ("visibility", check_words::<message::Visibility>),
        ("chat_role", check_words::<message::ChatRole>),
        ("permission", check_words::<message::Permission>),
        ("party", check_words::<message::Party>),
        ("entry_page", check_words::<conversation::EntryPage>),
        ("close_reason", check_words::<conversation::CloseReason>),
        ("human_reason", check_words::<conversation::HumanReason>),
        ("ticket_state", check_words::<domain::conversation::ticket::TicketState>),
        ("role", check_words::<user::Role>),
        ("session_end", check_words::<user::SessionEnd>),
        ("queue_kind", check_words::<desk::QueueKind>),
        ("assignment_rule", check_words::<desk::AssignmentRule>),
        ("losing_reason", check_words::<desk::LosingReason>),
        ("requeue_reason", check_words::<desk::RequeueReason>),
        ("omission", check_words::<domain::chat::event::Omission>),
        ("scope", check_words::<tenant::Scope>),
        ("poison_verdict", check_words::<tenant::PoisonVerdict>),
        ("device_kind", check_words::<domain::devices::DeviceKind>),
        ("cancel_reason", check_words::<domain::campaign::event::CancelReason>),
        ("sequence", check_words::<domain::campaign::event::Sequence>),
        ("attachment_kind", check_words::<tenant::AttachmentKind>),
        ("flow_kind", check_words::<domain::flow::FlowKind>),
        ("robot_protocol", check_words::<tenant::RobotProtocol>),
        ("robot_use", check_words::<tenant::RobotUse>),
        ("provider_answer", check_words::<conversation::ProviderAnswer>),
    ];
    assert_eq!(words.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), lists.iter().map(|list| list.0).collect());
    for (list, check) in lists {
        check(list, &words);
    }
}
