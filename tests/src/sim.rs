//! The seeded simulation: two instances of the application over one log, with everything going wrong that can.
//!
//! The real owner, deciders, policies and commit bytes run here; only the scheduler, the clock, the ids and the faults are
//! simulated. One seed is one history: a failure prints its seed, and the same seed fails the same way. Nothing here sleeps.

mod check;
mod clients;
mod instance;
pub mod world;

/// A small deterministic generator (SplitMix64, Steele, Lea & Flood 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound; 0 for bound 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % (bound.max(1) as u64)).expect("below a usize")
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// Runs one seed: builds a world, lets it run under faults, lets it come to rest, and checks it.
///
/// # Panics
/// When an invariant is broken; the message names the seed. With `SIM_TRACE` set, the whole history is printed before.
pub fn run(seed: u64, steps: usize) -> world::Statistics {
    let mut world = world::World::new(seed);
    world.set_up();
    for _ in 0..steps {
        world.step();
    }
    world.come_to_rest();
    if let Err(broken) = check::check(&world) {
        if std::env::var_os("SIM_TRACE").is_some() {
            check::trace(&world);
        }
        panic!("seed {seed}, {steps} steps: {broken}");
    }
    world.statistics
}
