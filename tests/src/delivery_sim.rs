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

use std::collections::BTreeSet;
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

/// What kind of promise was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// A link passed over an item.
    PassedOver,
    /// A link carried an item again that nobody asked for.
    CarriedAgain,
    /// A device noticed something else that docs/PROTOCOL.md rules out.
    Protocol,
    /// The world did not come to rest.
    Restless,
    /// What was left behind is not what the log says.
    LeftBehind,
}

/// What a seed found.
#[derive(Debug)]
pub struct Found {
    /// Of which kinds.
    pub kinds: BTreeSet<Broken>,
    /// In words, with what happened last.
    pub words: String,
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
    whole(seed, steps).0
}

/// Runs one seed with something broken on purpose; what was found, if anything.
#[must_use]
pub fn run_broken(seed: u64, steps: usize, breakage: Breakage) -> Option<Found> {
    attempt(seed, steps, breakage).err()
}

/// Runs seeds and falsifies what they leave behind, in every way that the checks know of once; the ways that were not noticed as
/// what they are, and those for which no seed left anything to falsify.
///
/// # Panics
/// When a seed itself breaks a promise.
#[must_use]
pub fn run_tampered(seeds: std::ops::Range<u64>, steps: usize) -> Vec<String> {
    let (mut left, mut unnoticed) = (tamper::EVERY.to_vec(), Vec::new());
    for seed in seeds {
        if left.is_empty() {
            break;
        }
        let (_, evidence) = whole(seed, steps);
        left.retain(|(how, noticed_as)| {
            let Some(false_one) = tamper::tampered(&evidence, *how) else { return true };
            match check::check(&false_one) {
                Err(found) if found.contains(noticed_as) => {}
                checked => unnoticed.push(format!("seed {seed}, {how:?}: {checked:?}")),
            }
            false
        });
    }
    unnoticed.extend(left.iter().map(|(how, _)| format!("{how:?}: nothing to falsify")));
    unnoticed
}

fn whole(seed: u64, steps: usize) -> (Statistics, Evidence) {
    attempt(seed, steps, Breakage::None).unwrap_or_else(|found| panic!("seed {seed}, {steps} steps: {}", found.words))
}

fn attempt(seed: u64, steps: usize, breakage: Breakage) -> Result<(Statistics, Evidence), Found> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let mut story = Story::begin(cast::cast().await, seed, breakage).await;
        for _ in 0..steps {
            story.step().await;
        }
        // Where something is broken already nothing need come to rest.
        let is_whole = story.findings().is_empty();
        let rested = !is_whole || tokio::time::timeout(REST_MAX, story.come_to_rest()).await.is_ok();
        let evidence = story.end().await;
        let mut found = story.findings();
        if found.is_empty() && !rested {
            found.push((Broken::Restless, "the world does not come to rest".to_owned()));
        }
        if found.is_empty()
            && let Err(broken) = check::check(&evidence)
        {
            found.push((Broken::LeftBehind, broken));
        }
        if found.is_empty() {
            return Ok((story.statistics, evidence));
        }
        let trace = if std::env::var_os("SIM_TRACE").is_some() { check::trace(&evidence) } else { String::new() };
        let (kinds, words): (_, Vec<String>) = found.into_iter().unzip();
        Err(Found { kinds, words: format!("{}\n{trace}{}", words.join("\n  "), story.words()) })
    })
}
