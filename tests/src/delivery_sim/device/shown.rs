//! What a device shows and sends: items of a feed, and messages on their way out.

use application::ports::event_log::CommitPosition;
use serde_json::{Value, json};

/// A message of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) chat: String,
    pub(crate) message: String,
    pub(crate) client: String,
    pub(crate) seq: u64,
    pub(crate) from: String,
    /// Null once it was recalled, or removed from sight.
    pub(crate) content: Option<String>,
}

/// An item of a feed.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) index: u64,
    pub(crate) position: String,
    pub(crate) kind: String,
    pub(crate) said: Option<Said>,
    /// The chat that its reader is a member of from here on.
    pub(crate) joined: Option<String>,
    /// Up to where somebody has read.
    pub(crate) up_to: Option<u64>,
}

impl Item {
    /// Whether both tell the same fact; its content may be gone meanwhile.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let fact = |said: &Said| (said.chat.clone(), said.message.clone(), said.seq);
        self.position == other.position && self.kind == other.kind && self.said.as_ref().map(fact) == other.said.as_ref().map(fact)
    }
}

/// What a device has shown of one account's feed.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// Whose, by their place in the cast.
    pub(crate) actor: usize,
    pub(crate) items: Vec<Item>,
    /// The account is another one now: the feed could not be read to its end.
    pub(crate) is_over: bool,
}

impl Shown {
    pub(crate) fn of(actor: usize) -> Self {
        Self { actor, items: Vec::new(), is_over: false }
    }

    pub(crate) fn cursor(&self) -> u64 {
        self.items.len() as u64
    }
}

/// A message on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) id: String,
    pub(crate) chat: String,
    pub(crate) content: String,
    pub(crate) quote: Option<String>,
    pub(crate) staff_only: bool,
    /// Given to the link that is up.
    pub(crate) is_sent: bool,
    /// Where the log ended when it was given last.
    pub(crate) given_at: CommitPosition,
}

impl Draft {
    pub(crate) fn new(id: String, chat: String, content: String, quote: Option<String>, staff_only: bool) -> Self {
        Self { id, chat, content, quote, staff_only, is_sent: false, given_at: CommitPosition(0) }
    }

    pub(crate) fn fields(&self) -> Value {
        let mut fields = json!({"id": self.id, "chat": self.chat, "content": self.content});
        if let Some(quote) = &self.quote {
            fields["quote"] = json!(quote);
        }
        if self.staff_only {
            fields["visibility"] = json!("staff");
        }
        fields
    }
}

/// What came of a message.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Durable: the message's id, its place.
    Acknowledged { message: String, seq: u64 },
    /// Refused for good, when it was given last to a log that ended here.
    Refused { code: String, given_at: CommitPosition },
}

/// An item as a frame tells it.
pub(crate) fn parse(frame: &Value) -> Option<Item> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let said = |m: &Value| {
        Some(Said {
            chat: text(&m["chat"])?,
            message: text(&m["id"])?,
            client: text(&m["client_msg_id"])?,
            seq: m["seq"].as_u64()?,
            from: text(&m["from"])?,
            content: text(&m["content"]),
        })
    };
    let kind = text(&frame["k"])?;
    let said = if kind == "message" { Some(said(&frame["m"])?) } else { None };
    let index = frame["i"].as_u64().filter(|index| *index > 0)?;
    let joined = text(&frame["chat"]).filter(|_| kind == "joined");
    Some(Item { index, position: text(&frame["pos"])?, kind, said, joined, up_to: frame["up_to_seq"].as_u64() })
}
