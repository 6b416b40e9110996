//! `POST /v1/sendmessage`: one order of a device, told apart by its `bizCode`.
//!
//! Every order is the request of the same name under `/v1/tenants/{t}`, with the ids of the path in the body; so the rules, the
//! answers and the refusals are the same. This file only takes the order apart and puts the answer together.

use std::collections::BTreeMap;

use application::access::Action;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::ids::{ChatId, ConversationId, MessageId, UserId};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::own;
use crate::channels::init;
use crate::channels::watching;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoBody, Order, parse_json};
use crate::http::routes::chat::{open, post, take_part};
use crate::http::routes::conversation::{end, rate};
use crate::messaging::{self, Sender};
use crate::state::App;

/// Largest answer of a route that this one stands for: a session state with all its chats.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// The fields of an order that are not yet taken.
struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    fn take<T: DeserializeOwned>(&mut self, field: &'static str) -> Result<T, InputError> {
        self.take_if_given(field)?.ok_or_else(|| InputError::InvalidField { reason: format!("missing field `{field}`") })
    }

    fn take_if_given<T: DeserializeOwned>(&mut self, field: &'static str) -> Result<Option<T>, InputError> {
        self.0.remove(field).map(|value| parse_json(value.get().as_bytes())).transpose()
    }

    /// What is left, as the body of a request. Unknown fields are refused there.
    fn body<T: DeserializeOwned>(self, key: Option<String>, digest: u64) -> Result<Order<T>, InputError> {
        let rest = serde_json::to_vec(&self.0).expect("a map of JSON values can be written");
        Ok(Order { body: parse_json(&rest)?, key, digest })
    }
}

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
pub async fn sendmessage(
    State(app): State<App>,
    caller: Caller,
    order: Order<BTreeMap<String, Box<RawValue>>>,
) -> Result<Response, ApiError> {
    let user = own(&caller)?.clone();
    let Order { body, key, digest } = order;
    let mut fields = Fields(body);
    let biz_code: String = fields.take("bizCode")?;
    let (tenant, state) = (user.tenant, State(app.clone()));
    let sender = Sender { tenant, user: user.user, role: user.row.role };
    match biz_code.as_str() {
        "presence" => {
            fields.body::<NoBody>(key, digest)?;
            answer("presence", axum::Json(init::state_of(&app, &user)).into_response()).await
        }
        "session_detail" => {
            let chat: ChatId = fields.take("chat")?;
            fields.body::<NoBody>(key, digest)?;
            let detail = serde_json::json!({ "chat": init::chat_of(&app, &user, chat) });
            answer("session_detail", axum::Json(detail).into_response()).await
        }
        "join" => answer("joined", open::open(state, caller, InPath(tenant), fields.body(key, digest)?).await?).await,
        "message" => {
            let chat: ChatId = fields.take("chat")?;
            let id = fields.0.get("id").map(|id| id.get().to_owned());
            let posted = post::post(state, caller, InPath((tenant, chat)), fields.body(key, digest)?).await?;
            acknowledged(&id.unwrap_or_default(), chat, posted).await
        }
        "receive" => {
            let _arrived: u64 = fields.take("i")?;
            fields.body::<NoBody>(key, digest)?;
            Ok(ok())
        }
        "read" => {
            let chat: ChatId = fields.take("chat")?;
            answer("ok", take_part::mark_read(state, caller, InPath((tenant, chat)), fields.body(key, digest)?).await?).await
        }
        "recall" => {
            let at: (ChatId, MessageId) = (fields.take("chat")?, fields.take("message")?);
            answer("ok", take_part::recall(state, caller, InPath((tenant, at.0, at.1)), fields.body(key, digest)?).await?).await
        }
        "hide" => {
            let at: (ChatId, MessageId) = (fields.take("chat")?, fields.take("message")?);
            answer("ok", take_part::hide(state, caller, InPath((tenant, at.0, at.1)), fields.body(key, digest)?).await?).await
        }
        "typing" => {
            let (chat, on): (ChatId, bool) = (fields.take("chat")?, fields.take("on")?);
            fields.body::<NoBody>(key, digest)?;
            caller.require_user(tenant, Action::TakePartInChat)?;
            messaging::show_typing(&app, sender, chat, on);
            Ok(ok())
        }
        "watch" => {
            let (device, users): (Uuid, Vec<UserId>) = (fields.take("device")?, fields.take("users")?);
            fields.body::<NoBody>(key, digest)?;
            let poll = app.polls.find(user.session, device).ok_or(ApiError::NotFound { kind: "device" })?;
            watching::watch(&app, poll.link.device(), sender, users)?;
            Ok(ok())
        }
        "rating" => {
            let conversation: ConversationId = fields.take("conversation")?;
            answer("ok", rate::rate(state, caller, InPath((tenant, conversation)), fields.body(key, digest)?).await?).await
        }
        "end" => {
            let conversation: ConversationId = fields.take("conversation")?;
            answer("ok", end::close(state, caller, InPath((tenant, conversation)), fields.body(key, digest)?).await?).await
        }
        _ => Err(InputError::Refused { field: "bizCode", reason: "is none of docs/PROTOCOL.md" }.into()),
    }
}

fn ok() -> Response {
    axum::Json(serde_json::json!({"bizCode": "ok"})).into_response()
}

/// An `ack` says which message it is for, as a socket's does.
async fn acknowledged(id: &str, chat: ChatId, posted: Response) -> Result<Response, ApiError> {
    tagged(posted, &format!("{{\"bizCode\":\"ack\",\"id\":{id},\"chat\":\"{chat}\",")).await
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
