//! Texts that those who serve keep ready: the tenant's, a group's, and one's own.

pub mod keep;
pub mod list;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list::list, keep::add)).routes(routes!(keep::change, keep::remove))
}

/// Whose a canned reply is; in the order in which replies with the same shortcut are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The caller's own.
    Own,
    /// A group's.
    Group,
    /// The tenant's.
    Tenant,
}
