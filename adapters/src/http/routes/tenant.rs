//! Tenants and their settings.

pub mod api_keys;
pub mod create;
pub mod read;
pub mod settings;
pub mod structure;

use application::log::stream::{StreamId, StreamKey};
use application::queries::TenantRow;
use domain::ids::TenantId;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::error::ApiError;
use crate::state::{App, AppState};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, read::list))
        .routes(routes!(read::one))
        .routes(routes!(structure::open_shop))
        .routes(routes!(structure::form_group))
        .routes(routes!(api_keys::issue))
        .routes(routes!(api_keys::revoke))
        .routes(routes!(settings::set_identity_secret))
        .routes(routes!(settings::change_limits))
}

/// The stream of the tenant itself.
fn stream(tenant: TenantId) -> StreamId {
    StreamId::new(tenant, StreamKey::Tenant)
}

/// The tenant, or 404.
pub(super) fn known(app: &AppState, tenant: TenantId) -> Result<Arc<TenantRow>, ApiError> {
    app.ports.views.tenant(tenant).ok_or(ApiError::NotFound { kind: "tenant" })
}
