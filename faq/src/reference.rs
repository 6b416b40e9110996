//! What evidence was worth for other tenants: what calibration starts from. It knows no tenant.
//!
//! Measured on the training parts of four public sets (`hint3_curekart`, `banking77`, `clinc150`, `bitext`), whole and cut down to
//! tenants of 3 to 25 articles with 2 to 8 phrasings, each of the 20 kinds of tenant counting the same: held-out questions, 60 of 100
//! with an article, the others half from articles left out and half from other sets. `quality reference` prints it.

use crate::calibration::Outcome;
use crate::evidence::Evidence;

/// Log-odds, known share and share of right answers of groups of outcomes, all groups of one size.
const GROUPS: [(f32, f32, f32); 40] = [
    (-2.54, 0.11, 0.041),
    (-2.41, 0.18, 0.052),
    (-2.30, 0.26, 0.068),
    (-2.32, 0.45, 0.040),
    (-1.76, 0.25, 0.158),
    (-1.72, 0.35, 0.156),
    (-1.68, 0.45, 0.175),
    (-1.64, 0.64, 0.137),
    (-0.97, 0.05, 0.041),
    (-1.03, 0.20, 0.210),
    (-1.12, 0.43, 0.280),
    (-1.10, 0.67, 0.233),
    (-0.73, 0.03, 0.044),
    (-0.73, 0.07, 0.088),
    (-0.73, 0.16, 0.225),
    (-0.73, 0.53, 0.344),
    (-0.47, 0.05, 0.073),
    (-0.42, 0.14, 0.284),
    (-0.41, 0.34, 0.414),
    (-0.40, 0.67, 0.396),
    (0.04, 0.15, 0.480),
    (0.13, 0.26, 0.628),
    (0.08, 0.46, 0.566),
    (0.10, 0.74, 0.543),
    (0.74, 0.24, 0.772),
    (0.83, 0.34, 0.829),
    (0.83, 0.51, 0.776),
    (0.81, 0.78, 0.671),
    (1.57, 0.34, 0.909),
    (1.76, 0.47, 0.910),
    (1.75, 0.62, 0.873),
    (1.76, 0.84, 0.811),
    (2.85, 0.51, 0.939),
    (3.09, 0.68, 0.949),
    (3.26, 0.81, 0.899),
    (3.36, 0.94, 0.922),
    (5.52, 0.76, 0.919),
    (5.79, 0.91, 0.968),
    (6.30, 1.00, 0.977),
    (6.60, 1.00, 0.979),
];

/// The outcomes of the reference, each counting as `weight`.
pub fn reference(weight: f32) -> impl Iterator<Item = Outcome> {
    GROUPS.iter().map(move |&(log_odds, known, right)| Outcome { evidence: Evidence { log_odds, known }, right, weight })
}

/// How many groups of outcomes there are.
pub const REFERENCE_GROUPS: usize = GROUPS.len();
