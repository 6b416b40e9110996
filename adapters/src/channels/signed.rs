//! The signed channel: a tenant's own way in and out, for any place where customers are met. What comes in is signed by the
//! channel, what goes out is signed for it ([`crate::webhook_signature`]); docs/PROTOCOL.md is the contract.
//!
//! [`inbound`] speaks for customers, [`courier`] carries their feeds to them in [`rounds`]. A customer of a channel is not linked
//! like a device, because nothing is connected: their cursor lies in the log, and they are away until their endpoint answers.

pub mod attachments;
pub mod connections;
pub mod courier;
pub mod customers;
pub mod inbound;
pub mod rounds;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

/// The routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(inbound::post))
        .routes(routes!(inbound::read))
        .routes(routes!(inbound::recall))
        .routes(routes!(inbound::rate))
        .routes(routes!(inbound::end))
        .routes(routes!(inbound::ready))
        .merge(attachments::routes())
}
