//! `POST /v1/tenants/{t}/conversations/{id}/transfer`, `.../take-over`, `.../pick`, `.../accept` and `.../hand-off`. The desk decides who owns a
//! conversation.

use application::access::Action;
use application::log::stream::{StreamId, StreamKey};
use axum::extract::State;
use axum::response::Response;
use domain::chat::command::{ChatCommand, FlowNotice, Speaker};
use domain::conversation::command::ConversationCommand;
use domain::conversation::event::HumanReason;
use domain::desk::command::{DeskCommand, TransferTarget};
use domain::ids::{ChatId, ClientMessageId, ConversationId, GroupId, MessageId, TenantId, UserId};
use domain::message::MessageContent;
use domain::remark::Remark;
use domain::user::event::Role;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{reached, stream};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoBody, Order};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::http::routes::{tenant, user};
use crate::ids::shop_account;
use crate::state::{App, AppState};

/// To whom: an agent or a group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferConversation {
    /// This agent.
    #[schema(value_type = Option<String>)]
    agent: Option<UserId>,
    /// Whoever of this group is next.
    #[schema(value_type = Option<String>)]
    group: Option<GroupId>,
    /// What whoever gets it should know, at most 2,000 bytes: a note in the chat, which the customer never sees.
    #[schema(value_type = Option<String>)]
    remark: Option<Remark>,
}

fn desk(tenant: TenantId) -> StreamId {
    StreamId::new(tenant, StreamKey::Desk)
}

fn chat(tenant: TenantId, chat: ChatId) -> StreamId {
    StreamId::new(tenant, StreamKey::Chat(chat))
}

/// Hands a conversation over. An agent hands over their own; whoever watches over them, anybody's.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/conversations/{id}/transfer",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    request_body = TransferConversation,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn transfer(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    order: Order<TransferConversation>,
) -> Result<Response, ApiError> {
    let row = reached(&app, &caller, tenant, id, Action::TransferConversation).await?;
    let to = match (order.body.agent, order.body.group) {
        (Some(agent), None) => {
            // A provider is a seat without an account.
            if tenant::known(&app, tenant)?.provider_at_the_desk(agent).is_none() {
                user::known(&app, tenant, agent)?;
            }
            TransferTarget::Agent(agent)
        }
        (None, Some(group)) => {
            if !tenant::known(&app, tenant)?.groups.iter().any(|(known, _)| *known == group) {
                return Err(ApiError::NotFound { kind: "group" });
            }
            TransferTarget::Group(group)
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(InputError::InvalidField { reason: "give either `agent` or `group`".to_owned() }.into());
        }
    };
    let by = caller.user_of(tenant).filter(|user| user.row.role == Role::Agent).map(|user| user.user);
    let journey = Journey::of(&app, &caller, &order)?;
    let answer = journey.execute("transfer", desk(tenant), DeskCommand::Transfer { conversation: id, by, to }).await?;
    let Some(remark) = &order.body.remark else { return Ok(done(answer.position)) };
    let sender = caller.user_of(tenant).map_or_else(|| shop_account(tenant, row.shop), |user| user.user);
    // Under the step's own id, so that a repeated request says it once.
    let told = journey.execute("transfer remark", chat(tenant, row.chat), hand_over_note(&app, id, sender, remark)).await?;
    Ok(done(told.position))
}

/// The remark as the staff of the chat read it. It is sealed with the chat's messages, under the key of the customer whom it is about.
fn hand_over_note(app: &AppState, conversation: ConversationId, sender: UserId, remark: &Remark) -> ChatCommand {
    ChatCommand::Notify(Box::new(FlowNotice {
        conversation,
        sender,
        client_message: ClientMessageId::from_uuid(app.new_id()),
        message: MessageId::from_uuid(app.new_id()),
        digest: app.secrets.content_digest(&[remark.as_str().as_bytes()]),
        content: MessageContent { ext: Some(json!({"remark": "transfer"}).to_string()), ..MessageContent::text(remark.as_str()) },
        after_end: false,
        speaker: Speaker::HandOver,
    }))
}

/// Takes a conversation, waiting or served.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/conversations/{id}/take-over",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn take_over(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    reached(&app, &caller, tenant, id, Action::TakeOverConversation).await?;
    let by = caller.user_of(tenant).ok_or(ApiError::NotFound { kind: "user" })?.user;
    let journey = Journey::of(&app, &caller, &order)?;
    let answer = journey.execute("take over", desk(tenant), DeskCommand::TakeOver { conversation: id, by }).await?;
    Ok(done(answer.position))
}

/// Takes a conversation from a queue of which agents pick.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/conversations/{id}/pick",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn pick(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    reached(&app, &caller, tenant, id, Action::PickConversation).await?;
    let by = caller.user_of(tenant).ok_or(ApiError::NotFound { kind: "user" })?.user;
    let journey = Journey::of(&app, &caller, &order)?;
    let answer = journey.execute("pick", desk(tenant), DeskCommand::Pick { conversation: id, by }).await?;
    Ok(done(answer.position))
}

/// Says that one has the conversation that one was given. Answering says so, too.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/conversations/{id}/accept",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn accept(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    let row = reached(&app, &caller, tenant, id, Action::AcceptConversation).await?;
    let agent = caller.user_of(tenant).ok_or(ApiError::NotFound { kind: "user" })?.user;
    let journey = Journey::of(&app, &caller, &order)?;
    let answer = journey.execute("accept", chat(tenant, row.chat), ChatCommand::AcceptAssignment { agent }).await?;
    Ok(done(answer.position))
}

/// Asks for a human instead of the robot. Whether the shop lets customers ask so, its flow says; what comes of it, the feed.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/conversations/{id}/hand-off",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn hand_off(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    reached(&app, &caller, tenant, id, Action::AskForHuman).await?;
    let customer = caller.require_user(tenant, Action::AskForHuman)?.user;
    app.blocks.check(&app, tenant, customer, Some(caller.address)).await?;
    let journey = Journey::of(&app, &caller, &order)?;
    let command = ConversationCommand::WantHuman { reason: HumanReason::Button };
    let answer = journey.execute("hand off", stream(tenant, id), command).await?;
    Ok(done(answer.position))
}
