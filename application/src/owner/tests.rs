//! The owner's rules, with the driver's part played by the test.

mod admission;
mod clock;
mod doubt;
mod said;
mod threads;

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use domain::chat::command::{Attached, ChatCommand, PostMessage};
use domain::ids::{ChatId, ClientMessageId, CommandId, ConversationId, MessageId, TenantId, UserId};
use domain::message::{CONTENT_BYTES_MAX, Category, ContentDigest, Kind, MessageContent, Origin, Persona, Quoted, Style, Visibility};
use domain::tenant::command::TenantCommand;
use domain::tenant::event::Title;
use domain::time::Millis;
use uuid::Uuid;

use super::*;
use crate::log::commit::Actor;
use crate::log::stream::StreamKey;
use crate::ports::key_store::{KeyState, KeyStoreError, SubjectId, SubjectKey};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const CUSTOMER: UserId = UserId::from_u128(0xC1);

struct OneKey(KeyState);

#[async_trait]
impl KeyStore for OneKey {
    fn get(&self, _: TenantId, _: SubjectId) -> Result<KeyState, KeyStoreError> {
        Ok(self.0)
    }
    async fn ensure(&self, _: TenantId, _: SubjectId) -> Result<SubjectKey, KeyStoreError> {
        Ok(SubjectKey([7; 32]))
    }
    async fn destroy(&self, _: TenantId, _: SubjectId) -> Result<(), KeyStoreError> {
        Ok(())
    }
}

#[derive(Default)]
struct Counting(Mutex<u128>);

impl Ids for Counting {
    fn uuid_v7(&self, at: Timestamp) -> Uuid {
        let mut count = self.0.lock().expect("no holder panics");
        *count += 1;
        Uuid::from_u128((u128::from(at.0.unsigned_abs()) << 80) | (7 << 76) | (2 << 62) | *count)
    }
}

/// An owner with a log of its own: one list of commits per stream.
struct Rig {
    owner: Owner,
    streams: BTreeMap<StreamId, Vec<StoredCommit>>,
    stored: u64,
    answers: BTreeMap<Ticket, Result<Answer, CommandError>>,
    appends: VecDeque<NewCommit>,
    resolves: VecDeque<StreamId>,
    tickets: u64,
}

fn tenant() -> TenantId {
    "acme".parse().expect("a slug")
}

fn chat() -> StreamId {
    StreamId::new(tenant(), StreamKey::Chat(ChatId::from_u128(1)))
}

impl Rig {
    fn new(limits: OwnerLimits) -> Self {
        Self::with_key(limits, KeyState::Present(SubjectKey([7; 32])))
    }

    fn with_key(limits: OwnerLimits, key: KeyState) -> Self {
        let owner = Owner::new(ShardId(0), 1, Timestamp(0), limits, Arc::new(OneKey(key)), Arc::new(Counting::default()));
        Self {
            owner,
            streams: BTreeMap::new(),
            stored: 0,
            answers: BTreeMap::new(),
            appends: VecDeque::new(),
            resolves: VecDeque::new(),
            tickets: 0,
        }
    }

    fn ask(&mut self, stream: StreamId, command: impl Into<AnyCommand>, id: u128, digest: u64) -> Ticket {
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        let request = Request {
            stream,
            command: command.into(),
            id: CommandId::from_u128(id),
            digest,
            actor: Actor::Operator,
            correlation: Uuid::nil(),
            causation: Uuid::nil(),
        };
        self.owner.submit(ticket, request);
        self.run();
        ticket
    }

    /// Carries out loads at once; appends and resolves wait for the test.
    fn run(&mut self) {
        self.owner.run(ClockReading::even(NOW));
        while let Some(output) = self.owner.output() {
            match output {
                Output::Load { stream } => {
                    let commits = self.streams.get(&stream).cloned().unwrap_or_default();
                    let mut loaded = Loaded::nothing_of(stream);
                    let folded = loaded.fold(&commits).map(|()| loaded).map_err(LoadError::from);
                    self.owner.loaded(stream, folded);
                    self.owner.run(ClockReading::even(NOW));
                }
                Output::Append { commit } => self.appends.push_back(commit),
                Output::Resolve { stream, .. } => self.resolves.push_back(stream),
                Output::Reply { ticket, result } => {
                    assert!(self.answers.insert(ticket, result).is_none(), "nobody is answered twice");
                }
                Output::SaveSnapshot { .. } | Output::ClockJumped(_) => {}
            }
        }
    }

    fn store(&mut self, commit: &NewCommit) -> Appended {
        self.stored += 1;
        let position = CommitPosition(self.stored);
        self.streams.entry(commit.stream).or_default().push(StoredCommit::read(position, commit.bytes.clone()));
        Appended { position }
    }

    fn next_append(&mut self) -> NewCommit {
        self.appends.pop_front().expect("an append is asked for")
    }

    fn append_next(&mut self) {
        let commit = self.next_append();
        let appended = self.store(&commit);
        self.owner.appended(commit.stream, Ok(appended));
        self.run();
    }

    fn fail_next(&mut self, error: AppendError) {
        let commit = self.next_append();
        self.owner.appended(commit.stream, Err(error));
        self.run();
    }

    fn answer(&self, ticket: Ticket) -> &Result<Answer, CommandError> {
        self.answers.get(&ticket).expect("answered")
    }

    fn opened_chat(limits: OwnerLimits) -> Self {
        let mut rig = Self::new(limits);
        rig.ask(chat(), open(), 1, 0);
        rig.append_next();
        rig
    }
}

use crate::command::AnyCommand;

fn open() -> ChatCommand {
    ChatCommand::Open { shop: "shop".parse().expect("a slug"), customer: CUSTOMER }
}

fn post(number: u128, text: &str) -> ChatCommand {
    ChatCommand::Post(Box::new(PostMessage {
        sender: CUSTOMER,
        client_message: ClientMessageId::from_u128((u128::from(NOW.0.unsigned_abs()) << 80) | (7 << 76) | (2 << 62) | number),
        message: MessageId::from_u128(number),
        fresh_conversation: ConversationId::from_u128(number),
        digest: ContentDigest(u64::try_from(number).expect("small")),
        content: MessageContent::text(text),
        origin: Origin::Human,
        persona: Persona::Oneself,
        visibility: Visibility::All,
        style: Style::Normal,
        kind: Kind::Text,
        quoted: Quoted::Nothing,
        attached: Attached::Nothing,
        assignment: None,
        reopen_window: Millis::minutes(10),
        as_participant: Category::Customer,
    }))
}

#[test]
fn nobody_is_answered_before_the_commit_is_stored() {
    let mut rig = Rig::new(OwnerLimits::default());
    let ticket = rig.ask(chat(), open(), 1, 0);
    assert!(rig.answers.is_empty());
    rig.append_next();
    assert_eq!(rig.answer(ticket).as_ref().expect("carried out").position.commit, CommitPosition(1));
}

#[test]
fn what_arrives_while_a_commit_is_in_flight_leaves_together_as_the_next_one() {
    let mut rig = Rig::opened_chat(OwnerLimits::default());
    let tickets: Vec<Ticket> = (10..15).map(|number| rig.ask(chat(), post(number, "hello"), number, 0)).collect();
    assert_eq!(rig.appends.len(), 1, "one append per stream is in flight");
    rig.append_next();
    assert_eq!(rig.appends.len(), 1);
    assert_eq!(rig.appends[0].events, 4);
    rig.append_next();
    let places: Vec<u64> = tickets
        .iter()
        .map(|ticket| rig.answer(*ticket).as_ref().expect("posted").chat.expect("a chat answers").message.expect("posted").seq)
        .collect();
    assert_eq!(places, [1, 2, 3, 4, 5]);
}

#[test]
fn a_retried_message_gets_its_old_place_after_a_restart_too() {
    let mut rig = Rig::opened_chat(OwnerLimits::default());
    rig.ask(chat(), post(10, "hello"), 10, 0);
    rig.append_next();
    let streams = rig.streams.clone();
    let mut restarted = Rig { streams, stored: rig.stored, ..Rig::new(OwnerLimits::default()) };
    let ticket = restarted.ask(chat(), post(10, "hello"), 11, 0);
    let answer = restarted.answer(ticket).as_ref().expect("posted before");
    assert_eq!((answer.events, answer.chat.and_then(|chat| chat.message).map(|message| message.seq)), (0, Some(1)));
    assert!(restarted.appends.is_empty());
}

#[test]
fn a_command_with_a_known_id_is_not_carried_out_again_and_with_another_content_refused() {
    let mut rig = Rig::new(OwnerLimits::default());
    let stream = StreamId::new(tenant(), StreamKey::Tenant);
    let create = || TenantCommand::Create { time_zone: "UTC".into(), title: Title { title: "Acme".into() } };
    let shop = |name: &str| TenantCommand::OpenShop { shop: name.parse().expect("a slug"), title: Title::default() };
    rig.ask(stream, create(), 1, 11);
    rig.append_next();
    rig.ask(stream, shop("one"), 2, 22);
    rig.append_next();
    let repeated = rig.ask(stream, shop("one"), 2, 22);
    assert_eq!(rig.answer(repeated).as_ref().expect("a repeat").events, 0);
    let other = rig.ask(stream, shop("two"), 2, 23);
    assert_eq!(*rig.answer(other), Err(CommandError::IdempotencyMismatch));
}

#[test]
fn a_conflict_loads_again_and_decides_anew_a_bounded_number_of_times() {
    let mut rig = Rig::opened_chat(OwnerLimits { tries: 3, ..OwnerLimits::default() });
    let ticket = rig.ask(chat(), post(10, "hello"), 10, 0);
    rig.fail_next(AppendError::Conflict { current: 9 });
    rig.fail_next(AppendError::Conflict { current: 9 });
    assert!(!rig.answers.contains_key(&ticket));
    rig.fail_next(AppendError::Conflict { current: 9 });
    assert_eq!(*rig.answer(ticket), Err(CommandError::Contended));
}

#[test]
fn a_full_disk_refuses_clearly_and_the_next_command_works_when_space_is_back() {
    let mut rig = Rig::opened_chat(OwnerLimits::default());
    let refused = rig.ask(chat(), post(10, "hello"), 10, 0);
    rig.fail_next(AppendError::Unavailable { reason: "disk is full".into() });
    assert_eq!(*rig.answer(refused), Err(CommandError::Unavailable { reason: "disk is full".into() }));
    let retried = rig.ask(chat(), post(10, "hello"), 10, 0);
    rig.append_next();
    let answer = rig.answer(retried).as_ref().expect("posted");
    assert_eq!(answer.chat.and_then(|chat| chat.message).map(|message| message.seq), Some(1));
}

#[test]
fn a_commit_holds_as_many_commands_as_fit_and_the_rest_follow_in_the_next() {
    let mut rig = Rig::opened_chat(OwnerLimits::default());
    let text = "x".repeat(CONTENT_BYTES_MAX);
    let tickets: Vec<Ticket> = (10..60).map(|number| rig.ask(chat(), post(number, &text), number, 0)).collect();
    while !rig.appends.is_empty() {
        assert!(rig.appends[0].bytes.len() <= crate::ports::event_log::COMMIT_BYTES_MAX);
        rig.append_next();
    }
    assert!(tickets.iter().all(|ticket| rig.answer(*ticket).is_ok()));
}

#[test]
fn nothing_is_sealed_for_somebody_who_was_erased() {
    let mut rig = Rig::with_key(OwnerLimits::default(), KeyState::Destroyed);
    rig.ask(chat(), open(), 1, 0);
    rig.append_next();
    let ticket = rig.ask(chat(), post(10, "hello"), 10, 0);
    assert_eq!(*rig.answer(ticket), Err(CommandError::Erased));
}

#[test]
fn a_key_that_was_never_destroyed_and_is_not_there_is_told_apart() {
    let mut rig = Rig::with_key(OwnerLimits::default(), KeyState::Unknown);
    rig.ask(chat(), open(), 1, 0);
    rig.append_next();
    let ticket = rig.ask(chat(), post(10, "hello"), 10, 0);
    assert_eq!(*rig.answer(ticket), Err(CommandError::KeyMissing));
}

#[test]
fn a_refusal_that_rests_on_an_unstored_fact_waits_for_it() {
    let mut rig = Rig::opened_chat(OwnerLimits::default());
    rig.ask(chat(), post(10, "hello"), 10, 0);
    rig.ask(chat(), post(11, "again"), 11, 0);
    let beyond = rig.ask(chat(), ChatCommand::MarkRead { reader: CUSTOMER, up_to_seq: 9 }, 12, 0);
    rig.append_next();
    assert!(!rig.answers.contains_key(&beyond), "it was decided after the second message, which is not stored yet");
    rig.append_next();
    assert!(matches!(rig.answer(beyond), Err(CommandError::Refused(_))));
}

#[test]
fn time_does_not_run_backwards_in_the_log() {
    let mut rig = Rig::opened_chat(OwnerLimits::default());
    rig.owner.newest = NOW + Millis::hours(1);
    let ticket = rig.ask(chat(), post(10, "hello"), 10, 0);
    rig.append_next();
    assert_eq!(rig.answer(ticket).as_ref().expect("posted").at, NOW + Millis::hours(1));
}

fn chat_of(number: u128) -> StreamId {
    StreamId::new(tenant(), StreamKey::Chat(ChatId::from_u128(number)))
}

#[test]
fn aggregates_are_forgotten_before_they_take_more_memory_than_they_may() {
    let limit = 64 * 1024;
    let mut rig = Rig::new(OwnerLimits { aggregates_bytes: limit, ..OwnerLimits::default() });
    for number in 1..=100 {
        rig.ask(chat_of(number), open(), number, 0);
        rig.append_next();
        assert!(rig.owner.bytes <= limit);
        assert_eq!(rig.owner.bytes, rig.owner.slots.values().map(|slot| slot.bytes).sum::<usize>());
    }
    assert!(!rig.owner.slots.contains_key(&chat_of(1)), "it was used least lately");
    assert!(rig.owner.slots.contains_key(&chat_of(100)));
    let ticket = rig.ask(chat_of(1), post(200, "hello"), 200, 0);
    rig.append_next();
    assert!(rig.answer(ticket).is_ok(), "what was forgotten is loaded again");
}

#[test]
fn what_is_used_again_stays_while_others_are_forgotten() {
    let mut rig = Rig::new(OwnerLimits { aggregates_cached: 4, ..OwnerLimits::default() });
    for number in 1..=100 {
        rig.ask(chat_of(number), open(), number, 0);
        rig.append_next();
        rig.ask(chat_of(1), post(1_000 + number, "hello"), 1_000 + number, 0);
        rig.append_next();
        assert!(rig.owner.slots.len() <= 4 && rig.owner.kept.len() == rig.owner.slots.len());
        assert!(rig.owner.slots.contains_key(&chat_of(1)), "chat {number} drove out the one that is in use");
    }
}

#[test]
fn a_chat_in_which_much_was_said_takes_the_room_of_many() {
    let mut rig = Rig::opened_chat(OwnerLimits::default());
    let quiet = rig.owner.bytes;
    for number in 10..1_010 {
        rig.ask(chat(), post(number, "hello"), number, 0);
        rig.append_next();
    }
    assert!(rig.owner.bytes > 20 * quiet);
}
