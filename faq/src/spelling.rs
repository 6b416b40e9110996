//! Spellings of a word that are the same word. It knows letters only.

/// Letters that people leave out or mix up most; what a word is without them often survives a typing error.
const VOWELS: &str = "aeiouy";

/// An English word without its most frequent endings; other words as they are. Wrong stems do no harm as long as they are the same
/// for the same word.
#[must_use]
pub fn stem(word: &str) -> &str {
    const ENDINGS: [&str; 6] = ["ing", "ed", "es", "s", "e", "ly"];
    const STEM_BYTES_MIN: usize = 3;
    if !word.is_ascii() {
        return word;
    }
    let mut stems = ENDINGS.iter().filter_map(|ending| word.strip_suffix(ending));
    stems.find(|stem| stem.len() >= STEM_BYTES_MIN && !stem.ends_with('s')).unwrap_or(word)
}

/// A word without vowels, but for a first one, and without doubled letters.
#[must_use]
pub fn skeleton(word: &str) -> String {
    let mut skeleton = String::with_capacity(word.len());
    let mut last = None;
    for letter in word.chars() {
        if last != Some(letter) && (last.is_none() || !VOWELS.contains(letter)) {
            skeleton.push(letter);
        }
        last = Some(letter);
    }
    skeleton
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skeleton_survives_lost_vowels_and_doubled_letters() {
        assert_eq!(["delivery", "delivry", "dellivery", "adress", "eel"].map(skeleton), ["dlvr", "dlvr", "dlvr", "adrs", "el"]);
    }

    #[test]
    fn endings_are_cut_off_where_enough_is_left() {
        assert_eq!(
            ["orders", "ordering", "ordered", "bus", "goes", "éclairs"].map(stem),
            ["order", "order", "order", "bus", "goe", "éclairs"]
        );
    }
}
