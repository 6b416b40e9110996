//! Opens what read models only refer to: an event at a place in the log, its private half with the subject's key.
//!
//! Whoever calls has decided already that the asker may see it.

use application::log::codec::{self, DecodeError, Reading};
use application::log::commit::{self, CommitHeader, EventMeta};
use application::ports::event_log::{CommitPosition, EventLog, ReadError, StoredCommit};
use application::ports::key_store::{KeyStore, KeyStoreError};
use application::queries::{EventRef, ReadModels};
use domain::event::Event;
use domain::ids::{ChatId, ShopId, TenantId, UserId};
use domain::time::Timestamp;

use crate::http::error::ApiError;
use crate::ids::chat_between;
use crate::state::AppState;

/// An event with what surrounds it.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Where it lies.
    pub at: EventRef,
    /// Its commit's header.
    pub header: CommitHeader,
    /// What surrounds it.
    pub meta: EventMeta,
    /// The event, its private half open or erased.
    pub event: Event,
}

/// Why an event cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It could not be read out of its commit.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl OpenError {
    /// Whether the same event may well be opened later. What is damaged stays so however often it is read.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Read(ReadError::Unavailable { .. }) | Self::Decode(DecodeError::Keys(KeyStoreError::Unavailable { .. })) => true,
            Self::Read(ReadError::Gone | ReadError::Corrupt { .. })
            | Self::Decode(
                DecodeError::UnknownEvent { .. }
                | DecodeError::NewerSchema { .. }
                | DecodeError::Malformed { .. }
                | DecodeError::NotAuthentic { .. }
                | DecodeError::Commit(_)
                | DecodeError::Keys(KeyStoreError::Destroyed),
            ) => false,
        }
    }
}

/// Looks something up in the read models; when it is not there, once more after they have caught up with the log. So "not found"
/// is never said of something that was stored before the question.
///
/// # Errors
/// [`ApiError::Read`].
pub async fn look_up<T>(app: &AppState, look: impl Fn() -> Option<T>) -> Result<Option<T>, ApiError> {
    if let Some(found) = look() {
        return Ok(Some(found));
    }
    let head = app.ports.log.head().await?;
    if head > app.ports.views.reached() && app.ports.views.at_least(head).await.is_err() {
        tracing::warn!(commit = head.0, "a question is answered before the read models have caught up");
    }
    Ok(look())
}

/// Waits until the read models know a commit, however long that takes: whoever follows the log decides by what they say.
pub(crate) async fn caught_up(views: &dyn ReadModels, commit: CommitPosition, who: &'static str) {
    while views.at_least(commit).await.is_err() {
        tracing::warn!(who, commit = commit.0, reached = views.reached().0, "the read models are waited for");
    }
}

/// The chat that a customer has with a shop: one that came to them by a merge, or the one that has always been theirs.
#[must_use]
pub fn chat_of(app: &AppState, tenant: TenantId, shop: ShopId, customer: UserId) -> ChatId {
    let views = &app.ports.views;
    let own = chat_between(tenant, shop, customer);
    // The one they always had is newer than any that came to them before it was opened.
    views.chats_with(tenant, customer, shop).into_iter().map(|chat| (chat == own, chat)).max().map_or(own, |(_, chat)| chat)
}

/// The time that a decision made now would bear: the clock may have gone back since the newest one.
///
/// # Errors
/// [`ApiError::Read`], [`ApiError::Decode`].
pub async fn time_of_decisions(app: &AppState) -> Result<Timestamp, ApiError> {
    let newest = app.ports.log.read_commit(app.ports.log.head().await?).await?;
    let newest = newest.map(|stored| stored.header()).transpose().map_err(DecodeError::Commit)?;
    Ok(newest.map_or(app.now(), |header| app.now().max(header.time)))
}

/// Opens one event.
///
/// # Errors
/// [`ApiError::Read`], [`ApiError::Decode`].
pub async fn open(app: &AppState, at: EventRef) -> Result<Opened, ApiError> {
    Ok(Reader::new(app).open(at).await?)
}

/// Opens several events and reads a commit that holds several of them once.
pub struct Reader<'a> {
    log: &'a dyn EventLog,
    keys: &'a dyn KeyStore,
    last: Option<StoredCommit>,
}

impl<'a> Reader<'a> {
    /// Reads through the app's ports.
    #[must_use]
    pub fn new(app: &'a AppState) -> Self {
        Self::over(&*app.ports.log, &*app.ports.keys)
    }

    /// Reads through these ports.
    #[must_use]
    pub fn over(log: &'a dyn EventLog, keys: &'a dyn KeyStore) -> Self {
        Self { log, keys, last: None }
    }

    async fn commit(&mut self, position: CommitPosition) -> Result<StoredCommit, OpenError> {
        if let Some(last) = &self.last
            && last.position == position
        {
            return Ok(last.clone());
        }
        let place = || ReadError::Corrupt { place: format!("commit {}: a view refers to it, but it is not there", position.0) };
        let stored = self.log.read_commit(position).await?.ok_or_else(place)?;
        self.last = Some(stored.clone());
        Ok(stored)
    }

    /// Opens one event.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(&mut self, at: EventRef) -> Result<Opened, OpenError> {
        let stored = self.commit(at.commit).await?;
        let header = stored.header().map_err(DecodeError::Commit)?;
        let nth = usize::try_from(at.index).unwrap_or(usize::MAX);
        let mut events = commit::events(&stored.bytes).map_err(DecodeError::Commit)?;
        let place = || ReadError::Corrupt { place: format!("commit {}: it has no event {}", at.commit.0, at.index) };
        let raw = events.nth(nth).ok_or_else(place)?.map_err(DecodeError::Commit)?;
        let event = codec::decode(&header.stream, &raw, Reading::Open(self.keys))?;
        Ok(Opened { at, header, meta: raw.meta, event })
    }
}

/// The events of a commit, private halves closed.
///
/// # Errors
/// [`ApiError::Decode`].
pub fn events(stored: &StoredCommit) -> Result<Vec<Event>, ApiError> {
    let header = stored.header().map_err(codec::DecodeError::from)?;
    let raws = commit::events(&stored.bytes).map_err(codec::DecodeError::from)?;
    let decode = |raw: Result<commit::RawEvent<'_>, _>| {
        let raw = raw.map_err(codec::DecodeError::from)?;
        codec::decode(&header.stream, &raw, Reading::Closed)
    };
    Ok(raws.map(decode).collect::<Result<Vec<Event>, codec::DecodeError>>()?)
}
