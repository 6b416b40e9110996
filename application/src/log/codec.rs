//! Events to bytes and back: the clear half as JSON, the private half sealed.

use domain::event::Event;
use domain::private::PrivateState;

use super::commit::{CommitBuilder, EventMeta, InvalidCommit, RawEvent};
use super::seal;
use super::stream::StreamId;
use crate::ports::key_store::{KeyState, KeyStore, KeyStoreError, SubjectId, SubjectKey};

/// Why an event cannot be read. It is never skipped silently.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DecodeError {
    /// No event has this name.
    #[error("unknown event {name}")]
    UnknownEvent {
        /// The stored name.
        name: String,
    },
    /// The name is known, but this schema version is newer than this program.
    #[error("event {name} has schema {schema}, newer than this program")]
    NewerSchema {
        /// The stored name.
        name: String,
        /// The stored version.
        schema: u16,
    },
    /// The clear half is not what its schema says.
    #[error("event {name} is malformed: {reason}")]
    Malformed {
        /// The stored name.
        name: String,
        /// The parser's words; they name fields, never contents.
        reason: String,
    },
    /// The sealed half does not open under its key.
    #[error("event {name} has a sealed part that is not authentic")]
    NotAuthentic {
        /// The stored name.
        name: String,
    },
    /// The commit around it is damaged.
    #[error(transparent)]
    Commit(#[from] InvalidCommit),
    /// The key store did not answer.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
}

/// Whether a reader opens private halves.
#[derive(Clone, Copy)]
pub enum Reading<'a> {
    /// Leave them closed: deciders and views need no private text.
    Closed,
    /// Open them with these keys; a missing key reads as erased.
    Open(&'a dyn KeyStore),
}

/// Writes an event into a commit.
///
/// `subject` is whose key seals the private half; it is ignored for events without one.
///
/// # Errors
/// A serializer's refusal, which would be a fault of the event's definition.
pub fn encode(
    builder: &mut CommitBuilder,
    stream: &StreamId,
    meta: &EventMeta,
    event: &Event,
    subject: Option<(SubjectId, SubjectKey)>,
) -> Result<(), serde_json::Error> {
    let stored = event.event_type();
    let seal = |(subject, key): (SubjectId, SubjectKey)| {
        (subject.0, move |bytes: &mut Vec<u8>| {
            let from = bytes.len();
            event.serialize_private(&mut serde_json::Serializer::new(&mut *bytes))?;
            seal::seal_in_place(&key, stream, meta.id, bytes, from);
            Ok(())
        })
    };
    let sealed = match event.private_state() {
        PrivateState::Known => subject.map(seal),
        PrivateState::Absent | PrivateState::Erased | PrivateState::Closed => None,
    };
    builder.event(meta, stored.name, stored.version, |bytes| event.serialize_clear(&mut serde_json::Serializer::new(bytes)), sealed)
}

/// Reads an event of a commit.
///
/// # Errors
/// [`DecodeError`].
pub fn decode(stream: &StreamId, raw: &RawEvent<'_>, reading: Reading<'_>) -> Result<Event, DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(raw.clear);
    let read = Event::deserialize_clear(raw.name, raw.schema, &mut json).map_err(|reason| malformed(raw, &reason))?;
    let mut event = read.ok_or_else(|| unknown(raw))?;
    if let Reading::Open(keys) = reading {
        open(&mut event, stream, raw, keys)?;
    }
    Ok(event)
}

/// Opens the private half of an event that was read closed.
///
/// # Errors
/// [`DecodeError`].
pub fn open(event: &mut Event, stream: &StreamId, raw: &RawEvent<'_>, keys: &dyn KeyStore) -> Result<(), DecodeError> {
    match (event.event_type().private, raw.sealed) {
        (false, _) => {}
        (true, None) => event.mark_erased(),
        (true, Some((subject, sealed))) => match keys.get(stream.tenant, SubjectId(subject))? {
            KeyState::Destroyed | KeyState::Unknown => event.mark_erased(),
            KeyState::Present(key) => {
                let text = seal::open(&key, stream, raw.meta.id, sealed)
                    .map_err(|seal::NotAuthentic| DecodeError::NotAuthentic { name: raw.name.to_owned() })?;
                event.deserialize_private(&mut serde_json::Deserializer::from_slice(&text)).map_err(|reason| malformed(raw, &reason))?;
            }
        },
    }
    Ok(())
}

fn malformed(raw: &RawEvent<'_>, reason: &serde_json::Error) -> DecodeError {
    DecodeError::Malformed { name: raw.name.to_owned(), reason: reason.to_string() }
}

fn unknown(raw: &RawEvent<'_>) -> DecodeError {
    match Event::types().find(|known| known.name == raw.name) {
        Some(_) => DecodeError::NewerSchema { name: raw.name.to_owned(), schema: raw.schema },
        None => DecodeError::UnknownEvent { name: raw.name.to_owned() },
    }
}
