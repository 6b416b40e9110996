//! What a model learns from: every phrasing of every article once. It does not know how it is learnt.

use crate::grams::{GramCount, grams_of};
use crate::text::{Word, words};

/// What a tenant wants to have answered: one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Article<'a> {
    /// The question as its title has it.
    pub question: &'a str,
    /// Other ways of asking the same.
    pub similar: Vec<&'a str>,
}

/// A question that is known to be about an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrasing {
    /// The number of the article.
    pub article: u32,
    /// Its words; never empty.
    pub words: Vec<Word>,
    /// Its grams, sorted; never empty.
    pub grams: Vec<GramCount>,
}

/// The phrasings of the articles, article by article. Left out are those without a word, and the second of two that differ in
/// nothing that counts.
#[must_use]
pub fn phrasings(articles: &[Article<'_>]) -> Vec<Phrasing> {
    (0..).zip(articles).flat_map(|(number, article)| phrasings_of(number, article)).collect()
}

fn phrasings_of(number: u32, article: &Article<'_>) -> Vec<Phrasing> {
    let mut seen = std::collections::BTreeSet::new();
    let texts = std::iter::once(article.question).chain(article.similar.iter().copied());
    let all = texts.map(words).map(|words| Phrasing { article: number, grams: grams_of(&words), words });
    all.filter(|phrasing| !phrasing.grams.is_empty() && seen.insert(phrasing.grams.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrasing_counts_once_and_only_with_words() {
        let articles = [
            Article { question: "?", similar: vec![] },
            Article { question: "Where is it?", similar: vec!["", "WHERE is it", "is it where"] },
        ];
        let numbers: Vec<u32> = phrasings(&articles).iter().map(|phrasing| phrasing.article).collect();
        assert_eq!(numbers, [1, 1]);
    }
}
