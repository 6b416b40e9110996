//! The seeded simulation: two instances of the application over one log, with everything going wrong that can.
//!
//! The real owner, deciders, policies and commit bytes run here; only the scheduler, the clock, the ids and the faults are
//! simulated. One seed is one history: a failure prints its seed, and the same seed fails the same way. Nothing here sleeps.

mod check;
mod clients;
mod feeds;
mod flows;
mod instance;
mod outreach;
mod rehearsals;
mod threads;
mod timers;
pub mod world;

pub use crate::random::Random;

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
