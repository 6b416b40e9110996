//! The flows of a tenant and of its shops: `/v1/tenants/{t}/flows` and `/v1/tenants/{t}/shops/{s}/flows`.

pub mod publish;
pub mod read;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::list))
        .routes(routes!(publish::check))
        .routes(routes!(read::of_tenant, publish::publish, publish::withdraw))
        .routes(routes!(read::of_shop, publish::publish_for_shop, publish::withdraw_for_shop))
}

/// A flow as its author wrote it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The document: YAML or JSON, at most 128 KiB.
    pub text: String,
}
