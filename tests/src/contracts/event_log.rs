//! The contract of the event log.
//!
//! Each rule is an async function over an [`Engine`]; `event_log_contract!` makes a test of each. An engine brings its log, a
//! way to open it again, and two hooks: a fault and a damage.

use std::sync::Arc;

use application::log::commit::{Actor, ChainHash, CommitBuilder, CommitId, EventMeta};
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::{CommitPosition, EventLog, NewCommit, StoredCommit};
use async_trait::async_trait;
use domain::ids::{ChatId, CommandId, EventId};
use domain::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

mod appending;
mod damage;
mod following;
mod reading;

pub use appending::*;
pub use damage::*;
pub use following::*;
pub use reading::*;

/// Writes one half of an event.
pub type Writer = fn(&mut Vec<u8>) -> Result<(), std::convert::Infallible>;

/// A commit of one event without fields, under any name: also one that this kefu does not write.
///
/// # Panics
/// Never: such a commit is small.
#[must_use]
pub fn bare_commit(stream: StreamId, version: u64, previous: ChainHash, at: Timestamp, name: &str) -> NewCommit {
    written_commit(stream, version, previous, at, &[(name, json!({}))])
}

/// A commit of events without private halves, by their names and fields: also such as this kefu does not write.
///
/// # Panics
/// When it is larger than a commit may be.
#[must_use]
pub fn written_commit(stream: StreamId, version: u64, previous: ChainHash, at: Timestamp, events: &[(&str, Value)]) -> NewCommit {
    let commit = CommitId(Uuid::from_u128(0xF00));
    let mut builder = CommitBuilder::new(commit, stream, version, at, 1, previous);
    for ((name, clear), number) in events.iter().zip(0xF00..) {
        let meta = EventMeta {
            id: EventId::from_u128(number),
            command: CommandId::from_u128(number),
            command_digest: 0,
            correlation: Uuid::nil(),
            causation: Uuid::nil(),
            actor: Actor::Operator,
        };
        let clear = |bytes: &mut Vec<u8>| -> Result<(), std::convert::Infallible> {
            bytes.extend(clear.to_string().bytes());
            Ok(())
        };
        let nothing_sealed: Option<(Uuid, Writer)> = None;
        builder.event(&meta, name, 1, clear, nothing_sealed).expect("these writers cannot fail");
    }
    let (bytes, events) = builder.finish(false).expect("a small commit");
    NewCommit { id: commit, stream, first_version: version, events, bytes, decided: None }
}

/// What became of the append that was answered with `InDoubt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InDoubtOutcome {
    /// It is in the log.
    Stored,
    /// It is not, and will never be.
    Lost,
}

/// An implementation under test, with an empty log of its own.
#[async_trait]
pub trait Engine: Send + Sized {
    /// Starts with an empty log.
    async fn start() -> Self;

    /// The log.
    fn log(&self) -> Arc<dyn EventLog>;

    /// Closes the log and opens it again, if it outlives its process at all.
    async fn reopen(&mut self);

    /// Makes the next append answer `InDoubt`, and says what will become of it.
    fn put_next_append_in_doubt(&mut self) -> InDoubtOutcome;

    /// Changes one bit of a stored commit where it lies.
    async fn damage(&mut self, commit: &StoredCommit);
}

/// Makes a test of every rule of the contract: `event_log_contract!(MemoryEngine);` in a module of its own.
#[macro_export]
macro_rules! event_log_contract {
    ($engine:ty) => {
        $crate::event_log_contract!(@ $engine:
            an_empty_log_has_no_head_and_no_commits,
            a_commit_is_read_back_byte_for_byte,
            an_append_at_another_version_is_refused_with_the_current_one,
            of_many_appends_at_one_version_exactly_one_wins,
            a_retry_of_a_stored_commit_answers_its_first_position,
            another_commit_at_a_stored_version_is_a_conflict_and_not_a_retry,
            an_append_in_doubt_is_settled_by_the_tail_and_may_be_retried,
            bytes_that_are_no_such_commit_are_never_stored,
            a_commit_of_the_largest_size_is_stored,
            positions_are_dense_and_every_reader_sees_one_order,
            a_stream_is_read_from_the_commit_that_holds_the_version,
            a_stream_is_read_in_pages,
            commits_appended_together_lie_in_that_order_and_are_answered_like_each_of_them,
            several_streams_are_read_like_each_of_them,
            the_shard_is_read_in_pages_after_a_position,
            one_commit_is_read_by_its_position,
            a_tombstone_ends_a_stream_for_good,
            a_tombstone_is_a_commit_without_events_for_readers_of_the_shard,
            a_tombstone_needs_the_expected_version_and_may_be_retried,
            everything_is_there_after_opening_again,
            a_subscription_catches_up_and_goes_on_live_without_gap_or_repeat,
            a_subscription_from_the_head_sees_only_what_comes,
            a_subscriber_that_pauses_misses_nothing,
            a_wait_that_is_given_up_loses_nothing,
            a_damaged_commit_is_reported_and_never_returned,
            a_subscription_delivers_up_to_the_damage_and_stays_there,
        );
    };
    (@ $engine:ty: $($rule:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let engine = <$engine as $crate::contracts::event_log::Engine>::start().await;
                $crate::contracts::event_log::$rule(engine).await;
            }
        )*
    };
}

/// A chat's stream of the fixture tenant.
#[must_use]
pub fn stream(number: u128) -> StreamId {
    StreamId::new("acme".parse().expect("a valid tenant"), StreamKey::Chat(ChatId::from_u128(number)))
}

/// Writes a stream's commits one after the other, each linked to the one before.
#[derive(Clone, Debug)]
pub struct Author {
    stream: StreamId,
    version: u64,
    previous: ChainHash,
    /// Tells apart authors who write competing commits to one stream.
    salt: u64,
}

impl Author {
    /// Begins an empty stream.
    #[must_use]
    pub fn of(stream: StreamId) -> Self {
        Self { stream, version: 0, previous: ChainHash::default(), salt: 0 }
    }

    /// Goes on after the last commit of a stream.
    ///
    /// # Panics
    /// When these are no commit's bytes.
    #[must_use]
    pub fn after(commit: &[u8]) -> Self {
        let header = application::log::commit::check(commit).expect("an intact commit");
        Self { stream: header.stream, version: header.last_version(), previous: ChainHash::of(commit), salt: 0 }
    }

    /// The same state, but every commit has another id than those of other salts.
    #[must_use]
    pub fn salted(&self, salt: u64) -> Self {
        Self { salt, ..self.clone() }
    }

    /// The stream it writes.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// The version it has reached.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The next commit, with so many events of so many bytes each.
    pub fn commit(&mut self, events: u64, event_bytes: usize) -> NewCommit {
        let id = self.id();
        let mut builder = CommitBuilder::new(id, self.stream, self.version + 1, Timestamp(1_000), 1, self.previous);
        for index in 0..events {
            let number = id.0.as_u128().wrapping_add(u128::from(index) << 64);
            let meta = EventMeta {
                id: EventId::from_u128(number),
                command: CommandId::from_u128(number),
                command_digest: 0,
                correlation: Uuid::nil(),
                causation: Uuid::nil(),
                actor: Actor::Operator,
            };
            let clear = |bytes: &mut Vec<u8>| {
                bytes.resize(bytes.len() + event_bytes, b'x');
                Ok::<(), std::convert::Infallible>(())
            };
            let nothing_sealed: Option<(Uuid, Writer)> = None;
            builder.event(&meta, "test.happened", 1, clear, nothing_sealed).expect("these writers cannot fail");
        }
        self.finish(builder, id, false)
    }

    /// A commit of one small event.
    pub fn next_commit(&mut self) -> NewCommit {
        self.commit(1, 40)
    }

    /// The commit that ends the stream.
    pub fn tombstone(&mut self) -> NewCommit {
        let id = self.id();
        let builder = CommitBuilder::new(id, self.stream, self.version + 1, Timestamp(1_000), 1, self.previous);
        self.finish(builder, id, true)
    }

    fn id(&self) -> CommitId {
        // Unique per stream, version and salt, and the same in every run.
        let mut bytes = [0; 16];
        let name = format!("{} {} {}", self.stream, self.version, self.salt);
        bytes.copy_from_slice(&blake3::hash(name.as_bytes()).as_bytes()[..16]);
        CommitId(Uuid::from_bytes(bytes))
    }

    fn finish(&mut self, builder: CommitBuilder, id: CommitId, tombstone: bool) -> NewCommit {
        let first_version = self.version + 1;
        let (bytes, events) = builder.finish(tombstone).expect("test commits are small");
        self.version += u64::from(events);
        self.previous = ChainHash::of(&bytes);
        NewCommit { id, stream: self.stream, first_version, events, bytes, decided: None }
    }
}

/// Appends a commit of one event to each of some streams in turn, and returns them as they must lie in the log.
async fn fill(log: &dyn EventLog, streams: u128, commits: usize) -> Vec<StoredCommit> {
    let mut authors: Vec<Author> = (0..streams).map(|number| Author::of(stream(number))).collect();
    let mut stored = Vec::new();
    for index in 0..commits {
        let turn = index % authors.len();
        let commit = authors[turn].next_commit();
        let bytes = commit.bytes.clone();
        let appended = log.append(commit).await.expect("a commit at the expected version");
        stored.push(StoredCommit::read(appended.position, bytes));
    }
    stored
}

/// Everything in the log, read in small pages.
async fn read_all(log: &dyn EventLog) -> Vec<StoredCommit> {
    let mut all: Vec<StoredCommit> = Vec::new();
    loop {
        let after = all.last().map_or(CommitPosition(0), |last| last.position);
        let page = log.read_shard(after, 7).await.expect("an intact log");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

fn assert_dense(commits: &[StoredCommit]) {
    let positions: Vec<u64> = commits.iter().map(|commit| commit.position.0).collect();
    let expected: Vec<u64> = (1..=commits.len() as u64).collect();
    assert_eq!(positions, expected);
}
