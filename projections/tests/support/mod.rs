//! What the tests and the bench of this crate share: a log in memory, histories that grow event by event, and a shop whose
//! days are made up from a seed.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, missing_docs, reason = "test support")]

pub mod canned;
pub mod channels;
pub mod descriptions;
pub mod flows;
pub mod outreach;
pub mod people;
pub mod shop;
pub mod threads;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use application::log::codec;
use application::log::commit::{Actor, ChainHash, CommitBuilder, CommitId, EventMeta};
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::{
    AppendError, Appended, CommitPosition, EventLog, NewCommit, ReadError, ShardId, StoredCommit, Subscription,
};
use application::ports::key_store::{SubjectId, SubjectKey, TENANT_SUBJECT};
use application::queries::{Delivery, DeliverySink};
use async_trait::async_trait;
use domain::chat::event::ChatEvent;
use domain::conversation::event::ConversationEvent;
use domain::event::Event;
use domain::ids::{CommandId, EventId, TenantId};
use domain::private::Private;
use domain::tenant::event::TenantCreated;
use domain::time::Timestamp;
use projections::decode::{DecodedCommit, decode};
use projections::engine::{Engine, LogSource};
use projections::store::{MemoryStore, ViewStore};
use tokio::sync::watch;
use uuid::Uuid;

/// When every made-up history begins: 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp(1_767_225_600_000);

pub fn tenant(slug: &str) -> TenantId {
    slug.parse().unwrap()
}

/// Where a stream stands.
#[derive(Clone, Copy, Default)]
struct Stream {
    version: u64,
    hash: ChainHash,
    /// Whose key seals its private halves.
    subject: Option<SubjectId>,
}

/// Whose key a private half is sealed with.
pub type Keys = Box<dyn FnMut(TenantId, SubjectId) -> SubjectKey>;

/// A history in the making: commits with contiguous versions and an unbroken hash chain.
#[derive(Default)]
pub struct History {
    pub commits: Vec<StoredCommit>,
    pub now: Timestamp,
    streams: HashMap<StreamId, Stream>,
    events: u128,
    taken: u64,
    keys: Option<Keys>,
    /// Who causes what is added; a policy, unless somebody is named.
    pub actor: Option<Actor>,
}

impl History {
    pub fn new() -> Self {
        Self { now: START, ..Self::default() }
    }

    /// Seals private halves, so that commits are as large as real ones.
    pub fn sealed() -> Self {
        Self::sealed_with(Box::new(|_, _| SubjectKey([7; 32])))
    }

    /// Seals private halves with the keys of those whom they are about.
    pub fn sealed_with(keys: Keys) -> Self {
        Self { keys: Some(keys), ..Self::new() }
    }

    pub fn meta(&mut self) -> EventMeta {
        self.events += 1;
        EventMeta {
            id: EventId::from_u128(self.events),
            command: CommandId::from_u128(self.events),
            command_digest: 0,
            correlation: Uuid::nil(),
            causation: Uuid::nil(),
            actor: self.actor.unwrap_or(Actor::Policy),
        }
    }

    pub fn events(&self) -> u64 {
        u64::try_from(self.events).unwrap()
    }

    pub fn head(&self) -> CommitPosition {
        CommitPosition(self.taken + self.commits.len() as u64)
    }

    /// The commits since the last call; the history goes on after them, so that one that is too long for memory can be made.
    pub fn take(&mut self) -> Vec<StoredCommit> {
        self.taken = self.head().0;
        std::mem::take(&mut self.commits)
    }

    /// Adds a commit.
    pub fn commit(&mut self, tenant: TenantId, key: StreamKey, events: impl IntoIterator<Item = Event>) -> CommitPosition {
        let events: Vec<Event> = events.into_iter().collect();
        let metas: Vec<EventMeta> = events.iter().map(|_| self.meta()).collect();
        let mut keys = self.keys.take();
        let position = self.commit_with(tenant, key, |builder, id, stream| {
            for (event, meta) in events.iter().zip(&metas) {
                stream.subject = subject_after(event, key).or(stream.subject);
                let keys = keys.as_mut().filter(|_| event.event_type().private);
                let sealing = keys.zip(stream.subject).map(|(keys, subject)| (subject, keys(tenant, subject)));
                codec::encode(builder, id, meta, event, sealing).unwrap();
            }
        });
        self.keys = keys;
        position
    }

    /// Adds a commit with an event that no program knows.
    pub fn unknown(&mut self, tenant: TenantId, key: StreamKey) -> CommitPosition {
        let meta = self.meta();
        self.commit_with(tenant, key, |builder, _, _| {
            let clear = |bytes: &mut Vec<u8>| -> Result<(), ()> {
                bytes.extend_from_slice(b"{}");
                Ok(())
            };
            builder.event(&meta, "chat.teleported", 1, clear, None::<(Uuid, fn(&mut Vec<u8>) -> Result<(), ()>)>).unwrap();
        })
    }

    /// Adds the making of a tenant whose clocks are UTC.
    pub fn create_tenant(&mut self, tenant: TenantId) -> CommitPosition {
        let created = TenantCreated { time_zone: "UTC".to_owned(), private: Private::Closed };
        self.commit(tenant, StreamKey::Tenant, [Event::Tenant(created.into())])
    }

    /// Views that have read everything and stumbled over nothing, and where their checkpoints go.
    pub fn viewed(&self) -> (Arc<MemoryStore>, Engine) {
        let (memory, store) = memory_store();
        let mut engine = Engine::open(store, self.log()).unwrap();
        engine.apply(self.decoded(), CommitPosition(u64::MAX)).unwrap();
        assert_eq!(engine.stopped(), vec![]);
        (memory, engine)
    }

    fn commit_with(
        &mut self,
        tenant: TenantId,
        key: StreamKey,
        fill: impl FnOnce(&mut CommitBuilder, &StreamId, &mut Stream),
    ) -> CommitPosition {
        let id = StreamId::new(tenant, key);
        let position = CommitPosition(self.head().0 + 1);
        let stream = self.streams.entry(id).or_default();
        let commit = CommitId(Uuid::from_u128(position.0.into()));
        let mut builder = CommitBuilder::new(commit, id, stream.version + 1, self.now, 1, stream.hash);
        fill(&mut builder, &id, stream);
        let (bytes, events) = builder.finish(false).unwrap();
        stream.version += u64::from(events);
        stream.hash = ChainHash::of(&bytes);
        self.commits.push(StoredCommit::read(position, bytes));
        position
    }

    pub fn decoded(&self) -> Vec<DecodedCommit> {
        self.commits.iter().cloned().map(|commit| decode(commit).unwrap()).collect()
    }

    pub fn log(&self) -> Arc<TestLog> {
        TestLog::new(self.commits.clone())
    }

    /// The log as it was after so many commits.
    pub fn log_until(&self, commits: usize) -> Arc<TestLog> {
        TestLog::new(self.commits[..commits].to_vec())
    }
}

/// Whose key seals a stream's private halves from this event on, if the event says so (the owner asks its aggregates instead).
fn subject_after(event: &Event, key: StreamKey) -> Option<SubjectId> {
    match (event, key) {
        (Event::Chat(ChatEvent::ChatOpened(opened)), _) => Some(opened.customer.into()),
        (Event::Chat(ChatEvent::CustomerReplaced(replaced)), _) => Some(replaced.into.into()),
        (Event::Conversation(ConversationEvent::ConversationOpened(opened)), _) => Some(opened.customer.into()),
        (Event::Conversation(ConversationEvent::CustomerReplaced(replaced)), _) => Some(replaced.into.into()),
        (_, StreamKey::User(user)) => Some(user.into()),
        (_, StreamKey::Tenant | StreamKey::Campaign(_) | StreamKey::Retrieval) => Some(TENANT_SUBJECT),
        (_, StreamKey::Chat(_) | StreamKey::Conversation(_) | StreamKey::Desk) => None,
    }
}

/// A log in memory: just enough to be followed.
pub struct TestLog {
    commits: Arc<Mutex<Vec<StoredCommit>>>,
    head: watch::Sender<u64>,
}

impl TestLog {
    pub fn new(commits: Vec<StoredCommit>) -> Arc<Self> {
        Arc::new(Self { head: watch::Sender::new(commits.len() as u64), commits: Arc::new(Mutex::new(commits)) })
    }

    pub fn extend(&self, commits: &[StoredCommit]) {
        let mut all = self.commits.lock().unwrap();
        all.extend_from_slice(commits);
        self.head.send_replace(all.len() as u64);
    }

    fn page(&self, after: u64, commits_max: usize) -> Vec<StoredCommit> {
        page(&self.commits, after, commits_max)
    }
}

fn page(commits: &Mutex<Vec<StoredCommit>>, after: u64, commits_max: usize) -> Vec<StoredCommit> {
    let all = commits.lock().unwrap();
    all.iter().skip(usize::try_from(after).unwrap()).take(commits_max).cloned().collect()
}

struct TestSubscription {
    head: watch::Receiver<u64>,
    after: u64,
    commits: Arc<Mutex<Vec<StoredCommit>>>,
}

#[async_trait]
impl Subscription for TestSubscription {
    async fn next(&mut self) -> Result<Vec<StoredCommit>, ReadError> {
        let after = self.after;
        if self.head.wait_for(|head| *head > after).await.is_err() {
            std::future::pending::<()>().await;
        }
        let page = page(&self.commits, self.after, 1_024);
        self.after += page.len() as u64;
        Ok(page)
    }
}

impl LogSource for TestLog {
    fn read_shard(&self, after: CommitPosition, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        Ok(self.page(after.0, commits_max))
    }

    fn read_stream(&self, stream: StreamId, from_version: u64, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        let all = self.commits.lock().unwrap();
        let name = stream.to_string();
        let wanted = |commit: &&StoredCommit| {
            // The name lies at a fixed place: a look at it is much faster than reading the header.
            commit.bytes[63..].starts_with(name.as_bytes())
                && application::log::commit::header(&commit.bytes).unwrap().last_version() >= from_version
        };
        Ok(all.iter().filter(wanted).take(commits_max).cloned().collect())
    }
}

#[async_trait]
impl EventLog for TestLog {
    fn shard(&self) -> ShardId {
        ShardId(0)
    }

    async fn append(&self, _: NewCommit) -> Result<Appended, AppendError> {
        Err(AppendError::Unavailable { reason: "read only".into() })
    }

    async fn read_stream(&self, stream: StreamId, from_version: u64, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        LogSource::read_stream(self, stream, from_version, commits_max)
    }

    async fn read_tail(&self, _: StreamId) -> Result<Option<StoredCommit>, ReadError> {
        Err(ReadError::Unavailable { reason: "not needed here".into() })
    }

    async fn read_shard(&self, after: CommitPosition, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        Ok(self.page(after.0, commits_max))
    }

    async fn read_commit(&self, position: CommitPosition) -> Result<Option<StoredCommit>, ReadError> {
        Ok(self.page(position.0 - 1, 1).pop())
    }

    async fn subscribe(&self, after: CommitPosition) -> Result<Box<dyn Subscription>, ReadError> {
        Ok(Box::new(TestSubscription { head: self.head.subscribe(), after: after.0, commits: Arc::clone(&self.commits) }))
    }

    async fn head(&self) -> Result<CommitPosition, ReadError> {
        Ok(CommitPosition(*self.head.borrow()))
    }

    async fn tombstone(&self, _: NewCommit) -> Result<Appended, AppendError> {
        Err(AppendError::Unavailable { reason: "read only".into() })
    }
}

/// Keeps every delivery.
#[derive(Default)]
pub struct KeepingSink(pub Mutex<Vec<Delivery>>);

impl DeliverySink for KeepingSink {
    fn deliver(&self, batch: Vec<Delivery>) {
        self.0.lock().unwrap().extend(batch);
    }
}

pub fn memory_store() -> (Arc<MemoryStore>, Arc<dyn ViewStore>) {
    let store = Arc::new(MemoryStore::default());
    (Arc::clone(&store), store)
}
