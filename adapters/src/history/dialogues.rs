//! Recorded service dialogues as they are published: JSON lines, perhaps gzipped, one conversation a line.
//!
//! Reads the forms of the sets `star`, `crosswoz_zh`, `abcd` and `tau_retail` and leaves out what a messenger has no use for
//! (labels, acts, orders). It must not know what is done with a dialogue.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

/// Longest line that is read. The longest of the published sets has 70 KiB; a file without line ends must not fill the memory.
pub const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The first two bytes of every gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The customer.
    Customer,
    /// The agent.
    Agent,
    /// Nobody: the agent did something, such as a look-up.
    Action,
}

/// One line of a dialogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Turn {
    /// Who speaks.
    pub speaker: Speaker,
    /// What they say.
    pub text: String,
    /// When, in Unix seconds; many sets have no times, and look-ups never do.
    #[serde(default, deserialize_with = "whole_seconds")]
    pub t: Option<i64>,
}

/// One question of the survey after a dialogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Answer {
    /// The question.
    #[serde(rename = "q")]
    pub question: String,
    /// Whether the answer was yes.
    #[serde(rename = "a")]
    pub yes: bool,
}

/// How a dialogue ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completion {
    /// It was brought to its end. So is a dialogue that says nothing about it.
    #[default]
    Complete,
    /// One side left early.
    Disconnect,
}

/// A recorded conversation between one customer and one agent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Dialogue {
    /// Its id in the set.
    pub conversation_id: String,
    /// The agent, if the set tells people apart.
    #[serde(default)]
    pub agent_id: Option<String>,
    /// The customer, if the set tells people apart. The same id may be an agent elsewhere.
    #[serde(default)]
    pub customer_id: Option<String>,
    /// What was said, in order.
    pub turns: Vec<Turn>,
    /// What the customer answered afterwards; empty if nothing.
    #[serde(default)]
    pub survey_customer: Vec<Answer>,
    /// How it ended.
    #[serde(default, deserialize_with = "completion")]
    pub completion: Completion,
}

impl Dialogue {
    /// Whether the customer says anything: without it the conversation was opened and abandoned.
    #[must_use]
    pub fn has_customer_message(&self) -> bool {
        self.spoken().any(|turn| turn.speaker == Speaker::Customer)
    }

    /// The turns that are messages: no look-ups, nothing empty.
    pub fn spoken(&self) -> impl Iterator<Item = &Turn> {
        self.turns.iter().filter(|turn| turn.speaker != Speaker::Action && !turn.text.is_empty())
    }

    /// The survey as a rating of 1 to 5: the share of favourable answers, 5 being all of them. `None` if nothing was answered.
    #[must_use]
    pub fn score(&self) -> Option<u8> {
        let asked = self.survey_customer.len();
        let favourable = self.survey_customer.iter().filter(|answer| answer.yes).count();
        // Rounded half up: 4 steps between none and all.
        let steps = (8 * favourable + asked).checked_div(2 * asked)?;
        u8::try_from(1 + steps).ok()
    }

    /// The first recorded time, in Unix seconds.
    #[must_use]
    pub fn starts_at(&self) -> Option<i64> {
        self.turns.iter().find_map(|turn| turn.t)
    }
}

/// Why a file of dialogues cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DialogueError {
    /// The file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file cannot be read further, or its compression is damaged.
    #[error("cannot read line {line}")]
    Read {
        /// From 1.
        line: usize,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is no dialogue.
    #[error("line {line} is no dialogue")]
    Malformed {
        /// From 1.
        line: usize,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A line is longer than any dialogue.
    #[error("line {line} is longer than {LINE_BYTES_MAX} bytes")]
    TooLong {
        /// From 1.
        line: usize,
    },
}

/// Reads every dialogue of a file, gzipped or not.
///
/// # Errors
/// [`DialogueError`], naming the line.
pub fn read_file(path: &Path) -> Result<Vec<Dialogue>, DialogueError> {
    let open = |source| DialogueError::Open { path: path.to_owned(), source };
    let mut file = BufReader::new(File::open(path).map_err(open)?);
    let gzipped = file.fill_buf().map_err(|source| DialogueError::Read { line: 1, source })?.starts_with(&GZIP_MAGIC);
    if gzipped { read(BufReader::new(MultiGzDecoder::new(file))) } else { read(file) }
}

/// Reads every dialogue of a stream of JSON lines; blank lines are passed over.
///
/// # Errors
/// [`DialogueError`], naming the line.
pub fn read(mut lines: impl BufRead) -> Result<Vec<Dialogue>, DialogueError> {
    let mut dialogues = Vec::new();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes);
        let read = read.map_err(|source| DialogueError::Read { line, source })?;
        if read == 0 {
            break;
        }
        if read as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
            return Err(DialogueError::TooLong { line });
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        dialogues.push(serde_json::from_slice(&bytes).map_err(|source| DialogueError::Malformed { line, source })?);
    }
    Ok(dialogues)
}

fn whole_seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Whole(i64),
        Fraction(f64),
    }
    Ok(Option::<Seconds>::deserialize(deserializer)?.map(|seconds| match seconds {
        Seconds::Whole(seconds) => seconds,
        Seconds::Fraction(seconds) => seconds.floor() as i64,
    }))
}

fn completion<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Completion, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(match text.as_deref() {
        None | Some("Complete") => Completion::Complete,
        Some(_) => Completion::Disconnect,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn one(line: &str) -> Dialogue {
        let mut dialogues = read(line.as_bytes()).unwrap();
        assert_eq!(dialogues.len(), 1);
        dialogues.remove(0)
    }

    fn surveyed(answers: &[bool]) -> Dialogue {
        let survey_customer = answers.iter().map(|yes| Answer { question: "happy?".into(), yes: *yes }).collect();
        Dialogue { survey_customer, ..one(r#"{"conversation_id":"x","turns":[]}"#) }
    }

    #[test]
    fn a_dialogue_with_people_times_and_survey_is_read() {
        let dialogue = one(
            r#"{"conversation_id":"star-2","flow":"x","happy_path":true,"completion":"EarlyDisconnectDuringDialogue","agent_id":"a","customer_id":"c",
            "survey_customer":[{"q":"Calm?","a":true}],"turns":[{"speaker":"customer","text":"hi","t":1589375958},
            {"speaker":"action","text":"result {}","t":null},{"speaker":"agent","text":"hello","t":1589375960.7,"label":"hello"}]}"#
                .replace('\n', " ")
                .as_str(),
        );
        assert_eq!(dialogue.completion, Completion::Disconnect);
        assert_eq!((dialogue.agent_id.as_deref(), dialogue.customer_id.as_deref()), (Some("a"), Some("c")));
        assert_eq!(dialogue.turns.iter().map(|turn| turn.t).collect::<Vec<_>>(), [Some(1_589_375_958), None, Some(1_589_375_960)]);
        assert_eq!(dialogue.starts_at(), Some(1_589_375_958));
        assert_eq!(dialogue.score(), Some(5));
    }

    #[test]
    fn a_dialogue_without_people_and_times_is_read() {
        let dialogue =
            one(r#"{"conversation_id":"crosswoz-1","turns":[{"speaker":"customer","text":"你好","acts":[["General","greet"]]}]}"#);
        assert_eq!((dialogue.agent_id, dialogue.completion, dialogue.turns[0].t), (None, Completion::Complete, None));
    }

    #[test]
    fn look_ups_and_empty_lines_are_not_spoken() {
        let dialogue = one(
            r#"{"conversation_id":"x","turns":[{"speaker":"action","text":"query"},{"speaker":"agent","text":""},{"speaker":"agent","text":"hi"}]}"#,
        );
        assert_eq!(dialogue.spoken().map(|turn| turn.text.as_str()).collect::<Vec<_>>(), ["hi"]);
        assert!(!dialogue.has_customer_message());
    }

    #[test]
    fn the_score_is_the_share_of_favourable_answers() {
        assert_eq!(surveyed(&[]).score(), None);
        assert_eq!(surveyed(&[false, false]).score(), Some(1));
        assert_eq!(surveyed(&[true, false]).score(), Some(3));
        assert_eq!(surveyed(&[true, true, false]).score(), Some(4));
        assert_eq!(surveyed(&[true, true, true]).score(), Some(5));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let error = read("{\"conversation_id\":\"x\",\"turns\":[]}\n\n{\"id\":\"stripe.0#0\"}\n".as_bytes()).unwrap_err();
        assert!(matches!(error, DialogueError::Malformed { line: 3, .. }), "{error}");
        let endless = vec![b' '; usize::try_from(LINE_BYTES_MAX).unwrap() + 1];
        assert!(matches!(read(endless.as_slice()).unwrap_err(), DialogueError::TooLong { line: 1 }));
    }

    #[test]
    fn a_file_may_be_gzipped() {
        let text = b"{\"conversation_id\":\"x\",\"turns\":[]}\n";
        let directory = tempfile::tempdir().unwrap();
        let (plain, gzipped) = (directory.path().join("a.jsonl"), directory.path().join("a.jsonl.gz"));
        std::fs::write(&plain, text).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        std::fs::write(&gzipped, encoder.finish().unwrap()).unwrap();
        assert_eq!(read_file(&plain).unwrap(), read_file(&gzipped).unwrap());
        assert!(matches!(read_file(Path::new("/nowhere")).unwrap_err(), DialogueError::Open { .. }));
    }
}
