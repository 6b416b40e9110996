//! `POST /v1/sendmessage`: carries out one order of a device.
//!
//! Every order is the request of the same name under `/v1/tenants/{t}`, with the ids of the path in the body; so the rules, the
//! answers and the refusals are the same. `order` takes it apart; here the answer is put together.

use application::access::Action;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::ids::ClientMessageId;

use super::order::{self, Message, Order, Said};
use super::own;
use crate::channels::{self, init, watching};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoBody, Order as Request, Unread};
use crate::http::routes::chat::{open, take_part};
use crate::http::routes::conversation::{end, rate};
use crate::messaging::{self, Sender};
use crate::state::App;

/// Largest answer of a route that this one stands for: a session state with all its chats.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Carries out one order.
#[utoipa::path(
    post,
    path = "/v1/sendmessage",
    tag = "long poll",
    request_body(content = Object, description = "`bizCode` and the fields of the order; docs/PROTOCOL.md lists them."),
    responses(
        (status = 200, body = Object, description = "`bizCode` and the fields of the answer."),
        (status = "default", body = Problem, content_type = "application/problem+json")
    )
)]
pub async fn sendmessage(State(app): State<App>, caller: Caller, order: Unread) -> Result<Response, ApiError> {
    match order::read(&order.bytes)? {
        Said::Message(id, said) => message(&app, &caller, id, *said).await,
        // In a box, so that a message does not carry the room that all of these need.
        Said::Order(said) => Box::pin(carry_out(app, caller, &order, said)).await,
    }
}

async fn carry_out(app: App, caller: Caller, order: &Unread, said: Order) -> Result<Response, ApiError> {
    let (user, address) = (own(&caller)?.clone(), Some(caller.address));
    let digest = app.secrets.request_digest(&[b"POST", b"/v1/sendmessage", &order.bytes]);
    let (tenant, state, key) = (user.tenant, State(app.clone()), order.key.clone());
    let sender = Sender { tenant, user: user.user, role: user.row.role, address };
    match said {
        Order::Presence => answer("presence", axum::Json(init::state_of(&app, &user)).into_response()).await,
        Order::SessionDetail { chat } => {
            let detail = serde_json::json!({ "chat": init::chat_of(&app, &user, chat) });
            answer("session_detail", axum::Json(detail).into_response()).await
        }
        Order::Join(body) => answer("joined", open::open(state, caller, InPath(tenant), Request { body, key, digest }).await?).await,
        Order::Receive => Ok(ok()),
        Order::Read { chat, read: body } => {
            answer("ok", take_part::mark_read(state, caller, InPath((tenant, chat)), Request { body, key, digest }).await?).await
        }
        Order::Recall { chat, message } => {
            let order = Request { body: NoBody {}, key, digest };
            answer("ok", take_part::recall(state, caller, InPath((tenant, chat, message)), order).await?).await
        }
        Order::Hide { chat, message } => {
            let order = Request { body: NoBody {}, key, digest };
            answer("ok", take_part::hide(state, caller, InPath((tenant, chat, message)), order).await?).await
        }
        Order::Typing { chat, on } => {
            caller.require_user(tenant, Action::TakePartInChat)?;
            messaging::show_typing(&app, sender, chat, on);
            Ok(ok())
        }
        Order::Chunk { chat, growing } => {
            messaging::show_growing(&app, sender, chat, growing)?;
            Ok(ok())
        }
        Order::Watch { device, users } => {
            let poll = app.polls.find(user.session, device).ok_or(ApiError::NotFound { kind: "device" })?;
            watching::watch(&app, poll.link.device(), sender, users)?;
            Ok(ok())
        }
        Order::WatchBoard { device, groups } => {
            let poll = app.polls.find(user.session, device).ok_or(ApiError::NotFound { kind: "device" })?;
            watching::watch_boards(&app, poll.link.device(), sender, groups)?;
            Ok(ok())
        }
        Order::Rating { conversation, rating: body } => {
            answer("ok", rate::rate(state, caller, InPath((tenant, conversation)), Request { body, key, digest }).await?).await
        }
        Order::AnswerRating { conversation, message, rating: body } => {
            let rated = rate::rate_answer(state, caller, InPath((tenant, conversation, message)), Request { body, key, digest }).await?;
            answer("ok", rated).await
        }
        Order::End { conversation, end: body } => {
            answer("ok", end::close(state, caller, InPath((tenant, conversation)), Request { body, key, digest }).await?).await
        }
    }
}

fn ok() -> Response {
    axum::Json(serde_json::json!({"bizCode": "ok"})).into_response()
}

/// Posts a message. The device that it names will not be woken for it: it has this answer.
async fn message(app: &App, caller: &Caller, id: ClientMessageId, mut order: Message<'_>) -> Result<Response, ApiError> {
    let user = own(caller)?;
    caller.require_user(user.tenant, Action::TakePartInChat)?;
    if let Some(poll) = order.device.and_then(|device| app.polls.find(user.session, device)) {
        poll.link.device().says(id);
    }
    let chat = order.chat;
    let sender = Sender { tenant: user.tenant, user: user.user, role: user.row.role, address: Some(caller.address) };
    let posted = messaging::post(app, sender, order.draft(id)?).await?;
    Ok(super::json(channels::ack("bizCode", order.id.get(), chat, &posted)))
}

async fn answer(biz_code: &str, response: Response) -> Result<Response, ApiError> {
    tagged(response, &format!("{{\"bizCode\":\"{biz_code}\",")).await
}

/// Puts fields in front of those of a JSON answer.
async fn tagged(response: Response, head: &str) -> Result<Response, ApiError> {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(|_| InputError::Interrupted)?;
    let mut tagged = Vec::with_capacity(head.len() + body.len());
    tagged.extend_from_slice(head.as_bytes());
    // Every answer is an object with at least one field: its brace is in the head.
    tagged.extend_from_slice(body.get(1..).unwrap_or_default());
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(tagged)))
}

/// Whether the body of an order is understood.
pub(crate) fn understands(bytes: &[u8]) -> bool {
    order::read(bytes).is_ok()
}
