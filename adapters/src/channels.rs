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

use std::fmt::{Display, Write};

use application::command::PostedMessage;
use domain::ids::ChatId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::hub::outbox::Bye;
use crate::messaging::Posted;
use crate::state::App;

/// Room for an `ack`.
const ACK_BYTES: usize = 320;

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

/// A message is durable: the answer to whoever posted it, under the name that their way of asking gives to what an answer is. `id` is
/// JSON.
fn ack(name: &str, id: impl Display, chat: ChatId, posted: &Posted) -> String {
    let Posted { message: PostedMessage { message, seq, at }, conversation, position } = posted;
    let mut ack = String::with_capacity(ACK_BYTES);
    write!(ack, "{{\"{name}\":\"ack\",\"id\":{id},\"message\":\"{message}\",\"chat\":\"{chat}\",\"seq\":{seq},\"conversation\":")
        .and_then(|()| match conversation {
            Some(conversation) => write!(ack, "\"{conversation}\""),
            None => ack.write_str("null"),
        })
        .and_then(|()| write!(ack, ",\"at\":{},\"pos\":\"{position}\"}}", at.0))
        .expect("writing to a string cannot fail");
    ack
}
