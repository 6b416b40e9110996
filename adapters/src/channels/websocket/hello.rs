//! From the first frame to the last: who it is, what they missed, and the farewell.

use std::net::IpAddr;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt;
use tokio::time::timeout;

use super::connection::{Connection, Gone, bye_of_error};
use super::frame::{self, FrameType};
use crate::channels::link::{CaughtUp, Link, bye_of_auth};
use crate::http::auth::{SignedIn, refused, signed_in};
use crate::http::error::{ApiError, AuthError};
use crate::hub::outbox::Bye;
use crate::state::{App, AppState};

/// Time for a farewell to leave; whoever does not read is cut off.
const FAREWELL_MAX: std::time::Duration = std::time::Duration::from_secs(1);

/// Serves one socket to its end.
pub(super) async fn serve(mut socket: WebSocket, app: App, address: IpAddr) {
    let bye = match welcome(&mut socket, &app, address).await {
        Err(bye) => bye,
        Ok((user, after)) => {
            tracing::debug!(tenant.id = %user.tenant, user.id = %user.user, client = %address, "device connected");
            connected(&mut socket, &app, &user, address, after).await
        }
    };
    if let Some(bye) = bye {
        let _ = timeout(FAREWELL_MAX, farewell(&mut socket, bye)).await;
    }
}

async fn farewell(socket: &mut WebSocket, bye: Bye) -> Result<(), axum::Error> {
    socket.feed(Message::Text(crate::channels::bye_frame(bye).into())).await?;
    let reason = bye.code().into();
    socket.send(Message::Close(Some(CloseFrame { code: bye.close_code(), reason }))).await?;
    // The client's own close frame, so that the farewell is not lost to a reset.
    while let Some(Ok(_)) = socket.recv().await {}
    Ok(())
}

/// Waits for the hello and checks it. `Err(None)` is a client that went by itself.
async fn welcome(socket: &mut WebSocket, app: &AppState, address: IpAddr) -> Result<(SignedIn, Option<u64>), Option<Bye>> {
    let first = tokio::select! {
        first = timeout(app.config.websocket.hello_timeout(), first_text(socket)) => first.map_err(|_| Some(Bye::NoHello))?,
        () = app.shutdown.ordered() => return Err(Some(Bye::Shutdown)),
    };
    let text = first?;
    let refused = |error, bye| {
        // The socket ends in any case; what is counted is who comes again.
        let _ = refused(app, address, error);
        Some(bye)
    };
    let hello = frame::parse(text.as_str()).filter(|frame| frame.t == FrameType::Hello);
    let hello = hello.ok_or_else(|| refused(AuthError::Missing, Bye::BadFrame))?;
    let token = hello.token.ok_or_else(|| refused(AuthError::Missing, Bye::BadFrame))?;
    let user = signed_in(app, &token.0).map_err(|error| refused(error, bye_of_auth(error)))?;
    if app.hub.is_full((user.tenant, user.user)) {
        return Err(Some(Bye::TooMany));
    }
    Ok((user, hello.after))
}

async fn first_text(socket: &mut WebSocket) -> Result<axum::extract::ws::Utf8Bytes, Option<Bye>> {
    loop {
        match socket.recv().await {
            None | Some(Ok(Message::Close(_))) => return Err(None),
            Some(Err(error)) => return Err(bye_of_error(&error)),
            Some(Ok(Message::Text(text))) => return Ok(text),
            Some(Ok(Message::Binary(_))) => return Err(Some(Bye::BadFrame)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
        }
    }
}

/// Connects the device, brings it up to date, and serves it.
async fn connected(socket: &mut WebSocket, app: &App, user: &SignedIn, address: IpAddr, after: Option<u64>) -> Option<Bye> {
    let link = Link::attach(app, user);
    let mut connection = Connection::new(app, socket, &link);
    connection.sender.address = Some(address);
    if let Some(arrival) = link.arrival() {
        connection.give(arrival);
    }
    match bring_up_to_date(&mut connection, app, &link, after).await {
        Ok(None) => connection.run().await.0,
        Ok(Some(gone)) => gone.0,
        Err(error) => {
            tracing::error!(tenant.id = %user.tenant, user.id = %user.user, %error, "feed could not be read for a device");
            Some(Bye::Shutdown)
        }
    }
}

/// Welcomes the device, sends what it missed and what is current, and lets it follow.
async fn bring_up_to_date(connection: &mut Connection<'_>, app: &App, link: &Link, after: Option<u64>) -> Result<Option<Gone>, ApiError> {
    let (tenant, user) = link.device().who;
    let settings = &app.config.websocket;
    let head = link.head();
    connection.queue(frame::welcome(user, tenant.as_str(), head, app.now().0, settings.ping_after(), settings.dead_after()));
    // From the head that was told, which may be another one by now: what lies before is asked for, what lies behind comes.
    let mut reached = after.map_or(head, |after| after.min(head));
    loop {
        match link.catch_up(reached).await? {
            CaughtUp::Live => break,
            CaughtUp::Items(items) => {
                for item in items {
                    reached = item.index;
                    connection.queue(item.text);
                }
                if let Err(gone) = connection.flush().await {
                    return Ok(Some(gone));
                }
            }
        }
    }
    for (_, frame) in link.whole_signals() {
        connection.queue(frame);
    }
    Ok(None)
}
