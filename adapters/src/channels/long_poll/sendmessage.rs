//! `POST /v1/sendmessage`: one order of a device, told apart by its `bizCode`.
//!
//! Every order is the request of the same name under `/v1/tenants/{t}`, with the ids of the path in the body; so the rules, the
//! answers and the refusals are the same. This file only takes the order apart and puts the answer together.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use application::access::Action;
use application::command::PostedMessage;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::ids::{ChatId, ClientMessageId, ConversationId, MessageId, UserId};
use domain::message::{Kind, Style, Visibility};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::own;
use crate::channels::init;
use crate::channels::watching;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoBody, Order, Unread, parse_json};
use crate::http::routes::chat::{open, post, take_part};
use crate::http::routes::conversation::{end, rate};
use crate::messaging::{self, Draft, Sender};
use crate::state::App;

/// Largest answer of a route that this one stands for: a session state with all its chats.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Room for an `ack`.
const ACK_BYTES: usize = 320;

/// What an order is, whatever else it says.
#[derive(Deserialize)]
struct Which<'a> {
    #[serde(rename = "bizCode", borrow)]
    biz_code: Cow<'a, str>,
}

/// The busiest order, read in one go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message<'a> {
    #[serde(rename = "bizCode")]
    _biz_code: IgnoredAny,
    device: Option<Uuid>,
    chat: ChatId,
    /// As its sender wrote it: the answer says it in the same way.
    #[serde(borrow)]
    id: &'a RawValue,
    content: String,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    style: Style,
    quote: Option<MessageId>,
    url: Option<String>,
    #[serde(borrow)]
    ext: Option<&'a RawValue>,
    #[serde(default)]
    visibility: Visibility,
    assignment: Option<u64>,
}

impl Message<'_> {
    fn draft(&mut self, id: ClientMessageId) -> Draft {
        Draft {
            id,
            chat: self.chat,
            content: std::mem::take(&mut self.content),
            url: self.url.take(),
            ext: self.ext.map(|ext| ext.get().to_owned()),
            quote: self.quote,
            kind: self.kind,
            style: self.style,
            visibility: self.visibility,
            assignment: self.assignment,
        }
    }
}

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
pub async fn sendmessage(State(app): State<App>, caller: Caller, order: Unread) -> Result<Response, ApiError> {
    let Which { biz_code } = parse_json(&order.bytes)?;
    if biz_code == "message" {
        return message(&app, &caller, &order.bytes).await;
    }
    let user = own(&caller)?.clone();
    let mut fields = Fields(parse_json(&order.bytes)?);
    fields.0.remove("bizCode");
    let key = order.key;
    let digest = app.secrets.request_digest(&[b"POST", b"/v1/sendmessage", &order.bytes]);
    let (tenant, state) = (user.tenant, State(app.clone()));
    let sender = Sender { tenant, user: user.user, role: user.row.role };
    match &*biz_code {
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

/// Posts a message. The device that it names will not be woken for it: it has this answer.
async fn message(app: &App, caller: &Caller, bytes: &[u8]) -> Result<Response, ApiError> {
    let user = own(caller)?;
    let mut order: Message = parse_json(bytes)?;
    let id: ClientMessageId = parse_json(order.id.get().as_bytes())?;
    caller.require_user(user.tenant, Action::TakePartInChat)?;
    if let Some(poll) = order.device.and_then(|device| app.polls.find(user.session, device)) {
        poll.link.device().says(id);
    }
    let chat = order.chat;
    let sender = Sender { tenant: user.tenant, user: user.user, role: user.row.role };
    let (posted, conversation, position) = post::carry_out(app, sender, order.draft(id)).await?;
    let mut ack = String::with_capacity(ACK_BYTES);
    let (id, PostedMessage { message, seq, at }) = (order.id.get(), posted);
    write!(ack, "{{\"bizCode\":\"ack\",\"id\":{id},\"chat\":\"{chat}\",\"message\":\"{message}\",\"seq\":{seq},\"conversation\":")
        .and_then(|()| match conversation {
            Some(conversation) => write!(ack, "\"{conversation}\""),
            None => ack.write_str("null"),
        })
        .and_then(|()| write!(ack, ",\"at\":{},\"position\":\"{position}\"}}", at.0))
        .expect("writing to a string cannot fail");
    Ok(super::json(ack))
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
