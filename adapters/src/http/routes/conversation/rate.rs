//! `POST /v1/tenants/{t}/conversations/{id}/rating` and `.../rating-invitation`.

use application::access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::conversation::command::ConversationCommand;
use domain::ids::{ConversationId, TenantId};
use domain::labels::Label;
use domain::message::Party;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{reached, stream};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, Order};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::state::App;

/// A customer's rating.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateConversation {
    /// 1 to 5.
    score: u8,
    /// Chosen tags: words of `[a-z0-9_]{1,32}` from the tenant's own list.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    tags: Vec<Label>,
    /// Whether the problem is solved.
    solved: Option<bool>,
    /// Free text.
    #[serde(default)]
    comment: String,
}

/// Rates the service of the agent who served last.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/conversations/{id}/rating",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    request_body = RateConversation,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn rate(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    order: Order<RateConversation>,
) -> Result<Response, ApiError> {
    reached(&app, &caller, tenant, id, Action::RateConversation).await?;
    let by = caller.require_user(tenant, Action::RateConversation)?.user;
    let journey = Journey::of(&app, &caller, &order)?;
    let RateConversation { score, tags, solved, comment } = order.body;
    let command = ConversationCommand::Rate { by, score, tags, solved, comment };
    let answer = journey.execute("rate", stream(tenant, id), command).await?;
    Ok(done(answer.position))
}

/// Asks the customer to rate.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/conversations/{id}/rating-invitation",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn invite(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    reached(&app, &caller, tenant, id, Action::InviteRating).await?;
    let by = Party::User(caller.require_user(tenant, Action::InviteRating)?.user);
    let journey = Journey::of(&app, &caller, &order)?;
    let answer = journey.execute("invite rating", stream(tenant, id), ConversationCommand::InviteRating { by }).await?;
    Ok(done(answer.position))
}
