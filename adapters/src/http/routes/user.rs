//! Accounts of customers and staff.

pub mod abilities;
pub mod accounts;
pub mod block;
pub mod change;
pub mod close;
pub mod create;
pub mod description;
pub mod import;
pub mod merge;
pub mod read;
pub mod sessions;

use std::sync::Arc;

use application::access::{Action, Resource};
use application::queries::UserRow;
use domain::ids::{TenantId, UserId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::state::{App, AppState};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, read::list))
        .routes(routes!(read::one, change::change, close::deactivate))
        .routes(routes!(accounts::map))
        .routes(routes!(description::read, description::change))
        .routes(routes!(import::import))
        .routes(routes!(merge::merge))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(close::erase))
        .routes(routes!(block::read, block::block, block::unblock))
        .routes(routes!(block::list))
}

/// The user, or 404.
pub(super) fn known(app: &AppState, tenant: TenantId, user: UserId) -> Result<Arc<UserRow>, ApiError> {
    app.ports.views.user(tenant, user).ok_or(ApiError::NotFound { kind: "user" })
}

/// The user whom the caller may manage: first the tenant, then whether there is one, then whether they may manage such a one.
pub(super) fn managed(app: &AppState, caller: &Caller, tenant: TenantId, user: UserId) -> Result<Arc<UserRow>, ApiError> {
    // Whoever manages nobody learns nothing about who there is.
    caller.enter(tenant, Action::ManageCustomers)?;
    let row = known(app, tenant, user)?;
    caller.may(Action::manage_user(row.role), Resource::of_tenant(tenant))?;
    Ok(row)
}
