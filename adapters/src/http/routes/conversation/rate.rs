//! `POST /v1/tenants/{t}/conversations/{id}/rating`, `.../rating-invitation` and `.../answers/{m}/rating`.

use application::access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::chat::event::MessagePosted;
use domain::conversation::command::{ConversationCommand, Rating};
use domain::ids::{ConversationId, MessageId, ShopId, TenantId};
use domain::labels::Label;
use domain::message::{Category, Party};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{reached, stream};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoBody, Order};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::messaging;
use crate::state::{App, AppState};

/// A customer's rating.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateConversation {
    /// 1 to 5.
    score: u8,
    /// Chosen tags: words of `[a-z0-9_]{1,32}`, of those that the shop's flow offers; where it offers none, any.
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
    let row = reached(&app, &caller, tenant, id, Action::RateConversation).await?;
    let by = caller.require_user(tenant, Action::RateConversation)?.user;
    let journey = Journey::of(&app, &caller, &order)?;
    let RateConversation { score, tags, solved, comment } = order.body;
    let choices = choices(&app, tenant, row.shop).await?;
    let command = ConversationCommand::Rate(Rating { by, score, tags, choices, solved, comment });
    let answer = journey.execute("rate", stream(tenant, id), command).await?;
    Ok(done(answer.position))
}

/// The tags that a shop offers with a rating.
///
/// # Errors
/// [`ApiError::Read`], [`ApiError::Decode`].
pub async fn choices(app: &AppState, tenant: TenantId, shop: ShopId) -> Result<Vec<Label>, ApiError> {
    Ok(app.flows.reception_of(tenant, shop).await?.map(|flow| flow.rating.tags.clone()).unwrap_or_default())
}

/// A customer's rating of one answer of the robot.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateAnswer {
    /// 1 to 5.
    score: u8,
}

/// Rates one answer of the robot, once. A bad one brings a human, where the shop's flow says so (`rating_at_most`).
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/conversations/{id}/answers/{m}/rating",
    tag = "conversations",
    params(
        ("t" = String, Path, description = "The tenant."),
        ("id" = String, Path, description = "The conversation."),
        ("m" = String, Path, description = "The robot's message.")
    ),
    request_body = RateAnswer,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn rate_answer(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id, message)): InPath<(TenantId, ConversationId, MessageId)>,
    order: Order<RateAnswer>,
) -> Result<Response, ApiError> {
    let row = reached(&app, &caller, tenant, id, Action::RateConversation).await?;
    let by = caller.require_user(tenant, Action::RateConversation)?.user;
    let journey = Journey::of(&app, &caller, &order)?;
    let found = messaging::find(&app, tenant, row.chat, message).await?;
    let is_answer = |posted: &MessagePosted| posted.category == Category::Robot && posted.conversation == Some(id);
    let seq = found.filter(|(_, posted)| is_answer(posted)).map(|(seq, _)| seq);
    let bad_at_most = app.flows.reception_of(tenant, row.shop).await?.and_then(|flow| flow.hand_off.rating_at_most);
    let command = ConversationCommand::RateAnswer { by, seq, score: order.body.score, bad_at_most };
    let answer = journey.execute("rate answer", stream(tenant, id), command).await?;
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
