//! Names of files: what a client says, made harmless, and written into a header so that it can say nothing else there.

use application::attachment::NAME_BYTES_MAX;

/// The name of a file that was given none.
const UNNAMED: &str = "attachment";

/// Letters that change the direction in which others are read: with them `photo gnp.exe` reads as `photo exe.png`.
const fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The last part of a path, without letters that nobody sees; `None` when it is too long.
#[must_use]
pub fn cleaned(given: &str) -> Option<String> {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|letter| !letter.is_control() && !turns_text(*letter)).collect();
    let clean = clean.trim();
    match clean {
        "" | "." | ".." => Some(UNNAMED.to_owned()),
        name if name.len() > NAME_BYTES_MAX => None,
        name => Some(name.to_owned()),
    }
}

/// A name as the value of `filename*` (RFC 8187): letters, digits and a few signs, everything else as bytes in hexadecimal.
#[must_use]
pub fn encoded(name: &str) -> String {
    use std::fmt::Write;
    let mut value = String::with_capacity(7 + 3 * name.len());
    value.push_str("UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            write!(value, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_a_path_without_tricks() {
        for (given, name) in [
            ("猫.png", "猫.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\li\\a.txt", "a.txt"),
            ("a\r\nSet-Cookie: x\0.txt", "aSet-Cookie: x.txt"),
            ("photo\u{202e}gnp.exe", "photognp.exe"),
            ("", "attachment"),
            ("..", "attachment"),
            ("x/", "attachment"),
        ] {
            assert_eq!(cleaned(given).as_deref(), Some(name), "{given:?}");
        }
        assert!(cleaned(&"x".repeat(NAME_BYTES_MAX)).is_some());
        assert_eq!(cleaned(&"x".repeat(NAME_BYTES_MAX + 1)), None);
    }

    #[test]
    fn a_name_in_a_header_says_nothing_but_the_name() {
        assert_eq!(encoded("a b\"; filename=\"x.exe"), "UTF-8''a%20b%22%3B%20filename%3D%22x.exe");
        assert_eq!(encoded("猫.png"), "UTF-8''%E7%8C%AB.png");
    }
}
