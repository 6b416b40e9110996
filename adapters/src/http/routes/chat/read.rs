//! `GET /v1/tenants/{t}/chats/{c}`.

use axum::Json;
use axum::extract::State;
use domain::ids::{ChatId, TenantId};
use domain::message::ChatRole;
use domain::user::event::Role;
use serde::Serialize;
use utoipa::ToSchema;

use super::readable;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::masking::shown;
use crate::state::App;

/// Somebody who takes part.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberBody {
    /// Who.
    user: String,
    /// As what.
    #[schema(value_type = String)]
    role: ChatRole,
    /// Read up to here.
    read_seq: u64,
}

/// A chat and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatBody {
    /// Its id.
    id: String,
    /// The shop; null for a group thread.
    shop: Option<String>,
    /// The customer; null for a group thread.
    customer: Option<String>,
    /// Everybody who takes part now.
    members: Vec<MemberBody>,
    /// Place of the last message.
    last_seq: u64,
    /// When it was posted, in milliseconds since 1970.
    last_message_at: Option<i64>,
    /// The open conversation.
    conversation: Option<String>,
    /// The last conversation, open or ended.
    last_conversation: Option<String>,
    /// Messages that the caller has not read, if they are a member.
    unread: Option<u64>,
}

/// Reads a chat.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/chats/{c}",
    tag = "chats",
    params(("t" = String, Path, description = "The tenant."), ("c" = String, Path, description = "The chat.")),
    responses((status = 200, body = ChatBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, chat)): InPath<(TenantId, ChatId)>,
    _: Params<NoParams>,
) -> Result<Json<ChatBody>, ApiError> {
    let row = readable(&app, &caller, tenant, chat)?;
    let unread = caller.user_of(tenant).and_then(|user| app.ports.views.unread(tenant, chat, user.user));
    // Those who see no notes learn nothing of them by their places.
    let sees_notes = caller.user_of(tenant).is_none_or(|user| user.row.role != Role::Customer);
    let member = |member: &application::queries::MemberRow| MemberBody {
        user: shown(member.user, row.chat, row.customer(), caller.view()).to_string(),
        role: member.role,
        read_seq: if sees_notes { member.read_seq } else { member.shown_seq },
    };
    Ok(Json(ChatBody {
        id: row.chat.to_string(),
        shop: row.shop().map(|shop| shop.to_string()),
        customer: row.customer().map(|customer| customer.to_string()),
        members: row.members.iter().map(member).collect(),
        last_seq: if sees_notes { row.last_seq } else { row.last_shown_seq },
        last_message_at: row.last_message_at.map(|at| at.0),
        conversation: row.conversation.map(|id| id.to_string()),
        last_conversation: row.last_conversation.map(|id| id.to_string()),
        unread,
    }))
}
