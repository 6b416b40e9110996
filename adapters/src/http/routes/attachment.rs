//! Files that are uploaded into a chat before a message refers to them.

pub mod serve;
pub mod signed;
pub mod upload;

use domain::ids::{AttachmentId, TenantId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(upload::upload)).routes(routes!(serve::serve))
}

/// Where an attachment is read: what a message has as its `url`.
fn url(tenant: TenantId, attachment: AttachmentId) -> String {
    format!("/v1/tenants/{tenant}/attachments/{attachment}")
}
