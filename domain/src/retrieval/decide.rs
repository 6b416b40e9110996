//! What a tenant's articles answer.

use crate::private::Private;
use crate::retrieval::command::RetrievalCommand;
use crate::retrieval::error::RetrievalError;
use crate::retrieval::event::{ArticleRemoved, ArticleSaved, ArticleText, RetrievalEvent};
use crate::retrieval::state::{ARTICLES_MAX, PHRASINGS_MAX, RetrievalState};

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

/// Answers one command.
///
/// # Errors
/// The rule that refuses.
pub fn decide(command: &RetrievalCommand, state: &RetrievalState) -> Result<Vec<RetrievalEvent>, RetrievalError> {
    match command {
        RetrievalCommand::SaveArticle { article, shop, text } => {
            check(text)?;
            let (before, phrasings) = (state.articles.get(article).copied(), text.phrasings());
            if before.is_none() && state.articles.len() >= ARTICLES_MAX {
                return Err(RetrievalError::TooManyArticles { limit: ARTICLES_MAX });
            }
            if state.phrasings - before.unwrap_or(0) + phrasings > PHRASINGS_MAX {
                return Err(RetrievalError::TooManyPhrasings { limit: PHRASINGS_MAX });
            }
            let private = Private::Known((**text).clone());
            Ok(vec![ArticleSaved { article: article.clone(), shop: *shop, phrasings, private }.into()])
        }
        RetrievalCommand::RemoveArticle { article } if state.articles.contains_key(article) => {
            Ok(vec![ArticleRemoved { article: article.clone() }.into()])
        }
        RetrievalCommand::RemoveArticle { .. } => Ok(vec![]),
    }
}

fn check(text: &ArticleText) -> Result<(), RetrievalError> {
    check_part("question", &text.question, QUESTION_BYTES_MAX)?;
    check_part("answer", &text.answer, ANSWER_BYTES_MAX)?;
    for similar in &text.similar {
        check_part("similar", similar, QUESTION_BYTES_MAX)?;
    }
    for link in &text.links {
        check_part("title", &link.title, QUESTION_BYTES_MAX)?;
        check_part("url", &link.url, LINK_BYTES_MAX)?;
    }
    let counts = [("similar questions", text.similar.len(), SIMILAR_MAX), ("links", text.links.len(), LINKS_MAX)];
    match counts.into_iter().find(|(_, found, limit)| found > limit) {
        Some((part, _, limit)) => Err(RetrievalError::TooMany { part, limit }),
        None => Ok(()),
    }
}

fn check_part(part: &'static str, text: &str, limit: usize) -> Result<(), RetrievalError> {
    if text.trim().is_empty() {
        return Err(RetrievalError::Empty { part });
    }
    if text.len() > limit { Err(RetrievalError::TooLong { part, limit }) } else { Ok(()) }
}
