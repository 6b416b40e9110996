//! How facts change what is known of a tenant's articles.

use crate::retrieval::event::RetrievalEvent;
use crate::retrieval::state::RetrievalState;

/// Takes one fact into the state.
pub fn evolve(state: &mut RetrievalState, event: &RetrievalEvent) {
    let before = match event {
        RetrievalEvent::ArticleSaved(saved) => {
            state.phrasings = state.phrasings.saturating_add(saved.phrasings);
            state.articles.insert(saved.article.clone(), saved.phrasings)
        }
        RetrievalEvent::ArticleRemoved(removed) => state.articles.remove(&removed.article),
    };
    state.phrasings = state.phrasings.saturating_sub(before.unwrap_or(0));
}
