//! How much each gram is worth, and texts as vectors of those weights. It does not know which article a text belongs to.

use crate::background::{BACKGROUND_QUESTIONS, background_questions};
use crate::grams::{GramCount, GramKey, Kind};

/// Part of a vector's squared length that words make up, character runs make up the rest. Chosen on the training parts of four
/// public sets; anything between 0.65 and 0.8 does about as well.
const WORDS_SHARE: f32 = 0.7;
/// Phrasings from which on a gram that only one of them has is left out: among so many it is noise, and most of the memory.
const PHRASINGS_FOR_PRUNING: usize = 2_000;

/// The grams that a tenant's phrasings have.
#[derive(Clone, Debug, PartialEq)]
pub struct Vocabulary {
    keys: Vec<GramKey>,
    rarity: Vec<f32>,
    rarity_unknown: f32,
}

/// A text as weights of known grams. Grams that are not known make it shorter than 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vector {
    /// Which gram of the vocabulary, and its weight.
    pub weights: Vec<(u32, f32)>,
    /// Share of the text that the vocabulary knows, 0 to 1: the vector's squared length.
    pub known: f32,
}

impl Vocabulary {
    /// The vocabulary of these phrasings, each given by its grams.
    #[must_use]
    pub fn of(phrasings: &[&[GramCount]]) -> Self {
        let mut all: Vec<GramKey> = phrasings.iter().flat_map(|grams| grams.iter().map(|gram| gram.0)).collect();
        all.sort_unstable();
        let phrasings_min = if phrasings.len() < PHRASINGS_FOR_PRUNING { 1 } else { 2 };
        let mut vocabulary = Self { keys: Vec::new(), rarity: Vec::new(), rarity_unknown: rarity(phrasings.len(), 0.0) };
        for same in all.chunk_by(|a, b| a == b).filter(|same| same.len() >= phrasings_min) {
            vocabulary.keys.push(same[0]);
            let having = same.len() as f32 + background_questions(same[0]);
            vocabulary.rarity.push(rarity(phrasings.len(), having));
        }
        vocabulary.keys.shrink_to_fit();
        vocabulary.rarity.shrink_to_fit();
        vocabulary
    }

    /// How many grams it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// The vector of a text given by its grams, which are sorted.
    #[must_use]
    pub fn vector(&self, grams: &[GramCount]) -> Vector {
        let mut vector = Vector { weights: Vec::with_capacity(grams.len()), known: 0.0 };
        let mut squares = [0.0_f32; 2];
        let mut from = 0;
        for &(key, count) in grams {
            let place = self.keys[from..].binary_search(&key);
            from += place.unwrap_or_else(|next| next);
            let rarity = if place.is_ok() { self.rarity[from] } else { self.rarity_unknown };
            let weight = rarity * (1.0 + f32::from(count).ln());
            squares[key.kind() as usize] += weight * weight;
            if place.is_ok() {
                vector.weights.push((u32::try_from(from).expect("a vocabulary fits into memory"), weight));
            }
        }
        self.scale(&mut vector, squares);
        vector
    }

    fn scale(&self, vector: &mut Vector, squares: [f32; 2]) {
        let mut factors = [0.0; 2];
        for (kind, share) in [(Kind::Words, WORDS_SHARE), (Kind::Characters, 1.0 - WORDS_SHARE)] {
            if squares[kind as usize] > 0.0 {
                factors[kind as usize] = (share / squares[kind as usize]).sqrt();
            }
        }
        for (gram, weight) in &mut vector.weights {
            *weight *= factors[self.keys[*gram as usize].kind() as usize];
            vector.known += *weight * *weight;
        }
    }

    /// Bytes that it takes in memory.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.keys.capacity() * size_of::<GramKey>() + self.rarity.capacity() * size_of::<f32>()
    }
}

/// Inverse document frequency, smoothed, with the background counted in; at least about 1.
fn rarity(phrasings: usize, having: f32) -> f32 {
    ((phrasings as f32 + BACKGROUND_QUESTIONS + 1.0) / (having + 1.0)).ln() + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grams::grams;

    fn vocabulary(phrasings: &[&str]) -> Vocabulary {
        let grams: Vec<Vec<GramCount>> = phrasings.iter().map(|text| grams(text)).collect();
        Vocabulary::of(&grams.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn a_phrasing_is_known_altogether_and_another_text_in_part() {
        let vocabulary = vocabulary(&["where is my parcel", "cancel it"]);
        assert!((vocabulary.vector(&grams("where is my parcel")).known - 1.0).abs() < 1e-5);
        let part = vocabulary.vector(&grams("where is my giraffe")).known;
        assert!(0.1 < part && part < 0.9, "{part}");
        assert_eq!(vocabulary.vector(&grams("?")), Vector::default());
    }

    #[test]
    fn the_known_share_is_the_squared_length() {
        let vector = vocabulary(&["怎么退货", "where is it"]).vector(&grams("怎么换货 where was it"));
        let square: f32 = vector.weights.iter().map(|weight| weight.1 * weight.1).sum();
        assert!((square - vector.known).abs() < 1e-5);
        assert!(vector.weights.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn a_common_word_tells_less_than_a_rare_one_even_if_the_tenant_has_both_once() {
        let vocabulary = vocabulary(&["the giraffe"]);
        let (common, rare) = (vocabulary.vector(&grams("the zebra")).known, vocabulary.vector(&grams("a giraffe")).known);
        assert!(common < rare / 2.0, "{common} {rare}");
    }

    #[test]
    fn among_many_phrasings_a_gram_of_only_one_is_left_out() {
        let mut texts = vec!["giraffe"; PHRASINGS_FOR_PRUNING];
        let without = vocabulary(&texts).len();
        texts.push("zebra");
        assert_eq!(vocabulary(&texts).len(), without);
    }
}
