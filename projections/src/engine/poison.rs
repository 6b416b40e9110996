//! What happens at an event that a view cannot take: the view stands still for that tenant, and goes on by a verdict.
//!
//! A verdict is an event of the tenant. *Retry* takes the tenant's events into the view again from the one it stood at, *skip*
//! from the one after it, up to the verdict itself; then the view is in step again. A verdict to skip holds in every rebuild,
//! also when the program could take the event by now: verdicts of a tenant are therefore looked up when its first event comes
//! by. What a replay adds to feeds is not delivered: devices find it by the index of their feed.

use application::log::decoded::DecodedEvent;
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::{CommitPosition, ReadError};
use application::queries::EventRef;
use domain::event::Event;
use domain::ids::TenantId;
use domain::tenant::event::{ConsumerResumed, PoisonVerdict, TenantEvent};

use super::consumer::StopRecord;
use super::{Engine, Halt, Ordained, event_ref};
use crate::decode::{DecodedCommit, decode};
use crate::projection::Projection;
use crate::view_set::VIEWS;

/// Commits read at a time when the log is read again.
const PAGE_COMMITS: usize = 1_024;

impl Engine {
    pub(super) fn stop(&mut self, view: usize, tenant: TenantId, at: EventRef, cause: String) {
        tracing::error!(
            consumer = VIEWS[view].name, tenant.id = %tenant, commit = at.commit.0, index = at.index, cause, "view stands still for a tenant"
        );
        self.stops_changed += 1;
        self.consumers[view].stop(tenant, StopRecord { at, cause });
    }

    /// Decodes a commit.
    pub(super) fn decoded(stored: application::ports::event_log::StoredCommit) -> Result<DecodedCommit, Halt> {
        let at = stored.position;
        decode(stored).map_err(|cause| Halt::Commit { at, cause })
    }

    /// Looks up the verdicts of a tenant that comes by for the first time.
    pub(super) fn look_ahead(&mut self, tenant: TenantId) -> Result<(), Halt> {
        if !self.seen.insert(tenant) {
            return Ok(());
        }
        let stream = StreamId::new(tenant, StreamKey::Tenant);
        let mut from_version = 1;
        loop {
            let page = match self.source.read_stream(stream, from_version, PAGE_COMMITS) {
                Ok(page) => page,
                // Verdicts of a tenant that is gone are gone with it.
                Err(ReadError::Gone) => return Ok(()),
                Err(error @ (ReadError::Unavailable { .. } | ReadError::Corrupt { .. })) => return Err(error.into()),
            };
            let Some(last) = page.last().cloned() else { return Ok(()) };
            for stored in page {
                let commit = Self::decoded(stored)?;
                from_version = commit.says.header.last_version() + 1;
                for event in &commit.says.events {
                    if let Some(verdict) = verdict(event)
                        && verdict.verdict == PoisonVerdict::Skip
                        && let Some(view) = VIEWS.iter().position(|info| info.name == verdict.consumer)
                        && commit.stored.position <= self.horizons[view]
                    {
                        self.ordained.insert((view, tenant, judged(verdict)), Ordained::Skip);
                    }
                }
            }
            if Self::decoded(last)?.says.header.tombstone {
                return Ok(());
            }
        }
    }

    /// Goes on with a view that stands still for a tenant, if this event is the verdict it waits for: replays what it missed
    /// before `until`.
    pub(super) fn resume(
        &mut self,
        view: usize,
        projection: &mut dyn Projection,
        tenant: TenantId,
        until: EventRef,
        event: &DecodedEvent,
    ) -> Result<(), Halt> {
        let Some(verdict) = verdict(event) else { return Ok(()) };
        let Some(stopped_at) = self.consumers[view].stopped.get(&tenant).map(|stop| stop.at) else { return Ok(()) };
        if verdict.consumer != VIEWS[view].name || judged(verdict) != stopped_at {
            return Ok(());
        }
        self.stops_changed += 1;
        self.consumers[view].resume(tenant);
        let place = (view, tenant, stopped_at);
        match verdict.verdict {
            PoisonVerdict::Skip => {
                self.ordained.insert(place, Ordained::Skip);
            }
            PoisonVerdict::Retry if until.commit > self.horizons[view] => {
                self.ordained.remove(&place);
            }
            PoisonVerdict::Retry => {}
        }
        tracing::info!(
            consumer = VIEWS[view].name, tenant.id = %tenant, commit = stopped_at.commit.0, verdict = ?verdict.verdict, "view goes on for a tenant"
        );
        self.replay(view, projection, tenant, stopped_at, until)
    }

    /// Takes a tenant's events into one view again: those from one place on and before another.
    fn replay(
        &mut self,
        view: usize,
        projection: &mut dyn Projection,
        tenant: TenantId,
        from: EventRef,
        until: EventRef,
    ) -> Result<(), Halt> {
        let mut after = CommitPosition(from.commit.0.saturating_sub(1));
        while after < until.commit {
            let page = self.source.read_shard(after, PAGE_COMMITS)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.position;
            for stored in page {
                if stored.position > until.commit {
                    return Ok(());
                }
                let commit = Self::decoded(stored)?;
                if commit.says.header.stream.tenant != tenant {
                    continue;
                }
                for index in 0..commit.says.events.len() {
                    let at = event_ref(commit.stored.position, index);
                    if at >= from && at < until {
                        self.apply_event(view, projection, &commit, index)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn verdict(event: &DecodedEvent) -> Option<&ConsumerResumed> {
    match event {
        DecodedEvent::Known(_, Event::Tenant(TenantEvent::ConsumerResumed(verdict))) => Some(verdict),
        DecodedEvent::Known(_, _) | DecodedEvent::Poison(_) => None,
    }
}

fn judged(verdict: &ConsumerResumed) -> EventRef {
    EventRef { commit: CommitPosition(verdict.commit), index: verdict.index }
}
