//! Phrasings into a vocabulary and a classifier over it. It knows no confidence.

use crate::grams::GramCount;
use crate::linear::Linear;
use crate::phrasing::Phrasing;
use crate::speller::Speller;
use crate::vocabulary::{Vector, Vocabulary};

/// What was learnt from some phrasings.
pub struct Trained {
    /// The phrasings' grams.
    pub vocabulary: Vocabulary,
    /// Corrects the words of a question.
    pub speller: Speller,
    /// Scores of the articles below.
    pub linear: Linear,
    /// Numbers of the articles that have a phrasing, in ascending order.
    pub articles: Vec<u32>,
}

impl Trained {
    /// Learns from phrasings that are sorted by article.
    #[must_use]
    pub fn on<'a>(phrasings: impl Iterator<Item = &'a Phrasing> + Clone) -> Self {
        let mut articles: Vec<u32> = phrasings.clone().map(|phrasing| phrasing.article).collect();
        articles.dedup();
        let speller = Speller::of(phrasings.clone().map(|phrasing| phrasing.words.as_slice()));
        let grams: Vec<&[GramCount]> = phrasings.clone().map(|phrasing| phrasing.grams.as_slice()).collect();
        let vocabulary = Vocabulary::of(&grams);
        let vectors: Vec<(Vector, u32)> =
            phrasings.map(|phrasing| (vocabulary.vector(&phrasing.grams), place(&articles, phrasing.article))).collect();
        let linear = Linear::train(vocabulary.len(), articles.len(), &vectors);
        Self { vocabulary, speller, linear, articles }
    }
}

fn place(articles: &[u32], article: u32) -> u32 {
    let place = articles.binary_search(&article).expect("every phrasing's article is listed");
    u32::try_from(place).expect("no more places than articles")
}
