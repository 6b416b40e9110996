//! Ways in and out beside plain HTTP: the outside world to commands, events to the outside world.
//!
//! Each carries the same frames of the same feed ([`link`]); docs/PROTOCOL.md is their contract.

pub mod event_stream;
pub mod init;
pub mod link;
pub mod long_poll;
pub mod signed;
pub mod watching;
pub mod websocket;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::hub::outbox::Bye;
use crate::state::App;

/// Every channel's routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(websocket::connect))
        .routes(routes!(event_stream::events))
        .routes(routes!(init::init))
        .merge(long_poll::routes())
        .merge(signed::routes())
}

/// The last frame of a device.
#[must_use]
pub fn bye_frame(bye: Bye) -> String {
    format!("{{\"t\":\"bye\",\"code\":\"{}\",\"detail\":\"{}\"}}", bye.code(), bye.detail())
}
