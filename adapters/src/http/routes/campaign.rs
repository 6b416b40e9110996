//! Platform campaigns: one message to many customers of a shop.

pub mod read;
pub mod write;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::list, write::create))
        .routes(routes!(read::one))
        .routes(routes!(write::add_recipients))
        .routes(routes!(write::start))
        .routes(routes!(write::pause))
        .routes(routes!(write::cancel))
}
