//! From the first frame to the last: who it is, what they missed, and the farewell.

use std::net::IpAddr;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use domain::user::command::UserCommand;
use futures_util::SinkExt;
use tokio::time::timeout;

use super::connection::{Connection, Gone, bye_of_error};
use super::frame::{self, FrameType};
use crate::feed_pages::{FeedPages, PAGE_ITEMS};
use crate::http::auth::{SignedIn, live_session, signed_in};
use crate::http::error::{ApiError, AuthError};
use crate::hub::Device;
use crate::hub::outbox::{Bye, OutboxLimits};
use crate::presence;
use crate::render::View;
use crate::state::{App, AppState};
use std::sync::Arc;

/// Time for a farewell to leave; whoever does not read is cut off.
const FAREWELL_MAX: std::time::Duration = std::time::Duration::from_secs(1);

/// Serves one socket to its end.
pub(super) async fn serve(mut socket: WebSocket, app: App, address: IpAddr) {
    let bye = match welcome(&mut socket, &app).await {
        Err(bye) => bye,
        Ok((user, after)) => {
            tracing::debug!(tenant.id = %user.tenant, user.id = %user.user, client = %address, "device connected");
            connected(&mut socket, &app, user, after).await
        }
    };
    if let Some(bye) = bye {
        let _ = timeout(FAREWELL_MAX, farewell(&mut socket, bye)).await;
    }
}

async fn farewell(socket: &mut WebSocket, bye: Bye) -> Result<(), axum::Error> {
    socket.feed(Message::Text(frame::bye(bye).into())).await?;
    let reason = bye.code().into();
    socket.send(Message::Close(Some(CloseFrame { code: bye.close_code(), reason }))).await?;
    // The client's own close frame, so that the farewell is not lost to a reset.
    while let Some(Ok(_)) = socket.recv().await {}
    Ok(())
}

/// Waits for the hello and checks it. `Err(None)` is a client that went by itself.
async fn welcome(socket: &mut WebSocket, app: &AppState) -> Result<(SignedIn, Option<u64>), Option<Bye>> {
    let first = tokio::select! {
        first = timeout(app.config.websocket.hello_timeout(), first_text(socket)) => first.map_err(|_| Some(Bye::NoHello))?,
        () = app.shutdown.ordered() => return Err(Some(Bye::Shutdown)),
    };
    let text = first?;
    let hello = frame::parse(text.as_str()).filter(|frame| frame.t == FrameType::Hello).ok_or(Some(Bye::BadFrame))?;
    let token = hello.token.ok_or(Some(Bye::BadFrame))?;
    let user = signed_in(app, &token.0).map_err(|error| Some(of_auth(error)))?;
    Ok((user, hello.after.filter(|after| *after > 0)))
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

/// Why a device with such a token has to go.
pub(super) const fn of_auth(error: AuthError) -> Bye {
    match error {
        AuthError::Expired => Bye::Expired,
        AuthError::SessionEnded => Bye::Revoked,
        AuthError::AccountClosed => Bye::Deactivated,
        AuthError::Missing
        | AuthError::Invalid
        | AuthError::WrongCredentials
        | AuthError::InvalidIdentity { .. }
        | AuthError::InvalidRefresh => Bye::Unauthorized,
    }
}

/// Registers the device, brings it up to date, serves it, and takes it off again.
async fn connected(socket: &mut WebSocket, app: &App, user: SignedIn, after: Option<u64>) -> Option<Bye> {
    let who = (user.tenant, user.user);
    let settings = &app.config.websocket;
    let limits = OutboxLimits { frames_max: settings.queue_frames_max, bytes_max: settings.queue_bytes_max };
    let device = Device::new(who, user.session, View::of(user.row.role), limits);
    let first = app.hub.register(&device);
    app.presence.came(who);
    // Asked again now that the hub knows the device: an end of the sign-in in between is seen here, a later one by the hub.
    if let Err(error) = live_session(app, user.tenant, user.user, user.session) {
        device.outbox.close(of_auth(error));
    }
    let serves = presence::serves(app, who);
    if first && !serves {
        app.hub.announce(who, true);
    }
    let mut connection = Connection::new(app, socket, &device, user.row.role);
    if serves {
        // Given by every device: a command that changes nothing is no event, and it never misses a grace that just ran out.
        connection.give(presence::order(app, who, UserCommand::ComeOnline));
    }
    let bye = match bring_up_to_date(&mut connection, app, &device, after).await {
        Ok(None) => connection.run().await.0,
        Ok(Some(gone)) => gone.0,
        Err(error) => {
            tracing::error!(tenant.id = %who.0, user.id = %who.1, %error, "feed could not be read for a device");
            Some(Bye::Shutdown)
        }
    };
    if app.hub.unregister(&device) {
        app.presence.went(app, who);
    }
    bye
}

/// Welcomes the device, sends what it missed, and lets it follow.
async fn bring_up_to_date(
    connection: &mut Connection<'_>,
    app: &App,
    device: &Arc<Device>,
    after: Option<u64>,
) -> Result<Option<Gone>, ApiError> {
    let (tenant, user) = device.who;
    let head = app.ports.views.feed_head(tenant, user);
    connection.queue(frame::welcome(user, tenant.as_str(), head, app.now().0));
    // An index beyond the head is of another feed, or from before a restore: nothing can come after it.
    let mut reached = after.map_or(head, |after| after.min(head));
    let mut pages = FeedPages::new(app, tenant, user, device.view);
    loop {
        let page = pages.after(reached, PAGE_ITEMS).await?;
        if page.is_empty() {
            if device.outbox.go_live(reached) {
                return Ok(None);
            }
            // What went by is in the feed by now; let whoever writes it finish.
            tokio::task::yield_now().await;
            continue;
        }
        for (index, frame) in page {
            reached = index;
            connection.queue(frame);
        }
        if let Err(gone) = connection.flush().await {
            return Ok(Some(gone));
        }
    }
}
