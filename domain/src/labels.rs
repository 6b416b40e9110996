//! Short texts that stay readable for ever: words of a tenant's own lists, and ids of the tenant's own systems.
//!
//! They lie in the clear half of events, where counts are made of them, and outlive an erasure. So they are identifiers and not
//! texts: neither can hold a sentence, a name or an address. What people read beside a label belongs to the page that shows it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::schema::text_schema;

/// Longest label in bytes.
pub const LABEL_BYTES_MAX: usize = 32;
/// Longest name of a language in bytes.
pub const LANGUAGE_BYTES_MAX: usize = 16;
/// Longest reference in bytes.
pub const REFERENCE_BYTES_MAX: usize = 64;

/// Why a text is no identifier of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// See [`Label`].
    #[error("a label is 1 to 32 characters of a-z, 0-9 and _")]
    Label,
    /// See [`Reference`].
    #[error("a reference is 1 to 64 characters of A-Z, a-z, 0-9 and . _ : / # -")]
    Reference,
    /// See [`Language`].
    #[error("this is no language; write zh, zh-CN or zh-Hant-TW")]
    Language,
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $bytes_max:ident, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn check(text: &str) -> Result<(), InvalidText> {
                let allowed: fn(&str) -> bool = $allowed;
                let valid = !text.is_empty() && text.len() <= $bytes_max && allowed(text);
                if valid { Ok(()) } else { Err(InvalidText::$name) }
            }
        }

        impl FromStr for $name {
            type Err = InvalidText;
            fn from_str(text: &str) -> Result<Self, InvalidText> {
                Self::check(text).map(|()| Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Box::<str>::deserialize(deserializer)?;
                Self::check(&text).map_err(serde::de::Error::custom)?;
                Ok(Self(text))
            }
        }
    };
}

checked_text!(
    /// A word of one of the tenant's own lists: a rating tag, the reason of a pause. `[a-z0-9_]{1,32}`.
    Label,
    LABEL_BYTES_MAX,
    |text| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
);
checked_text!(
    /// What the tenant's own systems call something: an order, a product. `[A-Za-z0-9._:/#-]{1,64}`.
    Reference,
    REFERENCE_BYTES_MAX,
    |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:/#-".contains(&byte))
);
checked_text!(
    /// A language as browsers name it (BCP 47): `zh`, `zh-CN`, `zh-Hant-TW`.
    Language,
    LANGUAGE_BYTES_MAX,
    is_language
);

/// The form of a language's name, not whether there is one: the primary language, and then parts of it.
fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary = parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase()));
    primary && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

impl Language {
    /// The language itself, whatever form of it: `zh` of `zh-TW`.
    #[must_use]
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// Whether it is another one, or a form of it: `zh-TW` is a `zh`, and not a `zh-CN`.
    #[must_use]
    pub fn is_a(&self, other: &Self) -> bool {
        self.0.strip_prefix(other.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

text_schema!(Label, "^[a-z0-9_]{1,32}$", "A word of one of the tenant's own lists.");
text_schema!(Language, "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "A language as browsers name it, such as zh-CN or en.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_word_and_never_a_sentence() {
        assert_eq!("too_slow2".parse::<Label>().map(|label| label.to_string()), Ok("too_slow2".to_owned()));
        assert!("a".repeat(LABEL_BYTES_MAX).parse::<Label>().is_ok());
        for bad in ["", "Slow", "too slow", "a@b", "慢", &"a".repeat(LABEL_BYTES_MAX + 1)] {
            assert_eq!(bad.parse::<Label>(), Err(InvalidText::Label), "{bad:?}");
        }
    }

    #[test]
    fn a_reference_is_an_id_of_another_system_and_never_a_text() {
        for good in ["4711", "SKU-9/b#2", "order:2024.07_03", &"x".repeat(REFERENCE_BYTES_MAX)] {
            assert!(good.parse::<Reference>().is_ok(), "{good:?}");
        }
        for bad in ["", "li lei", "a@b", "李雷", "(1)", &"x".repeat(REFERENCE_BYTES_MAX + 1)] {
            assert_eq!(bad.parse::<Reference>(), Err(InvalidText::Reference), "{bad:?}");
        }
    }

    #[test]
    fn a_language_is_a_form_of_a_shorter_name() {
        let language = |text: &str| text.parse::<Language>().unwrap();
        assert!(language("zh-TW").is_a(&language("zh")));
        assert!(language("zh").is_a(&language("zh")));
        assert!(!language("zh-TW").is_a(&language("zh-CN")));
        assert!(!language("zh").is_a(&language("zh-CN")));
        assert_eq!(language("zh-Hant-TW").primary(), "zh");
        for bad in ["", "z", "ZH", "zh_CN", "zh-", "chinese", "zh-CN-x"] {
            assert_eq!(bad.parse::<Language>(), Err(InvalidText::Language), "{bad:?}");
        }
    }

    #[test]
    fn what_is_read_is_checked_as_what_is_written() {
        assert_eq!(serde_json::from_str::<Label>("\"meal\"").unwrap().as_str(), "meal");
        assert!(serde_json::from_str::<Label>("\"Zhang San\"").is_err());
        assert!(serde_json::from_str::<Reference>("\"Zhang San\"").is_err());
    }
}
