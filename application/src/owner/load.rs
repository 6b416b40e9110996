//! Reading a stream for its owner: from the beginning when it is short, from its snapshot when it is long.
//!
//! It is folded page by page. A desk has millions of commits; without its snapshot they must not be in memory all at once.

use super::slot::Slot;
use super::snapshot::Snapshot;
use crate::log::codec::DecodeError;
use crate::log::commit::ChainHash;
use crate::log::stream::StreamId;
use crate::ports::event_log::{EventLog, ReadError, StoredCommit};
use crate::ports::snapshots::Snapshots;

/// A stream of at most so many commits is folded from the beginning; looking for a snapshot would cost more.
const PAGE_COMMITS: usize = 256;

/// Why a stream was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It was read, and makes no sense.
    #[error(transparent)]
    Damaged(#[from] DecodeError),
}

/// A stream as it was loaded: folded up to its last commit.
pub struct Loaded(pub(super) Box<Slot>);

impl Loaded {
    /// Nothing of a stream yet.
    #[must_use]
    pub fn nothing_of(stream: StreamId) -> Self {
        Self(Box::new(Slot::unloaded(stream)))
    }

    /// Folds the next commits.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn fold(&mut self, commits: &[StoredCommit]) -> Result<(), DecodeError> {
        commits.iter().try_for_each(|commit| self.0.fold(commit))
    }
}

/// What one look at a stream showed.
pub enum Look {
    /// All of it.
    Whole(Result<Loaded, LoadError>),
    /// How it begins; [`load_rest`] goes on from there.
    Beginning(Vec<StoredCommit>),
}

/// Looks at several streams at once.
pub async fn load_together(log: &dyn EventLog, streams: &[StreamId]) -> Vec<Look> {
    let pages = log.read_streams(streams, PAGE_COMMITS).await;
    let look = |(stream, page): (&StreamId, Result<Vec<StoredCommit>, ReadError>)| match page {
        Ok(page) if page.len() == PAGE_COMMITS => Look::Beginning(page),
        Ok(page) => {
            let mut loaded = Loaded::nothing_of(*stream);
            Look::Whole(loaded.fold(&page).map(|()| loaded).map_err(LoadError::from))
        }
        Err(error) => Look::Whole(Err(error.into())),
    };
    streams.iter().zip(pages).map(look).collect()
}

/// Loads a stream that is longer than a look. A snapshot that does not belong to the stream's chain is left aside.
///
/// # Errors
/// [`LoadError`].
pub async fn load_rest(
    log: &dyn EventLog,
    snapshots: &dyn Snapshots,
    stream: StreamId,
    beginning: Vec<StoredCommit>,
) -> Result<Loaded, LoadError> {
    go_on(log, snapshots, stream, beginning, PAGE_COMMITS).await
}

/// Loads a stream whatever its length, reading so many commits at a time: a simulation makes them few.
///
/// # Errors
/// [`LoadError`].
pub async fn load_paged(log: &dyn EventLog, snapshots: &dyn Snapshots, stream: StreamId, page_commits: usize) -> Result<Loaded, LoadError> {
    let page = log.read_stream(stream, 1, page_commits).await?;
    go_on(log, snapshots, stream, page, page_commits).await
}

/// Goes on behind the first page, from the snapshot if there is one.
async fn go_on(
    log: &dyn EventLog,
    snapshots: &dyn Snapshots,
    stream: StreamId,
    mut page: Vec<StoredCommit>,
    page_commits: usize,
) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded::nothing_of(stream);
    let mut folded = 0;
    if page.len() == page_commits
        && let Some(bytes) = snapshots.load(stream).await
        && let Some(snapshot) = Snapshot::read(&bytes)
    {
        let from_snapshot = log.read_stream(stream, snapshot.version(), page_commits).await?;
        if let Some(first) = from_snapshot.first()
            && snapshot.chain == ChainHash::of(&first.bytes)
        {
            loaded.0.begin_with(snapshot, first)?;
            folded = 1;
            page = from_snapshot;
        }
    }
    loop {
        loaded.fold(&page[folded..])?;
        if page.len() < page_commits {
            return Ok(loaded);
        }
        folded = 0;
        page = log.read_stream(stream, loaded.0.version + 1, page_commits).await?;
    }
}
