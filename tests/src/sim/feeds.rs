//! The feeds over what the simulation wrote: contiguous, the same however they were made, and to nobody what is not theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use adapters::event_log::memory::MemoryLog;
use application::log::stream::StreamId;
use application::ports::event_log::{CommitPosition, ReadError, StoredCommit};
use application::queries::{EventRef, FeedKind};
use domain::ids::{TenantId, UserId};
use projections::decode::decode;
use projections::engine::{Engine, LogSource};
use projections::store::{MemoryStore, ViewStore};

use super::Random;
use super::world::World;
use crate::recount::{Placed, Recount, Told};

/// The simulated log, as the views read it.
pub(super) struct Source(pub(super) MemoryLog);

impl LogSource for Source {
    fn read_shard(&self, after: CommitPosition, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        self.0.core().read_shard(after, commits_max)
    }

    fn read_stream(&self, stream: StreamId, from_version: u64, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        self.0.core().read_stream(stream, from_version, commits_max)
    }
}

type Feeds = BTreeMap<(TenantId, UserId), Vec<(EventRef, FeedKind)>>;

/// The feeds, made in pieces of a random size, with a restart between some of them.
fn feeds(world: &World, readers: &BTreeSet<(TenantId, UserId)>, random: &mut Random, restarts: bool) -> Result<Feeds, String> {
    let store: Arc<dyn ViewStore> = Arc::new(MemoryStore::default());
    let open = || {
        let source = Arc::new(Source(world.shared.log.clone()));
        Engine::open(Arc::clone(&store), source).map_err(|halt| format!("the views do not open: {halt}"))
    };
    let mut engine = open()?;
    while engine.position() < world.shared.log.core().head() {
        let piece = world.shared.log.core().read_shard(engine.position(), 1 + random.below(60)).map_err(|error| error.to_string())?;
        let decoded = piece.into_iter().map(|stored| decode(stored).map_err(|error| error.to_string())).collect::<Result<_, _>>()?;
        engine.apply(decoded, CommitPosition(u64::MAX)).map_err(|halt| format!("the views halt: {halt}"))?;
        if restarts && random.once_in(3) {
            if random.once_in(2) {
                engine.checkpoint().map_err(|error| error.to_string())?;
            }
            engine = open()?;
        }
    }
    if let Some(stopped) = engine.stopped().first() {
        return Err(format!("a view stands still: {stopped:?}"));
    }
    let views = engine.views();
    let mut feeds = Feeds::new();
    for (tenant, user) in readers {
        let items = views.feed().items(*tenant, *user, 0, usize::MAX).map_err(|error| error.to_string())?;
        for (nth, item) in (1..).zip(&items) {
            if item.index != nth {
                return Err(format!("the feed of {user} has {} at place {nth}", item.index));
            }
        }
        feeds.insert((*tenant, *user), items.into_iter().map(|item| (item.at, item.kind)).collect());
    }
    Ok(feeds)
}

/// Who must see which messages, by the raw events.
fn due(events: &[Placed]) -> Result<BTreeMap<(TenantId, UserId), Vec<EventRef>>, String> {
    let mut due: BTreeMap<(TenantId, UserId), Vec<EventRef>> = BTreeMap::new();
    let mut recount = Recount::default();
    for placed in events {
        if let Told::Said { to, .. } = recount.take(placed)? {
            for user in to {
                due.entry((placed.stream.tenant, user)).or_default().push(placed.at);
            }
        }
    }
    Ok(due)
}

/// # Errors
/// What is broken.
pub fn check(world: &World, events: &[Placed]) -> Result<(), String> {
    let due = due(events)?;
    let readers: BTreeSet<(TenantId, UserId)> = due.keys().copied().collect();
    let mut random = Random::new(world.shared.log.core().head().0);
    let once = feeds(world, &readers, &mut random, false)?;
    let again = feeds(world, &readers, &mut random, true)?;
    for (who, feed) in &once {
        if again.get(who) != Some(feed) {
            return Err(format!("the feed of {} is numbered in another way after restarts", who.1));
        }
        let messages: Vec<EventRef> = feed.iter().filter(|(_, kind)| *kind == FeedKind::Message).map(|(at, _)| *at).collect();
        if due.get(who) != Some(&messages) {
            return Err(format!("the feed of {} has other messages than were said to them", who.1));
        }
    }
    Ok(())
}
