//! `kefu outreach verify`: whether a file of evidence proves what it says. It believes nothing but the stored bytes: from them it finds
//! who wrote last and when, counts the age again, and says what must have been decided.
//!
//! It reads lines and commits with words of its own. It must not use the rule, the facts or the views of the program that decided, so
//! that a mistake there does not hide itself here.

mod stretch;

use std::fmt;
use std::io::{self, BufRead};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use self::stretch::Walk;

/// The form that this program reads.
const FORMAT: u32 = 1;
/// Longest line: the bytes of the largest commit as base64, and some room.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Why evidence was not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file broke off.
    #[error("the evidence cannot be read")]
    Unreadable(#[source] io::Error),
    /// It does not prove what it says.
    #[error("{0}")]
    Faulty(Fault),
}

/// What is wrong with evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// In which line, from 1.
    pub line: usize,
    /// What, in words.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// What was found to be proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Attempts.
    pub attempts: u64,
    /// Of these, allowed: their age was counted again.
    pub allowed: u64,
    /// Of these, refused.
    pub refused: u64,
    /// Refused for a reason that does not lie in the chat, such as a clock that jumped: what is proven is that nothing was sent.
    pub taken_as_recorded: u64,
    /// Messages that were handed over to a channel, or held back.
    pub handed_over: u64,
    /// Commits, whose checksums and chains were checked.
    pub commits: u64,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempts, allowed, refused, taken_as_recorded, handed_over, commits } = self;
        write!(
            f,
            "{attempts} attempts proven by {commits} commits: {allowed} allowed, {refused} refused ({taken_as_recorded} for a reason \
             outside the chat), {handed_over} times decided on the way out"
        )
    }
}

/// What an attempt is said to have been.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    id: String,
    chat: String,
    shop: String,
    customer: String,
    by: String,
    entry: String,
    order: Option<String>,
    at: i64,
    rule: u16,
    age_max_ms: i64,
    qualifying: Option<Word>,
    age_ms: Option<i64>,
    verdict: String,
    reason: Option<String>,
    message: Option<String>,
    seq: Option<u64>,
    handed_over: Vec<SaidOnItsWay>,
}

/// What is said to have been decided on the way out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidOnItsWay {
    channel: String,
    at: i64,
    rule: u16,
    age_max_ms: i64,
    qualifying: Option<Word>,
    age_ms: Option<i64>,
    verdict: String,
    reason: Option<String>,
}

/// A message of the customer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    message: String,
    seq: u64,
    sender: String,
    at: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    attempts: u64,
    hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    kefu_outreach_evidence: u32,
    tenant: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Attempt(Box<Said>),
    Commit(String),
    End(End),
}

struct Lines<R> {
    lines: R,
    number: usize,
    hasher: blake3::Hasher,
}

impl<R: BufRead> Lines<R> {
    /// The next line, and what the lines before it hash to.
    fn next(&mut self) -> Result<Option<(String, String)>, VerifyError> {
        let before = self.hasher.finalize().to_hex().to_string();
        let mut bytes = Vec::new();
        let read = io::Read::take(&mut self.lines, LINE_BYTES_MAX as u64).read_until(b'\n', &mut bytes).map_err(VerifyError::Unreadable)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.hasher.update(&bytes);
        let text = String::from_utf8(bytes).map_err(|_| self.fault("no text"))?;
        match text.strip_suffix('\n') {
            Some(line) => Ok(Some((line.to_owned(), before))),
            None => Err(self.fault("the line does not end")),
        }
    }

    fn fault(&self, what: impl Into<String>) -> VerifyError {
        VerifyError::Faulty(Fault { line: self.number, what: what.into() })
    }
}

/// Verifies evidence.
///
/// # Errors
/// [`VerifyError`]: the first thing that is wrong.
pub fn verify(lines: impl BufRead) -> Result<Found, VerifyError> {
    let mut lines = Lines { lines, number: 0, hasher: blake3::Hasher::new() };
    let (head, _) = lines.next()?.ok_or_else(|| lines.fault("the file is empty"))?;
    let head: Head = serde_json::from_str(&head).map_err(|error| lines.fault(format!("no head of evidence: {error}")))?;
    if head.kefu_outreach_evidence != FORMAT {
        return Err(lines.fault(format!("form {} is not read by this program", head.kefu_outreach_evidence)));
    }
    let mut found = Found::default();
    let mut walk: Option<(Walk, usize)> = None;
    loop {
        let Some((text, before)) = lines.next()? else { return Err(lines.fault("the file breaks off: there is no end after this line")) };
        let line: Line = serde_json::from_str(&text).map_err(|error| lines.fault(format!("cannot be read: {error}")))?;
        match line {
            Line::Commit(bytes) => {
                let bytes = STANDARD.decode(bytes).map_err(|error| lines.fault(format!("no base64: {error}")))?;
                let (walk, _) = walk.as_mut().ok_or_else(|| lines.fault("a commit of no attempt"))?;
                walk.commit(&bytes).map_err(|what| lines.fault(what))?;
                found.commits += 1;
            }
            Line::Attempt(said) => {
                finish(walk.take(), &mut found)?;
                walk = Some((Walk::of(&head.tenant, *said).map_err(|what| lines.fault(what))?, lines.number));
            }
            Line::End(end) => {
                finish(walk.take(), &mut found)?;
                if (end.attempts, &end.hash) != (found.attempts, &before) {
                    return Err(lines.fault("the lines before are not those that were written"));
                }
                let as_written = format!("{{\"end\":{{\"attempts\":{},\"hash\":\"{}\"}}}}", end.attempts, end.hash);
                if text != as_written {
                    return Err(lines.fault("the end is written otherwise"));
                }
                return if lines.next()?.is_none() { Ok(found) } else { Err(lines.fault("something comes after the end")) };
            }
        }
    }
}

/// Ends an attempt: whatever it says must have been shown by now. What is missing is a fault of the attempt's own line.
fn finish(walk: Option<(Walk, usize)>, found: &mut Found) -> Result<(), VerifyError> {
    let Some((walk, line)) = walk else { return Ok(()) };
    walk.finish(found).map_err(|what| VerifyError::Faulty(Fault { line, what }))
}
