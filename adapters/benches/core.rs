//! What a message costs without sockets: owner, embedded log, read models, delivery. Prints; asserts nothing.
//!
//! `cargo bench -p adapters --bench core`; `PAIRS` and `SECONDS` in the environment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use adapters::event_log::embedded::{EmbeddedLog, Options};
use adapters::key_store::memory::MemoryKeyStore;
use adapters::owner_task;
use adapters::snapshot_store::SnapshotStore;
use adapters::view_store::SqliteViewStore;
use application::command::{AnyCommand, Request};
use application::log::commit::Actor;
use application::log::stream::{StreamId, StreamKey};
use application::owner::{Owner, OwnerLimits};
use application::ports::clock::{Clock, ClockReading};
use application::ports::command_bus::CommandBus;
use application::ports::event_log::{EventLog, ShardId};
use application::ports::ids::Ids;
use application::ports::key_store::KeyStore;
use application::queries::{Delivery, DeliverySink, ReadModels};
use domain::chat::command::{Attached, ChatCommand, PostMessage};
use domain::ids::{ChatId, ClientMessageId, CommandId, ConversationId, MessageId, TenantId, UserId};
use domain::message::{Category, ContentDigest, Kind, MessageContent, Origin, Persona, Quoted, Style, Visibility};
use domain::time::{Millis, Timestamp};
use hdrhistogram::Histogram;
use projections::runner::RunnerOptions;
use projections::views::Views;
use uuid::Uuid;

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(0))
    }

    fn reading(&self) -> ClockReading {
        ClockReading::even(self.now())
    }
}

#[derive(Default)]
struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn uuid_v7(&self, at: Timestamp) -> Uuid {
        let count = u128::from(self.0.fetch_add(1, Ordering::Relaxed));
        Uuid::from_u128((u128::from(at.0.unsigned_abs()) << 80) | (7 << 76) | (2 << 62) | count)
    }
}

#[derive(Default)]
struct Counter(AtomicU64);

impl DeliverySink for Counter {
    fn deliver(&self, batch: Vec<Delivery>) {
        let readers: usize = batch.iter().map(|delivery| delivery.readers.len()).sum();
        self.0.fetch_add(readers as u64, Ordering::Relaxed);
    }
}

fn request(tenant: TenantId, chat: ChatId, ids: &dyn Ids, command: ChatCommand) -> Request {
    Request {
        stream: StreamId::new(tenant, StreamKey::Chat(chat)),
        command: AnyCommand::Chat(command),
        id: CommandId::from_uuid(ids.uuid_v7(Timestamp(0))),
        digest: 0,
        actor: Actor::Operator,
        correlation: Uuid::nil(),
        causation: Uuid::nil(),
    }
}

fn post(sender: UserId, ids: &dyn Ids, now: Timestamp, text: &str) -> ChatCommand {
    ChatCommand::Post(Box::new(PostMessage {
        sender,
        client_message: ClientMessageId::from_uuid(ids.uuid_v7(now)),
        message: MessageId::from_uuid(ids.uuid_v7(now)),
        fresh_conversation: ConversationId::from_uuid(ids.uuid_v7(now)),
        digest: ContentDigest(1),
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

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = [11, 12].iter().filter_map(|index| fields.get(*index)?.parse::<f64>().ok()).sum();
    ticks / 100.0
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (pairs, seconds) = (number("PAIRS", 500), number("SECONDS", 5));
    let dir = tempfile::tempdir()?;
    let log: Arc<dyn EventLog> = Arc::new(EmbeddedLog::open(dir.path(), &Options::default())?);
    let keys = Arc::new(MemoryKeyStore::seeded(1));
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(CountingIds::default()));
    let snapshots = Arc::new(SnapshotStore::open(dir.path())?);
    let sink = Arc::new(Counter::default());
    let store = Arc::new(SqliteViewStore::open(&dir.path().join("views.db"))?);
    let views = Views::open(store, Arc::clone(&log), sink.clone(), RunnerOptions::default()).await?;
    let owner = Owner::new(ShardId(0), 1, Timestamp(0), OwnerLimits::default(), keys.clone(), ids.clone());
    let (bus, stop) = owner_task::start(owner, Arc::clone(&log), snapshots, clock.clone());
    let tenant: TenantId = "bench".parse()?;
    let text = "亲，您好，请问这件商品什么时候发货？".repeat(4);
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let (cpu, began) = (cpu_seconds(), Instant::now());
    let mut tasks = Vec::new();
    for pair in 0..pairs {
        let (bus, keys, ids, clock, text) = (bus.clone(), keys.clone(), ids.clone(), clock.clone(), text.clone());
        tasks.push(tokio::spawn(async move {
            let (customer, chat) = (UserId::from_u128(u128::from(pair) + 1), ChatId::from_u128(u128::from(pair) + 1));
            keys.ensure(tenant, customer.into()).await.expect("memory gives keys");
            let open = ChatCommand::Open { shop: "shop".parse().expect("a slug"), customer };
            bus.execute(request(tenant, chat, ids.as_ref(), open)).await.expect("opens");
            let mut latencies = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3).expect("three digits");
            while Instant::now() < deadline {
                let sent = Instant::now();
                bus.execute(request(tenant, chat, ids.as_ref(), post(customer, ids.as_ref(), clock.now(), &text))).await.expect("posts");
                latencies.saturating_record(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            latencies
        }));
    }
    let mut latencies = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3)?;
    for task in tasks {
        latencies.add(task.await?)?;
    }
    let sent = latencies.len();
    let wall = began.elapsed().as_secs_f64();
    views.at_least(log.head().await?).await?;
    let cpu = cpu_seconds() - cpu;
    println!(
        "{pairs} senders: {:.0} messages/s, acked p50 {:.2} ms p99 {:.2} ms, {:.2} CPU-s/10k, delivered to {} readers",
        sent as f64 / wall,
        latencies.value_at_quantile(0.5) as f64 / 1e3,
        latencies.value_at_quantile(0.99) as f64 / 1e3,
        cpu / sent as f64 * 1e4,
        sink.0.load(Ordering::Relaxed),
    );
    stop.stop().await;
    views.close().await;
    Ok(())
}
