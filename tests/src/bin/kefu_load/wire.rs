//! The frames of kefu's WebSocket: what a device says, and the few fields of what it hears that a load generator needs.
//!
//! Built and read by hand, because every message passes here four times. It must not know sockets.

use super::ids::push_hex;
use super::scan;

/// A place in the log, as in `s0c12e3`: commit, then event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The commit.
    pub commit: u64,
    /// The event in it.
    pub event: u64,
}

/// Something that a server says.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "almost everything heard is an item, and boxing each would cost more than it saves")]
pub enum Heard<'a> {
    /// The socket is signed in.
    Welcome {
        /// Newest index of the feed.
        head: u64,
    },
    /// A message is durable.
    Ack {
        /// As its sender minted it.
        id: u128,
        /// The message's id.
        message: u128,
        /// Its place in the chat.
        seq: u64,
        /// Where it is in the log.
        position: Position,
    },
    /// An order was refused.
    Nack {
        /// The client id of the message, if the order was one.
        id: Option<u128>,
        /// Why.
        code: &'a [u8],
        /// Whether trying again helps.
        retry: bool,
    },
    /// A feed item.
    Item(Item<'a>),
    /// The server is about to close.
    Bye {
        /// Why.
        code: &'a [u8],
    },
    /// Something that only informs, such as presence.
    Signal,
}

/// A feed item.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Item<'a> {
    /// Its number in the feed.
    pub index: u64,
    /// The number before it.
    pub previous: Option<u64>,
    /// Where it is in the log.
    pub position: Position,
    /// What it tells.
    pub kind: &'a [u8],
    /// The chat, if there is one.
    pub chat: Option<u128>,
    /// Of `message`.
    pub message: Option<Message<'a>>,
    /// Of `conversation`: what happened.
    pub event: &'a [u8],
    /// The conversation.
    pub conversation: Option<u128>,
    /// The user who joined or left.
    pub user: Option<u128>,
    /// The desk's number.
    pub assignment: Option<u64>,
}

/// A message as a feed or a chat shows it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Message<'a> {
    /// The message's id.
    pub id: Option<u128>,
    /// As its sender minted it.
    pub client_id: Option<u128>,
    /// Its place in the chat.
    pub seq: u64,
    /// The text as raw JSON; `null` when it may not be seen any more.
    pub content: &'a [u8],
}

/// Reads a position.
pub fn position(value: &[u8]) -> Option<Position> {
    let raw = scan::raw_text(value)?;
    let commit_at = raw.iter().position(|byte| *byte == b'c')? + 1;
    let event_at = raw.iter().position(|byte| *byte == b'e')? + 1;
    Some(Position { commit: scan::number(raw.get(commit_at..event_at - 1)?)?, event: scan::number(&raw[event_at..])? })
}

/// Reads one frame. A frame that is none of these is [`Heard::Signal`].
pub fn hear(frame: &[u8]) -> Heard<'_> {
    let mut fields = scan::fields(frame);
    // The type comes first in what kefu writes, but nothing promises it.
    let kind = match fields.next() {
        Some((b"t", value)) => scan::raw_text(value),
        _ => scan::field(frame, "t").and_then(scan::raw_text),
    };
    match kind {
        Some(b"item") => Heard::Item(item(frame)),
        Some(b"ack") => ack(frame),
        Some(b"nack") => nack(frame),
        Some(b"welcome") => Heard::Welcome { head: scan::field(frame, "head").and_then(scan::number).unwrap_or_default() },
        Some(b"bye") => Heard::Bye { code: scan::field(frame, "code").and_then(scan::raw_text).unwrap_or_default() },
        _ => Heard::Signal,
    }
}

fn ack(frame: &[u8]) -> Heard<'_> {
    let (mut id, mut message, mut seq, mut at) = (None, None, 0, Position::default());
    for (key, value) in scan::fields(frame) {
        match key {
            b"id" => id = scan::id(value),
            b"message" => message = scan::id(value),
            b"seq" => seq = scan::number(value).unwrap_or_default(),
            b"pos" => at = position(value).unwrap_or_default(),
            _ => {}
        }
    }
    match (id, message) {
        (Some(id), Some(message)) => Heard::Ack { id, message, seq, position: at },
        _ => Heard::Signal,
    }
}

fn nack(frame: &[u8]) -> Heard<'_> {
    let code = scan::field(frame, "code").and_then(scan::raw_text).unwrap_or_default();
    Heard::Nack { id: scan::field(frame, "id").and_then(scan::id), code, retry: scan::field(frame, "retry") == Some(b"true") }
}

/// Reads a feed item, pushed or from a page.
pub fn item(frame: &[u8]) -> Item<'_> {
    let mut item = Item::default();
    for (key, value) in scan::fields(frame) {
        match key {
            b"i" => item.index = scan::number(value).unwrap_or_default(),
            b"p" => item.previous = scan::number(value),
            b"pos" => item.position = position(value).unwrap_or_default(),
            b"k" => item.kind = scan::raw_text(value).unwrap_or_default(),
            b"chat" => item.chat = scan::id(value),
            b"m" => item.message = Some(message(value)),
            b"event" => item.event = scan::raw_text(value).unwrap_or_default(),
            b"conversation" => item.conversation = scan::id(value),
            b"user" => item.user = scan::id(value),
            b"assignment" => item.assignment = scan::number(value),
            _ => {}
        }
    }
    item
}

/// Reads a message as it stands in an item or in a page of a chat.
pub fn message(value: &[u8]) -> Message<'_> {
    let mut message = Message { content: b"null", ..Message::default() };
    for (key, value) in scan::fields(value) {
        match key {
            b"id" => message.id = scan::id(value),
            b"client_msg_id" => message.client_id = scan::id(value),
            b"seq" => message.seq = scan::number(value).unwrap_or_default(),
            b"content" => message.content = value,
            _ => {}
        }
    }
    message
}

/// `hello` with the last index that the device has; without one it begins now.
pub fn hello(out: &mut Vec<u8>, token: &str, after: u64) {
    out.extend_from_slice(b"{\"t\":\"hello\",\"token\":\"");
    out.extend_from_slice(token.as_bytes());
    out.push(b'"');
    if after > 0 {
        out.extend_from_slice(b",\"after\":");
        push_number(out, after);
    }
    out.push(b'}');
}

/// `send`; `content` is the text as JSON, with its quotes.
pub fn send(out: &mut Vec<u8>, id: u128, chat: u128, content: &[u8], assignment: Option<u64>) {
    out.extend_from_slice(b"{\"t\":\"send\",\"id\":\"");
    push_hex(out, id);
    out.extend_from_slice(b"\",\"chat\":\"");
    push_hex(out, chat);
    out.extend_from_slice(b"\",\"content\":");
    out.extend_from_slice(content);
    if let Some(assignment) = assignment {
        out.extend_from_slice(b",\"assignment\":");
        push_number(out, assignment);
    }
    out.push(b'}');
}

/// `receive` up to an index.
pub fn receive(out: &mut Vec<u8>, index: u64) {
    out.extend_from_slice(b"{\"t\":\"receive\",\"i\":");
    push_number(out, index);
    out.push(b'}');
}

/// `read` up to a place in a chat.
pub fn read(out: &mut Vec<u8>, chat: u128, seq: u64) {
    out.extend_from_slice(b"{\"t\":\"read\",\"chat\":\"");
    push_hex(out, chat);
    out.extend_from_slice(b"\",\"seq\":");
    push_number(out, seq);
    out.push(b'}');
}

/// `range`: the items after one index up to another.
pub fn range(out: &mut Vec<u8>, after: u64, to: u64) {
    out.extend_from_slice(b"{\"t\":\"range\",\"after\":");
    push_number(out, after);
    out.extend_from_slice(b",\"to\":");
    push_number(out, to);
    out.push(b'}');
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(build: impl FnOnce(&mut Vec<u8>)) -> serde_json::Value {
        let mut out = Vec::new();
        build(&mut out);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn what_is_said_is_json() {
        let id = "0".repeat(31) + "7";
        assert_eq!(json(|out| hello(out, "a.b.c", 0)), serde_json::json!({"t":"hello","token":"a.b.c"}));
        let content = serde_json::to_vec("a \"b\"\n中").unwrap();
        assert_eq!(
            json(|out| send(out, 7, 7, &content, Some(12))),
            serde_json::json!({"t":"send","id":id,"chat":id,"content":"a \"b\"\n中","assignment":12})
        );
        assert_eq!(json(|out| send(out, 7, 7, b"\"x\"", None)), serde_json::json!({"t":"send","id":id,"chat":id,"content":"x"}));
        assert_eq!(json(|out| receive(out, u64::MAX)), serde_json::json!({"t":"receive","i":u64::MAX}));
        assert_eq!(json(|out| read(out, 7, 10)), serde_json::json!({"t":"read","chat":id,"seq":10}));
        assert_eq!(json(|out| range(out, 1, 9)), serde_json::json!({"t":"range","after":1,"to":9}));
    }

    #[test]
    fn acks_and_nacks_are_heard_whatever_the_order_of_their_fields() {
        let one = format!("{:032x}", 1);
        let two = format!("{:032x}", 2);
        let position = Position { commit: 12, event: 3 };
        let ack = format!(r#"{{"pos":"s0c12e3","seq":9,"id":"{one}","t":"ack","conversation":null,"message":"{two}"}}"#);
        assert_eq!(hear(ack.as_bytes()), Heard::Ack { id: 1, message: 2, seq: 9, position });
        let nack = format!(r#"{{"t":"nack","id":"{one}","code":"busy","detail":"later","retry":true}}"#);
        assert_eq!(hear(nack.as_bytes()), Heard::Nack { id: Some(1), code: b"busy", retry: true });
        let nack = format!(r#"{{"t":"nack","chat":"{one}","code":"not_a_member","retry":false}}"#);
        assert_eq!(hear(nack.as_bytes()), Heard::Nack { id: None, code: b"not_a_member", retry: false });
        assert_eq!(hear(br#"{"t":"bye","code":"slow"}"#), Heard::Bye { code: b"slow" });
        assert_eq!(hear(br#"{"t":"welcome","head":4}"#), Heard::Welcome { head: 4 });
        assert_eq!(hear(br#"{"t":"presence"}"#), Heard::Signal);
        assert_eq!(hear(b"\xff"), Heard::Signal);
    }

    #[test]
    fn an_item_is_heard_with_what_a_ledger_needs() {
        let id = |number: u128| format!("{number:032x}");
        let text = format!(
            r#"{{"t":"item","i":5,"p":4,"pos":"s0c7e1","k":"message","chat":"{}","m":{{"id":"{}","client_msg_id":"{}","seq":3,"content":"hi","from":{{"id":"x"}}}}}}"#,
            id(1),
            id(2),
            id(3)
        );
        let Heard::Item(item) = hear(text.as_bytes()) else { panic!("an item") };
        assert_eq!((item.index, item.previous, item.kind, item.chat), (5, Some(4), &b"message"[..], Some(1)));
        assert_eq!(item.position, Position { commit: 7, event: 1 });
        assert_eq!(item.message, Some(Message { id: Some(2), client_id: Some(3), seq: 3, content: b"\"hi\"" }));
        let text = format!(
            r#"{{"t":"item","i":6,"p":5,"pos":"s0c7e1","k":"conversation","conversation":"{}","event":"agent_assigned","assignment":8}}"#,
            id(4)
        );
        let Heard::Item(item) = hear(text.as_bytes()) else { panic!("an item") };
        assert_eq!((item.event, item.conversation, item.assignment), (&b"agent_assigned"[..], Some(4), Some(8)));
    }
}
