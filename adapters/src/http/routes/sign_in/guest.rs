//! `POST /v1/tenants/{t}/sign-in/guest`: with a live sign-in at home.
//!
//! A guest's sign-in lives as long as its access token and has no refresh token: whoever wants to stay signs in again, and whose
//! account at home was closed cannot.

use application::access::{Action, Denied, Resource};
use application::queries::AccountStage;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::devices::DeviceKind;
use domain::ids::{SessionId, TenantId, UserId};
use domain::time::Millis;
use domain::user::command::UserCommand;
use domain::user::event::{Device, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{device_policy, shorten};
use crate::http::accounts;
use crate::http::auth::{Caller, Identity, SignedIn, Visitor};
use crate::http::error::{ApiError, AuthError, InputError, Problem};
use crate::http::extract::{InPath, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::changed;
use crate::http::tokens::RefreshToken;
use crate::state::{App, AppState};

/// A sign-in as a guest. Who it is says the bearer token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GuestSignIn {
    /// The device as it names itself.
    device: Option<String>,
    /// What the device is: `other`, `web`, `desktop`, `mobile`, `tablet`, `mini_app`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    device_kind: DeviceKind,
}

/// A guest's sign-in.
#[derive(Serialize, ToSchema)]
pub struct GuestSignedIn {
    /// Who they are here.
    user: String,
    /// The sign-in.
    session: String,
    /// Sent as a bearer token, and in a socket's `hello`.
    access_token: String,
    /// Life of the sign-in in seconds.
    expires_in: u32,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// Signs somebody of another tenant in as its guest here, with the access token of their sign-in at home.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/sign-in/guest",
    tag = "sign-in",
    params(("t" = String, Path, description = "The tenant that knows the caller as its guest.")),
    request_body = GuestSignIn,
    responses((status = 200, body = GuestSignedIn), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn sign_in(
    State(app): State<App>,
    visitor: Visitor,
    InPath(host): InPath<TenantId>,
    order: Order<GuestSignIn>,
) -> Result<Response, ApiError> {
    let identity = visitor.identify(&app)?.ok_or_else(|| visitor.refused(&app, AuthError::Missing))?;
    let caller = Caller { identity, correlation: visitor.correlation, address: visitor.address };
    let guest = guest_of(&app, at_home(&caller, host)?, host)?;
    let journey = Journey::of_user(&app, &visitor, guest, &order)?;
    let session = SessionId::from_uuid(journey.new_id("session", host));
    // Nobody gets it: the sign-in ends with its access token.
    let refresh = RefreshToken::first(&app.secrets, guest, session).digest(&app.secrets, host);
    let expires_in = app.config.auth.access_token_s;
    let life = Millis::seconds(i64::from(expires_in));
    let device = Device { label: shorten(order.body.device.unwrap_or_default()), address: Some(caller.address.to_string()) };
    let (kind, policy) = (order.body.device_kind, device_policy(&app, host, guest));
    let command = UserCommand::StartSession { session, refresh, expires_at: app.now() + life, device, kind, policy };
    let answer = journey.to_user("start session", host, guest, command).await?;
    wait_for(&app, answer.position).await?;
    let body = GuestSignedIn {
        user: guest.to_string(),
        session: session.to_string(),
        access_token: app.tokens.sign(host, guest, session, app.now(), life)?,
        expires_in,
        position: answer.position.to_string(),
    };
    Ok(changed(StatusCode::OK, answer.position, body))
}

/// The caller's sign-in at home, if it is one of somebody who is known there.
fn at_home(caller: &Caller, host: TenantId) -> Result<&SignedIn, ApiError> {
    const ACTION: Action = Action::SignInAsGuest;
    let at = |tenant| Resource::of_tenant(tenant).own(true);
    let home = match &caller.identity {
        Identity::User(home) if caller.may(ACTION, at(home.tenant)).is_ok() => home,
        Identity::User(_) | Identity::Operator | Identity::ApiKey { .. } => {
            caller.may(ACTION, at(host))?;
            return Err(Denied::NoRight { action: ACTION }.into());
        }
    };
    if home.tenant == host {
        return Err(InputError::Refused { field: "t", reason: "must be another tenant than one's own" }.into());
    }
    if home.row.anonymous { Err(Denied::NoRight { action: ACTION }.into()) } else { Ok(home) }
}

/// The account that the host made for them. Without one the host is as closed to them as any other tenant.
fn guest_of(app: &AppState, home: &SignedIn, host: TenantId) -> Result<UserId, ApiError> {
    let digest = accounts::digest(&app.secrets, host, &accounts::of_guest(home.tenant, home.user));
    let guest = app.ports.views.user_by_account(host, digest).and_then(|guest| app.ports.views.user(host, guest));
    let usable = guest.filter(|guest| guest.role == Role::Customer && guest.stage == AccountStage::Active);
    usable.map(|guest| guest.user).ok_or(ApiError::Denied(Denied::OtherTenant))
}
