//! Evidence into confidence: how often such evidence turned out right. It knows outcomes, no texts.

use crate::evidence::Evidence;
use crate::reference::{REFERENCE_GROUPS, reference};

/// Outcomes that the reference counts as: a tenant with fewer of its own leans on it, one with many is hardly moved by it.
const REFERENCE_WEIGHT: f32 = 40.0;
/// Steps of Newton's method; it has settled long before.
const NEWTON_STEPS: usize = 25;
/// Keeps the fit defined whatever the outcomes are.
const RIDGE: f64 = 1e-2;
/// More odds never mean less confidence.
const ODDS_FACTOR_MIN: f64 = 0.1;
/// Confidence is never certainty.
pub const CONFIDENCE_MAX: f32 = 0.998;
/// Points kept of the curve from which thresholds are read.
const CURVE_POINTS_MAX: usize = 200;

/// The evidence for an answer and whether the answer was right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// What spoke for the answer.
    pub evidence: Evidence,
    /// 1 if it was right and 0 if not; between them for many outcomes in one.
    pub right: f32,
    /// How many outcomes it stands for.
    pub weight: f32,
}

/// How sure an answer is by its evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Factors of the log-odds and of the known share, and a constant.
    factors: [f64; 3],
    /// From the most to the least confident: a confidence, and the precision of answers that are at least so confident.
    curve: Vec<(f32, f32)>,
}

impl Calibration {
    /// The calibration that fits the tenant's outcomes, and the reference where they are few.
    #[must_use]
    pub fn fit(own: &[Outcome]) -> Self {
        let mut outcomes = own.to_vec();
        outcomes.extend(reference(REFERENCE_WEIGHT / REFERENCE_GROUPS as f32));
        let mut calibration = Self { factors: logistic(&outcomes), curve: Vec::new() };
        calibration.curve = calibration.curve(&outcomes);
        calibration
    }

    /// The chance that an answer with this evidence is right, 0 to [`CONFIDENCE_MAX`].
    #[must_use]
    pub fn confidence(&self, evidence: Evidence) -> f32 {
        let log_odds: f64 = inputs(evidence).iter().zip(&self.factors).map(|(input, factor)| input * factor).sum();
        (sigmoid(log_odds) as f32).min(CONFIDENCE_MAX)
    }

    /// The lowest confidence from which on answers have this precision together, 1 if none has.
    #[must_use]
    pub fn threshold(&self, precision: f32) -> f32 {
        self.curve.iter().rfind(|point| point.1 >= precision).map_or(1.0, |point| point.0)
    }

    fn curve(&self, outcomes: &[Outcome]) -> Vec<(f32, f32)> {
        let mut by_confidence: Vec<(f32, Outcome)> = outcomes.iter().map(|outcome| (self.confidence(outcome.evidence), *outcome)).collect();
        by_confidence.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut right, mut all) = (0.0, 0.0);
        let mut points = Vec::with_capacity(by_confidence.len());
        for same in by_confidence.chunk_by(|a, b| a.0 == b.0) {
            right += same.iter().map(|(_, outcome)| outcome.right * outcome.weight).sum::<f32>();
            all += same.iter().map(|(_, outcome)| outcome.weight).sum::<f32>();
            points.push((same[0].0, right / all));
        }
        let every = points.len().div_ceil(CURVE_POINTS_MAX).max(1);
        points.into_iter().skip(every - 1).step_by(every).collect()
    }

    /// Bytes that it takes in memory.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.curve.capacity() * size_of::<(f32, f32)>()
    }
}

fn inputs(evidence: Evidence) -> [f64; 3] {
    // Nobody's odds are beyond these, and an infinite one would spoil the sum.
    [f64::from(evidence.log_odds.clamp(-20.0, 20.0)), f64::from(evidence.known), 1.0]
}

fn sigmoid(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Logistic regression by Newton's method.
fn logistic(outcomes: &[Outcome]) -> [f64; 3] {
    let mut factors = [1.0, 1.0, -1.0];
    for _ in 0..NEWTON_STEPS {
        let (slope, bend) = derivatives(outcomes, &factors);
        let step = solve(bend, slope);
        for (factor, step) in factors.iter_mut().zip(step) {
            *factor += step.clamp(-1.0, 1.0);
        }
    }
    factors[0] = factors[0].max(ODDS_FACTOR_MIN);
    factors
}

/// The gradient of the log-likelihood and its negated second derivatives.
fn derivatives(outcomes: &[Outcome], factors: &[f64; 3]) -> ([f64; 3], [[f64; 3]; 3]) {
    let mut slope = factors.map(|factor| -RIDGE * factor);
    let mut bend = [[RIDGE, 0.0, 0.0], [0.0, RIDGE, 0.0], [0.0, 0.0, RIDGE]];
    for outcome in outcomes {
        let inputs = inputs(outcome.evidence);
        let chance = sigmoid(inputs.iter().zip(factors).map(|(input, factor)| input * factor).sum());
        let weight = f64::from(outcome.weight);
        for row in 0..3 {
            slope[row] += weight * (f64::from(outcome.right) - chance) * inputs[row];
            for column in 0..3 {
                bend[row][column] += weight * chance * (1.0 - chance) * inputs[row] * inputs[column];
            }
        }
    }
    (slope, bend)
}

/// Solves three equations by elimination; the ridge keeps every pivot above zero.
fn solve(mut matrix: [[f64; 3]; 3], mut right: [f64; 3]) -> [f64; 3] {
    for pivot in 0..3 {
        let pivot_row = matrix[pivot];
        for row in (0..3).filter(|&row| row != pivot) {
            let factor = matrix[row][pivot] / pivot_row[pivot];
            for column in 0..3 {
                matrix[row][column] -= factor * pivot_row[column];
            }
            right[row] -= factor * right[pivot];
        }
    }
    std::array::from_fn(|row| right[row] / matrix[row][row])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(log_odds: f32, known: f32, right: f32) -> Outcome {
        Outcome { evidence: Evidence { log_odds, known }, right, weight: 1.0 }
    }

    /// A tenant where answers are right exactly if their odds are even or better.
    fn clear_cut() -> Vec<Outcome> {
        (-500..500_i16).map(|step| outcome(f32::from(step) / 100.0, 0.5, if step >= 0 { 1.0 } else { 0.0 })).collect()
    }

    #[test]
    fn without_outcomes_the_reference_decides() {
        let calibration = Calibration::fit(&[]);
        assert!(calibration.confidence(Evidence { log_odds: 6.0, known: 1.0 }) > 0.9);
        assert!(calibration.confidence(Evidence { log_odds: -2.0, known: 0.1 }) < 0.15);
    }

    #[test]
    fn more_odds_are_more_confidence_whatever_the_outcomes_were() {
        let perverse: Vec<Outcome> = clear_cut().into_iter().map(|outcome| Outcome { right: 1.0 - outcome.right, ..outcome }).collect();
        for outcomes in [vec![], clear_cut(), perverse] {
            let calibration = Calibration::fit(&outcomes);
            let confidences: Vec<f32> =
                (-10..10_i8).map(|log_odds| calibration.confidence(Evidence { log_odds: log_odds.into(), known: 0.5 })).collect();
            assert!(confidences.is_sorted() && confidences[0] < confidences[19], "{confidences:?}");
        }
    }

    #[test]
    fn many_outcomes_outweigh_the_reference() {
        let own = Calibration::fit(&clear_cut());
        let evidence = Evidence { log_odds: 1.0, known: 0.5 };
        assert!(own.confidence(evidence) > Calibration::fit(&[]).confidence(evidence));
    }

    #[test]
    fn a_threshold_has_the_precision_that_it_is_for() {
        let outcomes = clear_cut();
        let calibration = Calibration::fit(&outcomes);
        for precision in [0.6, 0.8, 0.9] {
            let threshold = calibration.threshold(precision);
            let answered = outcomes.iter().filter(|outcome| calibration.confidence(outcome.evidence) >= threshold);
            let (right, all) = answered.fold((0.0, 0.0), |(right, all), outcome| (right + outcome.right, all + 1.0));
            assert!((right / all - precision).abs() < 0.05, "{precision}: {right} of {all} from {threshold} on");
        }
    }

    #[test]
    fn a_precision_out_of_reach_has_the_threshold_that_nothing_reaches() {
        assert!(Calibration::fit(&[]).threshold(1.1) > CONFIDENCE_MAX);
    }

    #[test]
    fn infinite_odds_do_no_harm() {
        let calibration = Calibration::fit(&[outcome(f32::NEG_INFINITY, 0.0, 0.0), outcome(f32::INFINITY, 1.0, 1.0)]);
        assert!(calibration.confidence(Evidence { log_odds: f32::NEG_INFINITY, known: 0.0 }) < 0.1);
    }
}
