//! A trained classifier in a quarter of its memory: one byte for each weight. It cannot be trained any further.

use crate::linear::Linear;
use crate::vocabulary::Vector;

/// Weights of every gram for every article, as they are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Packed {
    /// For every article, what a text scores whatever its grams are.
    constants: Vec<f32>,
    /// For every gram, what one unit of its weights stands for.
    units: Vec<f32>,
    /// Row after row, one for each gram.
    weights: Vec<i8>,
}

impl Packed {
    /// Packs a classifier over a vocabulary of so many grams. Each weight is off by at most 1/254 of its gram's largest.
    #[must_use]
    pub fn of(linear: &Linear, grams: usize, articles: usize) -> Self {
        let constants = linear.constants().to_vec();
        let mut packed = Self { constants, units: Vec::with_capacity(grams), weights: Vec::with_capacity(grams * articles) };
        for gram in 0..u32::try_from(grams).expect("a vocabulary fits into memory") {
            packed.push(linear.row(gram));
        }
        packed
    }

    fn push(&mut self, row: &[f32]) {
        let largest = row.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
        let unit = if largest > 0.0 { largest / f32::from(i8::MAX) } else { 1.0 };
        self.units.push(unit);
        self.weights.extend(row.iter().map(|weight| (weight / unit).round() as i8));
    }

    /// The score of each article for a text: see [`Linear::score`].
    #[must_use]
    pub fn score(&self, vector: &Vector) -> Vec<f32> {
        let mut scores = self.constants.clone();
        for &(gram, weight) in &vector.weights {
            let factor = weight * self.units[gram as usize];
            let row = &self.weights[gram as usize * scores.len()..][..scores.len()];
            for (score, &of_article) in scores.iter_mut().zip(row) {
                *score += factor * f32::from(of_article);
            }
        }
        scores
    }

    /// What a text of unknown words scores for each article.
    #[must_use]
    pub fn constants(&self) -> &[f32] {
        &self.constants
    }

    /// Bytes that it takes in memory.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        (self.constants.capacity() + self.units.capacity()) * size_of::<f32>() + self.weights.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_changes_scores_by_little() {
        let vector = |gram| Vector { weights: vec![(gram, 0.8), (2, 0.6)], known: 1.0 };
        let linear = Linear::train(3, 2, &[(vector(0), 0), (vector(1), 1)]);
        let packed = Packed::of(&linear, 3, 2);
        for vector in [vector(0), vector(1), Vector::default()] {
            let mut exact = [0.0; 2];
            linear.score(&vector, &mut exact);
            for (exact, packed) in exact.iter().zip(packed.score(&vector)) {
                assert!((exact - packed).abs() < 0.01, "{exact} {packed}");
            }
        }
    }

    #[test]
    fn no_articles_have_no_scores() {
        assert_eq!(Packed::of(&Linear::train(0, 0, &[]), 0, 0).score(&Vector::default()), []);
    }
}
