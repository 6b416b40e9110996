//! A commit as facts instead of bytes, shared by all who follow the log.
//!
//! Whoever decided a commit knows what it says, and hands that along with the bytes: those who follow on the same machine need not
//! read again what was just written. What comes from a disk or another machine is read from its bytes, with private halves closed.

use std::fmt;
use std::sync::Arc;

use domain::event::Event;

use super::codec::{self, DecodeError, Reading};
use super::commit::{self, CommitHeader, EventMeta, InvalidCommit};
use crate::ports::event_log::StoredCommit;

/// What a commit says.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// About itself.
    pub header: CommitHeader,
    /// Its events, in order.
    pub events: Vec<DecodedEvent>,
}

/// One event of a commit. As text it is its name alone: what is private must not come into a log by the way.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "nearly all are known: a box would only cost an allocation each")]
pub enum DecodedEvent {
    /// It was read, with its private half closed; or decided a moment ago, with its private half open.
    ///
    /// The private half is for those who are connected at this moment. Whoever keeps anything of an event, or shows it later, asks
    /// the key store whether that may still be read ([`codec::open`]).
    Known(EventMeta, Event),
    /// It was not: poison for everybody who needs it.
    Poison(DecodeError),
}

impl fmt::Debug for DecodedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(_, event) => f.write_str(event.event_type().name),
            Self::Poison(error) => write!(f, "{error}"),
        }
    }
}

impl Decoded {
    /// Reads a commit; private halves stay closed.
    ///
    /// # Errors
    /// [`InvalidCommit`] when not even the header can be read: then nobody knows whose commit it is.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidCommit> {
        let header = commit::header(bytes)?;
        let mut events = Vec::with_capacity(usize::try_from(header.events).unwrap_or(0));
        for raw in commit::events(bytes)? {
            events.push(match raw {
                Ok(raw) => match codec::decode(&header.stream, &raw, Reading::Closed) {
                    Ok(event) => DecodedEvent::Known(raw.meta, event),
                    Err(error) => DecodedEvent::Poison(error),
                },
                Err(error) => DecodedEvent::Poison(DecodeError::Commit(error)),
            });
        }
        Ok(Self { header, events })
    }

    /// What these bytes were written from. That reading them gives the same is checked wherever assertions are on.
    #[must_use]
    pub fn decided(header: CommitHeader, events: Vec<DecodedEvent>, bytes: &[u8]) -> Self {
        let decided = Self { header, events };
        debug_assert!(
            Self::read(bytes).is_ok_and(|read| read.says_the_same(&decided)),
            "a commit reads otherwise than it was decided: {decided:?}"
        );
        decided
    }

    /// Whether both say the same, private halves aside.
    fn says_the_same(&self, other: &Self) -> bool {
        let same = |pair: (&DecodedEvent, &DecodedEvent)| match pair {
            (DecodedEvent::Known(meta, event), DecodedEvent::Known(other_meta, other)) => {
                meta == other_meta && closed(event) == closed(other)
            }
            (DecodedEvent::Known(..) | DecodedEvent::Poison(_), _) => false,
        };
        self.header == other.header && self.events.len() == other.events.len() && self.events.iter().zip(&other.events).all(same)
    }

    /// Whether some event could not be read.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.events.iter().any(|event| matches!(event, DecodedEvent::Poison(_)))
    }
}

/// What may be kept of an event.
fn closed(event: &Event) -> Event {
    let mut event = event.clone();
    event.close_private();
    event
}

impl StoredCommit {
    /// What it says: as it was decided, if that is at hand, or read.
    ///
    /// # Errors
    /// [`InvalidCommit`] when not even the header can be read.
    pub fn decoded(&self) -> Result<Arc<Decoded>, InvalidCommit> {
        match &self.decided {
            Some(decided) => Ok(Arc::clone(decided)),
            None => Decoded::read(&self.bytes).map(Arc::new),
        }
    }

    /// Its header.
    ///
    /// # Errors
    /// [`InvalidCommit`] when it cannot be read.
    pub fn header(&self) -> Result<CommitHeader, InvalidCommit> {
        match &self.decided {
            Some(decided) => Ok(decided.header),
            None => commit::header(&self.bytes),
        }
    }

    /// Its events of some stored names with their private halves closed, and their places in it. No other is decoded, and what
    /// cannot be read is passed over.
    #[must_use]
    pub fn events_named(&self, names: &[&str]) -> Vec<(u32, EventMeta, Event)> {
        if let Some(decided) = &self.decided {
            let named = (0..).zip(&decided.events).filter_map(|(index, event)| match event {
                DecodedEvent::Known(meta, event) if names.contains(&event.event_type().name) => Some((index, *meta, closed(event))),
                DecodedEvent::Known(..) | DecodedEvent::Poison(_) => None,
            });
            return named.collect();
        }
        let (Ok(header), Ok(raws)) = (commit::header(&self.bytes), commit::events(&self.bytes)) else { return vec![] };
        let named = (0..).zip(raws.flatten()).filter(|(_, raw)| names.contains(&raw.name));
        named.filter_map(|(index, raw)| Some((index, raw.meta, codec::decode(&header.stream, &raw, Reading::Closed).ok()?))).collect()
    }
}
