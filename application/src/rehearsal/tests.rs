//! Rehearsals against what is known otherwise: the formulas of queueing theory.

use domain::time::Millis;

use super::chance::Survival;
use super::figures::{self, Figures};
use super::model::{Model, ModelError};
use super::plan::Plan;
use super::play::play;

/// Steady state of a birth-death queue: `agents` servers, and leavers at rate `theta` for each who waits. Answers the share of those who
/// come that waits, and how long those who come wait on average, in the unit of time of the rates.
fn steady(lambda: f64, mu: f64, agents: u32, theta: f64) -> (f64, f64) {
    let mut weights = vec![1.0_f64];
    for state in 1..5_000_u32 {
        let out = f64::from(state.min(agents)) * mu + f64::from(state.saturating_sub(agents)) * theta;
        weights.push(weights[weights.len() - 1] * lambda / out);
    }
    let total: f64 = weights.iter().sum();
    let waits: f64 = weights.iter().skip(agents as usize).sum::<f64>() / total;
    let queue: f64 =
        weights.iter().zip(0_u32..).map(|(weight, state)| weight * f64::from(state.saturating_sub(agents))).sum::<f64>() / total;
    (waits, queue / lambda)
}

fn run(model: &Model) -> Figures {
    let recording = model.recording();
    figures::of(&recording, &play(&recording, &Plan::default()), &Plan::default())
}

/// Mean and standard error over runs with other chances.
fn runs(model: Model, figure: impl Fn(&Figures) -> f64) -> (f64, f64) {
    let figures: Vec<f64> = (0..8).map(|seed| figure(&run(&Model { seed, ..model }))).collect();
    let count = 8.0;
    let mean = figures.iter().sum::<f64>() / count;
    let variance = figures.iter().map(|figure| (figure - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

/// Within four standard errors; the seeds are fixed.
fn assert_near((mean, error): (f64, f64), expected: f64, what: &str) {
    assert!((mean - expected).abs() <= 4.0 * error + 1e-9, "{what}: {mean} +- {error}, expected {expected}");
}

const MODEL: Model = Model {
    arrivals_per_hour: 60.0,
    handling: Millis::seconds(180),
    patience: None,
    agents: 4,
    capacity: 1,
    length: Millis::hours(15),
    seed: 0,
};

#[test]
fn a_model_without_impatience_waits_as_erlang_c_says() {
    let (waits, mean) = steady(60.0 / 3_600.0, 1.0 / 180.0, 4, 0.0);
    assert_near(runs(MODEL, |figures| figures.all.waits.waited), waits, "share that waits");
    assert_near(runs(MODEL, |figures| figures.all.waits.mean_ms / 1_000.0), mean, "mean wait in seconds");
    assert_near(runs(MODEL, |figures| figures.agents.iter().map(|agent| agent.occupancy).sum::<f64>() / 4.0), 0.75, "occupancy");
}

#[test]
fn a_model_with_impatience_loses_as_many_as_erlang_a_says() {
    let model = Model { patience: Some(Millis::seconds(120)), agents: 3, ..MODEL };
    let (waits, mean) = steady(60.0 / 3_600.0, 1.0 / 180.0, 3, 1.0 / 120.0);
    assert_near(runs(model, |figures| figures.all.waits.waited), waits, "share that waits");
    assert_near(runs(model, |figures| figures.all.waits.mean_ms / 1_000.0), mean, "mean wait in seconds");
    // Whoever waits leaves at a rate of 1 / patience.
    assert_near(runs(model, |figures| figures.all.abandonment), mean / 120.0, "abandonment");
}

#[test]
fn more_seats_never_make_the_same_customers_wait_longer() {
    let recording = MODEL.recording();
    let mean = |capacity| {
        let plan = Plan { capacity: Some(capacity), ..Plan::default() };
        figures::of(&recording, &play(&recording, &plan), &plan).all.waits.mean_ms
    };
    let means = [1, 2, 3].map(mean);
    assert!(means.is_sorted_by(|more, less| more >= less) && means[0] > means[2], "{means:?}");
}

#[test]
fn a_rehearsal_answers_the_same_each_time() {
    assert_eq!(run(&MODEL), run(&MODEL));
    assert_ne!(run(&MODEL), run(&Model { seed: 1, ..MODEL }));
}

#[test]
fn a_model_that_cannot_be_is_refused() {
    for (model, error) in [
        (Model { arrivals_per_hour: f64::NAN, ..MODEL }, ModelError::Arrivals),
        (Model { arrivals_per_hour: 0.0, ..MODEL }, ModelError::Arrivals),
        (Model { handling: Millis(0), ..MODEL }, ModelError::Spans),
        (Model { patience: Some(Millis(-1)), ..MODEL }, ModelError::Spans),
        (Model { agents: 0, ..MODEL }, ModelError::Agents),
        (Model { capacity: 0, ..MODEL }, ModelError::Agents),
        (Model { arrivals_per_hour: 1_000_000.0, length: Millis::days(31), ..MODEL }, ModelError::Long),
    ] {
        assert_eq!(model.check(), Err(error));
    }
    assert_eq!(MODEL.check(), Ok(()));
}

#[test]
fn whoever_was_served_counts_as_waiting_for_as_long_as_they_were_seen_to() {
    // Of four, one left after 10 s; one was served after 20 s; of the two who were left, one left after 30 s.
    let waits = vec![(Millis::seconds(10), true), (Millis::seconds(20), false), (Millis::seconds(30), true), (Millis::seconds(40), false)];
    let survival = Survival::of(waits);
    assert_eq!(survival.leaves_after(Millis(0), 0.8), Some(Millis::seconds(10)));
    assert_eq!(survival.leaves_after(Millis(0), 0.5), Some(Millis::seconds(30)));
    assert_eq!(survival.leaves_after(Millis(0), 0.3), None, "three of eight are never seen to leave");
    assert_eq!(survival.leaves_after(Millis::seconds(20), 0.8), Some(Millis::seconds(30)));
    assert_eq!(survival.leaves_after(Millis::seconds(30), 0.9), None);
}
