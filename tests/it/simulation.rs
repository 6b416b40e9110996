//! The seeded simulation, as many seeds as fit its time, or `SEEDS=n`.

use std::time::{Duration, Instant};

use tests::sim;
use tests::sim::world::Statistics;

/// Steps of one seed: enough for a few conversations, crashes and jumps.
const STEPS: usize = 1_500;
/// Without `SEEDS`, seeds are run until this much time is used; the number is printed, never asserted.
const TIME: Duration = Duration::from_secs(100);

#[test]
fn two_instances_over_one_log_keep_every_invariant_whatever_goes_wrong() {
    let seeds = std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse::<u64>().ok());
    let first = std::env::var("SEED").ok().and_then(|seed| seed.parse::<u64>().ok()).unwrap_or(0);
    let began = Instant::now();
    let mut total = Statistics::default();
    let mut count = 0;
    while seeds.map_or(began.elapsed() < TIME, |seeds| count < seeds) {
        total += sim::run(first + count, STEPS);
        count += 1;
    }
    println!("simulation: {count} seeds of {STEPS} steps: {total:?}");
    assert!(total.acknowledged > 0 && total.crashes > 0 && total.timers > 0, "the simulation must do something");
}
