//! Flows that are in force: their documents, out of the log.

use application::queries::FlowRow;
use domain::event::Event;
use domain::private::Private;
use domain::tenant::event::TenantEvent;

use crate::http::error::ApiError;
use crate::reading::Reader;

/// The document of a version as its author wrote it.
/// `None` once the tenant's key is destroyed.
///
/// # Errors
/// [`ApiError::Read`], [`ApiError::Decode`].
pub async fn text(reader: &mut Reader<'_>, row: &FlowRow) -> Result<Option<String>, ApiError> {
    let Event::Tenant(TenantEvent::FlowPublished(published)) = reader.open(row.text).await?.event else { return Ok(None) };
    match published.private {
        Private::Known(document) => Ok(Some(document.text)),
        Private::Erased | Private::Closed => Ok(None),
    }
}
