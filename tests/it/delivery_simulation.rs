//! The simulation of delivery, as many seeds as fit its time, or `SEEDS=n`; and that its checks can fail.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tests::delivery_sim::{self, Breakage, Broken, Statistics};

/// Steps of one seed.
const STEPS: usize = 150;
/// Without `SEEDS`, seeds are run until this much time is used; the number is printed, never asserted.
const TIME: Duration = Duration::from_secs(60);

#[test]
fn every_acknowledged_message_is_once_and_in_order_on_every_device_of_who_may_see_it() {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let (seeds, first) = (number("SEEDS"), number("SEED").unwrap_or(0));
    let began = Instant::now();
    let (mut total, mut count) = (Statistics::default(), 0);
    while seeds.map_or(began.elapsed() < TIME, |seeds| count < seeds) {
        total += delivery_sim::run(first + count, STEPS);
        count += 1;
    }
    println!("simulation of delivery: {count} seeds of {STEPS} steps: {total:?}");
    assert!(total.acknowledged > 0 && total.kills > 0 && total.merged > 0, "the simulation must do something");
}

#[test]
fn what_is_lost_swapped_or_doubled_on_the_way_is_found_as_what_it_is() {
    for (breakage, expected) in
        [(Breakage::Lose, Broken::PassedOver), (Breakage::Swap, Broken::PassedOver), (Breakage::Double, Broken::CarriedAgain)]
    {
        let mut found = (0..20).filter_map(|seed| delivery_sim::run_broken(seed, STEPS, breakage));
        // What is lost behind everything else only keeps the world from resting, and so does a slow machine.
        let Some(found) = found.find(|found| found.kinds != BTreeSet::from([Broken::Restless])) else {
            panic!("{breakage:?} goes unnoticed");
        };
        assert_eq!(found.kinds, BTreeSet::from([expected]), "{breakage:?}: {}", found.words);
    }
}

#[test]
fn evidence_that_was_falsified_is_refused() {
    assert_eq!(delivery_sim::run_tampered(0..20, STEPS), Vec::<String>::new(), "unnoticed");
}
