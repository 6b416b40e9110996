//! `POST /v1/tenants/{t}/threads`.

use application::access::Action;
use application::log::stream::{StreamId, StreamKey};
use axum::extract::State;
use axum::response::Response;
use domain::chat::command::ThreadCommand;
use domain::ids::{ChatId, TenantId};
use domain::labels::Label;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{InvitationBody, check_invited, to_thread};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Order};
use crate::http::journey::Journey;
use crate::http::respond::{Created, created};
use crate::state::App;

/// A new thread.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateThread {
    /// What it is called, 1 to 256 bytes.
    title: String,
    /// What the caller, who owns it, is to the others: `[a-z0-9_]{1,32}`.
    #[schema(value_type = String, example = "merchant")]
    label: Label,
    /// Who else is in it from the first message on.
    #[serde(default)]
    members: Vec<InvitationBody>,
}

/// Makes a group thread. The caller owns it.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/threads",
    tag = "threads",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = CreateThread,
    responses((status = 201, body = Created), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<CreateThread>,
) -> Result<Response, ApiError> {
    let owner = caller.require_user(tenant, Action::CreateThread)?.user;
    let journey = Journey::of(&app, &caller, &order)?;
    let CreateThread { title, label, members } = order.body;
    for invited in &members {
        check_invited(&app, tenant, invited.user)?;
    }
    let chat = ChatId::from_uuid(journey.new_id("thread", tenant));
    let members = members.iter().map(InvitationBody::invitation).collect();
    let command = to_thread(ThreadCommand::Create { owner, label, title, members });
    let answer = journey.execute("create thread", StreamId::new(tenant, StreamKey::Chat(chat)), command).await?;
    Ok(created(chat, answer.position))
}
