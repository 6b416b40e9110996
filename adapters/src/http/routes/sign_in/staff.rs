//! `POST /v1/tenants/{t}/sign-in`: with a local password.

use application::queries::AccountStage;
use axum::extract::State;
use axum::response::Response;
use domain::devices::DeviceKind;
use domain::event::Event;
use domain::ids::{TenantId, UserId};
use domain::user::event::{PasswordHash, UserEvent};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{SignedInBody, start_session};
use crate::http::accounts;
use crate::http::auth::Visitor;
use crate::http::error::{ApiError, AuthError, Problem};
use crate::http::extract::{InPath, Order};
use crate::http::journey::Journey;
use crate::reading;
use crate::state::{App, AppState};

/// A name and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The sign-in name.
    login: String,
    /// The password.
    password: String,
    /// The device as it names itself.
    device: Option<String>,
    /// What the device is: `other`, `web`, `desktop`, `mobile`, `tablet`, `mini_app`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    device_kind: DeviceKind,
}

/// Signs a member of staff in. An unknown name is answered like a wrong password, after the same time.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/sign-in",
    tag = "sign-in",
    security(()),
    params(("t" = String, Path, description = "The tenant.")),
    request_body = SignIn,
    responses((status = 200, body = SignedInBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn sign_in(
    State(app): State<App>,
    visitor: Visitor,
    InPath(tenant): InPath<TenantId>,
    mut order: Order<SignIn>,
) -> Result<Response, ApiError> {
    // Before the password is looked at: a right one among too many is not told.
    app.addresses.may_try(visitor.address, app.now())?;
    let known = password_of(&app, tenant, &order.body.login).await?;
    let (user, hash) = known.map_or((None, None), |(user, hash)| (Some(user), Some(hash)));
    let right = app.passwords.verify(std::mem::take(&mut order.body.password), hash).await?;
    let user = user.filter(|_| right).ok_or_else(|| visitor.refused(&app, AuthError::WrongCredentials))?;
    let journey = Journey::of_user(&app, &visitor, user, &order)?;
    start_session(&app, &journey, tenant, user, (order.body.device.take(), order.body.device_kind), visitor.address).await
}

async fn password_of(app: &AppState, tenant: TenantId, login: &str) -> Result<Option<(UserId, PasswordHash)>, ApiError> {
    let digest = accounts::digest(&app.secrets, tenant, &accounts::of_login(login));
    let Some(row) = app.ports.views.user_by_account(tenant, digest).and_then(|user| app.ports.views.user(tenant, user)) else {
        return Ok(None);
    };
    let (AccountStage::Active, Some(at)) = (row.stage, row.password) else {
        return Ok(None);
    };
    Ok(match reading::open(app, at).await?.event {
        Event::User(UserEvent::PasswordSet(event)) => event.private.known().map(|hash| (row.user, hash.clone())),
        Event::User(_)
        | Event::Chat(_)
        | Event::Conversation(_)
        | Event::Desk(_)
        | Event::Tenant(_)
        | Event::Campaign(_)
        | Event::Retrieval(_) => None,
    })
}
