//! What goes wrong on purpose in a run: the server is killed, connections are cut, readers stand still.
//!
//! What is chosen depends on the seed alone, when it happens on the clock. It must not know what is said over the connections.

mod kill;
mod line;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ::tests::random::Random;
use serde::Serialize;
use tokio::task::JoinHandle;

use super::api::Api;
use super::args::{ChaosArgs, TargetArgs};
use super::error::LoadError;
use super::meter::Meter;
use super::report::Counts;
pub use line::Line;

/// How often partners look whether a reader stands still.
pub const FLOOD_EVERY: Duration = Duration::from_millis(200);
/// Messages that a partner says each time while it does: with [`FLOOD_BYTES`] what the server's system and its outbox take for a
/// device, about 4 MB, is full within two seconds.
pub const FLOOD: usize = 40;
/// Bytes of each: near the most that a message may have.
pub const FLOOD_BYTES: usize = 16_000;
/// Of such messages, how many may be on their way.
pub const FLOODING_MAX: usize = 400;

/// What happened, for the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChaosReport {
    /// By which everything was chosen.
    pub seed: u64,
    /// Times the server was killed.
    pub kills: u64,
    /// Connections that were cut.
    pub drops: u64,
    /// Times a reader stood still.
    pub stalls: u64,
    /// Times the server said `slow`.
    pub slow_byes: u64,
    /// Times the connection of a reader that had stood still was over without a word that could be read.
    pub stalled_lost: u64,
    /// See [`Counts::reconnects`].
    pub reconnects: u64,
    /// See [`Counts::resent`].
    pub resent: u64,
}

/// See the file's head.
pub struct Chaos {
    /// The server's process, which a kill changes.
    pub meter: Meter,
    args: ChaosArgs,
    patience: Duration,
    stalling: BTreeSet<usize>,
    lines: RefCell<Vec<Rc<Line>>>,
    happened: Cell<ChaosReport>,
}

/// Connections are cut and readers stand still for as long as this lives.
pub struct Havoc {
    chaos: Rc<Chaos>,
    tasks: Vec<JoinHandle<()>>,
}

impl Chaos {
    /// For a run with so many devices; refuses what does not fit together.
    pub fn new(target: &TargetArgs, devices: usize) -> Result<Rc<Self>, LoadError> {
        let args = target.chaos.clone();
        check(&args, target, devices)?;
        let mut order = shuffled(devices, &mut Random::new(args.chaos_seed));
        order.truncate(args.chaos_stall_readers as usize);
        Ok(Rc::new(Self {
            meter: Meter::new(target.report.server_pid),
            happened: Cell::new(ChaosReport { seed: args.chaos_seed, ..ChaosReport::default() }),
            patience: Duration::from_secs_f64(target.retry_for),
            stalling: order.into_iter().collect(),
            lines: RefCell::default(),
            args,
        }))
    }

    fn happens(&self, note: impl FnOnce(&mut ChaosReport)) {
        let mut happened = self.happened.get();
        note(&mut happened);
        self.happened.set(happened);
    }

    /// The line of the next device; none if nothing is done to lines in this run.
    pub fn line(&self) -> Option<Rc<Line>> {
        if self.args.chaos_drops_per_second == 0.0 && self.stalling.is_empty() {
            return None;
        }
        let mut lines = self.lines.borrow_mut();
        let line = Rc::new(Line::new(self.stalling.contains(&lines.len())));
        lines.push(Rc::clone(&line));
        Some(line)
    }

    /// Begins to cut connections and to stop readers.
    pub fn begin(self: &Rc<Self>) -> Havoc {
        let mut tasks = Vec::new();
        if self.args.chaos_drops_per_second > 0.0 {
            tasks.push(tokio::task::spawn_local(Rc::clone(self).drop_again_and_again()));
        }
        let mut random = Random::new(!self.args.chaos_seed);
        for line in self.lines.borrow().iter().filter(|line| line.stalls()) {
            // Not all in the same moment: each begins somewhere in the first turn.
            let first = Duration::from_secs_f64(self.args.chaos_stall_seconds / 1_000.0) * random.below(1_000) as u32;
            tasks.push(tokio::task::spawn_local(Rc::clone(self).stall_again_and_again(Rc::clone(line), first)));
        }
        Havoc { chaos: Rc::clone(self), tasks }
    }

    async fn drop_again_and_again(self: Rc<Self>) {
        let begun = Instant::now();
        let (mut random, mut order) = (Random::new(self.args.chaos_seed), Vec::new());
        for nth in 1_u32.. {
            let due = begun + Duration::from_secs_f64(f64::from(nth) / self.args.chaos_drops_per_second);
            tokio::time::sleep_until(due.into()).await;
            if drop_next(&self.lines.borrow(), &mut order, &mut random) {
                self.happens(|happened| happened.drops += 1);
            }
        }
    }

    async fn stall_again_and_again(self: Rc<Self>, line: Rc<Line>, first: Duration) {
        let stall = Duration::from_secs_f64(self.args.chaos_stall_seconds);
        tokio::time::sleep(first).await;
        loop {
            line.stall(true);
            self.happens(|happened| happened.stalls += 1);
            tokio::time::sleep(stall).await;
            line.stall(false);
            tokio::time::sleep(stall).await;
        }
    }

    /// Kills and restarts the server while the work gets on, until every kill is done: `finished` of `all` tells how far it is.
    pub async fn kills(&self, api: &Api, all: u64, finished: impl Fn() -> u64) -> Result<(), LoadError> {
        let killed = || self.happens(|happened| happened.kills += 1);
        kill::haunt(&self.args, self.patience, api, &self.meter, (all, finished), killed).await
    }

    /// The same over a stretch of time that begins now.
    pub async fn kills_within(&self, api: &Api, seconds: f64) -> Result<(), LoadError> {
        let begun = Instant::now();
        self.kills(api, (seconds * 1e3) as u64, || begun.elapsed().as_millis() as u64).await
    }

    /// Whether readers stand still in this run.
    pub fn stalls_readers(&self) -> bool {
        !self.stalling.is_empty()
    }

    /// A connection is over because the server said `slow`, or without a word after its reader had stood still.
    pub fn stalled_line_ended(&self, was_told: bool) {
        self.happens(|happened| {
            happened.slow_byes += u64::from(was_told);
            happened.stalled_lost += u64::from(!was_told);
        });
    }

    /// What happened, if anything was to.
    pub fn report(&self, counts: &Counts) -> Option<ChaosReport> {
        let args = &self.args;
        let wanted = args.chaos_kills > 0 || args.chaos_stall_readers > 0 || args.chaos_drops_per_second > 0.0;
        wanted.then(|| ChaosReport { reconnects: counts.reconnects, resent: counts.resent, ..self.happened.get() })
    }
}

impl Drop for Havoc {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.chaos.lines.borrow().iter().for_each(|line| line.stall(false));
    }
}

fn check(args: &ChaosArgs, target: &TargetArgs, devices: usize) -> Result<(), LoadError> {
    let invalid = |argument, reason| Err(LoadError::InvalidArgument { argument, reason });
    match (args.chaos_kills, target.report.server_pid, &args.restart_cmd) {
        (0, _, _) | (_, Some(_), Some(_)) => {}
        (_, None, _) => return invalid("--chaos-kills", "needs --server-pid"),
        (_, Some(_), None) => return invalid("--chaos-kills", "needs --restart-cmd"),
    }
    if args.chaos_stall_readers as usize > devices {
        return invalid("--chaos-stall-readers", "there are not so many devices");
    }
    if args.chaos_stall_readers > 0 && args.chaos_stall_seconds >= target.stall_timeout {
        return invalid("--chaos-stall-seconds", "must be below --stall-timeout, or what a reader leaves waiting is given up");
    }
    Ok(())
}

/// The numbers below `count`, in an order that the generator chooses.
fn shuffled(count: usize, random: &mut Random) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, random.below(last + 1));
    }
    order
}

/// Cuts the next line that can be cut; all have their turn before one has another.
fn drop_next(lines: &[Rc<Line>], order: &mut Vec<usize>, random: &mut Random) -> bool {
    for _ in 0..=2 * lines.len() {
        match order.pop() {
            Some(next) if lines[next].cut() => return true,
            Some(_) => {}
            None => *order = shuffled(lines.len(), random),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> Vec<Rc<Line>> {
        let lines: Vec<Rc<Line>> = (0..count).map(|_| Rc::default()).collect();
        lines.iter().for_each(|line| line.begin());
        lines
    }

    fn cut_order(seed: u64) -> Vec<usize> {
        let (lines, mut order, mut random) = (lines(10), Vec::new(), Random::new(seed));
        let cut = |_| {
            assert!(drop_next(&lines, &mut order, &mut random));
            let cut = lines.iter().position(|line| !line.is_online()).unwrap();
            lines[cut].begin();
            cut
        };
        (0..30).map(cut).collect()
    }

    #[test]
    fn the_seed_chooses_which_connections_are_cut_and_every_one_has_its_turn() {
        let order = cut_order(7);
        assert_eq!(order, cut_order(7));
        assert_ne!(order, cut_order(8));
        for round in order.chunks(10) {
            assert_eq!(round.iter().collect::<BTreeSet<_>>().len(), 10);
        }
    }

    #[test]
    fn nothing_is_cut_when_nobody_is_connected() {
        let (lines, mut order, mut random) = (lines(3), Vec::new(), Random::new(1));
        lines.iter().for_each(|line| line.end());
        assert!(!drop_next(&lines, &mut order, &mut random));
        assert!(!drop_next(&[], &mut Vec::new(), &mut random));
    }
}
