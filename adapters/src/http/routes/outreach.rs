//! Starting contact with customers, and who did.

pub mod attempt;
pub mod evidence;
pub mod read;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read::list, attempt::attempt)).routes(routes!(evidence::evidence)).routes(routes!(read::one))
}
