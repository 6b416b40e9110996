//! All of it together: articles in, matches out. It must not know where articles are kept or what is replied.

use crate::calibration::Calibration;
use crate::evidence::evidence;
use crate::exact::Exact;
use crate::grams::grams_of;
use crate::held_out;
use crate::packed::Packed;
use crate::phrasing::{Article, phrasings};
use crate::speller::Speller;
use crate::text::words;
use crate::trained::Trained;
use crate::vocabulary::{Vector, Vocabulary};

#[cfg(test)]
mod tests;

/// Matches that a question gets at most.
pub const MATCHES_MAX: usize = 5;
/// How sure it is that a question is about the article that has it word for word; more than statistics ever give.
const EXACT_CONFIDENCE: f32 = 0.999;

/// An article that a question may be about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// The place of the article among those that the model was trained from.
    pub article: u32,
    /// The chance that it is the right one, 0 to 1.
    pub confidence: f32,
}

/// What a robot knows of a tenant's articles.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    vocabulary: Vocabulary,
    speller: Speller,
    scorer: Packed,
    /// The articles that have a score: those with a phrasing.
    articles: Vec<u32>,
    exact: Exact,
    calibration: Calibration,
}

impl Model {
    /// A model of these articles. The same articles give the same model. Time and memory grow with the number of phrasings times the
    /// number of articles: 10,000 phrasings of 77 articles take a second or two on one core.
    #[must_use]
    pub fn train(articles: &[Article<'_>]) -> Self {
        let phrasings = phrasings(articles);
        let Trained { vocabulary, speller, linear, articles: scored } = Trained::on(phrasings.iter());
        Self {
            scorer: Packed::of(&linear, vocabulary.len(), scored.len()),
            vocabulary,
            speller,
            articles: scored,
            exact: Exact::of(articles),
            calibration: Calibration::fit(&held_out::outcomes(&phrasings, &[])),
        }
    }

    /// The articles that a text may be about, the most likely one first, at most [`MATCHES_MAX`]. Empty if the text has no word that
    /// resembles one of the articles'. Any text is safe; only its first [`TEXT_CHARACTERS_MAX`](crate::TEXT_CHARACTERS_MAX)
    /// characters are read.
    #[must_use]
    pub fn ask(&self, text: &str) -> Vec<Match> {
        let words = words(text);
        let exact = self.exact.find(&words);
        let vector = self.vocabulary.vector(&grams_of(&self.speller.corrected(words)));
        let mut matches = if vector.weights.is_empty() { Vec::new() } else { self.matches(&vector) };
        if let Some(article) = exact {
            put_first(&mut matches, article);
        }
        matches
    }

    fn matches(&self, vector: &Vector) -> Vec<Match> {
        let scores = self.scorer.score(vector);
        let confidences = evidence(&scores, self.scorer.constants(), vector.known).map(|evidence| self.calibration.confidence(evidence));
        let mut matches: Vec<Match> =
            self.articles.iter().zip(confidences).map(|(&article, confidence)| Match { article, confidence }).collect();
        matches.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        matches.truncate(MATCHES_MAX);
        matches
    }

    /// The confidence from which on a robot may answer by itself, if this share of its answers, 0 to 1, is to be right. It is
    /// estimated from the articles alone, for a shop where 4 of 10 questions fit no article. If such a precision is out of reach, it
    /// is what only a question that has a phrasing word for word gets.
    ///
    /// The estimate is careful: questions about articles left out stand for those that nothing fits, and they are harder than most. A
    /// robot that may answer by itself does well with 0.9; from 0.95 on it may hardly answer at all.
    #[must_use]
    pub fn threshold(&self, precision: f32) -> f32 {
        self.calibration.threshold(precision).min(EXACT_CONFIDENCE)
    }

    /// Bytes that the model takes in memory.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.vocabulary.memory_bytes()
            + self.speller.memory_bytes()
            + self.scorer.memory_bytes()
            + self.articles.capacity() * size_of::<u32>()
            + self.exact.memory_bytes()
            + self.calibration.memory_bytes()
    }
}

fn put_first(matches: &mut Vec<Match>, article: u32) {
    matches.retain(|other| other.article != article);
    matches.insert(0, Match { article, confidence: EXACT_CONFIDENCE });
    matches.truncate(MATCHES_MAX);
}
