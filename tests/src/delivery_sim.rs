//! The simulation of delivery: a real node with its hub, sockets, polls and event streams, devices that come and go, a network that breaks at any
//! byte, a node that is killed at any moment; and in the end every acknowledged message exactly once, in the same order, on every
//! device of everybody who may see it.
//!
//! What happens is chosen by the seed alone. When it happens is not: read models run on threads of their own, and so does the
//! node, so one seed is many histories, and what is checked holds for each of them. Nothing here sleeps: everything waits for what
//! it needs. The clock stands still until it is moved.

mod cast;
mod check;
mod device;
mod disk;
mod host;
mod net;
mod poll;
mod script;
mod socket;
mod stream;
mod tamper;

use std::time::Duration;

use self::check::{Evidence, Left};
use self::device::Outcome;
use self::script::Story;

/// A world that does not come to rest is a failure, not a hang. Far beyond what any takes.
const REST_MAX: Duration = Duration::from_secs(20);

/// What is broken on purpose, to see that the checks see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Breakage {
    /// Nothing.
    #[default]
    None,
    /// Now and then the hub is not told of an event.
    Lose,
    /// Now and then the hub is told of events in another order.
    Swap,
    /// Now and then a frame arrives twice.
    Double,
}

/// What happened; printed so that a reader sees that it did happen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    /// Messages acknowledged, counted once.
    pub acknowledged: usize,
    /// Messages refused for good.
    pub refused: usize,
    /// Items that devices have shown.
    pub shown: usize,
    /// Accounts that a device changed to another.
    pub merged: usize,
    /// Nodes killed.
    pub kills: usize,
    /// Commits in the log at the end.
    pub commits: usize,
}

impl std::ops::AddAssign for Statistics {
    fn add_assign(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.shown += other.shown;
        self.merged += other.merged;
        self.kills += other.kills;
        self.commits += other.commits;
    }
}

impl Statistics {
    fn count(&mut self, device: &Left) {
        for (_, outcome) in &device.sent {
            match outcome {
                Some(Outcome::Acknowledged { .. }) => self.acknowledged += 1,
                Some(Outcome::Refused { .. }) => self.refused += 1,
                None => {}
            }
        }
        self.shown += device.shown.iter().map(|shown| shown.items.len()).sum::<usize>();
        self.merged += device.shown.len() - 1;
    }
}

/// Runs one seed.
///
/// # Panics
/// When a promise is broken; the message names the seed and tells what happened last.
#[must_use]
pub fn run(seed: u64, steps: usize) -> Statistics {
    match attempt(seed, steps, Breakage::None) {
        Ok((statistics, _)) => statistics,
        Err(broken) => panic!("seed {seed}, {steps} steps: {broken}"),
    }
}

/// Runs one seed with something broken on purpose; what was found, if anything.
#[must_use]
pub fn run_broken(seed: u64, steps: usize, breakage: Breakage) -> Option<String> {
    attempt(seed, steps, breakage).err()
}

/// Runs one seed, then falsifies what it left behind in every way that the checks know of; the ways that went unnoticed.
///
/// # Panics
/// When the seed itself breaks a promise.
#[must_use]
pub fn run_tampered(seed: u64, steps: usize) -> Vec<String> {
    let evidence = match attempt(seed, steps, Breakage::None) {
        Ok((_, evidence)) => evidence,
        Err(broken) => panic!("seed {seed}, {steps} steps: {broken}"),
    };
    let unnoticed = |how: &tamper::Tamper| tamper::tampered(&evidence, *how).is_some_and(|false_one| check::check(&false_one).is_ok());
    tamper::EVERY.iter().filter(|how| unnoticed(how)).map(|how| format!("{how:?}")).collect()
}

fn attempt(seed: u64, steps: usize, breakage: Breakage) -> Result<(Statistics, Evidence), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut story = Story::begin(cast::cast().await, seed, breakage).await;
        for _ in 0..steps {
            story.step().await;
        }
        let rested = tokio::time::timeout(REST_MAX, story.come_to_rest()).await.map_err(|_| "the world does not come to rest".to_owned());
        let evidence = story.end().await;
        let checked = match story.findings().as_slice() {
            [] => rested.and_then(|()| check::check(&evidence)),
            found => Err(found.join("\n  ")),
        };
        let trace = || if std::env::var_os("SIM_TRACE").is_some() { check::trace(&evidence) } else { String::new() };
        match checked {
            Ok(()) => Ok((story.statistics, evidence)),
            Err(broken) => Err(format!("{broken}\n{}{}", trace(), story.words())),
        }
    })
}
