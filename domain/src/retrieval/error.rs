//! Why a tenant's articles refuse.

use crate::retrieval::event::ArticleText;

/// The rule that refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetrievalError {
    /// Too many articles.
    #[error("there are {limit} articles already")]
    TooManyArticles {
        /// The limit.
        limit: usize,
    },
    /// All articles together are asked in too many ways.
    #[error("the questions of all articles are asked in more than {limit} ways")]
    TooManyPhrasings {
        /// The limit.
        limit: u32,
    },
    /// A part of an article must not be empty.
    #[error("{part} must not be empty")]
    Empty {
        /// Which.
        part: &'static str,
    },
    /// A part of an article is too long.
    #[error("{part} has more than {limit} bytes")]
    TooLong {
        /// Which.
        part: &'static str,
        /// The limit in bytes of UTF-8.
        limit: usize,
    },
    /// An article has too many of something.
    #[error("an article has at most {limit} {part}")]
    TooMany {
        /// Of what.
        part: &'static str,
        /// The limit.
        limit: usize,
    },
}

/// Longest question, title of a link, or way of asking, in bytes.
pub const QUESTION_BYTES_MAX: usize = 512;
/// Longest answer in bytes: what a message of a chat holds.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024;
/// Longest address of a link in bytes.
pub const LINK_BYTES_MAX: usize = 2 * 1024;
/// Most ways of asking beside the question itself.
pub const SIMILAR_MAX: usize = 200;
/// Most links beside an answer.
pub const LINKS_MAX: usize = 8;

impl ArticleText {
    /// In how many ways its question is asked.
    #[must_use]
    pub fn phrasings(&self) -> u32 {
        u32::try_from(1 + self.similar.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn check(&self) -> Result<(), RetrievalError> {
        check("question", &self.question, QUESTION_BYTES_MAX)?;
        check("answer", &self.answer, ANSWER_BYTES_MAX)?;
        for similar in &self.similar {
            check("similar", similar, QUESTION_BYTES_MAX)?;
        }
        for link in &self.links {
            check("title", &link.title, QUESTION_BYTES_MAX)?;
            check("url", &link.url, LINK_BYTES_MAX)?;
        }
        let counts = [("similar questions", self.similar.len(), SIMILAR_MAX), ("links", self.links.len(), LINKS_MAX)];
        match counts.into_iter().find(|(_, found, limit)| found > limit) {
            Some((part, _, limit)) => Err(RetrievalError::TooMany { part, limit }),
            None => Ok(()),
        }
    }
}

fn check(part: &'static str, text: &str, limit: usize) -> Result<(), RetrievalError> {
    if text.trim().is_empty() {
        return Err(RetrievalError::Empty { part });
    }
    if text.len() > limit { Err(RetrievalError::TooLong { part, limit }) } else { Ok(()) }
}
