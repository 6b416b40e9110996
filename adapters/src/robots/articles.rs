//! What articles say, read from the log.

use application::queries::ArticleRow;
use domain::event::Event;
use domain::private::Private;
use domain::retrieval::event::{ArticleText, RetrievalEvent};

use crate::http::error::ApiError;
use crate::reading::Reader;

/// What an article says; nothing of one whose words were erased.
///
/// # Errors
/// [`ApiError::Read`], [`ApiError::Decode`], [`ApiError::Keys`] when it cannot be read.
pub async fn text(reader: &mut Reader<'_>, row: &ArticleRow) -> Result<Option<ArticleText>, ApiError> {
    Ok(match reader.open(row.text).await?.event {
        Event::Retrieval(RetrievalEvent::ArticleSaved(saved)) => match saved.private {
            Private::Known(text) => Some(text),
            Private::Erased | Private::Closed => None,
        },
        Event::Retrieval(RetrievalEvent::ArticleRemoved(_))
        | Event::Chat(_)
        | Event::Conversation(_)
        | Event::User(_)
        | Event::Desk(_)
        | Event::Tenant(_)
        | Event::Campaign(_) => None,
    })
}
