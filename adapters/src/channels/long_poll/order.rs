//! What the body of a `sendmessage` says: one order, told apart by its `bizCode`.
//!
//! Reading is apart from doing, so that whatever a stranger sends is understood or refused before anything happens. This file
//! must not know a node.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::ids::{ChatId, ClientMessageId, ConversationId, GroupId, MessageId, UserId};
use domain::message::{Kind, Style, Visibility};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::further_json;
use crate::http::error::InputError;
use crate::http::extract::{NoBody, parse_json, parse_object};
use crate::http::routes::chat::open::OpenChat;
use crate::http::routes::chat::take_part::MarkRead;
use crate::http::routes::conversation::end::CloseConversation;
use crate::http::routes::conversation::rate::{RateAnswer, RateConversation};
use crate::hub::signal::Growing;
use crate::messaging::Draft;

/// What was said.
pub(super) enum Said<'a> {
    /// A message under its id: the busiest order, and the only one that borrows.
    Message(ClientMessageId, Box<Message<'a>>),
    /// Any other order.
    Order(Order),
}

/// An order that is no message.
pub(super) enum Order {
    Presence,
    SessionDetail { chat: ChatId },
    Join(OpenChat),
    Receive,
    Read { chat: ChatId, read: MarkRead },
    Recall { chat: ChatId, message: MessageId },
    Hide { chat: ChatId, message: MessageId },
    Typing { chat: ChatId, on: bool },
    Chunk { chat: ChatId, growing: Growing },
    Watch { device: Uuid, users: Vec<UserId> },
    WatchBoard { device: Uuid, groups: Vec<GroupId> },
    Rating { conversation: ConversationId, rating: RateConversation },
    AnswerRating { conversation: ConversationId, message: MessageId, rating: RateAnswer },
    End { conversation: ConversationId, end: CloseConversation },
}

/// The one word that a message bears.
#[derive(Deserialize)]
enum MessageCode {
    #[serde(rename = "message")]
    Message,
}

/// What an order is, whatever else it says.
#[derive(Deserialize)]
struct Which<'a> {
    #[serde(rename = "bizCode", borrow)]
    biz_code: Cow<'a, str>,
}

/// The busiest order, read in one go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message<'a> {
    #[serde(rename = "bizCode")]
    _biz_code: MessageCode,
    pub(super) device: Option<Uuid>,
    pub(super) chat: ChatId,
    /// As its sender wrote it: the answer says it in the same way.
    #[serde(borrow)]
    pub(super) id: &'a RawValue,
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
    suggestion: Option<Uuid>,
}

impl Message<'_> {
    /// Takes its texts out, as a message to post.
    ///
    /// # Errors
    /// [`InputError`] when nobody could read its further JSON.
    pub(super) fn draft(&mut self, id: ClientMessageId) -> Result<Draft, InputError> {
        Ok(Draft {
            id,
            chat: self.chat,
            content: std::mem::take(&mut self.content),
            url: self.url.take(),
            ext: self.ext.map(further_json::checked).transpose()?,
            quote: self.quote,
            kind: self.kind,
            style: self.style,
            visibility: self.visibility,
            assignment: self.assignment,
            suggestion: self.suggestion,
        })
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
    fn rest<T: DeserializeOwned>(self) -> Result<T, InputError> {
        let rest = serde_json::to_vec(&self.0).expect("a map of JSON values can be written");
        parse_json(&rest)
    }

    /// An order of which everything was taken.
    fn done<T>(self, order: T) -> Result<T, InputError> {
        self.rest::<NoBody>().map(|_| order)
    }
}

/// Reads an order.
///
/// # Errors
/// [`InputError`].
pub(super) fn read(bytes: &[u8]) -> Result<Said<'_>, InputError> {
    // Most orders are messages; what is none stops being read as one at its code.
    let message = match parse_object::<Message>(bytes) {
        Ok(message) => message,
        Err(error) => {
            let Which { biz_code } = parse_object(bytes)?;
            return if biz_code == "message" { Err(error) } else { read_order(&biz_code, bytes).map(Said::Order) };
        }
    };
    let id = parse_json(message.id.get().as_bytes())?;
    Ok(Said::Message(id, Box::new(message)))
}

fn read_order(biz_code: &str, bytes: &[u8]) -> Result<Order, InputError> {
    let mut fields = Fields(parse_json(bytes)?);
    fields.0.remove("bizCode");
    match biz_code {
        "presence" => fields.done(Order::Presence),
        "session_detail" => {
            let chat = fields.take("chat")?;
            fields.done(Order::SessionDetail { chat })
        }
        "join" => Ok(Order::Join(fields.rest()?)),
        "receive" => {
            let _arrived: u64 = fields.take("i")?;
            fields.done(Order::Receive)
        }
        "read" => Ok(Order::Read { chat: fields.take("chat")?, read: fields.rest()? }),
        "recall" => {
            let (chat, message) = (fields.take("chat")?, fields.take("message")?);
            fields.done(Order::Recall { chat, message })
        }
        "hide" => {
            let (chat, message) = (fields.take("chat")?, fields.take("message")?);
            fields.done(Order::Hide { chat, message })
        }
        "typing" => {
            let (chat, on) = (fields.take("chat")?, fields.take("on")?);
            fields.done(Order::Typing { chat, on })
        }
        "chunk" => {
            let (chat, id, content): (ChatId, ClientMessageId, String) =
                (fields.take("chat")?, fields.take("id")?, fields.take("content")?);
            let visibility = fields.take_if_given("visibility")?.unwrap_or_default();
            fields.done(Order::Chunk { chat, growing: Growing { id, content: content.into(), visibility } })
        }
        "watch" => {
            let (device, users) = (fields.take("device")?, fields.take("users")?);
            fields.done(Order::Watch { device, users })
        }
        "watch_board" => {
            let (device, groups) = (fields.take("device")?, fields.take("groups")?);
            fields.done(Order::WatchBoard { device, groups })
        }
        "rating" => Ok(Order::Rating { conversation: fields.take("conversation")?, rating: fields.rest()? }),
        "answer_rating" => {
            let (conversation, message) = (fields.take("conversation")?, fields.take("message")?);
            Ok(Order::AnswerRating { conversation, message, rating: fields.rest()? })
        }
        "end" => Ok(Order::End { conversation: fields.take("conversation")?, end: fields.rest()? }),
        _ => Err(InputError::Refused { field: "bizCode", reason: "is none of docs/PROTOCOL.md" }),
    }
}
