//! Why a tenant's articles refuse.

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
