//! Text into words: one form for every way of writing the same thing. It knows nothing of articles or of weights.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

/// Characters of a text that are read, the rest is left out: a question is shorter, and a pasted log must not cost a second.
pub const TEXT_CHARACTERS_MAX: usize = 2_000;

/// Pairs of a traditional character and its simplified form, sorted, from OpenCC's `TSCharacters` (Apache-2.0).
static SIMPLIFIED: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let characters: Vec<char> = include_str!("traditional.txt").trim_end().chars().collect();
    characters.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
});

/// A run of letters and digits, folded: no case, no accents, no full-width forms, no traditional characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A run of a script that puts spaces between words.
    Spaced(String),
    /// A run of Chinese characters or kana, which may be several words.
    Unspaced(String),
}

/// The words of a text, in order.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut run = String::new();
    let mut unspaced = false;
    for character in fold(text) {
        if is_dropped(character) {
            continue;
        }
        let is_letter = character.is_alphanumeric();
        if !is_letter || is_unspaced(character) != unspaced {
            close(&mut words, &mut run, unspaced);
        }
        if is_letter {
            unspaced = is_unspaced(character);
            run.push(character);
        }
    }
    close(&mut words, &mut run, unspaced);
    words
}

fn close(words: &mut Vec<Word>, run: &mut String, unspaced: bool) {
    if !run.is_empty() {
        let run = std::mem::take(run);
        words.push(if unspaced { Word::Unspaced(run) } else { Word::Spaced(run) });
    }
}

fn fold(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .take(TEXT_CHARACTERS_MAX)
        .nfkd()
        .filter(|&character| !is_accent(character))
        .nfc()
        .flat_map(char::to_lowercase)
        .map(simplified)
        .take(TEXT_CHARACTERS_MAX)
}

fn simplified(character: char) -> char {
    if !is_unspaced(character) {
        return character;
    }
    SIMPLIFIED.binary_search_by_key(&character, |pair| pair.0).map_or(character, |place| SIMPLIFIED[place].1)
}

/// Accents of Latin, Greek and Cyrillic letters; marks of other scripts are part of the word.
const fn is_accent(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

/// Written inside a word and left out as often as not.
const fn is_dropped(character: char) -> bool {
    matches!(character, '\'' | '\u{2018}' | '\u{2019}' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{ad}')
}

const fn is_unspaced(character: char) -> bool {
    matches!(character, '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spaced(words: &[&str]) -> Vec<Word> {
        words.iter().map(|&word| Word::Spaced(word.to_owned())).collect()
    }

    #[test]
    fn case_accents_width_and_apostrophes_do_not_count() {
        assert_eq!(words("Where's my  CAFÉ-order?"), spaced(&["wheres", "my", "cafe", "order"]));
        assert_eq!(words("ＲＥＦＵＮＤ　１２３！"), spaced(&["refund", "123"]));
    }

    #[test]
    fn traditional_characters_are_simplified() {
        assert_eq!(words("請問運費多少錢？"), words("请问运费多少钱"));
    }

    #[test]
    fn chinese_and_english_are_words_of_their_own() {
        let words = words("我的iPhone14坏了");
        assert_eq!(words, [Word::Unspaced("我的".into()), Word::Spaced("iphone14".into()), Word::Unspaced("坏了".into())]);
    }

    #[test]
    fn korean_words_stay_whole() {
        assert_eq!(words("배송 언제"), spaced(&["배송", "언제"]));
    }

    #[test]
    fn signs_alone_are_no_words() {
        assert_eq!(words(""), []);
        assert_eq!(words("\u{1f600}\u{1f44d} ?!\u{200d}\u{feff}\0"), []);
    }

    #[test]
    fn only_the_beginning_of_a_long_text_is_read() {
        let long = "x ".repeat(TEXT_CHARACTERS_MAX);
        assert_eq!(words(&long).len(), TEXT_CHARACTERS_MAX / 2);
        // A ligature that becomes 18 characters.
        let words = words(&"\u{fdfa}".repeat(TEXT_CHARACTERS_MAX));
        let letters = words.iter().map(|(Word::Spaced(word) | Word::Unspaced(word))| word.chars().count()).sum::<usize>();
        assert!(letters <= TEXT_CHARACTERS_MAX);
    }
}
