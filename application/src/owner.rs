//! The owner of a shard: decides every command of its tenants, in one place, without doing any I/O itself.
//!
//! It is a state machine: commands and the outcomes of loads and appends go in, [`Output`]s come out, and a driver carries
//! them out (`adapters::owner_task` with tokio, `tests::sim` with a seeded scheduler). So the same code runs in the
//! simulation and in production. It must not know time, engines or tasks.
//!
//! **Invariant.** One append per stream is in flight. Commands that arrive meanwhile wait and leave together as the next
//! commit; nobody is answered before the commit their answer rests on is durable. When it is unknown whether a commit was
//! stored, the stream halts until its tail says so.

mod aggregate;
mod batch;
mod clock_watch;
mod load;
mod queue;
mod slot;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use domain::time::Timestamp;
use hashbrown::HashMap;

use crate::command::{Answer, Request};
use crate::error::CommandError;
use crate::log::stream::StreamId;
use crate::ports::clock::ClockReading;
use crate::ports::event_log::{AppendError, Appended, CommitPosition, NewCommit, Position, ReadError, ShardId, StoredCommit};
use crate::ports::ids::Ids;
use crate::ports::key_store::KeyStore;
use batch::Stamp;
use clock_watch::ClockWatch;
use queue::{Admission, Queue};
use slot::{InFlight, Phase, Slot, Waiting};

/// Aggregates that are looked at, when memory is over its bound, for one that may be forgotten.
const LOOKS_AT_LEAST: usize = 64;

/// Names the asker of a command within this owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Bounds of an owner. Every queue is bounded: a full one answers `busy` at once.
#[derive(Clone, Copy, Debug)]
pub struct OwnerLimits {
    /// Commands of one tenant that may wait.
    pub waiting_per_tenant: usize,
    /// Commands of all tenants that may wait.
    pub waiting: usize,
    /// Appends in flight at a time; more would only wait inside the log.
    pub appends_in_flight: usize,
    /// Loads in flight at a time.
    pub loads_in_flight: usize,
    /// Commands that leave in one commit.
    pub commands_per_commit: usize,
    /// Aggregates kept in memory between commands.
    pub aggregates_cached: usize,
    /// Bytes that they may take, roughly: a chat in which thousands of messages were posted lately is as large as hundreds of others.
    /// Those in use stay, whatever they take.
    pub aggregates_bytes: usize,
    /// Events after which a snapshot is taken.
    pub events_per_snapshot: u64,
    /// How often a command is decided anew after a conflict before it is given up.
    pub tries: u32,
    /// How often the tail is re-read for a commit in doubt before its askers are told so.
    pub resolves: u32,
}

impl Default for OwnerLimits {
    fn default() -> Self {
        Self {
            waiting_per_tenant: 8_192,
            waiting: 65_536,
            appends_in_flight: 2_048,
            loads_in_flight: 256,
            commands_per_commit: 256,
            aggregates_cached: 20_000,
            aggregates_bytes: 320 * 1024 * 1024,
            events_per_snapshot: 512,
            tries: 5,
            resolves: 10,
        }
    }
}

/// What the driver has to do.
#[derive(Debug)]
pub enum Output {
    /// Load the stream's snapshot and the commits from it on, and answer with [`Owner::loaded`].
    Load {
        /// Which stream.
        stream: StreamId,
    },
    /// Append the commit and answer with [`Owner::appended`]. Appends must reach the log in the order of the outputs.
    Append {
        /// The commit.
        commit: NewCommit,
    },
    /// Read the stream's tail and answer with [`Owner::resolved`]; wait a little before the second and later tries.
    Resolve {
        /// Which stream.
        stream: StreamId,
        /// How many tries were made before.
        tries: u32,
    },
    /// Give the asker their answer.
    Reply {
        /// Who asked.
        ticket: Ticket,
        /// The answer.
        result: Result<Answer, CommandError>,
    },
    /// Log that the clock jumped.
    ClockJumped(ClockJump),
    /// Keep a snapshot; losing it is harmless.
    SaveSnapshot {
        /// Of which stream.
        stream: StreamId,
        /// The snapshot.
        bytes: Vec<u8>,
    },
}

pub use clock_watch::ClockJump;
pub use load::{LoadError, Loaded, Look, load_paged, load_rest, load_together};

/// See the module's documentation.
pub struct Owner {
    shard: ShardId,
    epoch: u64,
    limits: OwnerLimits,
    keys: Arc<dyn KeyStore>,
    ids: Arc<dyn Ids>,
    /// Newest commit time of the shard: time never runs backwards in the log.
    newest: Timestamp,
    watch: ClockWatch,
    queue: Queue,
    /// Boxed: the table moves when it grows, and whoever talks waits meanwhile.
    slots: HashMap<StreamId, Box<Slot>>,
    /// Every stream with a slot, once, and the use at which it came here. Whoever was used since then goes to the end again
    /// instead of being forgotten.
    kept: VecDeque<(StreamId, u64)>,
    /// What the slots take together.
    bytes: usize,
    appends: usize,
    loads: usize,
    uses: u64,
    outputs: VecDeque<Output>,
    closing: bool,
}

impl Owner {
    /// An owner that goes on after the newest commit time of its shard.
    #[must_use]
    pub fn new(shard: ShardId, epoch: u64, newest: Timestamp, limits: OwnerLimits, keys: Arc<dyn KeyStore>, ids: Arc<dyn Ids>) -> Self {
        Self {
            shard,
            epoch,
            limits,
            keys,
            ids,
            newest,
            watch: ClockWatch::default(),
            queue: Queue::new(limits.waiting_per_tenant, limits.waiting),
            slots: HashMap::new(),
            kept: VecDeque::new(),
            bytes: 0,
            appends: 0,
            loads: 0,
            uses: 0,
            outputs: VecDeque::new(),
            closing: false,
        }
    }

    /// Takes a command in. A full queue answers `busy` at once.
    pub fn submit(&mut self, ticket: Ticket, request: Request) {
        if self.closing {
            return self.reply(ticket, Err(CommandError::ShuttingDown));
        }
        let stream = request.stream;
        if !request.may_be_put_off() {
            self.queue.admit_always(stream.tenant);
        } else if self.queue.admit(stream.tenant) == Admission::Full {
            return self.reply(ticket, Err(CommandError::Busy));
        }
        let slot = self.slots.entry(stream).or_insert_with(|| {
            self.kept.push_back((stream, 0));
            Box::new(Slot::unloaded(stream))
        });
        slot.waiting.push_back(Waiting { ticket, request, tries: 0 });
        if slot.is_runnable() {
            self.queue.runnable(stream, &mut slot.queued);
        }
    }

    /// Decides what can be decided at this reading of the clock. Call it after every input.
    pub fn run(&mut self, clock: ClockReading) {
        if let Some(jump) = self.watch.look(clock, self.newest) {
            self.outputs.push_back(Output::ClockJumped(jump));
        }
        while self.appends < self.limits.appends_in_flight && self.loads < self.limits.loads_in_flight {
            let Some(stream) = self.queue.next() else {
                break;
            };
            let Some(slot) = self.slots.get_mut(&stream) else {
                continue;
            };
            slot.queued = false;
            self.uses += 1;
            slot.last_use = self.uses;
            match slot.phase {
                Phase::Unloaded => {
                    slot.phase = Phase::Loading;
                    self.loads += 1;
                    self.outputs.push_back(Output::Load { stream });
                }
                Phase::Ready => self.decide(stream, clock.now),
                Phase::Loading | Phase::Appending(_) => {}
            }
        }
        self.evict();
    }

    /// What the driver has to do next.
    pub fn output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// A stream was loaded, or could not be.
    pub fn loaded(&mut self, stream: StreamId, result: Result<Loaded, LoadError>) {
        let Some(slot) = self.slots.get_mut(&stream).filter(|slot| matches!(slot.phase, Phase::Loading)) else {
            return;
        };
        self.loads -= 1;
        match result {
            Ok(loaded) => {
                slot.restore(loaded);
                self.bytes = self.bytes - slot.bytes + slot.weigh();
                slot.phase = Phase::Ready;
                self.newest = self.newest.max(slot.time);
                self.again(stream);
            }
            Err(error) => {
                slot.phase = Phase::Unloaded;
                self.fail_waiting(stream, &load_failure(error));
            }
        }
    }

    /// An append came back.
    pub fn appended(&mut self, stream: StreamId, result: Result<Appended, AppendError>) {
        let Some(slot) = self.slots.get_mut(&stream) else {
            return;
        };
        let Phase::Appending(in_flight) = &mut slot.phase else {
            return;
        };
        match result {
            Ok(appended) => self.stored(stream, appended.position),
            Err(AppendError::InDoubt) => {
                let tries = in_flight.resolves;
                in_flight.resolves += 1;
                self.outputs.push_back(Output::Resolve { stream, tries });
            }
            Err(AppendError::Conflict { .. }) => self.decide_anew(stream),
            Err(AppendError::Unavailable { reason }) => self.not_stored(stream, &CommandError::Unavailable { reason }),
            Err(AppendError::Gone) => self.not_stored(stream, &CommandError::Gone),
            Err(AppendError::Corrupt { place }) => self.not_stored(stream, &CommandError::Damaged { place }),
        }
    }

    /// The tail of a stream in doubt was read.
    pub fn resolved(&mut self, stream: StreamId, tail: Result<Option<StoredCommit>, ReadError>) {
        let Some(slot) = self.slots.get_mut(&stream) else {
            return;
        };
        let Phase::Appending(in_flight) = &mut slot.phase else {
            return;
        };
        let settled = tail.map(|tail| {
            tail.and_then(|tail| {
                let header = tail.header().ok()?;
                (header.last_version() >= in_flight.commit.first_version).then_some((header.id, tail.position))
            })
        });
        match settled {
            Ok(Some((id, position))) if id == in_flight.commit.id => self.stored(stream, position),
            Ok(Some(_)) => self.decide_anew(stream),
            // Not there (yet): the very same commit is appended again. Should the first attempt still arrive, one of the
            // two is recognised as the repeat of the other.
            Ok(None) => {
                let commit = in_flight.commit.clone();
                self.outputs.push_back(Output::Append { commit });
            }
            Err(_) => {
                let tries = in_flight.resolves;
                in_flight.resolves += 1;
                self.outputs.push_back(Output::Resolve { stream, tries });
            }
        }
        self.give_up_doubtful(stream);
    }

    /// Refuses new commands from here on; those taken in are still answered.
    pub fn close(&mut self) {
        self.closing = true;
    }

    /// Whether everything taken in has been answered.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.appends == 0 && self.loads == 0 && self.outputs.is_empty()
    }

    /// Commands that wait or are in flight.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    fn reply(&mut self, ticket: Ticket, result: Result<Answer, CommandError>) {
        self.outputs.push_back(Output::Reply { ticket, result });
    }

    /// Puts a stream that has more to decide back into its tenant's line.
    fn again(&mut self, stream: StreamId) {
        if let Some(slot) = self.slots.get_mut(&stream)
            && slot.is_runnable()
        {
            self.queue.runnable(stream, &mut slot.queued);
        }
    }

    fn decide(&mut self, stream: StreamId, clock: Timestamp) {
        let Some(slot) = self.slots.get_mut(&stream) else {
            return;
        };
        let before = slot.waiting.len();
        let now = Stamp { at: self.newest.max(clock), clock: self.watch.state(clock, self.newest) };
        let outcome = batch::decide(slot, self.epoch, now, &self.limits, self.keys.as_ref(), self.ids.as_ref());
        self.queue.finished(stream.tenant, before - slot.waiting.len() - outcome.carried());
        for (ticket, result) in outcome.answered {
            self.outputs.push_back(Output::Reply {
                ticket,
                result: result.map(|mut answer| {
                    answer.position.shard = self.shard;
                    answer
                }),
            });
        }
        if let Some((commit, at, askers)) = outcome.commit {
            self.bytes = self.bytes - slot.bytes + slot.weigh();
            self.newest = self.newest.max(at);
            self.appends += 1;
            slot.phase = Phase::Appending(InFlight { commit: commit.clone(), askers, resolves: 0 });
            self.outputs.push_back(Output::Append { commit });
        }
        self.again(stream);
    }

    fn stored(&mut self, stream: StreamId, position: CommitPosition) {
        let Some(slot) = self.slots.get_mut(&stream) else {
            return;
        };
        let Phase::Appending(in_flight) = std::mem::replace(&mut slot.phase, Phase::Ready) else {
            return;
        };
        self.appends -= 1;
        slot.position = position;
        self.queue.finished(stream.tenant, in_flight.askers.len());
        for (waiting, result) in in_flight.askers {
            let result = result.map(|mut answer| {
                answer.position = Position { shard: self.shard, commit: position, index: answer.position.index };
                answer
            });
            self.outputs.push_back(Output::Reply { ticket: waiting.ticket, result });
        }
        if let Some(bytes) = slot.snapshot_if_due(self.limits.events_per_snapshot) {
            self.outputs.push_back(Output::SaveSnapshot { stream, bytes });
        }
        self.again(stream);
    }

    /// Somebody else wrote to the stream: forget what was decided, load again, decide again.
    fn decide_anew(&mut self, stream: StreamId) {
        let Some(slot) = self.slots.get_mut(&stream) else {
            return;
        };
        let Phase::Appending(in_flight) = std::mem::replace(&mut slot.phase, Phase::Unloaded) else {
            return;
        };
        self.appends -= 1;
        for (mut waiting, _) in in_flight.askers.into_iter().rev() {
            waiting.tries += 1;
            if waiting.tries >= self.limits.tries {
                self.queue.finished(stream.tenant, 1);
                self.outputs.push_back(Output::Reply { ticket: waiting.ticket, result: Err(CommandError::Contended) });
            } else {
                slot.waiting.push_front(waiting);
            }
        }
        self.again(stream);
    }

    /// The commit is certainly not in the log: its askers hear why, and the state is loaded again before the next decision.
    fn not_stored(&mut self, stream: StreamId, failure: &CommandError) {
        let Some(slot) = self.slots.get_mut(&stream) else {
            return;
        };
        let Phase::Appending(in_flight) = std::mem::replace(&mut slot.phase, Phase::Unloaded) else {
            return;
        };
        self.appends -= 1;
        self.queue.finished(stream.tenant, in_flight.askers.len());
        for (waiting, _) in in_flight.askers {
            self.outputs.push_back(Output::Reply { ticket: waiting.ticket, result: Err(failure.clone()) });
        }
        self.again(stream);
    }

    /// After many tries the askers are told that it is in doubt; the stream stays halted until its tail is known.
    fn give_up_doubtful(&mut self, stream: StreamId) {
        let Some(slot) = self.slots.get_mut(&stream) else {
            return;
        };
        let Phase::Appending(in_flight) = &mut slot.phase else {
            return;
        };
        if in_flight.resolves <= self.limits.resolves {
            return;
        }
        let askers = std::mem::take(&mut in_flight.askers);
        self.queue.finished(stream.tenant, askers.len());
        for (waiting, _) in askers {
            self.outputs.push_back(Output::Reply { ticket: waiting.ticket, result: Err(CommandError::InDoubt) });
        }
    }

    fn fail_waiting(&mut self, stream: StreamId, failure: &CommandError) {
        let Some(slot) = self.slots.get_mut(&stream) else {
            return;
        };
        let waiting = std::mem::take(&mut slot.waiting);
        self.queue.finished(stream.tenant, waiting.len());
        for Waiting { ticket, .. } in waiting {
            self.outputs.push_back(Output::Reply { ticket, result: Err(failure.clone()) });
        }
    }

    /// Forgets aggregates that were not used lately, a few at a time: nobody waits for a sweep over all of them.
    fn evict(&mut self) {
        let OwnerLimits { aggregates_cached, aggregates_bytes, .. } = self.limits;
        // A new one is looked at twice before it goes.
        let looks = LOOKS_AT_LEAST + 3 * self.slots.len().saturating_sub(aggregates_cached);
        for _ in 0..looks {
            if self.slots.len() <= aggregates_cached && self.bytes <= aggregates_bytes {
                return;
            }
            let Some((stream, used)) = self.kept.pop_front() else { return };
            let Some(slot) = self.slots.get(&stream) else { continue };
            if slot.is_idle() && slot.last_use == used {
                self.bytes -= slot.bytes;
                self.slots.remove(&stream);
            } else {
                self.kept.push_back((stream, slot.last_use));
            }
        }
    }
}

fn load_failure(error: LoadError) -> CommandError {
    match error {
        LoadError::Read(ReadError::Unavailable { reason }) => CommandError::Unavailable { reason },
        LoadError::Read(ReadError::Gone) => CommandError::Gone,
        LoadError::Read(ReadError::Corrupt { place }) => CommandError::Damaged { place },
        LoadError::Damaged(error) => CommandError::Damaged { place: error.to_string() },
    }
}
