//! Signing in, staying signed in, signing out.

pub mod customer;
pub mod guest;
pub mod mint;
pub mod refresh;
pub mod sign_out;
pub mod staff;

use application::ports::event_log::Position;
use axum::http::StatusCode;
use axum::response::Response;
use domain::devices::{DeviceKind, DevicePolicy};
use domain::ids::{SessionId, TenantId, UserId};
use domain::time::Millis;
use domain::user::command::UserCommand;
use domain::user::event::{Device, Role};
use serde::Serialize;
use std::net::IpAddr;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::error::ApiError;
use crate::http::extract::wait_for;
use crate::http::journey::Journey;
use crate::http::respond::changed;
use crate::http::tokens::RefreshToken;
use crate::state::{App, AppState};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(staff::sign_in))
        .routes(routes!(customer::sign_in))
        .routes(routes!(mint::mint))
        .routes(routes!(guest::sign_in))
        .routes(routes!(refresh::refresh))
        .routes(routes!(sign_out::sign_out))
}

/// Longest label of a device that is kept; the rest is cut off.
const LABEL_BYTES_MAX: usize = 256;

/// A sign-in: what the device keeps.
#[derive(Serialize, ToSchema)]
pub struct SignedInBody {
    /// Who.
    user: String,
    /// The sign-in.
    session: String,
    /// Sent as a bearer token, and in a socket's `hello`.
    access_token: String,
    /// Life of the access token in seconds.
    expires_in: u32,
    /// Exchanged once for the next pair of tokens.
    refresh_token: String,
    /// The position; a read takes it as `at_least`.
    position: String,
}

fn session_life(app: &AppState) -> Millis {
    Millis::days(i64::from(app.config.auth.session_days))
}

/// Starts a session and answers its tokens, once the directory knows it, so that they are good at once.
async fn start_session(
    app: &AppState,
    journey: &Journey<'_>,
    tenant: TenantId,
    user: UserId,
    (label, kind): (Option<String>, DeviceKind),
    address: IpAddr,
) -> Result<Response, ApiError> {
    let session = SessionId::from_uuid(journey.new_id("session", tenant));
    let token = RefreshToken::first(&app.secrets, user, session);
    let label = shorten(label.unwrap_or_default());
    let command = UserCommand::StartSession {
        session,
        refresh: token.digest(&app.secrets, tenant),
        expires_at: app.now() + session_life(app),
        device: Device { label, address: Some(address.to_string()) },
        kind,
        policy: device_policy(app, tenant, user),
    };
    let answer = journey.to_user("start session", tenant, user, command).await?;
    wait_for(app, answer.position).await?;
    answer_tokens(app, tenant, token, answer.position)
}

/// What the tenant allows the user's role. One who was registered a moment ago is a customer.
fn device_policy(app: &AppState, tenant: TenantId, user: UserId) -> DevicePolicy {
    let role = app.ports.views.user(tenant, user).map_or(Role::Customer, |row| row.role);
    app.ports.views.tenant(tenant).map(|row| row.device_policy(role)).unwrap_or_default()
}

fn answer_tokens(app: &AppState, tenant: TenantId, token: RefreshToken, position: Position) -> Result<Response, ApiError> {
    let expires_in = app.config.auth.access_token_s;
    let access_token = app.tokens.sign(tenant, token.user, token.session, app.now(), Millis::seconds(i64::from(expires_in)))?;
    let body = SignedInBody {
        user: token.user.to_string(),
        session: token.session.to_string(),
        access_token,
        expires_in,
        refresh_token: token.to_text(),
        position: position.to_string(),
    };
    Ok(changed(StatusCode::OK, position, body))
}

fn shorten(mut label: String) -> String {
    let mut end = label.len().min(LABEL_BYTES_MAX);
    while !label.is_char_boundary(end) {
        end -= 1;
    }
    label.truncate(end);
    label
}
