//! `POST /v1/init`: everything that a page needs before it connects, in one short request.

use application::queries::ConversationStatus;
use axum::Json;
use axum::extract::State;
use domain::conversation::event::CloseReason;
use domain::ids::ChatId;
use domain::message::CONTENT_BYTES_MAX;
use domain::user::event::Role;
use serde::Serialize;
use utoipa::ToSchema;

use super::long_poll::POLL_WAIT_MS;
use super::websocket::FRAME_BYTES_MAX;
use application::access::{Action, Denied};

use crate::http::auth::{Caller, Identity, SignedIn};
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{NoBody, Order};
use crate::masking::shown_agent;
use crate::messaging;
use crate::render::View;
use crate::state::{App, AppState};

/// Chats that init lists; an agent with more reads the rest from the conversation list.
const CHATS_MAX: usize = 100;

/// Where a session stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionState {
    /// The caller.
    user: String,
    /// Their tenant.
    tenant: String,
    /// What they are.
    #[schema(value_type = String)]
    role: domain::user::event::Role,
    /// The server's clock, in milliseconds since 1970.
    now: i64,
    /// The newest index of the feed: a page that starts with lists connects after it.
    head: u64,
    /// The caller's chats, the latest activity first, at most 100.
    chats: Vec<ChatState>,
    /// Whether there are more chats.
    more_chats: bool,
    /// What holds for this tenant and this node.
    limits: LimitsBody,
    /// Where to connect, the least loaded first.
    nodes: Vec<NodeBody>,
}

/// A chat, as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatState {
    /// Its id.
    chat: String,
    /// The shop; none for a group thread.
    shop: Option<String>,
    /// The customer; none for a group thread.
    customer: Option<String>,
    /// The conversation that is open, or the last one.
    conversation: Option<ConversationState>,
    /// Place of the last message.
    last_seq: u64,
    /// Read up to here.
    read_seq: u64,
    /// Messages that the caller has not read.
    unread: u64,
    /// When the last message was posted.
    last_message_at: Option<i64>,
}

/// A conversation, as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationState {
    /// Its id.
    id: String,
    /// `reception`, `waiting`, `serving` or `closed`.
    #[schema(value_type = String)]
    status: ConversationStatus,
    /// The agent who serves, or served last; to the customer, the shop.
    agent: Option<String>,
    /// Place in its queue, from 1, while it waits.
    position: Option<usize>,
    /// Expected wait in seconds, if one can be told.
    wait_s: Option<u64>,
    /// Since when the customer's oldest unanswered message waits.
    waiting_since: Option<i64>,
    /// The customer's score, if they rated.
    score: Option<u8>,
    /// Why it ended, if it has.
    #[schema(value_type = Option<String>)]
    close_reason: Option<CloseReason>,
}

/// Limits that a client keeps to.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsBody {
    /// Longest text of a message in bytes.
    content_bytes_max: usize,
    /// Longest frame in bytes.
    frame_bytes_max: usize,
    /// How long one's own message can be taken back.
    recall_window_ms: i64,
    /// Longest hold of a poll.
    poll_wait_ms: u64,
    /// A silent link is pinged after this.
    ping_after_ms: u64,
    /// And given up after this.
    dead_after_ms: u64,
}

/// A node that takes connections.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeBody {
    /// Its address; empty: where this request went.
    url: String,
    /// Devices that are connected to it.
    connections: usize,
}

/// Tells where the caller's session stands.
#[utoipa::path(
    post,
    path = "/v1/init",
    tag = "feed",
    responses((status = 200, body = SessionState), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn init(State(app): State<App>, caller: Caller, _: Order<NoBody>) -> Result<Json<SessionState>, ApiError> {
    let Identity::User(user) = &caller.identity else {
        return Err(ApiError::Denied(Denied::NoRight { action: Action::UseOwnAccount }));
    };
    caller.require_user(user.tenant, Action::UseOwnAccount)?;
    Ok(Json(state_of(&app, user)))
}

/// Where somebody's session stands.
#[must_use]
pub fn state_of(app: &AppState, user: &SignedIn) -> SessionState {
    let views = &app.ports.views;
    // Before the chats: what comes meanwhile is then sent again rather than missed.
    let head = views.feed_head(user.tenant, user.user);
    let rows = views.chats_of(user.tenant, user.user).into_iter().filter_map(|chat| views.chat(user.tenant, chat));
    let mut latest: Vec<_> = rows.map(|row| (row.last_message_at, row.chat)).collect();
    latest.sort_unstable_by(|left, right| right.cmp(left));
    let more_chats = latest.len() > CHATS_MAX;
    latest.truncate(CHATS_MAX);
    let settings = &app.config.websocket;
    SessionState {
        user: user.user.to_string(),
        tenant: user.tenant.to_string(),
        role: user.row.role,
        now: app.now().0,
        head,
        chats: latest.into_iter().filter_map(|(_, chat)| chat_of(app, user, chat)).collect(),
        more_chats,
        limits: LimitsBody {
            content_bytes_max: CONTENT_BYTES_MAX,
            frame_bytes_max: FRAME_BYTES_MAX,
            recall_window_ms: messaging::limits(app, user.tenant).recall_window.0,
            poll_wait_ms: POLL_WAIT_MS,
            ping_after_ms: u64::from(settings.ping_after_s) * 1_000,
            dead_after_ms: u64::from(settings.dead_after_s) * 1_000,
        },
        nodes: vec![NodeBody { url: String::new(), connections: app.hub.devices() }],
    }
}

/// A chat of somebody's, if they are a member.
#[must_use]
pub fn chat_of(app: &AppState, user: &SignedIn, chat: ChatId) -> Option<ChatState> {
    let views = &app.ports.views;
    let row = views.chat(user.tenant, chat)?;
    let member = row.members.iter().find(|member| member.user == user.user)?;
    Some(ChatState {
        chat: row.chat.to_string(),
        shop: row.shop().map(|shop| shop.to_string()),
        customer: row.customer().map(|customer| customer.to_string()),
        conversation: row.last_conversation.and_then(|conversation| conversation_of(app, user, conversation)),
        last_seq: if user.row.role == Role::Customer { row.last_shown_seq } else { row.last_seq },
        read_seq: member.read_seq,
        unread: views.unread(user.tenant, chat, user.user).unwrap_or(0),
        last_message_at: row.last_message_at.map(|at| at.0),
    })
}

fn conversation_of(app: &AppState, user: &SignedIn, conversation: domain::ids::ConversationId) -> Option<ConversationState> {
    let tenant = user.tenant;
    let row = app.ports.views.conversation(tenant, conversation)?;
    let place = match row.status {
        ConversationStatus::Waiting => app.signals.place(app, tenant, conversation),
        ConversationStatus::Reception | ConversationStatus::LeftMessage | ConversationStatus::Serving | ConversationStatus::Closed => None,
    };
    Some(ConversationState {
        id: row.conversation.to_string(),
        status: row.status,
        agent: row.agent.map(|agent| shown_agent(agent, row.chat, View::of(user.row.role)).to_string()),
        position: place.map(|place| place.position),
        wait_s: place.and_then(|place| place.wait_s),
        waiting_since: row.waiting_since.map(|at| at.0),
        score: row.score,
        close_reason: row.close_reason,
    })
}
