//! One simulated process: an owner, the policies, and the I/O that is under way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use adapters::event_log::memory::{AppendFault, MemoryLog};
use adapters::key_store::memory::MemoryKeyStore;
use application::command::{Answer, Request};
use application::error::CommandError;
use application::log::codec::{self, Reading};
use application::log::commit;
use application::log::stream::{StreamId, StreamKey};
use application::owner::{Output, Owner, OwnerLimits, Ticket, load_paged};
use application::policies::following::Following;
use application::policies::{self, Fact, PolicyView};
use application::ports::clock::ClockReading;
use application::ports::event_log::{AppendError, CommitPosition, EventLog, NewCommit, ShardId, StoredCommit};
use application::ports::ids::Ids;
use application::ports::snapshots::Snapshots;
use async_trait::async_trait;
use domain::chat::event::ChatEvent;
use domain::event::Event;
use domain::flow::assignment::AssignmentFlow;
use domain::flow::reception::ReceptionFlow;
use domain::ids::{ChatId, ConversationId, TenantId, UserId};
use domain::time::Timestamp;
use futures_util::FutureExt;
use uuid::Uuid;

use super::Random;
use super::flows::Found;

/// Commits that a simulated policy may have open.
const POLICY_WINDOW: usize = 8;

/// Ids that count up, so that a seed repeats them.
pub struct CountingIds(pub Mutex<u64>);

impl Ids for CountingIds {
    fn uuid_v7(&self, at: Timestamp) -> Uuid {
        let mut count = self.0.lock().expect("no holder panics");
        *count += 1;
        crate::random::v7(at, *count)
    }
}

/// Snapshots in memory, shared by all instances as a disk would be.
#[derive(Default)]
pub struct MemorySnapshots(Mutex<BTreeMap<StreamId, Vec<u8>>>);

#[async_trait]
impl Snapshots for MemorySnapshots {
    async fn load(&self, stream: StreamId) -> Option<Vec<u8>> {
        self.0.lock().expect("no holder panics").get(&stream).cloned()
    }
    async fn save(&self, stream: StreamId, bytes: Vec<u8>) {
        self.0.lock().expect("no holder panics").insert(stream, bytes);
    }
}

/// What all instances share: the disk.
pub struct Shared {
    pub log: MemoryLog,
    pub snapshots: MemorySnapshots,
    pub keys: Arc<MemoryKeyStore>,
    pub ids: Arc<CountingIds>,
}

/// Who waits for an answer of this instance.
pub enum Asker {
    /// A client's operation, by its number.
    Client(usize),
    /// The policies, for this commit, since their so many-th beginning.
    Policy(CommitPosition, u64),
}

/// A process.
pub struct Instance {
    pub owner: Owner,
    askers: BTreeMap<Ticket, Asker>,
    next_ticket: u64,
    io: VecDeque<Output>,
    /// Commits whose append answered "in doubt" and which the log may still receive.
    ghosts: Vec<NewCommit>,
    read: CommitPosition,
    /// Survives a crash.
    checkpoint: CommitPosition,
    open: VecDeque<(CommitPosition, usize)>,
    rewind: bool,
    /// How often the policies began again.
    beginnings: u64,
}

/// What a client hears.
pub type Heard = (usize, Result<Answer, CommandError>);

impl Instance {
    pub fn new(epoch: u64, shared: &Shared, random: &mut Random) -> Self {
        let limits = OwnerLimits {
            waiting_per_tenant: 40,
            waiting: 60,
            appends_in_flight: 1 + random.below(6),
            loads_in_flight: 1 + random.below(3),
            commands_per_commit: 1 + random.below(5),
            aggregates_cached: 2 + random.below(12),
            aggregates_bytes: 4_096 * (1 + random.below(12)),
            events_per_snapshot: 2 + random.below(10) as u64,
            tries: 4,
            resolves: 3,
        };
        let owner = Owner::new(ShardId(0), epoch, Timestamp(0), limits, shared.keys.clone(), shared.ids.clone());
        Self {
            owner,
            askers: BTreeMap::new(),
            next_ticket: 0,
            io: VecDeque::new(),
            ghosts: vec![],
            read: CommitPosition(0),
            checkpoint: CommitPosition(0),
            open: VecDeque::new(),
            rewind: false,
            beginnings: 0,
        }
    }

    /// The process dies: everything in memory is gone. Whatever the log was about to receive may still arrive.
    pub fn crash(&mut self, epoch: u64, shared: &Shared, random: &mut Random) -> Vec<usize> {
        let unanswered = self.askers.values().filter_map(|asker| match asker {
            Asker::Client(operation) => Some(*operation),
            Asker::Policy(..) => None,
        });
        let unanswered = unanswered.collect();
        let mut ghosts = std::mem::take(&mut self.ghosts);
        ghosts.extend(self.io.drain(..).filter_map(|output| match output {
            Output::Append { commit } if random.once_in(2) => Some(commit),
            Output::Append { .. }
            | Output::Load { .. }
            | Output::Resolve { .. }
            | Output::Reply { .. }
            | Output::ClockJumped(_)
            | Output::SaveSnapshot { .. } => None,
        }));
        let checkpoint = self.checkpoint;
        *self = Self::new(epoch, shared, random);
        (self.ghosts, self.checkpoint, self.read) = (ghosts, checkpoint, checkpoint);
        unanswered
    }

    pub fn submit(&mut self, asker: Asker, request: Request, now: Timestamp) {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.askers.insert(ticket, asker);
        self.owner.submit(ticket, request);
        self.owner.run(ClockReading::even(now));
    }

    /// Takes the owner's outputs: answers are heard at once, I/O waits for its turn.
    pub fn collect(&mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        while let Some(output) = self.owner.output() {
            match output {
                Output::Reply { ticket, result } => match self.askers.remove(&ticket) {
                    Some(Asker::Client(operation)) => heard.push((operation, result)),
                    Some(Asker::Policy(commit, beginning)) if beginning == self.beginnings => self.policy_answered(commit, &result),
                    Some(Asker::Policy(..)) => {}
                    None => {}
                },
                Output::ClockJumped(_) => {}
                io @ (Output::Load { .. } | Output::Append { .. } | Output::Resolve { .. } | Output::SaveSnapshot { .. }) => {
                    self.io.push_back(io);
                }
            }
        }
        heard
    }

    fn policy_answered(&mut self, commit: CommitPosition, result: &Result<Answer, CommandError>) {
        let passes = !matches!(
            result,
            Err(CommandError::Busy
                | CommandError::OverQuota
                | CommandError::Contended
                | CommandError::Unavailable { .. }
                | CommandError::InDoubt
                | CommandError::NotOwner
                | CommandError::ShuttingDown)
        );
        if !passes {
            self.rewind = true;
            return;
        }
        if let Some((_, left)) = self.open.iter_mut().find(|(position, _)| *position == commit) {
            *left = left.saturating_sub(1);
        }
    }

    /// Does one piece of I/O. Appends keep their order; the rest may overtake.
    pub fn do_io(&mut self, shared: &Shared, random: &mut Random, faults: bool, now: Timestamp) {
        let nth = random.below(self.io.len());
        let chosen = match self.io.get(nth) {
            Some(Output::Append { .. }) => self.io.iter().position(|io| matches!(io, Output::Append { .. })),
            Some(_) => Some(nth),
            None => None,
        };
        let Some(output) = chosen.and_then(|index| self.io.remove(index)) else {
            return;
        };
        match output {
            Output::Append { commit } => self.append(commit, shared, random, faults),
            Output::Load { stream } => {
                let loaded = load_paged(&shared.log, &shared.snapshots, stream, 3).now_or_never().expect("memory answers at once");
                self.owner.loaded(stream, loaded);
            }
            Output::Resolve { stream, .. } => {
                let tail = shared.log.read_tail(stream).now_or_never().expect("memory answers at once");
                self.owner.resolved(stream, tail);
            }
            Output::SaveSnapshot { stream, bytes } => {
                shared.snapshots.save(stream, bytes).now_or_never().expect("memory answers at once");
            }
            Output::Reply { .. } | Output::ClockJumped(_) => {}
        }
        self.owner.run(ClockReading::even(now));
    }

    fn append(&mut self, commit: NewCommit, shared: &Shared, random: &mut Random, faults: bool) {
        let stream = commit.stream;
        if faults && random.once_in(12) {
            // The message is under way, but nobody knows; it may arrive much later, or never.
            if random.once_in(2) {
                self.ghosts.push(commit);
            }
            return self.owner.appended(stream, Err(AppendError::InDoubt));
        }
        if faults && random.once_in(12) {
            let fault = random.pick(&[AppendFault::InDoubtButStored, AppendFault::InDoubtAndLost, AppendFault::Unavailable]);
            shared.log.core().fail_next_append(fault);
        }
        let result = shared.log.append(commit).now_or_never().expect("memory answers at once");
        self.owner.appended(stream, result);
    }

    /// An append that was in doubt arrives after all.
    pub fn ghost_arrives(&mut self, shared: &Shared, random: &mut Random) {
        if self.ghosts.is_empty() {
            return;
        }
        let commit = self.ghosts.swap_remove(random.below(self.ghosts.len()));
        // Nobody waits for the answer any more: a conflict is as good as a repeat.
        let _ = shared.log.append(commit).now_or_never().expect("memory answers at once");
    }

    /// The policies read one more commit, or begin again at their checkpoint after a failure.
    pub fn follow(&mut self, shared: &Shared, now: Timestamp) {
        while let Some((position, 0)) = self.open.front() {
            self.checkpoint = *position;
            self.open.pop_front();
        }
        if std::mem::take(&mut self.rewind) {
            self.beginnings += 1;
            self.open.clear();
            self.read = self.checkpoint;
        }
        if self.open.len() >= POLICY_WINDOW {
            return;
        }
        let page = shared.log.core().read_shard(self.read, 1).expect("the simulated log is whole");
        for stored in page {
            self.read = stored.position;
            let requests = react(shared, &stored);
            self.open.push_back((stored.position, requests.len()));
            for request in requests {
                self.submit(Asker::Policy(stored.position, self.beginnings), request, now);
            }
        }
    }

    pub fn is_at_rest(&self, shared: &Shared) -> bool {
        self.io.is_empty() && self.owner.is_idle() && !self.rewind && self.open.is_empty() && self.read == shared.log.core().head()
    }
}

fn react(shared: &Shared, stored: &StoredCommit) -> Vec<Request> {
    let header = commit::header(&stored.bytes).expect("our own commit");
    let events = commit::events(&stored.bytes).expect("our own commit");
    events
        .flat_map(|raw| {
            let raw = raw.expect("our own commit");
            let event = codec::decode(&header.stream, &raw, Reading::Closed).expect("our own event");
            let fact = Fact { stream: header.stream, meta: raw.meta, at: header.time, event: &event };
            policies::react(&fact, &NaiveView { shared, until: stored.position, found: Found::about(&fact) })
        })
        .collect()
}

/// The policies' view, answered by reading the whole log.
struct NaiveView<'a> {
    shared: &'a Shared,
    until: CommitPosition,
    found: Found,
}

impl PolicyView for NaiveView<'_> {
    fn reception(&self) -> Option<&Following<ReceptionFlow>> {
        self.found.reception.as_ref()
    }

    fn assignment(&self) -> Option<&Following<AssignmentFlow>> {
        self.found.assignment.as_ref()
    }

    /// Nothing is published here: the desk is told of flows by its clients.
    fn published(&self) -> Option<&Arc<AssignmentFlow>> {
        None
    }

    /// Nobody is blocked here.
    fn open_conversations_of(&self, _: TenantId, _: UserId) -> Vec<ConversationId> {
        Vec::new()
    }

    fn chats_of(&self, tenant: TenantId, user: UserId) -> Vec<ChatId> {
        let commits = self.shared.log.core().read_shard(CommitPosition(0), usize::MAX).expect("the simulated log is whole");
        let mut chats = Vec::new();
        for stored in commits.iter().take_while(|stored| stored.position <= self.until) {
            let header = commit::header(&stored.bytes).expect("our own commit");
            let StreamKey::Chat(chat) = header.stream.key else { continue };
            if header.stream.tenant != tenant {
                continue;
            }
            for raw in commit::events(&stored.bytes).expect("our own commit") {
                let event = codec::decode(&header.stream, &raw.expect("our own commit"), Reading::Closed).expect("our own event");
                if matches!(&event, Event::Chat(ChatEvent::ChatOpened(opened)) if opened.customer == user) {
                    chats.push(chat);
                }
            }
        }
        chats
    }
}
