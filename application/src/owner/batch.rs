//! The making of one commit: the commands that wait for a stream, decided one after the other.

use std::sync::Arc;

use domain::event::Event;
use domain::ids::EventId;
use domain::private::PrivateState;
use domain::time::{ClockState, Timestamp};

use super::slot::{Slot, Waiting};
use super::{OwnerLimits, Ticket};
use crate::command::{Answer, Request};
use crate::error::CommandError;
use crate::log::codec;
use crate::log::commit::{ChainHash, CommitBuilder, CommitHeader, CommitId, EventMeta};
use crate::log::decoded::{Decoded, DecodedEvent};
use crate::ports::event_log::{CommitPosition, NewCommit, Position};
use crate::ports::ids::Ids;
use crate::ports::key_store::{KeyState, KeyStore, KeyStoreError, SubjectId, SubjectKey};

type Askers = Vec<(Waiting, Result<Answer, CommandError>)>;

/// What came of it.
pub struct Outcome {
    /// Answers that rest on nothing that is not stored.
    pub answered: Vec<(Ticket, Result<Answer, CommandError>)>,
    /// The commit, its time, and the answers that wait for it.
    pub commit: Option<(NewCommit, Timestamp, Askers)>,
}

impl Outcome {
    /// How many commands wait for the commit.
    pub fn carried(&self) -> usize {
        self.commit.as_ref().map_or(0, |(_, _, askers)| askers.len())
    }
}

/// The time that decisions bear, and whether it is to be trusted.
#[derive(Clone, Copy)]
pub struct Stamp {
    pub at: Timestamp,
    pub clock: ClockState,
}

/// Decides waiting commands until the commit is full or nobody waits. The slot's state becomes that after the commit.
pub fn decide(slot: &mut Slot, epoch: u64, now: Stamp, limits: &OwnerLimits, keys: &dyn KeyStore, ids: &dyn Ids) -> Outcome {
    let at = now.at.max(slot.time);
    let commit_id = CommitId(ids.uuid_v7(at));
    let builder = CommitBuilder::new(commit_id, slot.stream, slot.version + 1, at, epoch, slot.chain);
    let mut draft = Draft { builder, decided: Vec::new(), at, keys, ids, key: None };
    let mut askers: Askers = Vec::new();
    while askers.len() < limits.commands_per_commit {
        let Some(mut waiting) = slot.waiting.pop_front() else {
            break;
        };
        waiting.request.command.stamp(now.clock);
        match draft.carry_out(slot, &waiting.request) {
            Ok(answer) => askers.push((waiting, Ok(answer))),
            Err(CommandError::TooLarge) if draft.builder.events() > 0 => {
                // It fits into the next commit, or into none.
                slot.waiting.push_front(waiting);
                break;
            }
            Err(refused) => askers.push((waiting, Err(refused))),
        }
    }
    let first_version = slot.version + 1;
    let answer_now = |askers: Askers| askers.into_iter().map(|(waiting, result)| (waiting.ticket, result)).collect();
    if draft.builder.events() == 0 {
        return Outcome { answered: answer_now(askers), commit: None };
    }
    let Ok((bytes, events)) = draft.builder.finish(false) else {
        unreachable!("every command was checked against the limit when it was added");
    };
    let (id, stream, previous) = (commit_id, slot.stream, slot.chain);
    let header = CommitHeader { id, tombstone: false, first_version, time: at, epoch, previous, events, stream };
    let decided = Some(Arc::new(Decoded::decided(header, draft.decided, &bytes)));
    slot.version += u64::from(events);
    slot.chain = ChainHash::of(&bytes);
    slot.time = at;
    let commit = NewCommit { id, stream, first_version, events, bytes, decided };
    Outcome { answered: vec![], commit: Some((commit, at, askers)) }
}

struct Draft<'a> {
    builder: CommitBuilder,
    /// The events in it.
    decided: Vec<DecodedEvent>,
    at: Timestamp,
    keys: &'a dyn KeyStore,
    ids: &'a dyn Ids,
    /// The key that the last private half was sealed with: the next one is mostly of the same person.
    key: Option<(SubjectId, SubjectKey)>,
}

impl Draft<'_> {
    fn carry_out(&mut self, slot: &mut Slot, request: &Request) -> Result<Answer, CommandError> {
        if let Some(digest) = slot.commands.get(request.id) {
            let same = digest == request.digest || digest == 0 || request.digest == 0;
            return if same { Ok(self.answer(slot, request, 0)) } else { Err(CommandError::IdempotencyMismatch) };
        }
        let events = slot.aggregate.decide(&slot.stream, &request.command, self.at)?;
        let mark = self.builder.mark();
        let written = self.write_all(slot, request, &events);
        let fitting = written.and_then(|metas| if self.builder.fits() { Ok(metas) } else { Err(CommandError::TooLarge) });
        let metas = fitting.inspect_err(|_| self.builder.rewind(mark))?;
        for event in &events {
            slot.aggregate.evolve(event, self.at);
            slot.commands.remember(event, request.id, request.digest);
        }
        let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
        self.decided.extend(metas.into_iter().zip(events).map(|(meta, event)| DecodedEvent::Known(meta, event)));
        Ok(self.answer(slot, request, count))
    }

    /// Writes the events of a command behind the others.
    fn write_all(&mut self, slot: &Slot, request: &Request, events: &[Event]) -> Result<Vec<EventMeta>, CommandError> {
        let written = events.iter().zip(1..).map(|(event, behind)| {
            let subject = if event.event_type().private { self.subject(slot, event, &events[..behind]) } else { None };
            debug_assert!(subject.is_some() || event.private_state() != PrivateState::Known, "nobody's key seals {event:?}");
            self.write(slot, request, event, subject)
        });
        written.collect()
    }

    /// Whose key seals an event that has a private half; `decided` are the command's events up to it.
    fn subject(&self, slot: &Slot, event: &Event, decided: &[Event]) -> Option<SubjectId> {
        slot.aggregate.subject(&slot.stream, event).or_else(|| {
            // The first event of a stream may say whose key it is.
            let mut opened = slot.aggregate.clone();
            decided.iter().for_each(|event| opened.evolve(event, self.at));
            opened.subject(&slot.stream, event)
        })
    }

    fn write(&mut self, slot: &Slot, request: &Request, event: &Event, subject: Option<SubjectId>) -> Result<EventMeta, CommandError> {
        let key = subject.map(|subject| self.key_of(slot, subject)).transpose()?;
        let meta = EventMeta {
            id: EventId::from_uuid(self.ids.uuid_v7(self.at)),
            command: request.id,
            command_digest: request.digest,
            correlation: request.correlation,
            causation: request.causation,
            actor: request.actor,
        };
        codec::encode(&mut self.builder, &slot.stream, &meta, event, key).map_err(|_| CommandError::TooLarge)?;
        Ok(meta)
    }

    fn key_of(&mut self, slot: &Slot, subject: SubjectId) -> Result<(SubjectId, SubjectKey), CommandError> {
        if let Some((known, key)) = self.key
            && known == subject
        {
            return Ok((subject, key));
        }
        let key = match self.keys.get(slot.stream.tenant, subject) {
            Ok(KeyState::Present(key)) => key,
            Ok(KeyState::Destroyed) | Err(KeyStoreError::Destroyed) => return Err(CommandError::Erased),
            Ok(KeyState::Unknown) => return Err(CommandError::KeyMissing),
            Err(KeyStoreError::Unavailable { reason }) => return Err(CommandError::Unavailable { reason }),
        };
        self.key = Some((subject, key));
        Ok((subject, key))
    }

    /// The answer as far as it is known before the commit has its place.
    fn answer(&self, slot: &Slot, request: &Request, events: u32) -> Answer {
        let index = self.builder.events().saturating_sub(1);
        Answer {
            position: Position { shard: Default::default(), commit: CommitPosition(slot.position.0), index },
            at: self.at,
            events,
            chat: slot.aggregate.chat_answer(&request.command),
        }
    }
}
