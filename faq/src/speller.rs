//! Misspelt words into the tenant's own. It knows words, not what they are worth.

use crate::concepts::concept_of_word;
use crate::text::Word;

/// Shorter words are too alike: with 4 letters more typing errors are undone, but known words get lost, too.
const LETTERS_MIN: usize = 5;

/// The words of a tenant's phrasings that others may be misspellings of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Speller {
    /// Sorted, with how many phrasings have each.
    words: Vec<(Box<str>, u32)>,
}

impl Speller {
    /// Learns the words of phrasings.
    #[must_use]
    pub fn of<'a>(phrasings: impl Iterator<Item = &'a [Word]>) -> Self {
        let mut all: Vec<&str> = phrasings.flatten().filter_map(spelt).collect();
        all.sort_unstable();
        let count = |same: &[&str]| (Box::from(same[0]), u32::try_from(same.len()).unwrap_or(u32::MAX));
        Self { words: all.chunk_by(|a, b| a == b).map(count).collect() }
    }

    /// Bytes that it takes in memory.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.words.capacity() * size_of::<(Box<str>, u32)>() + self.words.iter().map(|word| word.0.len()).sum::<usize>()
    }

    /// The words of a text, each that is unknown and one slip away from a known one as that one.
    #[must_use]
    pub fn corrected(&self, mut words: Vec<Word>) -> Vec<Word> {
        for word in &mut words {
            if let Some(known) = spelt(word).and_then(|spelt| self.meant(spelt)) {
                *word = Word::Spaced(known.to_owned());
            }
        }
        words
    }

    /// The most frequent word that is one slip away; of equals the first by alphabet. None for a word that is known itself.
    fn meant(&self, word: &str) -> Option<&str> {
        if self.words.binary_search_by(|known| (*known.0).cmp(word)).is_ok() || concept_of_word(word).is_some() {
            return None;
        }
        // People rarely miss the first letter, and it leaves few words to compare with.
        let first = &word[..1];
        let from = self.words.partition_point(|known| &*known.0 < first);
        let alike = self.words[from..].iter().take_while(|known| known.0.starts_with(first)).filter(|known| is_one_slip(&known.0, word));
        alike.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|known| &*known.0)
    }
}

fn spelt(word: &Word) -> Option<&str> {
    match word {
        Word::Spaced(word) if word.len() >= LETTERS_MIN && word.bytes().all(|byte| byte.is_ascii_lowercase()) => Some(word),
        Word::Spaced(_) | Word::Unspaced(_) => None,
    }
}

/// Whether one letter less, more or other, or two changed places, make one word of the other. Both are ASCII.
fn is_one_slip(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len().abs_diff(right.len()) > 1 {
        return false;
    }
    let same = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let (left, right) = (&left[same..], &right[same..]);
    match left.len().cmp(&right.len()) {
        std::cmp::Ordering::Less => *left == right[1..],
        std::cmp::Ordering::Greater => left[1..] == *right,
        std::cmp::Ordering::Equal => !left.is_empty() && (left[1..] == right[1..] || have_changed_places(left, right)),
    }
}

fn have_changed_places(left: &[u8], right: &[u8]) -> bool {
    left.len() >= 2 && left[0] == right[1] && left[1] == right[0] && left[2..] == right[2..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words;

    fn corrected(known: &str, text: &str) -> Vec<Word> {
        let known = [words(known)];
        Speller::of(known.iter().map(Vec::as_slice)).corrected(words(text))
    }

    #[test]
    fn one_slip_is_corrected() {
        for slip in ["protien", "proteein", "protin", "protejn", "proteins"] {
            assert_eq!(corrected("whey protein", slip), words("protein"), "{slip}");
        }
    }

    #[test]
    fn two_slips_short_words_and_known_words_stay() {
        for (known, text) in
            [("protein", "protxxn"), ("cash", "cast"), ("trial trail", "trial"), ("weight", "eight"), ("蛋白质粉", "蛋白粉")]
        {
            assert_eq!(corrected(known, text), words(text), "{text}");
        }
    }

    #[test]
    fn the_most_frequent_word_is_meant() {
        assert_eq!(corrected("tablet tabloot tabloot", "tabloet"), words("tabloot"));
    }

    #[test]
    fn slips_at_the_edges_are_slips() {
        assert!(is_one_slip("abc", "ab") && is_one_slip("ab", "abc") && is_one_slip("abc", "xbc"));
        assert!(!is_one_slip("abc", "abc") && !is_one_slip("", "") && !is_one_slip("abc", "a"));
    }
}
