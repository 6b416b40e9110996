//! Frames as they are written: one flat JSON object each. Parsing borrows from the frame; nothing is buffered twice.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use domain::ids::{ChatId, ClientMessageId, GroupId, MessageId, UserId};
use domain::message::{Kind, Style, Visibility};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::http::error::ApiError;
use crate::http::extract::is_object;
use crate::messaging::Posted;

/// Longest value of a misread frame that is told back.
const ECHO_BYTES_MAX: usize = 80;

/// Longest words about a misread frame.
const DETAIL_CHARACTERS_MAX: usize = 200;

/// What a client's frame asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FrameType {
    Hello,
    Send,
    Receive,
    Read,
    Recall,
    Hide,
    Typing,
    Chunk,
    Range,
    Watch,
    WatchBoard,
    Ping,
}

/// A client's frame. Which fields it has depends on its type; a field that no type has is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientFrame<'a> {
    pub(super) t: FrameType,
    #[serde(borrow, default)]
    pub(super) token: Option<Text<'a>>,
    #[serde(default)]
    pub(super) after: Option<u64>,
    #[serde(default)]
    pub(super) id: Option<ClientMessageId>,
    #[serde(default)]
    pub(super) chat: Option<ChatId>,
    #[serde(borrow, default)]
    pub(super) content: Option<Text<'a>>,
    #[serde(default)]
    pub(super) kind: Option<Kind>,
    #[serde(default)]
    pub(super) style: Option<Style>,
    #[serde(borrow, default)]
    pub(super) url: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) ext: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) quote: Option<MessageId>,
    #[serde(default)]
    pub(super) visibility: Option<Visibility>,
    #[serde(default)]
    pub(super) assignment: Option<u64>,
    #[serde(default)]
    pub(super) suggestion: Option<Uuid>,
    #[serde(default)]
    pub(super) i: Option<u64>,
    #[serde(default)]
    pub(super) seq: Option<u64>,
    #[serde(default)]
    pub(super) message: Option<MessageId>,
    #[serde(default)]
    pub(super) to: Option<u64>,
    #[serde(default)]
    pub(super) users: Option<Vec<UserId>>,
    #[serde(default)]
    pub(super) groups: Option<Vec<GroupId>>,
    #[serde(default)]
    pub(super) on: Option<bool>,
}

/// A text that is borrowed from the frame when it has no escapes.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

macro_rules! frame {
    ($capacity:expr, $($arguments:tt)*) => {{
        let mut frame = String::with_capacity($capacity);
        write!(frame, $($arguments)*).expect("writing to a string cannot fail");
        frame
    }};
}

/// Reads a frame; `None` when it is none of ours.
pub(super) fn parse(text: &str) -> Option<ClientFrame<'_>> {
    read(text).ok()
}

/// Reads a frame.
///
/// # Errors
/// The refusal of a frame whose type is known, but not every one of its fields, or their values. `None` when it is no frame at all.
pub(super) fn read(text: &str) -> Result<ClientFrame<'_>, Option<String>> {
    // A list of the fields' values would be read as well.
    if !is_object(text.as_bytes()) {
        return Err(None);
    }
    serde_json::from_str(text).map_err(|error| misread(text, &error))
}

/// What tells the client which of its frames was misread: what it was about, as it was written.
#[derive(Deserialize)]
struct Misread<'a> {
    t: FrameType,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    chat: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    after: Option<&'a RawValue>,
    #[serde(borrow, default)]
    to: Option<&'a RawValue>,
}

fn misread(text: &str, error: &serde_json::Error) -> Option<String> {
    let Misread { t, id, chat, message, after, to } = serde_json::from_str(text).ok()?;
    let about: &[(&str, Option<&RawValue>)] = match t {
        FrameType::Send => &[("id", id)],
        FrameType::Read => &[("chat", chat)],
        FrameType::Recall | FrameType::Hide => &[("chat", chat), ("message", message)],
        FrameType::Chunk => &[("chat", chat), ("chunk", id)],
        FrameType::Range => &[("after", after), ("to", to)],
        FrameType::Receive | FrameType::Typing | FrameType::Watch | FrameType::WatchBoard | FrameType::Ping => &[],
        FrameType::Hello => return None,
    };
    let mut frame = frame!(192, "{{\"t\":\"nack\",");
    for (name, value) in about {
        // A text or a number as the client wrote it; anything longer is none that a client of ours could look for.
        if let Some(value) = value.map(RawValue::get).filter(|value| value.len() <= ECHO_BYTES_MAX && !value.starts_with(['{', '['])) {
            write!(frame, "\"{name}\":{value},").expect("writing to a string cannot fail");
        }
    }
    // It repeats what was written, as long as that is.
    let detail: String = error.to_string().chars().take(DETAIL_CHARACTERS_MAX).collect();
    let detail = serde_json::to_string(&detail).expect("a text can be written as JSON");
    write!(frame, "\"code\":\"invalid_field\",\"detail\":{detail},\"retry\":false}}").expect("writing to a string cannot fail");
    Some(frame)
}

/// The answer to a good hello.
pub(super) fn welcome(user: UserId, tenant: &str, head: u64, now_ms: i64, ping_after: Duration, dead_after: Duration) -> String {
    let (ping_after, dead_after) = (ping_after.as_millis(), dead_after.as_millis());
    frame!(
        224,
        "{{\"t\":\"welcome\",\"user\":\"{user}\",\"tenant\":\"{tenant}\",\"head\":{head},\"now\":{now_ms},\"ping_after_ms\":{ping_after},\"dead_after_ms\":{dead_after}}}"
    )
}

/// A message is durable.
pub(super) fn ack(id: ClientMessageId, chat: ChatId, posted: &Posted) -> String {
    crate::channels::ack("t", format_args!("\"{id}\""), chat, posted)
}

/// What an order was about, so that the client can tell which one is refused.
#[derive(Clone, Copy, Debug)]
pub(super) enum About {
    /// A message to post.
    Send(ClientMessageId),
    /// A chat to mark read.
    Chat(ChatId),
    /// A message to recall.
    Message(ChatId, MessageId),
    /// What a robot has written so far of a message to come.
    Chunk(ChatId, ClientMessageId),
    /// Items to send again.
    Range(u64, u64),
    /// What the client asked for as a whole.
    Request,
}

/// An order was not carried out.
pub(super) fn nack(about: About, error: &ApiError) -> String {
    let verdict = error.verdict();
    refusal(about, verdict.code, &error.detail(), verdict.retry)
}

/// An order makes no sense.
pub(super) fn refusal(about: About, code: &str, detail: &str, retry: bool) -> String {
    let mut frame = frame!(192, "{{\"t\":\"nack\",");
    match about {
        About::Send(id) => write!(frame, "\"id\":\"{id}\","),
        About::Chat(chat) => write!(frame, "\"chat\":\"{chat}\","),
        About::Message(chat, message) => write!(frame, "\"chat\":\"{chat}\",\"message\":\"{message}\","),
        About::Chunk(chat, id) => write!(frame, "\"chat\":\"{chat}\",\"chunk\":\"{id}\","),
        About::Range(after, to) => write!(frame, "\"after\":{after},\"to\":{to},"),
        About::Request => Ok(()),
    }
    .expect("writing to a string cannot fail");
    let detail = serde_json::to_string(detail).expect("a text can be written as JSON");
    write!(frame, "\"code\":\"{code}\",\"detail\":{detail},\"retry\":{retry}}}").expect("writing to a string cannot fail");
    frame
}

/// The answer to a ping, with the server's time.
pub(super) fn pong(now_ms: i64) -> String {
    frame!(48, "{{\"t\":\"pong\",\"now\":{now_ms}}}")
}

#[cfg(test)]
mod tests {
    use application::command::PostedMessage;
    use application::ports::event_log::Position;
    use domain::ids::ConversationId;
    use domain::time::Timestamp;

    use super::*;

    #[test]
    fn a_frame_borrows_its_texts_unless_they_are_escaped() {
        let text = r#"{"t":"send","id":"01900000000070008000000000000001","chat":"02","content":"你好"}"#;
        assert!(parse(text).is_none(), "02 is no id");
        let text = text.replace("\"02\"", "\"02000000000070008000000000000001\"");
        let frame = parse(&text).unwrap();
        assert!(matches!(frame.content, Some(Text(Cow::Borrowed("你好")))));
        let escaped = text.replace("你好", "a\\nb");
        assert!(matches!(parse(&escaped).unwrap().content, Some(Text(Cow::Owned(text))) if text == "a\nb"));
    }

    #[test]
    fn further_json_is_kept_as_it_was_written() {
        let frame = parse(r#"{"t":"send","ext":{"sku": [1, 2]}}"#).unwrap();
        assert_eq!(frame.ext.unwrap().get(), r#"{"sku": [1, 2]}"#);
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for text in
            ["", "[]", "[\"ping\"]", "{}", r#"{"t":"dance"}"#, r#"{"t":"ping","more":1}"#, r#"{"t":"ping"} x"#, r#"{"t":"receive","i":-1}"#]
        {
            assert!(parse(text).is_none(), "{text}");
        }
        assert_eq!(parse(r#"{"t":"ping"}"#).unwrap().t, FrameType::Ping);
    }

    #[test]
    fn every_answer_is_valid_json() {
        let (id, chat) = (ClientMessageId::from_u128(1), ChatId::from_u128(2));
        let message = PostedMessage { message: MessageId::from_u128(3), seq: 4, at: Timestamp(5) };
        let posted = |conversation| Posted { message, conversation, position: Position::default() };
        for frame in [
            welcome(UserId::from_u128(1), "acme", 7, 8, Duration::from_secs(25), Duration::from_secs(75)),
            ack(id, chat, &posted(None)),
            ack(id, chat, &posted(Some(ConversationId::from_u128(9)))),
            refusal(About::Send(id), "busy", "too \"much\"", true),
            refusal(About::Chat(chat), "busy", "", false),
            refusal(About::Message(chat, message.message), "busy", "", false),
            refusal(About::Chunk(chat, id), "forbidden", "", false),
            refusal(About::Range(1, 2), "busy", "", false),
            refusal(About::Request, "busy", "", false),
            pong(1),
            crate::channels::bye_frame(crate::hub::outbox::Bye::Slow),
        ] {
            let value: serde_json::Value = serde_json::from_str(&frame).unwrap_or_else(|error| panic!("{frame}: {error}"));
            assert!(value["t"].is_string(), "{frame}");
        }
    }
}
