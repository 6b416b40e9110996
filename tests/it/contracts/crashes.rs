//! The embedded log through crashes and full disks (and, in `flipped_bits`, damage), on the disk of `tests::fault_vfs`.
//!
//! One thread makes all calls, so that a seed repeats a run exactly. `SEEDS=n` runs more of them.

use adapters::event_log::embedded::core::Append;
use adapters::event_log::embedded::{EmbeddedLog, OpenError, Options, Unthreaded};
use application::log::commit;
use application::ports::event_log::{AppendError, CommitPosition, StoredCommit};
use tempfile::TempDir;
use tests::contracts::event_log::{Author, stream};
use tests::fault_vfs::FaultDisk;
use tests::random::Random;

mod checkpoints;
mod flipped_bits;

use checkpoints::SlowReader;

/// Streams of a run: few, so that each gets several commits.
const STREAMS: u64 = 5;
/// Steps of a run: flushes, checkpoints and index saves.
const STEPS: usize = 24;
/// Seeds when nobody asks for more: about four hundred crash points, a few seconds in a debug build.
const SEEDS_DEFAULT: u64 = 2;

fn seeds() -> u64 {
    std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS_DEFAULT)
}

struct Machine {
    dir: TempDir,
    disk: FaultDisk,
    random: Random,
    authors: Vec<Author>,
    /// What was acknowledged, in order.
    acknowledged: Vec<StoredCommit>,
    /// The accepted commits of the flush that was under way when the machine went off.
    under_way: Vec<StoredCommit>,
}

impl Machine {
    fn new(seed: u64) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            disk: FaultDisk::new(seed),
            random: Random::new(seed ^ 0x5eed),
            authors: (0..STREAMS).map(|number| Author::of(stream(u128::from(number)))).collect(),
            acknowledged: Vec::new(),
            under_way: Vec::new(),
        }
    }

    fn options(&self) -> Options {
        // Small records, so that a flush has several; a small index batch, so that recovery saves some itself.
        Options { vfs: Some(self.disk.vfs().to_owned()), record_bytes: 1024, index_batch: 7, recent_bytes_max: 2048, ..Options::default() }
    }

    fn open(&self) -> Result<Unthreaded, OpenError> {
        Unthreaded::open(self.dir.path(), &self.options())
    }

    /// Works until the steps are done or the machine is off.
    fn work(&mut self, log: &mut Unthreaded) {
        let mut reader = None;
        for _ in 0..STEPS {
            match self.random.below_u64(9) {
                0 => log.core.checkpoint(),
                // A failure leaves the entries in memory, which is all there is to say.
                1 => drop(log.save_index()),
                // Somebody begins to read, or ends; a machine that is off lets nobody.
                2 => reader = if reader.is_none() { SlowReader::begin(self.dir.path(), &self.disk).ok() } else { None },
                _flush => self.flush(log),
            }
            if self.disk.has_crashed() {
                return;
            }
        }
    }

    fn flush(&mut self, log: &mut Unthreaded) {
        let mut authors = self.authors.clone();
        let mut appends = Vec::new();
        let mut accepted = Vec::new();
        for _ in 0..=self.random.below_u64(6) {
            let author = &mut authors[self.random.below_u64(STREAMS) as usize];
            if self.random.below_u64(6) == 0 {
                // One that must be refused: it is late.
                appends.push(Append { commit: Author::of(author.stream()).salted(9).next_commit(), tombstone: false });
                if author.version() == 0 {
                    appends.pop();
                }
                continue;
            }
            let commit = author.commit(1 + self.random.below_u64(3), 20 + self.random.below_u64(400) as usize);
            let position = CommitPosition((self.acknowledged.len() + accepted.len()) as u64 + 1);
            accepted.push(StoredCommit::read(position, commit.bytes.clone()));
            appends.push(Append { commit, tombstone: false });
        }
        let mut answers = Vec::new();
        for answer in log.core.flush(&appends) {
            match answer {
                Ok(appended) => answers.push(appended.position),
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::Unavailable { .. } | AppendError::InDoubt) => {
                    assert!(self.disk.has_crashed(), "nothing else fails here");
                    self.under_way = accepted;
                    return;
                }
                Err(error @ (AppendError::Gone | AppendError::Corrupt { .. })) => panic!("{error}"),
            }
        }
        assert_eq!(answers, accepted.iter().map(|commit| commit.position).collect::<Vec<_>>());
        self.acknowledged.extend(accepted);
        self.authors = authors;
    }

    /// Turns the machine on and opens the log; it may go off once more while the log is opened.
    fn recover(&mut self) -> Unthreaded {
        self.disk.reboot(self.random.number());
        if self.random.below_u64(2) == 0 {
            self.disk.crash_at(self.disk.operations() + 1 + self.random.below_u64(12));
            drop(self.open());
            self.disk.crash();
            self.disk.reboot(self.random.number());
        }
        self.open().unwrap_or_else(|error| panic!("a crash is no damage: {error}"))
    }

    /// Everything acknowledged is there, in order and unchanged; of the flush under way all or nothing.
    fn verify(&mut self, log: &Unthreaded) {
        let head = log.core.view().head() as usize;
        let found = log.core.reader().read_shard(log.core.view(), CommitPosition(0), usize::MAX).unwrap();
        assert_eq!(found.len(), head);
        let (known, new) = found.split_at(self.acknowledged.len().min(found.len()));
        assert!(known == self.acknowledged, "something acknowledged is missing or another");
        assert!(new.is_empty() || new == self.under_way, "half of a flush is visible");
        self.acknowledged = found;
        self.under_way.clear();
        for (number, author) in self.authors.iter_mut().enumerate() {
            let of_stream = |stored: &&StoredCommit| commit::check(&stored.bytes).unwrap().stream == stream(number as u128);
            let expected: Vec<StoredCommit> = self.acknowledged.iter().filter(of_stream).cloned().collect();
            let read = log.core.reader().read_stream(log.core.view(), &author.stream(), 1, usize::MAX).unwrap();
            assert!(read == expected, "a stream is not what the shard says");
            *author = expected.last().map_or(Author::of(author.stream()), |last| Author::after(&last.bytes));
        }
    }

    fn check(&self) {
        let report = EmbeddedLog::check_with(self.dir.path(), Some(self.disk.vfs())).unwrap();
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(report.head as usize, self.acknowledged.len());
    }
}

/// How many operations a run without a crash takes.
fn operations(seed: u64) -> (u64, u64) {
    let mut machine = Machine::new(seed);
    let mut log = machine.open().unwrap();
    let opened = machine.disk.operations();
    machine.work(&mut log);
    (opened, machine.disk.operations())
}

fn crash_and_recover(seed: u64, operation: u64) {
    let mut machine = Machine::new(seed);
    machine.disk.crash_at(operation);
    if let Ok(mut log) = machine.open() {
        machine.work(&mut log);
    }
    machine.disk.crash();
    let mut log = machine.recover();
    machine.verify(&log);
    // It goes on as if nothing had happened, and crashes once more at any place.
    machine.disk.crash_at(machine.disk.operations() + 1 + machine.random.below_u64(60));
    machine.work(&mut log);
    drop(log);
    machine.disk.crash();
    let log = machine.recover();
    machine.verify(&log);
    drop(log);
    machine.check();
}

#[test]
fn what_was_acknowledged_survives_a_crash_at_every_write_and_sync() {
    let mut crashes = 0;
    for seed in 0..seeds() {
        let (_, operations) = operations(seed);
        for operation in 1..=operations {
            let outcome = std::panic::catch_unwind(|| crash_and_recover(seed, operation));
            assert!(outcome.is_ok(), "seed {seed}, crash at operation {operation}");
            crashes += 1;
        }
    }
    println!("{} seeds, {crashes} crash points", seeds());
}

#[test]
fn what_is_visible_after_a_kill_is_not_lost_by_a_power_cut_that_follows() {
    let mut surprises = 0;
    for seed in 0..seeds() {
        let (opened, operations) = operations(seed);
        for operation in opened + 1..=operations {
            let mut machine = Machine::new(seed);
            machine.disk.crash_at(operation);
            if let Ok(mut log) = machine.open() {
                machine.work(&mut log);
            }
            machine.disk.restart_process();
            let acknowledged = machine.acknowledged.len();
            let log = machine.open().unwrap();
            machine.verify(&log);
            surprises += usize::from(machine.acknowledged.len() > acknowledged);
            drop_after_crash(&machine, log);
            machine.disk.reboot(operation);
            let log = machine.open().unwrap();
            machine.verify(&log);
        }
    }
    assert!(surprises > 0, "some kill comes between the write and the sync");
}

#[test]
fn a_disk_that_only_pretends_to_sync_is_found_out() {
    let mut found_out = 0;
    for seed in 0..seeds() * 10 {
        let mut machine = Machine::new(seed);
        machine.disk.pretend_to_sync();
        let mut log = machine.open().unwrap();
        machine.work(&mut log);
        drop_after_crash(&machine, log);
        machine.disk.reboot(seed);
        match machine.open() {
            Ok(log) => assert!(log.core.view().head() as usize >= machine.acknowledged.len(), "seed {seed}: a loss was not noticed"),
            Err(OpenError::Corrupt { .. } | OpenError::Unavailable { .. }) => found_out += 1,
            Err(OpenError::InUse) => unreachable!("nobody else has the directory"),
        }
    }
    assert!(found_out > 0, "this disk loses what it said was synced");
}

#[test]
fn a_flush_in_doubt_is_settled_for_good_whatever_happens_next() {
    for seed in 0..seeds() * 20 {
        println!("seed {seed}");
        let mut machine = Machine::new(seed);
        let mut log = machine.open().unwrap();
        machine.work(&mut log);
        let mut authors = machine.authors.clone();
        let doubtful: Vec<Append> = authors.iter_mut().map(|author| Append { commit: author.next_commit(), tombstone: false }).collect();
        machine.disk.fail_syncs("log.sqlite3-wal", 1);
        assert!(log.core.flush(&doubtful).iter().all(|answer| *answer == Err(AppendError::InDoubt)));
        if machine.random.below_u64(2) == 0 {
            // Crashed before anyone could know: it may have become visible, as a whole.
            machine.under_way = (machine.acknowledged.len() as u64 + 1..)
                .zip(&doubtful)
                .map(|(position, append)| StoredCommit::read(CommitPosition(position), append.commit.bytes.clone()))
                .collect();
        } else {
            log.core.settle().unwrap();
            machine.under_way = Vec::new();
        }
        drop_after_crash(&machine, log);
        let mut log = machine.recover();
        machine.verify(&log);
        // The authors send their commits again: those that came through are recognised.
        let answers = log.core.flush(&doubtful);
        assert!(answers.iter().all(Result::is_ok));
        drop(log);
        let report = EmbeddedLog::check_with(machine.dir.path(), Some(machine.disk.vfs())).unwrap();
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(report.head, answers.iter().flatten().map(|appended| appended.position.0).max().unwrap());
    }
}

fn drop_after_crash(machine: &Machine, log: Unthreaded) {
    machine.disk.crash();
    drop(log);
}

#[test]
fn a_full_disk_refuses_loses_nothing_and_recovers_by_itself() {
    for seed in 0..seeds() {
        println!("seed {seed}");
        let mut machine = Machine::new(seed);
        let mut log = machine.open().unwrap();
        machine.work(&mut log);
        machine.disk.set_free_bytes(Some(20_000 + 1000 * seed as usize));
        let mut author = Author::of(stream(77));
        let mut refused = 0;
        while refused < 5 {
            let before = author.clone();
            let commit = author.commit(1, 500);
            let position = CommitPosition(machine.acknowledged.len() as u64 + 1);
            let bytes = commit.bytes.clone();
            match log.core.flush(&[Append { commit, tombstone: false }]).remove(0) {
                Ok(appended) => {
                    assert_eq!(appended.position, position);
                    machine.acknowledged.push(StoredCommit::read(position, bytes));
                }
                Err(AppendError::Unavailable { .. }) => {
                    refused += 1;
                    author = before;
                    // Neither of them can do much now, and neither may do harm.
                    log.core.checkpoint();
                    drop(log.save_index());
                }
                Err(error) => panic!("{error}"),
            }
        }
        machine.verify(&log);
        if seed % 2 == 0 {
            drop_after_crash(&machine, log);
            machine.disk.reboot(seed);
            // Without space it opens, or says clearly that it cannot; with space it opens.
            log = match machine.open() {
                Ok(log) => log,
                Err(OpenError::Unavailable { .. }) => {
                    machine.disk.set_free_bytes(None);
                    machine.open().unwrap()
                }
                Err(error) => panic!("{error}"),
            };
            machine.verify(&log);
        }
        machine.disk.set_free_bytes(None);
        let commit = author.next_commit();
        let position = CommitPosition(machine.acknowledged.len() as u64 + 1);
        machine.acknowledged.push(StoredCommit::read(position, commit.bytes.clone()));
        assert_eq!(log.core.flush(&[Append { commit, tombstone: false }]).remove(0).unwrap().position, position);
        machine.work(&mut log);
        machine.verify(&log);
        drop(log);
        machine.check();
    }
}
