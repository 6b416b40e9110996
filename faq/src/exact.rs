//! Finds the article that has a question word for word. What somebody typed in as a phrasing must be answered by its article, however
//! the statistics stand.

use crate::phrasing::Article;
use crate::text::{Word, words};

/// Phrasings by a hash of their words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact {
    /// Sorted by hash. A phrasing that several articles have is not here, since it does not tell.
    articles: Vec<(u64, u32)>,
}

impl Exact {
    /// The phrasings of these articles.
    #[must_use]
    pub fn of(articles: &[Article<'_>]) -> Self {
        let mut all: Vec<(u64, u32)> = (0..).zip(articles).flat_map(|(number, article)| hashes(number, article)).collect();
        all.sort_unstable();
        all.dedup();
        let articles = all.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() == 1).map(|same| same[0]).collect();
        Self { articles }
    }

    /// The one article that has these words as a phrasing.
    #[must_use]
    pub fn find(&self, words: &[Word]) -> Option<u32> {
        let hash = hash(words)?;
        self.articles.binary_search_by_key(&hash, |entry| entry.0).ok().map(|place| self.articles[place].1)
    }

    /// Bytes that it takes in memory.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.articles.capacity() * size_of::<(u64, u32)>()
    }
}

fn hashes(number: u32, article: &Article<'_>) -> impl Iterator<Item = (u64, u32)> {
    std::iter::once(article.question)
        .chain(article.similar.iter().copied())
        .filter_map(|text| hash(&words(text)))
        .map(move |hash| (hash, number))
}

/// FNV-1a of the words, none if there are no words.
fn hash(words: &[Word]) -> Option<u64> {
    let bytes = words.iter().flat_map(|word| match word {
        Word::Spaced(word) | Word::Unspaced(word) => word.bytes().chain([0xff]),
    });
    (!words.is_empty()).then(|| bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrasing_is_found_however_it_is_written() {
        let exact = Exact::of(&[Article { question: "怎麼退貨？", similar: vec!["How do I return it"] }]);
        assert_eq!(exact.find(&words("怎么退货")), Some(0));
        assert_eq!(exact.find(&words("HOW do I return it??")), Some(0));
        assert_eq!(exact.find(&words("do I return it how")), None);
    }

    #[test]
    fn a_phrasing_of_two_articles_is_no_answer() {
        let exact = Exact::of(&[Article { question: "hello", similar: vec!["hello!"] }, Article { question: "Hello", similar: vec![] }]);
        assert_eq!(exact.find(&words("hello")), None);
    }

    #[test]
    fn a_text_without_words_is_no_phrasing() {
        assert_eq!(Exact::of(&[Article::default()]).find(&words("...")), None);
    }
}
