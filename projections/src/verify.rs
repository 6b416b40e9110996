//! Whether the stored views are what the log says: compared row by row with a fresh rebuild, at their saved position and again
//! after both have caught up; and invariants that raw events must keep, read by code of its own.
//!
//! Nothing is written to the store: what the stored views take in here is kept beside it.

mod compare;
mod desk;
mod invariants;
mod outreach;
mod overlay;
mod recount;

use std::sync::Arc;

use application::ports::event_log::{CommitPosition, EventLog};
use serde::Serialize;

use crate::decode::{DecodedCommit, decode};
use crate::engine::{Engine, Halt, LogSource, Positions};
use crate::runner::{BlockingLog, Driver};
use crate::store::{MemoryStore, StoreError, ViewStore};
use crate::view_set::VIEWS;
use compare::Comparison;
pub use compare::Difference;
use invariants::Invariants;
use overlay::OverlayStore;

/// Commits read at a time.
const PAGE_COMMITS: usize = 1_024;
/// Changed rows after which a rebuild writes them out.
const PENDING_ROWS_MAX: usize = 100_000;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// Whether everything is as it should be.
    pub ok: bool,
    /// The newest commit that was looked at.
    pub head: CommitPosition,
    /// Each view.
    pub views: Vec<ViewReport>,
    /// Each invariant.
    pub invariants: Vec<InvariantReport>,
}

/// What was found about a view.
#[derive(Clone, Debug, Serialize)]
pub struct ViewReport {
    /// Its name.
    pub name: &'static str,
    /// Its version in this program.
    pub version: u32,
    /// Its saved position.
    pub position: CommitPosition,
    /// Events it took in while it was rebuilt.
    pub events: u64,
    /// How many of them a second, decoding and writing not included.
    pub events_per_s: u64,
    /// Rows compared, at the saved position and at the head together.
    pub rows_compared: u64,
    /// How many rows differ.
    pub different: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

/// What was found about an invariant.
#[derive(Clone, Debug, Serialize)]
pub struct InvariantReport {
    /// What must hold.
    pub name: &'static str,
    /// How many things were looked at.
    pub checked: u64,
    /// How many of them break it.
    pub violated: u64,
    /// The first of them, in words.
    pub violations: Vec<String>,
}

/// Verifies a store against its log. The rebuild is kept in memory; [`verify_beside`] keeps it elsewhere.
///
/// # Errors
/// [`Halt`] when log or store cannot be read.
pub async fn verify(log: Arc<dyn EventLog>, store: Arc<dyn ViewStore>) -> Result<VerifyReport, Halt> {
    verify_beside(log, store, Arc::new(MemoryStore::default())).await
}

/// Verifies a store against its log, with the rebuild in an empty store of its own.
///
/// # Errors
/// [`Halt`] when log or store cannot be read.
pub async fn verify_beside(log: Arc<dyn EventLog>, store: Arc<dyn ViewStore>, beside: Arc<dyn ViewStore>) -> Result<VerifyReport, Halt> {
    let head = log.head().await?;
    let source: Arc<dyn LogSource> = Arc::new(BlockingLog { log, driver: Driver::new()? });
    tokio::task::spawn_blocking(move || Verification::begin(&source, store, beside, head)?.run(&*source))
        .await
        .map_err(|error| Halt::Store(StoreError { reason: error.to_string() }))?
}

/// A verification under way.
struct Verification {
    head: CommitPosition,
    stored: Arc<dyn ViewStore>,
    /// The stored views; they are advanced over the store, not in it. None when a row is so wrong that they do not open: then
    /// the comparison at the saved position has to do, and it finds that row.
    advanced: Option<(Arc<dyn ViewStore>, Engine)>,
    saved: Vec<Positions>,
    rebuilt: Arc<dyn ViewStore>,
    rebuilt_views: Engine,
    comparisons: Vec<Comparison>,
    invariants: Invariants,
}

impl Verification {
    fn begin(
        source: &Arc<dyn LogSource>,
        stored: Arc<dyn ViewStore>,
        rebuilt: Arc<dyn ViewStore>,
        head: CommitPosition,
    ) -> Result<Self, Halt> {
        let (saved, stopped) = Engine::saved(&*stored)?;
        let over: Arc<dyn ViewStore> = Arc::new(OverlayStore::new(Arc::clone(&stored)));
        let advanced = match Engine::open(Arc::clone(&over), Arc::clone(source)) {
            Ok(engine) => Some((over, engine)),
            Err(Halt::Open(error)) => {
                tracing::error!(%error, "the stored views do not open");
                None
            }
            Err(halt @ (Halt::Store(_) | Halt::Log(_) | Halt::Commit { .. })) => return Err(halt),
        };
        let mut rebuilt_views = Engine::open(Arc::clone(&rebuilt), Arc::clone(source))?;
        let furthest = saved.iter().map(|view| view.position).max().unwrap_or_default();
        rebuilt_views.repeat(stopped, saved.iter().map(|view| view.position).collect());
        let comparisons = VIEWS.iter().map(|_| Comparison::default()).collect();
        let invariants = Invariants::default();
        Ok(Self { head: head.max(furthest), stored, advanced, saved, rebuilt, rebuilt_views, comparisons, invariants })
    }

    fn run(mut self, source: &dyn LogSource) -> Result<VerifyReport, Halt> {
        let mut stops: Vec<CommitPosition> = self.saved.iter().map(|view| view.position).collect();
        stops.push(self.head);
        stops.sort_unstable();
        stops.dedup();
        let mut after = CommitPosition(0);
        for stop in stops {
            self.advance(source, &mut after, stop)?;
            self.rebuilt_views.checkpoint()?;
            for (saved, comparison) in self.saved.iter().zip(&mut self.comparisons) {
                if saved.position == stop {
                    comparison.compare(saved.info, &*self.stored, &*self.rebuilt)?;
                }
            }
        }
        if let Some((advanced, views)) = &mut self.advanced {
            views.checkpoint()?;
            for (comparison, info) in self.comparisons.iter_mut().zip(VIEWS) {
                comparison.compare(info, &**advanced, &*self.rebuilt)?;
            }
        }
        let opened = self.advanced.is_some();
        let invariants = self.invariants.report(self.advanced.as_ref().map_or(&self.rebuilt_views, |(_, views)| views));
        let rebuilt = self.rebuilt_views.positions();
        let view = |((saved, rebuilt), comparison): ((&Positions, &Positions), Comparison)| ViewReport {
            name: saved.info.name,
            version: saved.info.version,
            position: saved.position,
            events: rebuilt.events,
            events_per_s: per_second(rebuilt),
            rows_compared: comparison.rows,
            different: comparison.different,
            differences: comparison.first,
        };
        let views: Vec<ViewReport> = self.saved.iter().zip(&rebuilt).zip(self.comparisons).map(view).collect();
        let ok = opened && views.iter().all(|view| view.different == 0) && invariants.iter().all(|invariant| invariant.violated == 0);
        Ok(VerifyReport { ok, head: self.head, views, invariants })
    }

    /// Takes the log in up to a position: into the rebuild, into the stored views beyond their own positions, and into the
    /// recount.
    fn advance(&mut self, source: &dyn LogSource, after: &mut CommitPosition, until: CommitPosition) -> Result<(), Halt> {
        let nowhere = CommitPosition(u64::MAX);
        while *after < until {
            let mut page = source.read_shard(*after, PAGE_COMMITS)?;
            page.retain(|commit| commit.position <= until);
            let Some(last) = page.last() else { return Ok(()) };
            *after = last.position;
            let mut commits: Vec<DecodedCommit> = Vec::with_capacity(page.len());
            for stored in page {
                let at = stored.position;
                self.invariants.commit(&stored).map_err(|cause| Halt::Commit { at, cause })?;
                commits.push(decode(stored).map_err(|cause| Halt::Commit { at, cause })?);
            }
            if let Some((_, views)) = &mut self.advanced
                && self.saved.iter().any(|view| view.position < *after)
            {
                views.apply(commits.clone(), nowhere)?;
                checkpoint_if_full(views)?;
            }
            self.rebuilt_views.apply(commits, nowhere)?;
            checkpoint_if_full(&mut self.rebuilt_views)?;
        }
        Ok(())
    }
}

fn checkpoint_if_full(engine: &mut Engine) -> Result<(), StoreError> {
    if engine.pending() >= PENDING_ROWS_MAX { engine.checkpoint() } else { Ok(()) }
}

fn per_second(view: &Positions) -> u64 {
    let nanos = view.spent.as_nanos().max(1);
    u64::try_from(u128::from(view.events) * 1_000_000_000 / nanos).unwrap_or(u64::MAX)
}
