//! One stream in the owner's memory.

use std::collections::VecDeque;

use domain::ids::CommandId;
use domain::time::Timestamp;
use hashbrown::HashMap;

use super::aggregate::Aggregate;
use super::snapshot::Snapshot;
use super::{Loaded, Ticket, snapshot};
use crate::command::{Answer, Request};
use crate::error::CommandError;
use crate::log::codec::{self, DecodeError, Reading};
use crate::log::commit::{self, ChainHash, InvalidCommit};
use crate::log::stream::{StreamId, StreamKey};
use crate::ports::event_log::{CommitPosition, NewCommit, StoredCommit};

/// Command ids remembered per stream. Policies repeat at most what lies behind their checkpoint, API clients a few requests.
const COMMANDS_REMEMBERED: usize = 1_024;
/// The desk hears every policy of its tenant, so it remembers more.
const DESK_COMMANDS_REMEMBERED: usize = 65_536;

/// What a slot takes before anything in it has grown, its place among the others included.
const SLOT_BYTES: usize = 2_048;
/// A remembered command: its id twice, its digest, and the room that both tables leave.
const COMMAND_BYTES: usize = 72;

/// A command that waits for its turn.
#[derive(Debug)]
pub struct Waiting {
    pub ticket: Ticket,
    pub request: Request,
    /// How often it was decided in vain.
    pub tries: u32,
}

/// A commit on its way, and who waits for it.
#[derive(Debug)]
pub struct InFlight {
    pub commit: NewCommit,
    pub askers: Vec<(Waiting, Result<Answer, CommandError>)>,
    /// How often its outcome was in doubt.
    pub resolves: u32,
}

/// Where a stream stands.
#[derive(Debug)]
pub enum Phase {
    /// Nothing is known of it, or what was known is no longer sure.
    Unloaded,
    /// A load is under way.
    Loading,
    /// Its state is that of its last stored commit.
    Ready,
    /// A commit is in flight; the state is already that after it.
    Appending(InFlight),
}

/// One stream: its folded state and its place in the chain.
pub struct Slot {
    pub stream: StreamId,
    pub phase: Phase,
    pub waiting: VecDeque<Waiting>,
    /// Whether it stands in its tenant's line.
    pub queued: bool,
    pub last_use: u64,
    pub aggregate: Aggregate,
    /// Events so far.
    pub version: u64,
    /// Hash of the last commit.
    pub chain: ChainHash,
    /// Time of the last commit.
    pub time: Timestamp,
    /// Place of the last stored commit.
    pub position: CommitPosition,
    pub commands: RememberedCommands,
    /// Version of the last snapshot.
    pub snapshot_version: u64,
    /// How much memory it took when it was last weighed.
    pub bytes: usize,
}

impl Slot {
    pub fn unloaded(stream: StreamId) -> Self {
        Self {
            stream,
            phase: Phase::Unloaded,
            waiting: VecDeque::new(),
            queued: false,
            last_use: 0,
            aggregate: Aggregate::new(stream.key),
            version: 0,
            chain: ChainHash::default(),
            time: Timestamp::default(),
            position: CommitPosition::default(),
            commands: RememberedCommands::for_stream(stream.key),
            snapshot_version: 0,
            bytes: 0,
        }
    }

    /// Weighs it: how much memory it takes now, roughly.
    pub fn weigh(&mut self) -> usize {
        self.bytes = SLOT_BYTES + self.commands.count() * COMMAND_BYTES + self.aggregate.bytes();
        self.bytes
    }

    pub fn is_runnable(&self) -> bool {
        !self.waiting.is_empty() && matches!(self.phase, Phase::Unloaded | Phase::Ready)
    }

    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && matches!(self.phase, Phase::Unloaded | Phase::Ready)
    }

    /// Takes over what was loaded; who waits stays.
    pub fn restore(&mut self, Loaded(loaded): Loaded) {
        let loaded = *loaded;
        self.aggregate = loaded.aggregate;
        self.version = loaded.version;
        self.chain = loaded.chain;
        self.time = loaded.time;
        self.position = loaded.position;
        self.commands = loaded.commands;
        self.snapshot_version = loaded.snapshot_version;
    }

    /// Begins with a snapshot instead of the stream's first commits; `last` is the last one that the snapshot has folded.
    pub fn begin_with(&mut self, snapshot: Snapshot, last: &StoredCommit) -> Result<(), DecodeError> {
        snapshot.restore_into(self);
        self.position = last.position;
        self.time = last.header()?.time;
        Ok(())
    }

    /// Takes the stream's next commit in.
    pub fn fold(&mut self, commit: &StoredCommit) -> Result<(), DecodeError> {
        let header = commit.header()?;
        if header.first_version != self.version + 1 || header.previous != self.chain {
            return Err(InvalidCommit::Malformed { what: "stream does not continue here" }.into());
        }
        for raw in commit::events(&commit.bytes)? {
            let raw = raw?;
            let event = codec::decode(&self.stream, &raw, Reading::Closed)?;
            self.aggregate.evolve(&event, header.time);
            self.commands.remember(&event, raw.meta.command, raw.meta.command_digest);
        }
        self.version = header.last_version();
        self.chain = ChainHash::of(&commit.bytes);
        self.time = header.time;
        self.position = commit.position;
        Ok(())
    }

    pub fn snapshot_if_due(&mut self, events_per_snapshot: u64) -> Option<Vec<u8>> {
        if self.version - self.snapshot_version < events_per_snapshot {
            return None;
        }
        let bytes = snapshot::write(self)?;
        self.snapshot_version = self.version;
        Some(bytes)
    }
}

/// The ids of the commands that a stream carried out lately, with the digests of what they asked.
#[derive(Clone, Debug)]
pub struct RememberedCommands {
    max: usize,
    digests: HashMap<CommandId, u64>,
    order: VecDeque<CommandId>,
}

impl RememberedCommands {
    pub fn for_stream(key: StreamKey) -> Self {
        let max = match key {
            StreamKey::Desk => DESK_COMMANDS_REMEMBERED,
            StreamKey::Chat(_)
            | StreamKey::Conversation(_)
            | StreamKey::User(_)
            | StreamKey::Tenant
            | StreamKey::Campaign(_)
            | StreamKey::Retrieval => COMMANDS_REMEMBERED,
        };
        Self { max, digests: HashMap::new(), order: VecDeque::new() }
    }

    pub fn get(&self, command: CommandId) -> Option<u64> {
        self.digests.get(&command).copied()
    }

    /// Remembers the command behind an event. Messages have their own memory (the client id); reads and cursors need none.
    pub fn remember(&mut self, event: &domain::event::Event, command: CommandId, digest: u64) {
        use domain::chat::event::ChatEvent;
        use domain::event::Event;
        use domain::user::event::UserEvent;
        if matches!(event, Event::Chat(ChatEvent::MessagePosted(_) | ChatEvent::MessagesRead(_))) {
            return;
        }
        if matches!(event, Event::User(UserEvent::ChannelReceived(_))) {
            return;
        }
        self.insert(command, digest);
    }

    pub fn insert(&mut self, command: CommandId, digest: u64) {
        if self.digests.insert(command, digest).is_some() {
            return;
        }
        self.order.push_back(command);
        if self.order.len() > self.max
            && let Some(oldest) = self.order.pop_front()
        {
            self.digests.remove(&oldest);
        }
    }

    pub fn count(&self) -> usize {
        self.order.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (CommandId, u64)> {
        self.order.iter().map(|command| (*command, self.digests.get(command).copied().unwrap_or_default()))
    }
}
