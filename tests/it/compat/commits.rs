//! Commits of every format ever stored are opened by today's code.

use application::log::codec::{self, Reading};
use application::log::commit::{self, ChainHash, CommitBuilder, CommitHeader, CommitId};
use bytes::Bytes;
use domain::chat::event::{ChatEvent, ConversationStarted, MessagePosted};
use domain::conversation::event::{Entry, EntryPage};
use domain::event::Event;
use domain::ids::{ClientMessageId, ConversationId, MessageId, UserId};
use domain::message::{Category, ContentDigest, Kind, MessageContent, Origin, Persona, Style, Visibility};
use domain::private::Private;
use domain::time::Timestamp;
use uuid::Uuid;

use super::{FixedKeys, KEY, SUBJECT, fixtures, meta, stream_of};

/// The stored bytes of `tests/fixtures/log/commit.v1.hex`.
pub fn stored() -> Vec<u8> {
    let text = std::fs::read_to_string(fixtures("log/commit.v1.hex")).expect("the fixture is there");
    let digits: Vec<u32> = text.chars().filter(|letter| !letter.is_whitespace()).map(|d| d.to_digit(16).expect("hex")).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("two hex digits")).collect()
}

/// What that commit holds: the customer's first message, and the conversation that it started.
fn events() -> [Event; 2] {
    let conversation = ConversationId::from_u128(0x0190_a3c0_b800_7000_8002_0000_0000_0001);
    let customer = UserId::from_uuid(SUBJECT.0);
    let posted = MessagePosted {
        message: MessageId::from_u128(0x0190_a3c0_b800_7000_8006_0000_0000_0001),
        seq: 1,
        client_message: ClientMessageId::from_u128(0x0190_a3c0_b801_7abc_8def_0123_4567_89ab),
        digest: ContentDigest(0xfedc_ba98_7654_3210),
        sender: customer,
        category: Category::Customer,
        origin: Origin::Human,
        persona: Persona::Oneself,
        visibility: Visibility::All,
        style: Style::Normal,
        kind: Kind::Text,
        conversation: Some(conversation),
        assignment: None,
        quote: None,
        quote_seq: None,
        attachment: None,
        body_bytes: 33,
        private: Private::Known(MessageContent::text("请问什么时候发货？ soon?")),
    };
    let started = ConversationStarted {
        conversation,
        shop: "acmeshoes".parse().expect("a slug"),
        customer,
        entry: Entry { page: EntryPage::Order, subject: Some("order20240703001".parse().expect("a reference")), group: None },
    };
    [Event::Chat(ChatEvent::ConversationStarted(started)), Event::Chat(ChatEvent::MessagePosted(posted))]
}

fn header() -> CommitHeader {
    CommitHeader {
        id: CommitId(Uuid::from_u128(0x0190_a3c0_b800_7000_800b_0000_0000_0001)),
        tombstone: false,
        first_version: 3,
        time: Timestamp(1_720_000_000_000),
        epoch: 5,
        previous: ChainHash(*b"previous commit."),
        events: 2,
        stream: stream_of("chat.opened"),
    }
}

/// The same commit as today's code writes it.
fn written_today() -> Bytes {
    let header = header();
    let mut builder = CommitBuilder::new(header.id, header.stream, header.first_version, header.time, header.epoch, header.previous);
    for (n, event) in (1..).zip(&events()) {
        codec::encode(&mut builder, &header.stream, &meta(n), event, Some((SUBJECT, KEY))).expect("events are plain data");
    }
    builder.finish(false).expect("far below the limit").0
}

fn read(bytes: &[u8], reading: Reading<'_>) -> Vec<Event> {
    let stream = header().stream;
    let raw = commit::events(bytes).expect("a commit");
    raw.map(|raw| codec::decode(&stream, &raw.expect("an event"), reading).expect("readable")).collect()
}

#[test]
fn an_old_commit_is_checked_and_its_events_are_read() {
    let bytes = stored();
    assert_eq!(commit::check(&bytes), Ok(header()));
    assert_eq!(commit::header(&bytes), Ok(header()));
    assert_eq!(header().last_version(), 4);
    let surroundings: Vec<_> = commit::events(&bytes).expect("a commit").map(|raw| raw.expect("an event").meta).collect();
    assert_eq!(surroundings, [meta(1), meta(2)]);
    assert_eq!(read(&bytes, Reading::Open(&FixedKeys::with_the_key())), events());
}

#[test]
fn only_the_event_with_a_private_half_is_sealed_and_its_text_is_nowhere_in_the_bytes() {
    let bytes = stored();
    let sealed: Vec<_> = commit::events(&bytes).expect("a commit").map(|raw| raw.expect("an event").sealed.is_some()).collect();
    assert_eq!(sealed, [false, true]);
    let secret = "请问".as_bytes();
    assert!(!bytes.windows(secret.len()).any(|window| window == secret));
}

#[test]
fn the_same_facts_are_still_written_as_the_same_bytes() {
    assert_eq!(written_today(), stored(), "a commit of another shape needs a new format and a new fixture");
}

#[test]
fn a_closed_reader_and_an_erased_one_differ_from_an_open_one_in_the_private_half_only() {
    let bytes = stored();
    let [started, Event::Chat(ChatEvent::MessagePosted(posted))] = events() else { panic!("a conversation, then a message") };
    let with = |private| [started.clone(), Event::Chat(MessagePosted { private, ..posted.clone() }.into())];
    assert_eq!(read(&bytes, Reading::Closed), with(Private::Closed));
    assert_eq!(read(&bytes, Reading::Open(&FixedKeys::after_destroying_it())), with(Private::Erased));
    assert_eq!(read(&bytes, Reading::Open(&FixedKeys::empty())), with(Private::Erased));
}
