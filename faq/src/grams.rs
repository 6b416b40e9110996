//! Words into grams: the pieces of text that questions are compared by. It does not know how much a gram is worth.
//!
//! Words and pairs of them say what is asked; words without vowels and runs of characters within a word forgive typing errors.
//! Chinese has no spaces, so there a pair of characters stands for a word.

use crate::concepts::{UNSPACED_ENTRY_MAX, concept, concept_of_word};
use crate::spelling::{skeleton, stem};
use crate::text::{Word, words};

/// Lengths of the character runs taken from a word with spaces around it, the spaces included.
const SPACED_RUN_LENGTHS: std::ops::RangeInclusive<usize> = 2..=4;
/// Lengths of the character runs taken from Chinese.
const UNSPACED_RUN_LENGTHS: std::ops::RangeInclusive<usize> = 1..=3;
/// Digits from which on a number is an order, a phone or a post code: that there is one tells more than which one it is.
const CODE_DIGITS_MIN: usize = 3;
const CODE: &str = "000";

/// A gram's name: a hash of its text, with its kind in the lowest bit. 63 bits do not collide among a tenant's grams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GramKey(u64);

/// The two kinds of grams. Each kind is weighed on its own, since there are many more runs than words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A word or two words in a row.
    Words = 0,
    /// A run of characters.
    Characters = 1,
}

impl GramKey {
    fn new(kind: Kind, parts: [&str; 2]) -> Self {
        let hash = parts.iter().flat_map(|part| part.bytes().chain([0xff])).fold(0xcbf2_9ce4_8422_2325, fnv_1a);
        Self(scattered(hash) & !1 | kind as u64)
    }

    /// Which kind of gram it names.
    #[must_use]
    pub const fn kind(self) -> Kind {
        if self.0 & 1 == 0 { Kind::Words } else { Kind::Characters }
    }
}

/// A gram of a text and how often it occurs there.
pub type GramCount = (GramKey, u16);

/// The grams of a text, each once, sorted by key.
#[must_use]
pub fn grams(text: &str) -> Vec<GramCount> {
    grams_of(&words(text))
}

/// The grams of a text's words, each once, sorted by key.
#[must_use]
pub fn grams_of(words: &[Word]) -> Vec<GramCount> {
    let mut keys = Vec::new();
    let mut before = Before::default();
    for word in words {
        match word {
            Word::Spaced(word) => before = add_spaced(&mut keys, &before, word),
            Word::Unspaced(run) => {
                add_unspaced(&mut keys, run);
                before = Before::default();
            }
        }
    }
    keys.sort_unstable();
    keys.chunk_by(|a, b| a == b).map(|same| (same[0], u16::try_from(same.len()).unwrap_or(u16::MAX))).collect()
}

/// What stood before a word; nothing at the start, so that a first word counts as such.
#[derive(Default)]
struct Before {
    word: String,
    meaning: String,
}

/// Adds what a word in its place consists of; gives what the next word needs of it.
fn add_spaced(keys: &mut Vec<GramKey>, before: &Before, word: &str) -> Before {
    let word = if is_code(word) { CODE } else { word };
    let stem = stem(word);
    let skeleton = skeleton(stem);
    keys.push(GramKey::new(Kind::Words, ["stem", stem]));
    keys.push(GramKey::new(Kind::Words, ["skeleton", &skeleton]));
    add_runs(keys, &format!(" {word} "), SPACED_RUN_LENGTHS);
    let of_word = concept_of_word(word).map(|concept| concept.to_string());
    let of_two = concept(&format!("{}_{word}", before.word)).map(|concept| concept.to_string());
    keys.extend(of_word.iter().chain(&of_two).map(|concept| GramKey::new(Kind::Words, ["concept", concept])));
    let meaning = of_word.unwrap_or(skeleton);
    keys.push(GramKey::new(Kind::Words, [&before.meaning, &meaning]));
    Before { word: word.to_owned(), meaning }
}

fn add_unspaced(keys: &mut Vec<GramKey>, run: &str) {
    let pair_length = run.chars().count().min(2);
    each_run(run, pair_length, |pair| keys.push(GramKey::new(Kind::Words, ["stem", pair])));
    add_runs(keys, run, UNSPACED_RUN_LENGTHS);
    for length in 1..=UNSPACED_ENTRY_MAX {
        each_run(run, length, |entry| {
            keys.extend(concept(entry).map(|concept| GramKey::new(Kind::Words, ["concept", &concept.to_string()])));
        });
    }
}

fn add_runs(keys: &mut Vec<GramKey>, text: &str, lengths: std::ops::RangeInclusive<usize>) {
    for length in lengths {
        each_run(text, length, |run| keys.push(GramKey::new(Kind::Characters, ["", run])));
    }
}

fn each_run(text: &str, length: usize, mut then: impl FnMut(&str)) {
    let ends = text.char_indices().map(|(at, _)| at).skip(length).chain([text.len()]);
    let starts = text.char_indices().map(|(at, _)| at);
    if text.chars().count() >= length {
        starts.zip(ends).for_each(|(start, end)| then(&text[start..end]));
    }
}

fn is_code(word: &str) -> bool {
    word.len() >= CODE_DIGITS_MIN && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn fnv_1a(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
}

/// FNV's lowest bits are its weakest, and keys are compared as numbers: spreads what there is over all bits.
const fn scattered(hash: u64) -> u64 {
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(left: &str, right: &str) -> usize {
        let right = grams(right);
        grams(left).iter().filter(|gram| right.contains(gram)).count()
    }

    #[test]
    fn a_text_without_words_has_no_grams() {
        assert_eq!(grams(" ?! \u{1f600} "), []);
    }

    #[test]
    fn grams_are_sorted_and_each_stands_once_with_its_count() {
        let grams = grams("bye bye bye");
        assert!(grams.is_sorted_by(|a, b| a.0 < b.0));
        assert!(grams.contains(&(GramKey::new(Kind::Words, ["stem", "bye"]), 3)));
    }

    #[test]
    fn the_kind_is_part_of_the_key() {
        assert_eq!(GramKey::new(Kind::Words, ["stem", "退"]).kind(), Kind::Words);
        assert_eq!(GramKey::new(Kind::Characters, ["", "退"]).kind(), Kind::Characters);
    }

    #[test]
    fn a_misspelt_word_still_shares_runs() {
        assert_eq!(shared("refund", "parcel"), 0);
        assert!(shared("refund", "refnud") >= 4);
    }

    #[test]
    fn numbers_of_orders_are_alike_and_small_numbers_are_not() {
        assert_eq!(grams("order 2024117"), grams("order 9953"));
        assert_ne!(grams("in 12 days"), grams("in 14 days"));
    }

    #[test]
    fn chinese_is_compared_by_pairs_of_characters() {
        assert!(grams("怎么退货").contains(&(GramKey::new(Kind::Words, ["stem", "退货"]), 1)));
        assert!(grams("退").contains(&(GramKey::new(Kind::Words, ["stem", "退"]), 1)));
    }
}
