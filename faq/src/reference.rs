//! What evidence was worth for other tenants: what calibration starts from. It knows no tenant.
//!
//! Measured on the training parts of four public sets (`hint3_curekart`, `banking77`, `clinc150`, `bitext`), whole and cut down to
//! tenants of 3 to 25 articles with 2 to 8 phrasings, each of the 20 kinds of tenant counting the same: held-out questions, 60 of 100
//! with an article, the others half from articles left out and half from other sets. `quality reference` prints it.

use crate::calibration::Outcome;
use crate::evidence::Evidence;

/// Log-odds, known share and share of right answers of groups of outcomes, all groups of one size.
const GROUPS: [(f32, f32, f32); 40] = [
    (-2.47, 0.14, 0.057),
    (-2.30, 0.22, 0.047),
    (-2.16, 0.31, 0.049),
    (-2.13, 0.48, 0.056),
    (-1.48, 0.23, 0.138),
    (-1.54, 0.37, 0.162),
    (-1.50, 0.47, 0.149),
    (-1.45, 0.66, 0.154),
    (-0.96, 0.05, 0.065),
    (-0.96, 0.11, 0.107),
    (-0.97, 0.29, 0.257),
    (-0.98, 0.61, 0.241),
    (-0.70, 0.04, 0.060),
    (-0.68, 0.10, 0.154),
    (-0.66, 0.26, 0.288),
    (-0.67, 0.61, 0.277),
    (-0.32, 0.12, 0.255),
    (-0.27, 0.25, 0.359),
    (-0.27, 0.44, 0.442),
    (-0.26, 0.72, 0.353),
    (0.30, 0.19, 0.596),
    (0.34, 0.33, 0.644),
    (0.33, 0.52, 0.563),
    (0.32, 0.78, 0.489),
    (1.06, 0.28, 0.833),
    (1.12, 0.38, 0.825),
    (1.12, 0.54, 0.763),
    (1.12, 0.80, 0.648),
    (1.98, 0.38, 0.939),
    (2.15, 0.51, 0.913),
    (2.15, 0.65, 0.879),
    (2.18, 0.85, 0.796),
    (3.40, 0.56, 0.916),
    (3.72, 0.72, 0.935),
    (3.92, 0.84, 0.887),
    (4.10, 0.95, 0.911),
    (6.40, 0.78, 0.904),
    (6.56, 0.92, 0.964),
    (6.72, 1.00, 0.976),
    (6.82, 1.00, 0.977),
];

/// The outcomes of the reference, each counting as `weight`.
pub fn reference(weight: f32) -> impl Iterator<Item = Outcome> {
    GROUPS.iter().map(move |&(log_odds, known, right)| Outcome { evidence: Evidence { log_odds, known }, right, weight })
}

/// How many groups of outcomes there are.
pub const REFERENCE_GROUPS: usize = GROUPS.len();
