//! What a view is: a function from facts to rows.
//!
//! A view must not read a clock, open a private half, or know how it is driven. Applying the same facts in the same order
//! gives the same rows, however the facts were batched.

use application::log::commit::EventMeta;
use application::log::stream::StreamKey;
use application::queries::{EventRef, FeedKind};
use domain::event::Event;
use domain::ids::{TenantId, UserId};
use domain::time::Timestamp;

use crate::store::{StoreError, WriteBatch};

/// An event with everything a view may know about it.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    /// Whose fact it is.
    pub tenant: TenantId,
    /// The stream it lies in.
    pub stream: StreamKey,
    /// Where it lies in the log.
    pub at: EventRef,
    /// Its version in its stream, from 1.
    pub version: u64,
    /// When it was decided.
    pub time: Timestamp,
    /// What surrounds it.
    pub meta: &'a EventMeta,
    /// The event. Its private half is none of a view's business: it is open if the event was decided a moment ago, closed if it was read.
    pub event: &'a Event,
}

/// Why a fact cannot be taken into a view.
///
/// Everything but [`ApplyError::Store`] stops the view for that tenant until an operator decides.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The store failed; the fact is not to blame, and the worker halts.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored row is not what this version of the view writes.
    #[error("row {key} of {table} is unreadable")]
    UnreadableRow {
        /// Which table.
        table: String,
        /// Its key in hexadecimal.
        key: String,
    },
    /// A message does not take the next place in its chat.
    #[error("message takes place {found} where {expected} is next")]
    SeqGap {
        /// The next place.
        expected: u64,
        /// The place in the event.
        found: u64,
    },
    /// A message that was recalled, hidden or read has no place in its chat.
    #[error("place {seq} is beyond the last place {last_seq}")]
    BeyondEnd {
        /// The place in the event.
        seq: u64,
        /// The last place.
        last_seq: u64,
    },
    /// The stream was opened before.
    #[error("opened twice")]
    OpenedTwice,
    /// Something happened in a stream that nobody opened.
    #[error("nobody opened it")]
    NotOpened,
    /// The event lies in a stream of another aggregate.
    #[error("event lies in a stream of another kind")]
    WrongStream,
    /// The desk gave away, took back or released what it did not have.
    #[error("conversation is not at the desk")]
    NotAtTheDesk,
}

/// Whose feed an event entered, under which index, as what.
pub type Reader = (UserId, u64, FeedKind);

/// A view of the log.
pub trait Projection: Send + Sync {
    /// Takes one fact in. Refuses a fact before it changes anything: the view is then as before. (An unreadable row may be met
    /// half-way; a store with such rows is damaged and must be rebuilt.)
    ///
    /// # Errors
    /// [`ApplyError`].
    fn apply(&mut self, fact: &Fact<'_>) -> Result<(), ApplyError>;

    /// Hands over every row that changed since the last time. Until [`Self::wrote`] the view answers from memory what it
    /// handed over.
    fn flush(&mut self, batch: &mut WriteBatch);

    /// What so many flushes handed over, the oldest of those that were not, is in the store now.
    fn wrote(&mut self, flushes: usize);

    /// How many rows wait to be handed over.
    fn pending(&self) -> usize;

    /// Whose feeds the last fact entered. Only the feed knows.
    fn take_readers(&mut self) -> Vec<Reader> {
        Vec::new()
    }

    /// The customer of the chat that the last fact is about, where it is about a member of whom it does not say what they are there.
    fn customer(&self) -> Option<UserId> {
        None
    }
}

/// The kinds of streams, as a set: which ones a view follows, or which one a commit extends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams(u8);

impl Streams {
    /// Chats.
    pub const CHAT: Self = Self(1);
    /// Conversations.
    pub const CONVERSATION: Self = Self(2);
    /// Users.
    pub const USER: Self = Self(4);
    /// Desks.
    pub const DESK: Self = Self(8);
    /// Tenants.
    pub const TENANT: Self = Self(16);

    /// Campaigns.
    pub const CAMPAIGN: Self = Self(32);

    /// Articles.
    pub const RETRIEVAL: Self = Self(64);

    /// The kind of one stream.
    #[must_use]
    pub const fn of(stream: StreamKey) -> Self {
        match stream {
            StreamKey::Chat(_) => Self::CHAT,
            StreamKey::Conversation(_) => Self::CONVERSATION,
            StreamKey::User(_) => Self::USER,
            StreamKey::Desk => Self::DESK,
            StreamKey::Tenant => Self::TENANT,
            StreamKey::Campaign(_) => Self::CAMPAIGN,
            StreamKey::Retrieval => Self::RETRIEVAL,
        }
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the sets have a kind in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What is fixed about a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewInfo {
    /// Its name: `consumer` in an operator's verdict.
    pub name: &'static str,
    /// Counts up when its rows change shape or meaning; the view is then rebuilt.
    pub version: u32,
    /// The streams whose events change it; it is not shown others.
    pub streams: Streams,
    /// Its tables.
    pub tables: &'static [&'static str],
}

impl ViewInfo {
    /// The full name of one of its tables. It holds the version, so that a rebuild runs beside the old tables.
    #[must_use]
    pub fn table(&self, table: &str) -> std::sync::Arc<str> {
        debug_assert!(self.tables.contains(&table), "{table} is not listed");
        format!("{}_v{}_{table}", self.name, self.version).into()
    }

    /// Whether a table belongs to this view, in any version.
    #[must_use]
    pub fn owns(&self, table: &str) -> bool {
        table.strip_prefix(self.name).is_some_and(|rest| {
            rest.strip_prefix("_v").and_then(|rest| rest.split_once('_')).is_some_and(|(version, _)| version.parse::<u32>().is_ok())
        })
    }
}
