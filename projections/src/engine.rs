//! All views of a shard and how far each is: the machine that the runner drives, without threads or time.
//!
//! It takes decoded commits in log order, applies each to every view, and hands over what must be written together with the
//! positions. A view that meets an event it cannot take stands still for that tenant until an operator decides (`poison`);
//! everything else goes on.
//!
//! **Invariant.** What one [`Engine::begin_checkpoint`] hands over are, for each of its views, all changes up to the view's
//! position in it, and no other. Views may be handed over one at a time: each goes on from its own position.

mod consumer;
mod poison;

use std::ops::Range;
use std::sync::Arc;

use application::log::commit::InvalidCommit;
use application::log::decoded::DecodedEvent;
use application::log::stream::StreamId;
use application::ports::event_log::{CommitPosition, ReadError, StoredCommit};
use application::queries::{Delivery, EventRef, StoppedConsumer};
use domain::ids::TenantId;
use hashbrown::{HashMap, HashSet};

use crate::decode::DecodedCommit;
use crate::projection::{ApplyError, Fact, Projection, Reader};
use crate::store::{StoreError, ViewStore, WriteBatch};
use crate::view_set::{VIEWS, ViewSet};
use consumer::Consumer;
pub use consumer::{META_TABLE, Positions, StopRecord};

/// All of [`VIEWS`].
pub const EVERY_VIEW: Range<usize> = 0..VIEWS.len();

/// Reads the log and waits for the answer.
pub trait LogSource: Send + Sync {
    /// See [`application::ports::event_log::EventLog::read_shard`].
    ///
    /// # Errors
    /// [`ReadError`].
    fn read_shard(&self, after: CommitPosition, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError>;

    /// See [`application::ports::event_log::EventLog::read_stream`].
    ///
    /// # Errors
    /// [`ReadError`].
    fn read_stream(&self, stream: StreamId, from_version: u64, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError>;
}

/// Why the views of a shard stand still altogether. Nothing is written any more; a restart goes on from the last checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log failed where it had to be read again.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// A commit cannot be read at all, so nobody knows whose it is.
    #[error("commit {} cannot be read: {cause}", at.0)]
    Commit {
        /// Where it lies.
        at: CommitPosition,
        /// Why.
        cause: InvalidCommit,
    },
    /// The rows that say how far the views are, or rows needed to open a view, are unreadable: delete the store, it is rebuilt.
    #[error("cannot open the views: {0}")]
    Open(ApplyError),
}

/// See the file's head.
pub struct Engine {
    store: Arc<dyn ViewStore>,
    source: Arc<dyn LogSource>,
    views: Arc<ViewSet>,
    consumers: Vec<Consumer>,
    /// What an operator's verdict, found ahead of time, says about an event.
    ordained: HashMap<(usize, TenantId, EventRef), Ordained>,
    seen: HashSet<TenantId>,
    /// For each view, verdicts after this position are not known yet.
    horizons: Vec<CommitPosition>,
    /// Counts the changes of who stands still.
    stops_changed: u64,
}

/// What is known of an event before it is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ordained {
    /// An operator left it out for good.
    Skip,
    /// The view stands still here.
    Stop { cause: String },
}

impl Engine {
    /// Opens the views over a store, each at its saved position. A view whose version differs begins anew in tables of its own.
    ///
    /// # Errors
    /// [`Halt`].
    pub fn open(store: Arc<dyn ViewStore>, source: Arc<dyn LogSource>) -> Result<Self, Halt> {
        let mut clean = WriteBatch::default();
        let consumers = consumer::open(&*store, &mut clean)?;
        if !clean.is_empty() {
            store.write(&mut clean)?;
        }
        let views = Arc::new(ViewSet::open(&store).map_err(Halt::Open)?);
        Ok(Self {
            store,
            source,
            views,
            consumers,
            ordained: HashMap::new(),
            seen: HashSet::new(),
            horizons: vec![CommitPosition(u64::MAX); VIEWS.len()],
            stops_changed: 0,
        })
    }

    /// How far each view of a store is and who stands still, without opening the views.
    ///
    /// # Errors
    /// [`Halt`].
    pub fn saved(store: &dyn ViewStore) -> Result<(Vec<Positions>, Vec<StoppedConsumer>), Halt> {
        let consumers = consumer::open(store, &mut WriteBatch::default())?;
        let positions = consumers.iter().zip(VIEWS).map(|(consumer, info)| consumer.positions(info)).collect();
        Ok((positions, consumer::stopped(&consumers)))
    }

    /// Makes the views stand still where these did, and keeps each from knowing verdicts after a position: a rebuild then
    /// repeats what the views went through up to there.
    pub fn repeat(&mut self, stopped: Vec<StoppedConsumer>, horizons: Vec<CommitPosition>) {
        for stop in stopped {
            if let Some(view) = VIEWS.iter().position(|info| info.name == stop.consumer) {
                self.ordained.insert((view, stop.tenant, stop.at), Ordained::Stop { cause: stop.cause });
            }
        }
        self.horizons = horizons;
    }

    /// The views, to be asked.
    #[must_use]
    pub fn views(&self) -> Arc<ViewSet> {
        Arc::clone(&self.views)
    }

    /// The position that every view has reached.
    #[must_use]
    pub fn position(&self) -> CommitPosition {
        self.consumers.iter().map(|consumer| consumer.position).min().unwrap_or_default()
    }

    /// How far each view is, and what it cost.
    #[must_use]
    pub fn positions(&self) -> Vec<Positions> {
        self.consumers.iter().zip(VIEWS).map(|(consumer, info)| consumer.positions(info)).collect()
    }

    /// Which views stand still, for whom.
    #[must_use]
    pub fn stopped(&self) -> Vec<StoppedConsumer> {
        consumer::stopped(&self.consumers)
    }

    /// A number that changes whenever [`Self::stopped`] does.
    #[must_use]
    pub const fn stops_changed(&self) -> u64 {
        self.stops_changed
    }

    /// Takes commits in, in log order. What a view has taken before is passed over. Gives a delivery per event of the commits
    /// after `deliver_after`.
    ///
    /// # Errors
    /// [`Halt`]; the engine is of no further use then.
    pub fn apply(&mut self, commits: Vec<DecodedCommit>, deliver_after: CommitPosition) -> Result<Vec<Delivery>, Halt> {
        for commit in &commits {
            self.look_ahead(commit.says.header.stream.tenant)?;
        }
        let delivers = |commit: &DecodedCommit| commit.stored.position > deliver_after;
        let mut readers: Vec<(Vec<Reader>, Option<domain::ids::UserId>)> = Vec::new();
        let views = Arc::clone(&self.views);
        for (view, info) in VIEWS.iter().enumerate() {
            let before = std::time::Instant::now();
            let collects = info.name == crate::feed::INFO.name;
            views.with_mut(view, |projection| {
                for commit in &commits {
                    let new = commit.stored.position > self.consumers[view].position;
                    // Most commits are none of a view's business, and looking at their events is what costs.
                    let looks = new && (info.streams.meets(commit.streams) || commit.poisoned || self.is_troubled(view));
                    for index in 0..commit.says.events.len() {
                        if !looks && !collects {
                            break;
                        }
                        let taken = looks && self.apply_event(view, projection, commit, index)?;
                        if collects && delivers(commit) {
                            readers.push(if taken { (projection.take_readers(), projection.customer()) } else { (Vec::new(), None) });
                        }
                    }
                    if new {
                        self.consumers[view].events += commit.says.events.len() as u64;
                        self.consumers[view].position = commit.stored.position;
                    }
                }
                Ok::<(), Halt>(())
            })?;
            self.consumers[view].spent += before.elapsed();
        }
        let mut readers = readers.into_iter();
        let mut deliveries = Vec::with_capacity(readers.len());
        for commit in commits.into_iter().filter(delivers) {
            for index in 0..commit.says.events.len() {
                let at = event_ref(commit.stored.position, index);
                let (readers, customer) = readers.next().unwrap_or_default();
                // Nobody can be shown what cannot be read; it stands among the stopped consumers.
                deliveries.extend(Delivery::new(at, commit.stored.bytes.clone(), Arc::clone(&commit.says), readers, customer));
            }
        }
        Ok(deliveries)
    }

    /// Whether every event must be looked at: the view stands still for somebody, or there is a verdict about some event.
    fn is_troubled(&self, view: usize) -> bool {
        !self.consumers[view].stopped.is_empty() || !self.ordained.is_empty()
    }

    /// Applies one event to one view, unless the view stands still; tells whether the view took it.
    fn apply_event(&mut self, view: usize, projection: &mut dyn Projection, commit: &DecodedCommit, index: usize) -> Result<bool, Halt> {
        let tenant = commit.says.header.stream.tenant;
        let at = event_ref(commit.stored.position, index);
        if !self.consumers[view].stopped.is_empty() && self.consumers[view].stopped.contains_key(&tenant) {
            self.resume(view, projection, tenant, at, &commit.says.events[index])?;
            if self.consumers[view].stopped.contains_key(&tenant) {
                return Ok(false);
            }
        }
        if !self.ordained.is_empty()
            && let Some(ordained) = self.ordained.get(&(view, tenant, at)).cloned()
        {
            if let Ordained::Stop { cause } = ordained {
                self.stop(view, tenant, at, cause);
            }
            return Ok(false);
        }
        let (meta, event) = match &commit.says.events[index] {
            DecodedEvent::Known(meta, event) => (meta, event),
            DecodedEvent::Poison(error) => {
                self.stop(view, tenant, at, error.to_string());
                return Ok(false);
            }
        };
        let version = commit.says.header.first_version + index as u64;
        let fact = Fact { tenant, stream: commit.says.header.stream.key, at, version, time: commit.says.header.time, meta, event };
        match projection.apply(&fact) {
            Ok(()) => Ok(true),
            Err(ApplyError::Store(error)) => Err(error.into()),
            Err(poison) => {
                self.stop(view, tenant, at, poison.to_string());
                Ok(false)
            }
        }
    }

    /// How many rows wait to be written.
    #[must_use]
    pub fn pending(&self) -> usize {
        (0..VIEWS.len()).map(|view| self.views.with(view, |view| view.pending())).sum()
    }

    /// Hands over everything that changed in some of [`VIEWS`], with their positions. Several may be on their way to the store, in
    /// order; [`Self::end_checkpoint`] says which have arrived.
    pub fn begin_checkpoint(&mut self, views: Range<usize>) -> WriteBatch {
        let mut batch = WriteBatch::default();
        for view in views.clone() {
            self.views.with_mut(view, |view| view.flush(&mut batch));
        }
        consumer::write(&mut self.consumers[views], &*self.store, &mut batch);
        batch
    }

    /// What the oldest checkpoint on its way handed over, of these views, is in the store.
    pub fn end_checkpoint(&mut self, views: Range<usize>) {
        for view in views {
            self.views.with_mut(view, |view| view.wrote(1));
        }
    }

    /// Writes everything that changed, with the positions, and waits for it.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was written, and the engine is of no further use.
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        let mut batch = self.begin_checkpoint(EVERY_VIEW);
        self.store.write(&mut batch)?;
        self.end_checkpoint(EVERY_VIEW);
        Ok(())
    }
}

fn event_ref(commit: CommitPosition, index: usize) -> EventRef {
    EventRef { commit, index: u32::try_from(index).expect("a commit counts its events in 16 bits") }
}
