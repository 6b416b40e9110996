//! Providers: seats at desks of their own, which are called over signed HTTP. Follows the log, and tells each what concerns it, of
//! one chat one thing after the other.
//!
//! It is a consumer of its own, so that a provider that is slow or down holds up neither a policy nor another tenant. Calls carry the
//! ids of their facts, and so do the commands that follow, so that a restart repeats nothing. What a provider says by itself comes in
//! at `crate::http::routes::provider::inbound`.

pub mod calls;
pub mod connections;
pub mod courier;
mod told;

use std::collections::VecDeque;
use std::sync::Arc;

use application::error::CommandError;
use application::ports::checkpoints::Checkpoints;
use application::ports::event_log::{CommitPosition, EventLog, ReadError, StoredCommit};
use domain::ids::{ChatId, TenantId};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use hashbrown::{HashMap, HashSet};
use tokio::sync::watch;
use tokio::time::Duration;
use tokio_util::sync::CancellationToken;

use self::courier::Courier;
use self::told::Told;
use crate::unfinished::Unfinished;

/// The name among the consumers' checkpoints.
const CONSUMER: &str = "providers";
/// Commits between two saved checkpoints.
const COMMITS_PER_CHECKPOINT: u64 = 1_024;
/// Calls that may be under way or wait, all together.
const CALLS_OPEN: usize = 16_384;
/// Calls of one tenant: a provider that is down takes nobody else's place.
const CALLS_OF_TENANT: usize = 1_024;
/// Calls of a chat behind the one under way: whoever writes more to a provider that hears nothing has somebody else.
const BEHIND_MAX: usize = 64;
/// Commits that may lie behind the oldest call under way.
const COMMITS_BEHIND: usize = 1 << 19;
/// Wait before going on after a failure that may pass.
const RETRY_WAIT: Duration = Duration::from_millis(100);

/// Why it could not go on; it begins again at its last position.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    #[error("the log cannot be read: {0}")]
    Log(#[from] ReadError),
    #[error("a command could not be carried out: {0}")]
    Command(#[from] CommandError),
}

/// See the file's head.
pub struct ProviderTask {
    courier: Arc<Courier>,
    log: Arc<dyn EventLog>,
    checkpoints: Arc<dyn Checkpoints>,
    done: CommitPosition,
    saved: CommitPosition,
    reached: watch::Sender<CommitPosition>,
}

impl ProviderTask {
    /// Goes on from the checkpoint. The watch tells how far it is.
    pub fn new(courier: Courier, checkpoints: Arc<dyn Checkpoints>) -> (Self, watch::Receiver<CommitPosition>) {
        let done: CommitPosition = checkpoints.load(CONSUMER).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let (reached, watching) = watch::channel(done);
        let log = Arc::clone(&courier.log);
        (Self { courier: Arc::new(courier), log, checkpoints, done, saved: done, reached }, watching)
    }

    /// Runs until cancelled.
    pub async fn run(mut self, cancel: CancellationToken) {
        loop {
            let halt = tokio::select! {
                halt = self.follow() => halt,
                () = cancel.cancelled() => break,
            };
            if let Err(error) = halt {
                tracing::warn!(%error, commit = self.done.0, "calls to providers begin again where they were");
            }
            tokio::select! {
                () = tokio::time::sleep(RETRY_WAIT) => {}
                () = cancel.cancelled() => break,
            }
        }
        self.save();
    }

    async fn follow(&mut self) -> Result<(), Halt> {
        let mut subscription = self.log.subscribe(self.done).await?;
        while self.courier.views.at_least(self.done).await.is_err() {
            tracing::warn!(commit = self.done.0, "calls to providers wait for the read models");
        }
        let mut calling = Calling::new(Arc::clone(&self.courier));
        loop {
            tokio::select! {
                batch = subscription.next(), if calling.has_room() => {
                    for commit in batch? {
                        calling.take(&commit);
                    }
                }
                called = calling.next(), if calling.is_busy() => called?,
            }
            if let Some(done) = calling.unfinished.advance() {
                self.done = done;
                self.reached.send_replace(done);
            }
            if self.done.0 >= self.saved.0 + COMMITS_PER_CHECKPOINT {
                self.save();
            }
        }
    }

    fn save(&mut self) {
        match serde_json::to_vec(&self.done) {
            Ok(bytes) => self.checkpoints.save(CONSUMER, &bytes),
            Err(error) => tracing::error!(%error, "the checkpoint of calls to providers cannot be written"),
        }
        self.saved = self.done;
    }
}

/// Whose order a call keeps.
type Place = (TenantId, ChatId);
/// A call under way: its commit, its tenant, its place if it keeps one, and what became of it.
type UnderWay = BoxFuture<'static, (CommitPosition, TenantId, Option<Place>, Result<(), Halt>)>;

/// Calls under way: of each chat one after the other, of different chats side by side.
struct Calling {
    courier: Arc<Courier>,
    /// Those that have, or had, providers.
    tenants: HashSet<TenantId>,
    open: FuturesUnordered<UnderWay>,
    /// What waits behind the call that is under way in a chat.
    behind: HashMap<Place, VecDeque<(CommitPosition, Told)>>,
    of_tenant: HashMap<TenantId, usize>,
    unfinished: Unfinished,
    /// All of them together.
    calls: usize,
}

impl Calling {
    fn new(courier: Arc<Courier>) -> Self {
        let has_one = |tenant: &TenantId| courier.views.tenant(*tenant).is_some_and(|row| !row.providers.is_empty());
        let tenants = courier.views.tenants().into_iter().filter(has_one).collect();
        let (behind, of_tenant) = (HashMap::new(), HashMap::new());
        Self { courier, tenants, open: FuturesUnordered::new(), behind, of_tenant, unfinished: Unfinished::default(), calls: 0 }
    }

    fn has_room(&self) -> bool {
        self.calls < CALLS_OPEN && self.unfinished.commits() < COMMITS_BEHIND
    }

    fn is_busy(&self) -> bool {
        !self.open.is_empty()
    }

    fn take(&mut self, commit: &StoredCommit) {
        let all = told::told(commit, &mut self.tenants);
        self.unfinished.begin(commit.position, all.len());
        for told in all {
            let (tenant, place) = (told.stream.tenant, (told.stream.tenant, told.chat));
            self.calls += 1;
            let of_tenant = self.of_tenant.entry(tenant).or_default();
            *of_tenant += 1;
            let too_many = *of_tenant > CALLS_OF_TENANT || self.behind.get(&place).is_some_and(|behind| behind.len() >= BEHIND_MAX);
            match self.behind.get_mut(&place) {
                _ if too_many => self.give_up(commit.position, told),
                Some(behind) => behind.push_back((commit.position, told)),
                None => {
                    self.behind.insert(place, VecDeque::new());
                    self.begin(commit.position, told);
                }
            }
        }
    }

    fn begin(&self, position: CommitPosition, told: Told) {
        let (courier, tenant, place) = (Arc::clone(&self.courier), told.stream.tenant, (told.stream.tenant, told.chat));
        self.open.push(async move { (position, tenant, Some(place), courier.carry(&told, position).await) }.boxed());
    }

    /// Out of turn: nothing is said, and so it is not said in the wrong order.
    fn give_up(&self, position: CommitPosition, told: Told) {
        let (courier, tenant) = (Arc::clone(&self.courier), told.stream.tenant);
        self.open.push(async move { (position, tenant, None, courier.give_up(&told, position).await) }.boxed());
    }

    /// Waits until one is over, and begins the next of its chat.
    async fn next(&mut self) -> Result<(), Halt> {
        let Some((position, tenant, place, called)) = self.open.next().await else { return Ok(()) };
        called?;
        self.calls -= 1;
        if let Some(of_tenant) = self.of_tenant.get_mut(&tenant) {
            *of_tenant -= 1;
            if *of_tenant == 0 {
                self.of_tenant.remove(&tenant);
            }
        }
        self.unfinished.done_one(position);
        if let Some(place) = place {
            match self.behind.get_mut(&place).and_then(VecDeque::pop_front) {
                Some((position, told)) => self.begin(position, told),
                None => drop(self.behind.remove(&place)),
            }
        }
        Ok(())
    }
}
