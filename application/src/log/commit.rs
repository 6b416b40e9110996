//! The commit: the unit that every engine stores, byte for byte the same.
//!
//! Layout, integers little-endian (docs/EVENTS.md draws it):
//!
//! | bytes | what |
//! |---|---|
//! | 2 | magic `KC` |
//! | 1 | format, 1 |
//! | 1 | flags: bit 0 = tombstone |
//! | 16 | commit id |
//! | 8 | first version: the version of the first event, counted from 1 |
//! | 8 | commit time, milliseconds since the Unix epoch |
//! | 8 | epoch of the owner who decided |
//! | 16 | BLAKE3 (first 16 bytes) of the stream's previous commit, all of its bytes; zeros for the first |
//! | 2 | number of events |
//! | 1 + n | stream name |
//! | per event | 4 length, then the event (see [`RawEvent`]) |
//! | 4 | CRC-32C of everything before |
//!
//! A reader never sees half a commit: the CRC covers all of it.

use bytes::Bytes;
use domain::ids::{CommandId, EventId};
use domain::time::Timestamp;
use uuid::Uuid;

use super::stream::StreamId;
use crate::ports::event_log::COMMIT_BYTES_MAX;

const MAGIC: [u8; 2] = *b"KC";
const FORMAT: u8 = 1;
const FLAG_TOMBSTONE: u8 = 1;
const NAME_AT: usize = 62;
const CRC_BYTES: usize = 4;

/// The id of a commit; the key of an idempotent append.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(pub Uuid);

/// Hash of a commit's bytes, the link of its stream's chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainHash(pub [u8; 16]);

impl ChainHash {
    /// The hash of a whole commit.
    #[must_use]
    pub fn of(commit: &[u8]) -> Self {
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(commit).as_bytes()[..16]);
        Self(hash)
    }
}

/// Who caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in person.
    User(domain::ids::UserId),
    /// An integration, by its key.
    ApiKey(domain::ids::ApiKeyId),
    /// The operator key of this installation.
    Operator,
    /// A policy that reacted to an event.
    Policy,
    /// A timer that came due.
    Timer,
    /// An import of recorded history.
    Import,
}

impl Actor {
    fn tag(self) -> (u8, Uuid) {
        match self {
            Self::User(id) => (1, id.uuid()),
            Self::ApiKey(id) => (2, id.uuid()),
            Self::Operator => (3, Uuid::nil()),
            Self::Policy => (4, Uuid::nil()),
            Self::Timer => (5, Uuid::nil()),
            Self::Import => (6, Uuid::nil()),
        }
    }

    fn from_tag(tag: u8, id: Uuid) -> Option<Self> {
        match tag {
            1 => Some(Self::User(domain::ids::UserId::from_uuid(id))),
            2 => Some(Self::ApiKey(domain::ids::ApiKeyId::from_uuid(id))),
            3 => Some(Self::Operator),
            4 => Some(Self::Policy),
            5 => Some(Self::Timer),
            6 => Some(Self::Import),
            _ => None,
        }
    }
}

/// What surrounds every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventMeta {
    /// Its id, a UUIDv7.
    pub id: EventId,
    /// The command that decided it; derived from an idempotency key or a causing event.
    pub command: CommandId,
    /// Keyed digest of the command's content: the same command id with another content is refused.
    pub command_digest: u64,
    /// The request or journey it belongs to.
    pub correlation: Uuid,
    /// The event that caused the command, or nil for one that came from outside.
    pub causation: Uuid,
    /// Who caused it.
    pub actor: Actor,
}

/// One event as it lies in a commit: 16 event id, 16 command id, 8 command digest, 16 correlation, 16 causation, 1 actor kind,
/// 16 actor id, 2 schema version, 1 + n stored name, 4 + n clear half (JSON), 1 whether sealed and, if so, 16 subject and
/// 4 + n sealed half (XChaCha20-Poly1305; the nonce is the event id followed by [`super::seal::NONCE_TAIL`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawEvent<'a> {
    /// What surrounds it.
    pub meta: EventMeta,
    /// Its stored name.
    pub name: &'a str,
    /// Its schema version.
    pub schema: u16,
    /// Its clear half, JSON.
    pub clear: &'a [u8],
    /// Its sealed half, if it has one: whose key, and the ciphertext.
    pub sealed: Option<(Uuid, &'a [u8])>,
}

/// What a commit says about itself before its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitHeader {
    /// Its id.
    pub id: CommitId,
    /// Whether it ends its stream.
    pub tombstone: bool,
    /// The version of its first event.
    pub first_version: u64,
    /// When it was decided.
    pub time: Timestamp,
    /// The epoch of the owner who decided.
    pub epoch: u64,
    /// The hash of the stream's previous commit.
    pub previous: ChainHash,
    /// How many events.
    pub events: u32,
    /// The stream.
    pub stream: StreamId,
}

impl CommitHeader {
    /// The version of the stream after this commit.
    #[must_use]
    pub const fn last_version(&self) -> u64 {
        self.first_version + self.events as u64 - 1
    }
}

/// Why bytes are no commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCommit {
    /// The checksum does not fit: the bytes were damaged.
    #[error("checksum does not match")]
    Checksum,
    /// Written by a newer kefu.
    #[error("commit format {format} is newer than this program")]
    NewerFormat {
        /// The format found.
        format: u8,
    },
    /// The checksum fits, but the bytes make no sense.
    #[error("malformed commit: {what}")]
    Malformed {
        /// Which part.
        what: &'static str,
    },
}

const fn malformed(what: &'static str) -> InvalidCommit {
    InvalidCommit::Malformed { what }
}

/// Builds the bytes of one commit.
pub struct CommitBuilder {
    bytes: Vec<u8>,
    events: u16,
}

impl CommitBuilder {
    /// Begins a commit.
    #[must_use]
    pub fn new(id: CommitId, stream: StreamId, first_version: u64, time: Timestamp, epoch: u64, previous: ChainHash) -> Self {
        let mut bytes = Vec::with_capacity(1024);
        bytes.extend_from_slice(&MAGIC);
        bytes.push(FORMAT);
        bytes.push(0);
        bytes.extend_from_slice(id.0.as_bytes());
        bytes.extend_from_slice(&first_version.to_le_bytes());
        bytes.extend_from_slice(&time.0.to_le_bytes());
        bytes.extend_from_slice(&epoch.to_le_bytes());
        bytes.extend_from_slice(&previous.0);
        bytes.extend_from_slice(&0_u16.to_le_bytes());
        let name = stream.name();
        bytes.push(u8::try_from(name.as_bytes().len()).expect("a stream name is at most 13 + 32 + 33 bytes"));
        bytes.extend_from_slice(name.as_bytes());
        Self { bytes, events: 0 }
    }

    /// Adds an event. `clear` and `sealed` write their halves at the end of the given buffer.
    ///
    /// # Errors
    /// Whatever the writers report; the builder is then of no further use.
    pub fn event<E>(
        &mut self,
        meta: &EventMeta,
        name: &str,
        schema: u16,
        clear: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
        sealed: Option<(Uuid, impl FnOnce(&mut Vec<u8>) -> Result<(), E>)>,
    ) -> Result<(), E> {
        let bytes = &mut self.bytes;
        let length_at = reserve_length(bytes);
        bytes.extend_from_slice(meta.id.as_bytes());
        bytes.extend_from_slice(meta.command.as_bytes());
        bytes.extend_from_slice(&meta.command_digest.to_le_bytes());
        bytes.extend_from_slice(meta.correlation.as_bytes());
        bytes.extend_from_slice(meta.causation.as_bytes());
        let (tag, actor) = meta.actor.tag();
        bytes.push(tag);
        bytes.extend_from_slice(actor.as_bytes());
        bytes.extend_from_slice(&schema.to_le_bytes());
        bytes.push(u8::try_from(name.len()).expect("stored names are short constants"));
        bytes.extend_from_slice(name.as_bytes());
        let clear_at = reserve_length(bytes);
        clear(bytes)?;
        write_length(bytes, clear_at);
        match sealed {
            None => bytes.push(0),
            Some((subject, write)) => {
                bytes.push(1);
                bytes.extend_from_slice(subject.as_bytes());
                let sealed_at = reserve_length(bytes);
                write(bytes)?;
                write_length(bytes, sealed_at);
            }
        }
        write_length(bytes, length_at);
        self.events += 1;
        Ok(())
    }

    /// How many events it holds so far.
    #[must_use]
    pub fn events(&self) -> u32 {
        u32::from(self.events)
    }

    /// Whether the commit could be stored as it is.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.bytes.len() + CRC_BYTES <= COMMIT_BYTES_MAX
    }

    /// Where the commit stands, to come back to with [`Self::rewind`].
    #[must_use]
    pub fn mark(&self) -> CommitMark {
        CommitMark { bytes: self.bytes.len(), events: self.events }
    }

    /// Takes back every event since the mark.
    pub fn rewind(&mut self, mark: CommitMark) {
        self.bytes.truncate(mark.bytes);
        self.events = mark.events;
    }

    /// Ends the commit and checksums it; `tombstone` marks the end of the stream.
    ///
    /// # Errors
    /// [`CommitTooLarge`] when it is over [`COMMIT_BYTES_MAX`].
    pub fn finish(mut self, tombstone: bool) -> Result<(Bytes, u32), CommitTooLarge> {
        self.bytes[3] = if tombstone { FLAG_TOMBSTONE } else { 0 };
        self.bytes[60..62].copy_from_slice(&self.events.to_le_bytes());
        let crc = crc32c::crc32c(&self.bytes);
        self.bytes.extend_from_slice(&crc.to_le_bytes());
        if self.bytes.len() > COMMIT_BYTES_MAX {
            return Err(CommitTooLarge { bytes: self.bytes.len() });
        }
        Ok((Bytes::from(self.bytes), u32::from(self.events)))
    }
}

/// A point in the making of a commit.
#[derive(Clone, Copy, Debug)]
pub struct CommitMark {
    bytes: usize,
    events: u16,
}

/// The commit would be over the limit of every engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("commit of {bytes} bytes is over the limit")]
pub struct CommitTooLarge {
    /// Its size.
    pub bytes: usize,
}

fn reserve_length(bytes: &mut Vec<u8>) -> usize {
    let at = bytes.len();
    bytes.extend_from_slice(&[0; 4]);
    at
}

fn write_length(bytes: &mut [u8], at: usize) {
    let length = u32::try_from(bytes.len() - at - 4).expect("a commit is far below 4 GiB");
    bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

/// Checks the checksum of a whole commit and reads its header.
///
/// # Errors
/// [`InvalidCommit`].
pub fn check(bytes: &[u8]) -> Result<CommitHeader, InvalidCommit> {
    if bytes.len() < NAME_AT + 1 + CRC_BYTES {
        return Err(malformed("too short"));
    }
    let (body, crc) = bytes.split_at(bytes.len() - CRC_BYTES);
    if crc32c::crc32c(body).to_le_bytes() != crc {
        return Err(InvalidCommit::Checksum);
    }
    header(bytes)
}

/// Reads the header of a commit whose checksum was already checked.
///
/// # Errors
/// [`InvalidCommit`].
pub fn header(bytes: &[u8]) -> Result<CommitHeader, InvalidCommit> {
    let mut reader = Reader { bytes };
    if reader.take(2)? != MAGIC {
        return Err(malformed("magic"));
    }
    let format = reader.u8()?;
    if format > FORMAT {
        return Err(InvalidCommit::NewerFormat { format });
    }
    if format < FORMAT {
        return Err(malformed("format"));
    }
    let tombstone = reader.u8()? & FLAG_TOMBSTONE != 0;
    let id = CommitId(reader.uuid()?);
    let first_version = reader.u64()?;
    let time = Timestamp(reader.u64()?.cast_signed());
    let epoch = reader.u64()?;
    let previous = ChainHash(reader.array()?);
    let events = u32::from(reader.u16()?);
    let name = reader.short_text()?;
    let stream = name.parse().map_err(|_| malformed("stream name"))?;
    Ok(CommitHeader { id, tombstone, first_version, time, epoch, previous, events, stream })
}

/// Visits the events of a commit whose checksum was already checked, in order.
///
/// # Errors
/// [`InvalidCommit`].
pub fn events(bytes: &[u8]) -> Result<Events<'_>, InvalidCommit> {
    let events = u32::from(u16::from_le_bytes(bytes.get(60..62).ok_or(malformed("too short"))?.try_into().expect("two bytes")));
    let name_bytes = usize::from(*bytes.get(NAME_AT).ok_or(malformed("too short"))?);
    let end = bytes.len().checked_sub(CRC_BYTES).ok_or(malformed("too short"))?;
    let body = bytes.get(NAME_AT + 1 + name_bytes..end).ok_or(malformed("too short"))?;
    Ok(Events { reader: Reader { bytes: body }, left: events })
}

/// See [`events`].
pub struct Events<'a> {
    reader: Reader<'a>,
    left: u32,
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<RawEvent<'a>, InvalidCommit>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        Some(self.reader.long_bytes().and_then(read_event))
    }
}

fn read_event(bytes: &[u8]) -> Result<RawEvent<'_>, InvalidCommit> {
    let mut reader = Reader { bytes };
    let id = EventId::from_uuid(reader.uuid()?);
    let command = CommandId::from_uuid(reader.uuid()?);
    let command_digest = reader.u64()?;
    let correlation = reader.uuid()?;
    let causation = reader.uuid()?;
    let tag = reader.u8()?;
    let actor = Actor::from_tag(tag, reader.uuid()?).ok_or(malformed("actor"))?;
    let schema = reader.u16()?;
    let name = reader.short_text()?;
    let clear = reader.long_bytes()?;
    let sealed = match reader.u8()? {
        0 => None,
        1 => Some((reader.uuid()?, reader.long_bytes()?)),
        _ => return Err(malformed("sealed flag")),
    };
    Ok(RawEvent { meta: EventMeta { id, command, command_digest, correlation, causation, actor }, name, schema, clear, sealed })
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], InvalidCommit> {
        let (head, rest) = self.bytes.split_at_checked(length).ok_or(malformed("ends too early"))?;
        self.bytes = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], InvalidCommit> {
        Ok(self.take(N)?.try_into().expect("take returns exactly N bytes"))
    }

    fn u8(&mut self) -> Result<u8, InvalidCommit> {
        Ok(self.array::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16, InvalidCommit> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, InvalidCommit> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn uuid(&mut self) -> Result<Uuid, InvalidCommit> {
        Ok(Uuid::from_bytes(self.array()?))
    }

    fn short_text(&mut self) -> Result<&'a str, InvalidCommit> {
        let length = usize::from(self.u8()?);
        std::str::from_utf8(self.take(length)?).map_err(|_| malformed("text"))
    }

    fn long_bytes(&mut self) -> Result<&'a [u8], InvalidCommit> {
        let length = u32::from_le_bytes(self.array()?);
        self.take(usize::try_from(length).map_err(|_| malformed("length"))?)
    }
}
