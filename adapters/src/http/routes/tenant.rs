//! Tenants and their settings.

pub mod api_keys;
pub mod blocks;
pub mod create;
pub mod devices;
pub mod read;
pub mod settings;
pub mod structure;

use application::command::Request;
use application::log::commit::Actor;
use application::log::stream::{StreamId, StreamKey};
use application::queries::TenantRow;
use domain::ids::{CommandId, TenantId};
use domain::tenant::command::TenantCommand;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

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
        .routes(routes!(devices::change_device_policy))
        .routes(routes!(blocks::list, blocks::block))
        .routes(routes!(blocks::unblock))
}

/// The stream of the tenant itself.
pub(super) fn stream(tenant: TenantId) -> StreamId {
    StreamId::new(tenant, StreamKey::Tenant)
}

/// A command to the tenant that follows from what happened elsewhere.
#[must_use]
pub fn order(app: &AppState, tenant: TenantId, command: TenantCommand) -> Request {
    let id = app.new_id();
    Request {
        stream: stream(tenant),
        command: command.into(),
        id: CommandId::from_uuid(id),
        digest: 0,
        actor: Actor::Policy,
        correlation: id,
        causation: Uuid::nil(),
    }
}

/// The tenant, or 404.
///
/// # Errors
/// [`ApiError::NotFound`].
pub fn known(app: &AppState, tenant: TenantId) -> Result<Arc<TenantRow>, ApiError> {
    app.ports.views.tenant(tenant).ok_or(ApiError::NotFound { kind: "tenant" })
}
