//! What goes to a provider, and what it may answer. docs/PROTOCOL.md is the contract.

use std::borrow::Cow;

use application::policies::provider::Session;
use axum::http::StatusCode;
use domain::chat::event::MessagePosted;
use domain::conversation::event::{ConversationRated, ProviderAnswer};
use domain::ids::{AttachmentId, ChatId, ConversationId, ShopId, TenantId, UserId};
use domain::labels::Label;
use domain::message::{Category, Kind};
use domain::remark::Remark;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::follower::Halt;
use crate::http::error::ApiError;
use crate::outgoing::SendError;
use crate::robots::remote::asking::Turn;

/// The most that is read of an answer: a status, a place, and a reason.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// One thing that a provider is told, by its `type`.
#[derive(Serialize)]
#[serde(tag = "type")]
pub enum CallBody<'a> {
    /// A customer is for it.
    #[serde(rename = "session.create")]
    Create {
        /// The conversation.
        conversation: ConversationId,
        /// The assignment: whatever the provider says names it.
        assignment: u64,
        /// The chat.
        chat: ChatId,
        /// The shop.
        shop: ShopId,
        /// The customer.
        customer: UserId,
        /// How long it has to accept, in milliseconds.
        accept_within_ms: i64,
        /// What was said before, oldest first.
        history: Vec<TurnBody<'a>>,
    },
    /// The customer said something.
    #[serde(rename = "message.deliver")]
    Message {
        /// The conversation.
        conversation: ConversationId,
        /// The assignment.
        assignment: u64,
        /// Its place in the chat.
        seq: u64,
        /// When it was said, in milliseconds since 1970.
        at: i64,
        /// What it is.
        kind: Kind,
        /// The words.
        content: &'a str,
        /// Where a click leads; of an attachment, where the provider reads it.
        url: Option<Cow<'a, str>>,
        /// Further JSON.
        ext: Option<Box<RawValue>>,
    },
    /// The customer rated.
    #[serde(rename = "rating.deliver")]
    Rating {
        /// The conversation.
        conversation: ConversationId,
        /// 1 to 5.
        score: u8,
        /// Chosen tags.
        tags: Vec<&'a str>,
        /// Whether the problem is solved.
        solved: Option<bool>,
        /// The customer's words.
        comment: &'a str,
    },
    /// It has the conversation no more.
    #[serde(rename = "session.end")]
    End {
        /// The conversation.
        conversation: ConversationId,
        /// The assignment that is over.
        assignment: u64,
        /// Why.
        reason: EndReason,
    },
}

/// Why a provider has a conversation no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The conversation ended.
    Closed,
    /// It goes to somebody else.
    TakenBack,
}

/// Something that was said before.
#[derive(Serialize)]
pub struct TurnBody<'a> {
    seq: u64,
    from: Category,
    kind: Kind,
    content: &'a str,
    /// Where the provider reads the attachment that it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl<'a> TurnBody<'a> {
    /// As it is told to a provider.
    #[must_use]
    pub fn of(turn: &'a Turn, whom: Whom<'_>) -> Self {
        let url = turn.attachment.map(|attachment| whom.reads(attachment));
        Self { seq: turn.seq, from: turn.from, kind: turn.kind, content: &turn.text, url }
    }
}

/// Who is told.
#[derive(Clone, Copy)]
pub struct Whom<'a> {
    /// Whose provider.
    pub tenant: TenantId,
    /// Which.
    pub provider: &'a Label,
}

impl Whom<'_> {
    /// Where it reads an attachment, under its own signature.
    fn reads(self, attachment: AttachmentId) -> String {
        let Self { tenant, provider } = self;
        format!("/v1/tenants/{tenant}/providers/{provider}/attachments/{attachment}")
    }
}

impl<'a> CallBody<'a> {
    /// A message of the customer; none, when nothing is left of it.
    #[must_use]
    pub fn message(whom: Whom<'_>, session: Session, at: Timestamp, posted: &'a MessagePosted) -> Option<Self> {
        let Session { conversation, assignment, .. } = session;
        let said = posted.private.known()?;
        let ext = said.ext.clone().and_then(|ext| RawValue::from_string(ext).ok());
        let content = said.content.as_str();
        let url = posted.attachment.map(|attachment| whom.reads(attachment).into()).or_else(|| said.url.as_deref().map(Cow::from));
        Some(Self::Message { conversation, assignment, seq: posted.seq, at: at.0, kind: posted.kind, content, url, ext })
    }

    /// A rating.
    #[must_use]
    pub fn rating(conversation: ConversationId, rated: &'a ConversationRated) -> Self {
        let comment = rated.private.known().map(|private| private.comment.as_str()).unwrap_or_default();
        let tags = rated.tags.iter().map(domain::labels::Label::as_str).collect();
        Self::Rating { conversation, score: rated.score, tags, solved: rated.solved, comment }
    }

    /// As it is sent.
    ///
    /// # Panics
    /// Never: it is plain text and numbers.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain text and numbers")
    }
}

/// What a provider says of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Says {
    /// How it stands.
    pub answer: ProviderAnswer,
    /// Why nobody there will have it.
    pub reason: Option<Remark>,
}

/// How a session stands, as a provider writes it in an answer and in a call of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Somebody has it.
    Accepted,
    /// It waits in a queue there.
    Queueing,
    /// Nobody will have it.
    Refused,
}

impl Status {
    /// With its place, which goes with queueing and with nothing else, and the reason, which is kept of a refusal.
    #[must_use]
    pub fn says(self, position: Option<u32>, reason: Option<&str>) -> Option<Says> {
        let (answer, reason) = match (self, position) {
            (Self::Accepted, None) => (ProviderAnswer::Accepted, None),
            (Self::Queueing, Some(position)) if position > 0 => (ProviderAnswer::Queueing(position), None),
            (Self::Refused, None) => (ProviderAnswer::Refused, reason.and_then(Remark::cut)),
            (Self::Accepted | Self::Queueing | Self::Refused, _) => return None,
        };
        Some(Says { answer, reason })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerBody {
    status: Status,
    position: Option<u32>,
    reason: Option<String>,
}

/// What a provider answers to a session. Nothing at all means that it says so later.
///
/// # Errors
/// [`CallError::Garbage`].
pub fn read(bytes: &[u8]) -> Result<Option<Says>, CallError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let AnswerBody { status, position, reason } = serde_json::from_slice(bytes).map_err(|_| CallError::Garbage)?;
    status.says(position, reason.as_deref()).map(Some).ok_or(CallError::Garbage)
}

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It cannot be called, or says too much.
    #[error(transparent)]
    Send(#[from] SendError),
    /// It refuses.
    #[error("the provider answers {0}")]
    Status(StatusCode),
    /// It says something that is no answer.
    #[error("the provider's answer makes no sense")]
    Garbage,
    /// It failed too often, and is left alone for now.
    #[error("the provider rests, because it failed too often")]
    Resting,
    /// Too much waits for it.
    #[error("more waits for the provider than it takes")]
    TooMuch,
    /// What is to be said, or where, cannot be read.
    #[error("what the provider is to be told cannot be read")]
    LookUp(#[source] Box<ApiError>),
    /// What follows cannot be ordered now, so that everything begins again.
    #[error(transparent)]
    Halt(#[from] Halt),
}

impl CallError {
    /// Whether the same call may be heard when it is made again.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Send(SendError::NoAnswer { .. }) => true,
            Self::Status(status) => {
                let asks_to_wait = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
                status.is_server_error() || asks_to_wait.contains(status)
            }
            Self::Send(SendError::Address(_) | SendError::TooLarge { .. })
            | Self::Garbage
            | Self::Resting
            | Self::TooMuch
            | Self::LookUp(_)
            | Self::Halt(_) => false,
        }
    }

    /// Whether the provider is to blame, as against this server.
    #[must_use]
    pub const fn is_its_fault(&self) -> bool {
        match self {
            Self::Send(_) | Self::Status(_) | Self::Garbage => true,
            Self::Resting | Self::TooMuch | Self::LookUp(_) | Self::Halt(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_accepted_queues_at_a_place_or_is_refused_and_nothing_at_all_means_later() {
        let says = |answer, reason: &str| Some(Says { answer, reason: Remark::cut(reason) });
        for (text, said) in [
            ("", None),
            (r#"{"status": "accepted", "reason": "we like it"}"#, says(ProviderAnswer::Accepted, "")),
            (r#"{"status": "queueing", "position": 3}"#, says(ProviderAnswer::Queueing(3), "")),
            (r#"{"status": "refused"}"#, says(ProviderAnswer::Refused, "")),
            (r#"{"status": "refused", "reason": "closed\n on Sundays"}"#, says(ProviderAnswer::Refused, "closed on Sundays")),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap(), said, "{text}");
        }
    }

    #[test]
    fn whatever_else_comes_is_no_answer() {
        for text in [
            "<html>502</html>",
            "[]",
            "{}",
            r#"{"status": "maybe"}"#,
            r#"{"status": "queueing"}"#,
            r#"{"status": "queueing", "position": 0}"#,
            r#"{"status": "queueing", "position": -1}"#,
            r#"{"status": "accepted", "position": 1}"#,
            r#"{"status": "accepted", "more": 1}"#,
            r#"{"status": "accepted"}{"status": "refused"}"#,
        ] {
            assert!(matches!(read(text.as_bytes()), Err(CallError::Garbage)), "{text}");
        }
    }

    #[test]
    fn a_call_is_made_again_when_the_provider_is_down_and_not_when_it_says_no() {
        for (status, again) in [(500, true), (503, true), (429, true), (408, true), (400, false), (404, false), (410, false), (307, false)]
        {
            assert_eq!(CallError::Status(StatusCode::from_u16(status).unwrap()).may_pass(), again, "{status}");
        }
        assert!(!CallError::Garbage.may_pass() && CallError::Garbage.is_its_fault());
    }
}
