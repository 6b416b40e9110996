//! What staff, or a provider, write beside something they do: for the eyes of staff alone, and always in a private half.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// Longest remark in bytes of UTF-8: some hundred words in any script. What is longer belongs into a message.
pub const REMARK_BYTES_MAX: usize = 2_000;

/// A remark: neither empty nor blank, and not too long.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Remark(Box<str>);

/// Why a text is no remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a remark says something, in at most {bytes_max} bytes")]
pub struct InvalidRemark {
    /// The limit.
    pub bytes_max: usize,
}

impl Remark {
    /// What is kept of a text that a machine wrote: as much of it as fits, without characters that control how it is shown; `None` when
    /// that says nothing.
    #[must_use]
    pub fn cut(text: &str) -> Option<Self> {
        let shown: String = text.chars().filter(|letter| !letter.is_control()).collect();
        let shown = shown.trim();
        shown[..shown.floor_char_boundary(REMARK_BYTES_MAX)].parse().ok()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Remark {
    type Err = InvalidRemark;
    fn from_str(text: &str) -> Result<Self, InvalidRemark> {
        let valid = !text.trim().is_empty() && text.len() <= REMARK_BYTES_MAX;
        if valid { Ok(Self(text.into())) } else { Err(InvalidRemark { bytes_max: REMARK_BYTES_MAX }) }
    }
}

impl<'de> Deserialize<'de> for Remark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A remark is of people, so it is in no log and no failure.
impl fmt::Debug for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remark({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_says_something_and_keeps_its_limit() {
        let refused = Err(InvalidRemark { bytes_max: REMARK_BYTES_MAX });
        assert_eq!("".parse::<Remark>(), refused);
        assert_eq!(" \n".parse::<Remark>(), refused);
        assert_eq!("r".repeat(REMARK_BYTES_MAX + 1).parse::<Remark>(), refused);
        assert_eq!("r".repeat(REMARK_BYTES_MAX).parse::<Remark>().unwrap().as_str().len(), REMARK_BYTES_MAX);
    }

    #[test]
    fn what_a_machine_wrote_is_cut_to_what_is_shown_and_fits() {
        let cut = |text: &str| Remark::cut(text).map(|remark| remark.as_str().to_owned());
        assert_eq!(cut(" closed\r\n on\u{1b} Sundays\0 ").as_deref(), Some("closed on Sundays"));
        assert_eq!(cut("\n\t \0"), None);
        // Three bytes each, so that the limit lies within one of them.
        assert_eq!(cut(&"休".repeat(REMARK_BYTES_MAX)).map(|kept| kept.len()), Some(REMARK_BYTES_MAX / 3 * 3));
    }
}
