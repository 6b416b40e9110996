//! The timers of the simulated world: a view over the log, made anew after every crash, whose timers fire late, early in another
//! instance's eyes, and more than once.

use std::sync::Arc;

use adapters::timer_task::firing;
use application::command::Request;
use application::ports::event_log::CommitPosition;
use application::queries::TimerRow;
use domain::ids::TenantId;
use domain::tenant::event::Limits;
use domain::time::Timestamp;
use projections::decode::decode;
use projections::engine::{Engine, LogSource};
use projections::store::{MemoryStore, ViewStore};

use super::feeds::Source;
use super::instance::Shared;

/// Commits that the view takes in at a time.
const PIECE: usize = 1_000;

/// The view.
pub(super) struct Timers {
    engine: Option<Engine>,
}

impl Timers {
    pub fn new() -> Self {
        Self { engine: None }
    }

    /// The process that held it died.
    pub fn forget(&mut self) {
        self.engine = None;
    }

    /// What is due, as commands.
    pub fn due(&mut self, shared: &Shared, now: Timestamp) -> Vec<Request> {
        let limits = Limits::default();
        self.rows(shared, now).into_iter().map(|(tenant, timer)| firing(tenant, &timer, limits)).collect()
    }

    /// What is due.
    pub fn rows(&mut self, shared: &Shared, now: Timestamp) -> Vec<(TenantId, TimerRow)> {
        let engine = self.engine.get_or_insert_with(|| {
            let store: Arc<dyn ViewStore> = Arc::new(MemoryStore::default());
            Engine::open(store, Arc::new(Source(shared.log.clone()))).unwrap_or_else(|halt| panic!("the views do not open: {halt}"))
        });
        let source = Source(shared.log.clone());
        while engine.position() < shared.log.core().head() {
            let piece = source.read_shard(engine.position(), PIECE).expect("the simulated log is whole");
            let decoded = piece.into_iter().map(|stored| decode(stored).expect("our own commit")).collect();
            engine.apply(decoded, CommitPosition(u64::MAX)).unwrap_or_else(|halt| panic!("the views halt: {halt}"));
        }
        engine.views().timers().due(now, usize::MAX).unwrap_or_else(|error| panic!("the timers cannot be read: {error}"))
    }
}
