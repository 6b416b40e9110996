//! `POST /v1/tenants/{t}/token/refresh`.

use axum::extract::State;
use axum::response::Response;
use domain::ids::TenantId;
use domain::user::command::UserCommand;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{SignedInBody, answer_tokens, session_life};
use crate::http::auth::{Visitor, live_session};
use crate::http::error::{ApiError, AuthError, Problem};
use crate::http::extract::{InPath, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::tokens::RefreshToken;
use crate::state::App;

/// The refresh token of a sign-in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// As it was answered last.
    refresh_token: String,
}

/// Exchanges a refresh token for the next pair. Each is good once: a used one ends the sign-in, because somebody copied it. A
/// retry under the same idempotency key answers the same pair.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/token/refresh",
    tag = "sign-in",
    security(()),
    params(("t" = String, Path, description = "The tenant.")),
    request_body = Refresh,
    responses((status = 200, body = SignedInBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn refresh(
    State(app): State<App>,
    visitor: Visitor,
    InPath(tenant): InPath<TenantId>,
    order: Order<Refresh>,
) -> Result<Response, ApiError> {
    let refused = || visitor.refused(&app, AuthError::InvalidRefresh);
    let token = RefreshToken::parse(&order.body.refresh_token).ok_or_else(refused)?;
    // Made up ids must not make streams.
    if live_session(&app, tenant, token.user, token.session).is_err() {
        return Err(refused());
    }
    let journey = Journey::of_user(&app, &visitor, token.user, &order)?;
    let salt: Uuid = journey.new_id("refresh", tenant);
    let next = token.next(&app.secrets, salt);
    let command = UserCommand::RefreshSession {
        session: token.session,
        presented: token.digest(&app.secrets, tenant),
        next: next.digest(&app.secrets, tenant),
        expires_at: app.now() + session_life(&app),
    };
    let answer = journey.to_user("refresh", tenant, token.user, command).await?;
    wait_for(&app, answer.position).await?;
    // A wrong secret is accepted as a command, because it must be on record; what it did is end the session.
    match live_session(&app, tenant, token.user, token.session) {
        Ok(_) => answer_tokens(&app, tenant, next, answer.position),
        Err(_) => Err(refused()),
    }
}
