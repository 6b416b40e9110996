//! The simulated world: two instances, a disk, a clock that may jump, and clients who never give up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use adapters::event_log::memory::MemoryLog;
use adapters::key_store::memory::MemoryKeyStore;
use application::command::{Answer, PostedMessage, Request};
use application::error::CommandError;
use application::ports::event_log::{CommitPosition, ShardId};
use domain::ids::ClientMessageId;
use domain::time::{Millis, Timestamp};

use super::Random;
use super::clients::{Clients, Operation};
use super::instance::{Asker, CountingIds, Heard, Instance, MemorySnapshots, Shared};
use super::timers::Timers;

/// When the simulated world begins.
const BEGINNING: Timestamp = Timestamp(1_700_000_000_000);

/// What happened in a run; printed so that a reader sees that it did happen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    /// Commands answered with success.
    pub accepted: usize,
    /// Commands refused by a rule.
    pub refused: usize,
    /// Answers that were no answer: busy, contended, unavailable, in doubt.
    pub unsettled: usize,
    /// Processes killed.
    pub crashes: usize,
    /// Timers fired, some of them again.
    pub timers: usize,
    /// Messages acknowledged, counted once.
    pub acknowledged: usize,
    /// Commits in the log at the end.
    pub commits: u64,
}

impl std::ops::AddAssign for Statistics {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.unsettled += other.unsettled;
        self.crashes += other.crashes;
        self.timers += other.timers;
        self.acknowledged += other.acknowledged;
        self.commits += other.commits;
    }
}

/// See the module.
pub struct World {
    pub(super) shared: Shared,
    instances: Vec<Instance>,
    pub(super) clients: Clients,
    random: Random,
    now: Timestamp,
    epoch: u64,
    /// What each client operation asked; kept for repeats.
    operations: Vec<Operation>,
    timers: Timers,
    /// Operations without a settled answer.
    open: Vec<usize>,
    /// Every acknowledged message by its client id.
    pub(super) acknowledged: BTreeMap<ClientMessageId, PostedMessage>,
    /// What happened so far.
    pub statistics: Statistics,
}

impl World {
    /// The world of a seed, without anybody in it.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let shared = Shared {
            log: MemoryLog::new(ShardId(0)),
            snapshots: MemorySnapshots::default(),
            keys: Arc::new(MemoryKeyStore::seeded(seed)),
            ids: Arc::new(CountingIds(Mutex::new(0))),
        };
        let instances = vec![Instance::new(1, &shared, &mut random), Instance::new(2, &shared, &mut random)];
        Self {
            shared,
            instances,
            clients: Clients::new(),
            random,
            now: BEGINNING,
            epoch: 2,
            operations: vec![],
            timers: Timers::new(),
            open: vec![],
            acknowledged: BTreeMap::new(),
            statistics: Statistics::default(),
        }
    }

    /// Makes tenants, shops, agents and customers, without faults.
    pub fn set_up(&mut self) {
        let requests = self.clients.set_up(&self.shared);
        for request in requests {
            self.ask(0, Operation::plain(request));
            self.settle();
        }
        assert!(self.open.is_empty() && self.statistics.refused == 0, "the set-up succeeds");
    }

    /// One random step.
    pub fn step(&mut self) {
        let instance = self.random.below(self.instances.len());
        match self.random.below(100) {
            0..25 => {
                if let Some(operation) = self.clients.next(&self.shared, &mut self.random, self.now) {
                    self.ask(instance, operation);
                }
            }
            25..70 => self.instances[instance].do_io(&self.shared, &mut self.random, true, self.now),
            70..88 => self.instances[instance].follow(&self.shared, self.now),
            88..92 => self.repeat_one(instance),
            92..94 => self.instances[instance].ghost_arrives(&self.shared, &mut self.random),
            94..95 => self.crash(instance),
            // Whatever was not due a moment ago is; some of it fires in both instances.
            95..97 => self.fire(instance),
            97..98 => self.now = self.now - Millis::seconds(self.random.below(60) as i64),
            _ => self.now = self.now + Millis(self.random.below(150_000) as i64),
        }
        self.listen();
    }

    /// No faults any more: everything under way ends, every client gets an answer, the policies catch up.
    pub fn come_to_rest(&mut self) {
        for _ in 0..50 {
            self.settle();
            let still_open = std::mem::take(&mut self.open);
            if still_open.is_empty() {
                break;
            }
            for operation in still_open {
                self.ask_again(0, operation);
            }
        }
        self.settle();
        self.fire_all();
        assert!(self.open.is_empty(), "every client has an answer in the end");
        self.statistics.commits = self.shared.log.core().head().0;
    }

    fn fire(&mut self, instance: usize) {
        for request in self.timers.due(&self.shared, self.now) {
            if !self.random.once_in(4) {
                self.statistics.timers += 1;
                self.ask(instance, Operation::plain(request));
            }
        }
    }

    /// Timers whose time has come, and which led to nothing: there are none that will not find out that there is nothing to do.
    fn fire_all(&mut self) {
        for _ in 0..20 {
            let due = self.timers.due(&self.shared, self.now);
            if due.is_empty() {
                return;
            }
            let before = self.shared.log.core().head();
            for request in due {
                self.statistics.timers += 1;
                self.ask(0, Operation::plain(request));
            }
            self.settle();
            if self.shared.log.core().head() == before {
                let still = self.timers.rows(&self.shared, self.now);
                panic!("timers stay due and lead to nothing: {still:?}");
            }
        }
        panic!("timers do not come to an end");
    }

    fn settle(&mut self) {
        for _ in 0..1_000_000 {
            let mut at_rest = true;
            for instance in 0..self.instances.len() {
                let process = &mut self.instances[instance];
                process.do_io(&self.shared, &mut self.random, false, self.now);
                process.follow(&self.shared, self.now);
                at_rest &= process.is_at_rest(&self.shared);
            }
            self.listen();
            if at_rest {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    fn ask(&mut self, instance: usize, operation: Operation) {
        let number = self.operations.len();
        self.operations.push(operation);
        self.ask_again(instance, number);
    }

    fn ask_again(&mut self, instance: usize, number: usize) {
        if !self.open.contains(&number) {
            self.open.push(number);
        }
        let request: Request = self.operations[number].request.clone();
        self.instances[instance].submit(Asker::Client(number), request, self.now);
    }

    /// A client repeats a request, answered or not, perhaps at the other instance.
    fn repeat_one(&mut self, instance: usize) {
        if self.operations.is_empty() {
            return;
        }
        let recent = self.operations.len().min(30);
        let number = self.operations.len() - 1 - self.random.below(recent);
        self.ask_again(instance, number);
    }

    fn crash(&mut self, instance: usize) {
        self.epoch += 1;
        self.statistics.crashes += 1;
        // Whoever had no answer keeps its place among the open ones and asks again.
        self.timers.forget();
        self.instances[instance].crash(self.epoch, &self.shared, &mut self.random);
    }

    fn listen(&mut self) {
        let heard: Vec<Heard> = self.instances.iter_mut().flat_map(Instance::collect).collect();
        for (number, result) in heard {
            self.hear(number, result);
        }
    }

    fn hear(&mut self, number: usize, result: Result<Answer, CommandError>) {
        match result {
            Ok(answer) => {
                self.statistics.accepted += 1;
                self.open.retain(|open| *open != number);
                assert!(answer.position.commit <= self.shared.log.core().head(), "an answer rests on what is stored");
                let posted = answer.chat.and_then(|chat| chat.message);
                if let (Some(client_message), Some(posted)) = (self.operations[number].client_message, posted) {
                    self.acknowledge(client_message, posted);
                }
            }
            Err(
                CommandError::Busy
                | CommandError::OverQuota
                | CommandError::Contended
                | CommandError::Unavailable { .. }
                | CommandError::InDoubt
                | CommandError::NotOwner
                | CommandError::ShuttingDown,
            ) => self.statistics.unsettled += 1,
            Err(
                error @ (CommandError::Damaged { .. }
                | CommandError::KeyMissing
                | CommandError::WrongStream { .. }
                | CommandError::Gone
                | CommandError::Erased
                | CommandError::TooLarge
                | CommandError::IdempotencyMismatch),
            ) => panic!("this cannot happen here: {error}"),
            Err(CommandError::Refused(_)) => {
                self.statistics.refused += 1;
                self.open.retain(|open| *open != number);
            }
        }
    }

    fn acknowledge(&mut self, client_message: ClientMessageId, posted: PostedMessage) {
        let before = self.acknowledged.insert(client_message, posted);
        assert!(before.is_none_or(|before| before == posted), "a message is acknowledged with one place: {before:?}, then {posted:?}");
        self.statistics.acknowledged += usize::from(before.is_none());
    }

    /// Everything in the log.
    #[must_use]
    pub fn commits(&self) -> Vec<application::ports::event_log::StoredCommit> {
        self.shared.log.core().read_shard(CommitPosition(0), usize::MAX).expect("the simulated log is whole")
    }
}
