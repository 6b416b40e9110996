//! Commits as bytes to commits as facts, decoded once for all views. Private halves stay closed.

use std::sync::Arc;

use application::log::codec::{self, DecodeError, Reading};
use application::log::commit::{self, CommitHeader, EventMeta, InvalidCommit};
use application::ports::event_log::StoredCommit;
use domain::event::Event;

use crate::projection::Streams;

/// A commit, decoded.
#[derive(Clone, Debug)]
pub struct DecodedCommit {
    /// The bytes and the place.
    pub stored: StoredCommit,
    /// What it says about itself.
    pub header: Arc<CommitHeader>,
    /// Its events, in order.
    pub events: Vec<DecodedEvent>,
    /// The kind of its stream: a view that follows others need not look further.
    pub streams: Streams,
    /// Whether some event could not be read.
    pub poisoned: bool,
}

/// One event of a commit. Which of its halves could be read decides what happens to the views of its tenant.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are known: a box would only cost an allocation each")]
pub enum DecodedEvent {
    /// It was read.
    Known(EventMeta, Event),
    /// It was not: poison for every view.
    Poison(DecodeError),
}

/// Decodes a commit.
///
/// # Errors
/// [`InvalidCommit`] when not even the header can be read: then nobody knows whose commit it is.
pub fn decode(stored: StoredCommit) -> Result<DecodedCommit, InvalidCommit> {
    let header = commit::header(&stored.bytes)?;
    let mut events = Vec::with_capacity(usize::try_from(header.events).unwrap_or(0));
    for raw in commit::events(&stored.bytes)? {
        events.push(match raw {
            Ok(raw) => match codec::decode(&header.stream, &raw, Reading::Closed) {
                Ok(event) => DecodedEvent::Known(raw.meta, event),
                Err(error) => DecodedEvent::Poison(error),
            },
            Err(error) => DecodedEvent::Poison(DecodeError::Commit(error)),
        });
    }
    let streams = Streams::of(header.stream.key);
    let poisoned = events.iter().any(|event| matches!(event, DecodedEvent::Poison(_)));
    Ok(DecodedCommit { header: Arc::new(header), events, streams, poisoned, stored })
}
