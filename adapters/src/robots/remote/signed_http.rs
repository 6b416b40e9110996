//! The HTTP robot's way to talk: one signed request for a question, and its answer. docs/PROTOCOL.md is the contract.

use domain::message::{CONTENT_BYTES_MAX, Category, Kind};
use domain::tenant::event::RobotUse;
use serde::{Deserialize, Serialize};

use super::asking::{Answered, Asking, RobotError};
use crate::http::extract::parse_object;

/// The most that is read of an answer.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Hints that a page shows beside an answer.
const HINTS_MAX: usize = 8;
/// Longest hint in bytes: a question of one line.
const HINT_BYTES_MAX: usize = 512;

#[derive(Serialize)]
struct TurnBody<'a> {
    seq: u64,
    from: Category,
    kind: Kind,
    text: &'a str,
}

#[derive(Serialize)]
struct QuestionBody<'a> {
    purpose: RobotUse,
    conversation: String,
    chat: String,
    shop: &'a str,
    entry_page: domain::conversation::event::EntryPage,
    language: Option<&'a str>,
    seq: u64,
    kind: Kind,
    text: &'a str,
    history: Vec<TurnBody<'a>>,
}

/// What is sent.
///
/// # Panics
/// Never: it is plain text and numbers.
#[must_use]
pub fn body(asking: &Asking) -> String {
    let history = asking.history.iter().map(|said| TurnBody { seq: said.seq, from: said.from, kind: said.kind, text: &said.text });
    let body = QuestionBody {
        purpose: asking.purpose,
        conversation: asking.conversation.to_string(),
        chat: asking.chat.to_string(),
        shop: asking.shop.as_str(),
        entry_page: asking.entry,
        language: asking.language.as_ref().map(domain::labels::Language::as_str),
        seq: asking.seq,
        kind: asking.kind,
        text: &asking.text,
        history: history.collect(),
    };
    serde_json::to_string(&body).expect("plain text and numbers")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerBody {
    answer: Option<String>,
    confidence: Option<u8>,
    #[serde(default)]
    unknown: bool,
    #[serde(default)]
    hand_off: bool,
    #[serde(default)]
    hints: Vec<String>,
}

/// What came back.
///
/// # Errors
/// [`RobotError::Garbage`].
pub fn read(bytes: &[u8]) -> Result<Answered, RobotError> {
    let read = parse_object(bytes).map_err(|_| RobotError::Garbage("it is not the JSON of an answer"));
    let AnswerBody { answer, confidence, unknown, hand_off, hints } = read?;
    let is_hint = |hint: &String| !hint.trim().is_empty() && hint.len() <= HINT_BYTES_MAX;
    if hints.len() > HINTS_MAX || !hints.iter().all(is_hint) {
        return Err(RobotError::Garbage("hints are at most 8, of 1 to 512 bytes"));
    }
    match (answer, unknown, hand_off) {
        (Some(words), false, false) => {
            let confidence = confidence.unwrap_or(100);
            if words.trim().is_empty() || words.len() > CONTENT_BYTES_MAX {
                return Err(RobotError::Garbage("an answer is 1 to 16,384 bytes"));
            }
            if confidence > 100 {
                return Err(RobotError::Garbage("confidence is 0 to 100"));
            }
            Ok(Answered::Words { words, confidence, hints })
        }
        (None, true, false) if confidence.is_none() => Ok(Answered::Unknown { hints }),
        (None, false, true) if confidence.is_none() && hints.is_empty() => Ok(Answered::GiveWay),
        _ => Err(RobotError::Garbage("it is one of answer, unknown and hand_off")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_of_three() {
        let words = |confidence, hints: &[&str]| Answered::Words {
            words: "今天发货。".into(),
            confidence,
            hints: hints.iter().map(ToString::to_string).collect(),
        };
        for (text, answered) in [
            (r#"{"answer": "今天发货。", "confidence": 87, "hints": ["怎么退货？"]}"#, words(87, &["怎么退货？"])),
            (r#"{"answer": "今天发货。"}"#, words(100, &[])),
            (r#"{"unknown": true, "hints": ["x"]}"#, Answered::Unknown { hints: vec!["x".into()] }),
            (r#"{"hand_off": true}"#, Answered::GiveWay),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap(), answered, "{text}");
        }
    }

    #[test]
    fn whatever_else_comes_is_no_answer() {
        let long = format!(r#"{{"answer": "{}"}}"#, "x".repeat(CONTENT_BYTES_MAX + 1));
        for text in [
            "",
            "<html>502</html>",
            "[]",
            r#"["a", 1, false, false, []]"#,
            "{}",
            r#"{"answer": ""}"#,
            r#"{"answer": "  "}"#,
            r#"{"answer": 1}"#,
            r#"{"answer": "a", "confidence": 101}"#,
            r#"{"answer": "a", "confidence": -1}"#,
            r#"{"answer": "a", "unknown": true}"#,
            r#"{"answer": "a", "hand_off": true}"#,
            r#"{"unknown": true, "hand_off": true}"#,
            r#"{"unknown": false}"#,
            r#"{"hand_off": true, "hints": ["x"]}"#,
            r#"{"answer": "a", "hints": [""]}"#,
            r#"{"answer": "a", "hints": ["1","2","3","4","5","6","7","8","9"]}"#,
            r#"{"answer": "a", "more": 1}"#,
            r#"{"answer": "a"}{"answer": "b"}"#,
            &long,
        ] {
            assert!(matches!(read(text.as_bytes()), Err(RobotError::Garbage(_))), "{text}");
        }
    }
}
