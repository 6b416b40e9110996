//! `GET /v1/tenants/{t}/users/{u}/sessions` and `DELETE /v1/tenants/{t}/users/{u}/sessions/{s}`.

use application::access::{Action, Resource};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::devices::DeviceKind;
use domain::event::Event;
use domain::ids::{SessionId, TenantId, UserId};
use domain::user::command::UserCommand;
use domain::user::event::{SessionEnd, UserEvent};
use serde::Serialize;
use utoipa::ToSchema;

use super::{known, managed};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, NoParams, Order, Params, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, Page, done};
use crate::reading::Reader;
use crate::state::{App, AppState};

/// A live sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionBody {
    /// Its id.
    id: String,
    /// Since when, in milliseconds since 1970.
    started_at: i64,
    /// When it ends unless refreshed.
    expires_at: i64,
    /// What the device is: `other`, `web`, `desktop`, `mobile`, `tablet`, `mini_app`.
    #[schema(value_type = String)]
    device_kind: DeviceKind,
    /// The device as it names itself; null when the person was erased.
    device: Option<String>,
    /// The network address it came from.
    address: Option<String>,
}

/// Whoever may manage sign-ins of this user: themself, or who manages such users.
fn check(app: &AppState, caller: &Caller, tenant: TenantId, user: UserId) -> Result<(), ApiError> {
    let own = Resource::of_tenant(tenant).own(caller.is(tenant, user));
    match caller.may(Action::ManageSessions, own) {
        Ok(()) => known(app, tenant, user).map(|_| ()),
        Err(_) => managed(app, caller, tenant, user).map(|_| ()),
    }
}

/// Lists the live sign-ins of a user.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/users/{u}/sessions",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ("u" = String, Path, description = "The user.")),
    responses((status = 200, body = Page<SessionBody>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user)): InPath<(TenantId, UserId)>,
    _: Params<NoParams>,
) -> Result<Json<Page<SessionBody>>, ApiError> {
    check(&app, &caller, tenant, user)?;
    let row = known(&app, tenant, user)?;
    let now = app.now();
    let mut reader = Reader::new(&app);
    let mut data = Vec::with_capacity(row.sessions.len());
    for session in row.sessions.iter().filter(|session| now < session.expires_at) {
        let device = match reader.open(session.device).await?.event {
            Event::User(UserEvent::SessionStarted(event)) => event.private.known().cloned(),
            Event::User(_)
            | Event::Chat(_)
            | Event::Conversation(_)
            | Event::Desk(_)
            | Event::Tenant(_)
            | Event::Campaign(_)
            | Event::Retrieval(_) => None,
        };
        data.push(SessionBody {
            id: session.session.to_string(),
            started_at: session.started_at.0,
            expires_at: session.expires_at.0,
            device_kind: session.kind,
            device: device.as_ref().map(|device| device.label.clone()),
            address: device.and_then(|device| device.address),
        });
    }
    Ok(Json(Page::new(data, None)))
}

/// Ends a sign-in: its tokens are refused and its sockets closed at once.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/users/{u}/sessions/{s}",
    tag = "users",
    params(
        ("t" = String, Path, description = "The tenant."),
        ("u" = String, Path, description = "The user."),
        ("s" = String, Path, description = "The sign-in.")
    ),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn end(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user, session)): InPath<(TenantId, UserId, SessionId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    check(&app, &caller, tenant, user)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let command = UserCommand::EndSession { session, reason: SessionEnd::Revoked };
    let answer = journey.to_user("end session", tenant, user, command).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
