//! The socket of a device: `GET /v1/ws`. It says hello with its access token and the last index it has, gets what it missed,
//! then what comes, and gives orders. One task per socket; the protocol is drawn in docs/PROTOCOL.md.

mod connection;
mod frame;
mod hello;
mod orders;

use std::net::IpAddr;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;

use crate::addresses::OpenSocket;
use crate::http::auth::client_address;
use crate::http::error::{ApiError, InputError, Problem};
use crate::state::App;

/// Largest frame of a client in bytes: a message with all of its parts, unless nearly every character is escaped.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// First size of a socket's read buffer. Small, because most sockets are idle; it grows with what comes.
const READ_BUFFER_BYTES: usize = 1_024;
/// Bytes that are gathered before they are written without being flushed.
const WRITE_BUFFER_BYTES: usize = 32 * 1024;

/// Connects a device. The token comes in the first frame, never in the address.
#[utoipa::path(
    get,
    path = "/v1/ws",
    tag = "socket",
    security(()),
    responses((status = 101, description = "A WebSocket from here on."), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn connect(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    let address = client_address(&app, &parts);
    let upgrade =
        WebSocketUpgrade::from_request_parts(&mut parts, &app).await.map_err(|_: WebSocketUpgradeRejection| InputError::NotAWebSocket)?;
    if app.shutdown.is_ordered() {
        return Err(ApiError::NotReady);
    }
    // The token comes later, so whoever showed too many wrong ones is not let in to show another.
    app.addresses.may_try(address, app.now())?;
    let open = app.addresses.opens_socket(address)?;
    Ok(serve(upgrade, app, address, open))
}

fn serve(upgrade: WebSocketUpgrade, app: App, address: IpAddr, open: OpenSocket) -> Response {
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(FRAME_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .on_upgrade(move |socket| async move {
            hello::serve(socket, app, address).await;
            drop(open);
        })
}

/// Whether a text is a frame of ours.
pub(crate) fn understands(text: &str) -> bool {
    frame::parse(text).is_some()
}
