//! The engines behind the event log port, and the one check they share before they take a commit.
//!
//! An engine stores and returns bytes. It must not know what an event means, who sealed it, or who reads it.

use application::log::commit::{self, InvalidCommit};
use application::ports::event_log::{AppendError, COMMIT_BYTES_MAX, NewCommit};

pub mod embedded;
pub mod memory;

/// Bytes of the checksum at the end of every commit (the layout is drawn in `application::log::commit`).
const CRC_BYTES: usize = 4;

/// Most commits that one call of a subscription returns: enough to amortise the call, few enough to stay in a cache.
pub const SUBSCRIPTION_PAGE_COMMITS: usize = 512;

/// Whether the bytes of a commit fit the checksum at their end. Cheaper than [`commit::check`], which also reads the header.
#[must_use]
pub fn is_intact(bytes: &[u8]) -> bool {
    bytes.split_last_chunk::<CRC_BYTES>().is_some_and(|(body, crc)| crc32c::crc32c(body).to_le_bytes() == *crc)
}

/// Refuses what must never enter a log: bytes that are damaged already, or that say something else than the commit around
/// them. That is a fault of the caller, and certainly not stored.
///
/// # Errors
/// [`AppendError::Unavailable`].
pub fn admit(new: &NewCommit, tombstone: bool) -> Result<(), AppendError> {
    let refuse = |reason: &str| Err(AppendError::Unavailable { reason: format!("refused: {reason}") });
    if new.bytes.len() > COMMIT_BYTES_MAX {
        return refuse("commit is over the size limit");
    }
    let header = match commit::check(&new.bytes) {
        Ok(header) => header,
        Err(error @ (InvalidCommit::Checksum | InvalidCommit::NewerFormat { .. } | InvalidCommit::Malformed { .. })) => {
            return refuse(&error.to_string());
        }
    };
    let same = header.id == new.id
        && header.stream == new.stream
        && header.first_version == new.first_version
        && header.events == new.events
        && header.tombstone == tombstone;
    if !same || new.decided.as_ref().is_some_and(|said| said.header != header) {
        return refuse("commit bytes and commit fields differ");
    }
    if new.first_version == 0 {
        return refuse("versions count from 1");
    }
    if new.events == 0 && !tombstone {
        return refuse("commit has no event");
    }
    Ok(())
}
