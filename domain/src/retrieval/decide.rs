//! What a tenant's articles answer.

use crate::private::Private;
use crate::retrieval::command::RetrievalCommand;
use crate::retrieval::error::RetrievalError;
use crate::retrieval::event::{ArticleRemoved, ArticleSaved, RetrievalEvent};
use crate::retrieval::state::{ARTICLES_MAX, PHRASINGS_MAX, RetrievalState};

/// Answers one command.
///
/// # Errors
/// The rule that refuses.
pub fn decide(command: &RetrievalCommand, state: &RetrievalState) -> Result<Vec<RetrievalEvent>, RetrievalError> {
    match command {
        RetrievalCommand::SaveArticle { article, shop, text } => {
            text.check()?;
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
