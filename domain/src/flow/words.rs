//! The small words of a flow: spans of time, languages, and what is said in each of them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::labels::Language;
use crate::schema::text_schema;
use crate::time::Millis;

/// Longest text of a notice, in bytes: what fits into one message of a chat without scrolling, several times over.
pub const NOTICE_BYTES_MAX: usize = 2 * 1024;

/// A span of time as people write it: `30s`, `5m`, `24h`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(Millis);

/// The text is no span of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no span of time; write a number and s, m, h or d, such as 30s or 5m, from 1s to 31d")]
pub struct InvalidSpan(pub String);

impl Span {
    /// The longest that may be written: a month.
    pub const MAX: Millis = Millis::days(31);

    /// As milliseconds.
    #[must_use]
    pub const fn millis(self) -> Millis {
        self.0
    }
}

impl FromStr for Span {
    type Err = InvalidSpan;
    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let span = || {
            let unit: fn(i64) -> Millis = match text.as_bytes().last()? {
                b's' => Millis::seconds,
                b'm' => Millis::minutes,
                b'h' => Millis::hours,
                b'd' => Millis::days,
                _ => return None,
            };
            let number = &text[..text.len() - 1];
            let digits = (1..=7).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            let span = digits.then(|| number.parse().ok().map(unit)).flatten()?;
            (Millis::seconds(1)..=Self::MAX).contains(&span).then_some(Self(span))
        };
        span().ok_or_else(|| InvalidSpan(text.to_owned()))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.0 / 1_000;
        match seconds {
            _ if seconds % 86_400 == 0 => write!(f, "{}d", seconds / 86_400),
            _ if seconds % 3_600 == 0 => write!(f, "{}h", seconds / 3_600),
            _ if seconds % 60 == 0 => write!(f, "{}m", seconds / 60),
            _ => write!(f, "{seconds}s"),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

text_schema!(Span, "^[0-9]{1,7}[smhd]$", "A span of time: a number and s, m, h or d, from 1s to 31d.");

/// What is said, in each language that it is said in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Notice(pub BTreeMap<Language, String>);

impl Notice {
    /// What is said to somebody who speaks `wanted`, if it is known what they speak: in that language; in another form of it (`zh`
    /// for `zh-TW`); or in the first language of the flow that the notice has. `None` only of an empty notice.
    #[must_use]
    pub fn said_in(&self, wanted: Option<&Language>, languages: &[Language]) -> Option<&str> {
        let exactly = wanted.and_then(|wanted| self.0.get(wanted));
        let akin =
            || wanted.and_then(|wanted| self.0.iter().find(|(language, _)| language.primary() == wanted.primary()).map(|(_, text)| text));
        let first = || languages.iter().find_map(|language| self.0.get(language));
        exactly.or_else(akin).or_else(first).or_else(|| self.0.values().next()).map(String::as_str)
    }
}
