//! What is told of an attempt, read from the log.

use application::ports::event_log::Position;
use application::queries::{EventRef, OutreachRow};
use domain::chat::event::{ChatEvent, OutreachAttempted, OutreachHandedOver};
use domain::event::Event;
use domain::ids::{ChatId, MessageId};
use domain::message::Origin;
use domain::outreach::{OutreachVerdict, QualifyingMessage, Ruling};
use domain::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::reason_word;
use crate::http::error::ApiError;
use crate::reading::Reader;
use crate::state::AppState;

/// An attempt.
#[derive(Clone, Debug)]
pub struct Told {
    /// In whose stream.
    pub chat: ChatId,
    /// When it was made.
    pub at: Timestamp,
    /// Where the log stood then.
    pub position: Position,
    /// The fact.
    pub fact: OutreachAttempted,
    /// Keyed digest of what was asked, to tell a retry from another attempt.
    pub digest: u64,
    /// The message that was posted with it, and its place.
    pub message: Option<(MessageId, u64)>,
    /// What became of the message on its way out, and when.
    pub handed_over: Vec<(Timestamp, OutreachHandedOver)>,
}

/// Reads what is told of an attempt.
///
/// # Errors
/// [`ApiError::Read`], [`ApiError::Decode`]; [`ApiError::NotFound`] when the view names something else.
pub async fn read(app: &AppState, row: &OutreachRow) -> Result<Told, ApiError> {
    let missing = || ApiError::NotFound { kind: "outreach attempt" };
    let mut reader = Reader::new(app);
    let opened = reader.open(row.at).await?;
    let Event::Chat(ChatEvent::OutreachAttempted(fact)) = opened.event else { return Err(missing()) };
    let mut last = row.at;
    let mut message = None;
    if fact.ruling.is_allowed() {
        last = EventRef { index: row.at.index + 1, ..row.at };
        message = match reader.open(last).await?.event {
            Event::Chat(ChatEvent::MessagePosted(said)) if said.origin == (Origin::Outreach { attempt: fact.attempt }) => {
                Some((said.message, said.seq))
            }
            Event::Chat(_)
            | Event::Conversation(_)
            | Event::User(_)
            | Event::Desk(_)
            | Event::Tenant(_)
            | Event::Campaign(_)
            | Event::Retrieval(_) => return Err(missing()),
        };
    }
    let mut handed_over = Vec::with_capacity(row.handed_over.len());
    for at in &row.handed_over {
        let opened = reader.open(*at).await?;
        let Event::Chat(ChatEvent::OutreachHandedOver(event)) = opened.event else { return Err(missing()) };
        handed_over.push((opened.header.time, event));
    }
    let position = Position { shard: app.ports.log.shard(), commit: last.commit, index: last.index };
    Ok(Told { chat: row.chat, at: opened.header.time, position, fact, digest: opened.meta.command_digest, message, handed_over })
}

/// The customer's newest message, as it was then.
#[derive(Debug, Serialize, ToSchema)]
pub struct QualifyingBody {
    /// Which.
    message: String,
    /// Its place in the chat.
    seq: u64,
    /// The account under which the customer sent it; an anonymous one may have been merged since.
    sender: String,
    /// When it was stored, in milliseconds since 1970.
    at: i64,
}

/// What became of the message on its way out.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandedOverBody {
    /// To which channel.
    channel: String,
    /// When.
    at: i64,
    #[serde(flatten)]
    ruling: RulingBody,
}

/// What the rule said.
#[derive(Debug, Serialize, ToSchema)]
pub struct RulingBody {
    /// The number of the rule.
    rule: u16,
    /// How old the qualifying message may be, in milliseconds.
    age_max_ms: i64,
    /// The customer's newest message.
    qualifying: Option<QualifyingBody>,
    /// How old it was.
    age_ms: Option<i64>,
    /// `allowed` or `refused`.
    verdict: &'static str,
    /// Why it was refused: `entry_not_allowed`, `account_closed`, `clock_jumped`, `no_message`, `too_old` or `served_by_another`.
    reason: Option<&'static str>,
}

/// An attempt to start contact with a customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptBody {
    /// Its id.
    id: String,
    /// The chat in whose stream it is told.
    chat: String,
    /// For which shop.
    shop: String,
    /// Whom.
    customer: String,
    /// Who wanted to.
    by: String,
    /// From where.
    entry: String,
    /// The order that it is about.
    order: Option<String>,
    /// When, in milliseconds since 1970.
    at: i64,
    #[serde(flatten)]
    ruling: RulingBody,
    /// The message, where it was allowed.
    message: Option<String>,
    /// Its place in the chat.
    seq: Option<u64>,
    /// What the rule said when the message was handed over to a channel.
    handed_over: Vec<HandedOverBody>,
}

impl From<QualifyingMessage> for QualifyingBody {
    fn from(newest: QualifyingMessage) -> Self {
        Self { message: newest.message.to_string(), seq: newest.seq, sender: newest.sender.to_string(), at: newest.at.0 }
    }
}

impl From<Ruling> for RulingBody {
    fn from(ruling: Ruling) -> Self {
        let (verdict, reason) = match ruling.verdict {
            OutreachVerdict::Allowed => ("allowed", None),
            OutreachVerdict::Refused(reason) => ("refused", Some(reason_word(reason))),
        };
        Self {
            rule: ruling.rule,
            age_max_ms: ruling.age_max.0,
            qualifying: ruling.qualifying.map(QualifyingBody::from),
            age_ms: ruling.age.map(|age| age.0),
            verdict,
            reason,
        }
    }
}

impl From<&Told> for AttemptBody {
    fn from(told: &Told) -> Self {
        let fact = &told.fact;
        let handed_over = |(at, event): &(Timestamp, OutreachHandedOver)| HandedOverBody {
            channel: event.channel.to_string(),
            at: at.0,
            ruling: event.ruling.into(),
        };
        Self {
            id: fact.attempt.to_string(),
            chat: told.chat.to_string(),
            shop: fact.shop.to_string(),
            customer: fact.customer.to_string(),
            by: fact.by.to_string(),
            entry: fact.entry.to_string(),
            order: fact.order.as_ref().map(ToString::to_string),
            at: told.at.0,
            ruling: fact.ruling.into(),
            message: told.message.map(|(message, _)| message.to_string()),
            seq: told.message.map(|(_, seq)| seq),
            handed_over: told.handed_over.iter().map(handed_over).collect(),
        }
    }
}
