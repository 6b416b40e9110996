//! Follows the log for a consumer whose work takes its time: of each chat one thing after the other, of different chats side by side,
//! within bounds, so that whoever is slow holds up nobody else.
//!
//! How far it is lies in a checkpoint. After a failure that may pass, and after a crash, it begins again there; that nothing is done
//! twice is the carrier's to see to.

use std::collections::VecDeque;
use std::sync::Arc;

use application::error::CommandError;
use application::ports::checkpoints::Checkpoints;
use application::ports::event_log::{CommitPosition, EventLog, ReadError, StoredCommit};
use domain::ids::{ChatId, TenantId};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use hashbrown::HashMap;
use tokio::sync::watch;
use tokio::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::unfinished::Unfinished;

/// Commits between two saved checkpoints.
const COMMITS_PER_CHECKPOINT: u64 = 1_024;
/// Commits that may lie behind the oldest thing under way: a second of a busy shard for each second that it may take.
const COMMITS_BEHIND: usize = 1 << 19;
/// Wait before going on after a failure that may pass.
const RETRY_WAIT: Duration = Duration::from_millis(100);

/// Why it could not go on; it begins again at its last position.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    #[error("the log cannot be read: {0}")]
    Log(#[from] ReadError),
    #[error("a command could not be carried out: {0}")]
    Command(#[from] CommandError),
}

/// Whose order is kept.
pub(crate) type Place = (TenantId, ChatId);

/// How much may be under way or wait; what is more is given up.
pub(crate) struct Bounds {
    /// All together; beyond it nothing more is read.
    pub all: usize,
    /// Of one tenant.
    pub of_tenant: usize,
    /// Of a chat, behind what is under way in it.
    pub behind: usize,
}

/// Who does the work.
pub(crate) trait Carrier: Send + Sync + 'static {
    /// The name among the consumers' checkpoints.
    const CONSUMER: &'static str;
    /// How much at a time.
    const BOUNDS: Bounds;
    /// One thing to do.
    type Item: Send + Sync + 'static;
    /// What is known while the log is read.
    type Finder: Send;

    /// Begins to read after a position.
    fn begin(&self, done: CommitPosition) -> impl Future<Output = Self::Finder> + Send;
    /// What is to be done because of a commit, and where.
    fn find(finder: &mut Self::Finder, commit: &StoredCommit) -> Vec<(Place, Self::Item)>;
    /// Does it.
    fn carry(&self, item: &Self::Item, commit: CommitPosition) -> impl Future<Output = Result<(), Halt>> + Send;
    /// Does what is left when it cannot be done in its turn: nothing that could come in the wrong order.
    fn give_up(&self, item: &Self::Item, commit: CommitPosition) -> impl Future<Output = Result<(), Halt>> + Send;
}

/// See the file's head.
pub(crate) struct Follower<C> {
    carrier: Arc<C>,
    log: Arc<dyn EventLog>,
    checkpoints: Arc<dyn Checkpoints>,
    done: CommitPosition,
    saved: CommitPosition,
    reached: watch::Sender<CommitPosition>,
}

impl<C: Carrier> Follower<C> {
    /// Goes on from the checkpoint. The watch tells how far it is.
    pub fn new(carrier: C, log: Arc<dyn EventLog>, checkpoints: Arc<dyn Checkpoints>) -> (Self, watch::Receiver<CommitPosition>) {
        let loaded = checkpoints.load(C::CONSUMER);
        let done: CommitPosition = loaded.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let (reached, watching) = watch::channel(done);
        (Self { carrier: Arc::new(carrier), log, checkpoints, done, saved: done, reached }, watching)
    }

    /// Runs until cancelled.
    pub async fn run(mut self, cancel: CancellationToken) {
        loop {
            let halt = tokio::select! {
                halt = self.follow() => halt,
                () = cancel.cancelled() => break,
            };
            if let Err(error) = halt {
                tracing::warn!(consumer = C::CONSUMER, %error, commit = self.done.0, "a consumer begins again where it was");
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
        let mut finder = self.carrier.begin(self.done).await;
        let mut under_way = UnderWay::new(Arc::clone(&self.carrier));
        loop {
            tokio::select! {
                batch = subscription.next(), if under_way.has_room() => {
                    for commit in batch? {
                        under_way.take(commit.position, C::find(&mut finder, &commit));
                    }
                }
                over = under_way.next(), if under_way.is_busy() => over?,
            }
            if let Some(done) = under_way.unfinished.advance() {
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
            Ok(bytes) => self.checkpoints.save(C::CONSUMER, &bytes),
            Err(error) => tracing::error!(consumer = C::CONSUMER, %error, "a consumer's checkpoint cannot be written"),
        }
        self.saved = self.done;
    }
}

/// What is over: its commit, its place, whether others wait for it there, and what became of it.
type Over = (CommitPosition, Place, bool, Result<(), Halt>);

/// Everything that is under way or waits for its turn.
struct UnderWay<C: Carrier> {
    carrier: Arc<C>,
    open: FuturesUnordered<BoxFuture<'static, Over>>,
    /// What waits behind what is under way in a chat.
    behind: HashMap<Place, VecDeque<(CommitPosition, C::Item)>>,
    of_tenant: HashMap<TenantId, usize>,
    unfinished: Unfinished,
    /// All of it together.
    items: usize,
}

impl<C: Carrier> UnderWay<C> {
    fn new(carrier: Arc<C>) -> Self {
        let (behind, of_tenant) = (HashMap::new(), HashMap::new());
        Self { carrier, open: FuturesUnordered::new(), behind, of_tenant, unfinished: Unfinished::default(), items: 0 }
    }

    fn has_room(&self) -> bool {
        self.items < C::BOUNDS.all && self.unfinished.commits() < COMMITS_BEHIND
    }

    fn is_busy(&self) -> bool {
        !self.open.is_empty()
    }

    fn take(&mut self, position: CommitPosition, found: Vec<(Place, C::Item)>) {
        self.unfinished.begin(position, found.len());
        for (place, item) in found {
            self.items += 1;
            let of_tenant = self.of_tenant.entry(place.0).or_default();
            *of_tenant += 1;
            let too_many = *of_tenant > C::BOUNDS.of_tenant;
            match self.behind.get_mut(&place) {
                Some(behind) if too_many || behind.len() >= C::BOUNDS.behind => self.give_up(position, place, item),
                None if too_many => self.give_up(position, place, item),
                Some(behind) => behind.push_back((position, item)),
                None => {
                    self.behind.insert(place, VecDeque::new());
                    self.begin(position, place, item);
                }
            }
        }
    }

    fn begin(&self, position: CommitPosition, place: Place, item: C::Item) {
        let carrier = Arc::clone(&self.carrier);
        self.open.push(async move { (position, place, true, carrier.carry(&item, position).await) }.boxed());
    }

    /// Out of turn.
    fn give_up(&self, position: CommitPosition, place: Place, item: C::Item) {
        let carrier = Arc::clone(&self.carrier);
        self.open.push(async move { (position, place, false, carrier.give_up(&item, position).await) }.boxed());
    }

    /// Waits until something is over, and begins the next of its chat.
    async fn next(&mut self) -> Result<(), Halt> {
        let Some((position, place, in_turn, over)) = self.open.next().await else { return Ok(()) };
        over?;
        self.items -= 1;
        if let Some(of_tenant) = self.of_tenant.get_mut(&place.0) {
            *of_tenant -= 1;
            if *of_tenant == 0 {
                self.of_tenant.remove(&place.0);
            }
        }
        self.unfinished.done_one(position);
        if in_turn {
            match self.behind.get_mut(&place).and_then(VecDeque::pop_front) {
                Some((position, item)) => self.begin(position, place, item),
                None => drop(self.behind.remove(&place)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
