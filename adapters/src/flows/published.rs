//! Flows that are in force: their documents, out of the log.

use application::queries::FlowRow;
use domain::event::Event;
use domain::private::Private;
use domain::tenant::event::TenantEvent;

use crate::reading::{OpenError, Reader};

/// The document of a version as its author wrote it.
/// `None` once the tenant's key is destroyed.
///
/// # Errors
/// [`OpenError`].
pub async fn text(reader: &mut Reader<'_>, row: &FlowRow) -> Result<Option<String>, OpenError> {
    let Event::Tenant(TenantEvent::FlowPublished(published)) = reader.open(row.text).await?.event else { return Ok(None) };
    match published.private {
        Private::Known(document) => Ok(Some(document.text)),
        Private::Erased | Private::Closed => Ok(None),
    }
}
