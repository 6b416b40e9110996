//! Reading a stream for its owner: from the beginning when it is short, from its snapshot when it is long.

use super::{Loaded, snapshot};
use crate::log::commit::ChainHash;
use crate::log::stream::StreamId;
use crate::ports::event_log::{EventLog, ReadError, StoredCommit};
use crate::ports::snapshots::Snapshots;

/// A stream of at most so many commits is folded from the beginning; looking for a snapshot would cost more.
const PAGE_COMMITS: usize = 256;

/// Loads a stream. A snapshot that does not belong to the stream's chain is left aside.
///
/// # Errors
/// [`ReadError`].
pub async fn load(log: &dyn EventLog, snapshots: &dyn Snapshots, stream: StreamId) -> Result<Loaded, ReadError> {
    load_paged(log, snapshots, stream, PAGE_COMMITS).await
}

/// As [`load`], reading so many commits at a time; a simulation makes them few.
///
/// # Errors
/// [`ReadError`].
pub async fn load_paged(log: &dyn EventLog, snapshots: &dyn Snapshots, stream: StreamId, page_commits: usize) -> Result<Loaded, ReadError> {
    let first = log.read_stream(stream, 1, page_commits).await?;
    if first.len() < page_commits {
        return Ok(Loaded { snapshot: None, commits: first });
    }
    if let Some(bytes) = snapshots.load(stream).await
        && let Some(snapshot) = snapshot::Snapshot::read(&bytes)
    {
        let commits = read_from(log, stream, snapshot.version(), vec![], page_commits).await?;
        if commits.first().is_some_and(|first| ChainHash::of(&first.bytes) == snapshot.chain) {
            return Ok(Loaded { snapshot: Some(bytes), commits });
        }
    }
    let next = next_version(&first);
    Ok(Loaded { snapshot: None, commits: read_from(log, stream, next, first, page_commits).await? })
}

async fn read_from(
    log: &dyn EventLog,
    stream: StreamId,
    mut version: u64,
    mut commits: Vec<StoredCommit>,
    page_commits: usize,
) -> Result<Vec<StoredCommit>, ReadError> {
    loop {
        let page = log.read_stream(stream, version, page_commits).await?;
        let full = page.len() == page_commits;
        commits.extend(page);
        if !full {
            return Ok(commits);
        }
        version = next_version(&commits);
    }
}

fn next_version(commits: &[StoredCommit]) -> u64 {
    commits.last().and_then(|last| crate::log::commit::header(&last.bytes).ok()).map_or(1, |header| header.last_version() + 1)
}
