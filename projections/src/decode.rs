//! Commits as bytes to commits as facts, decoded once for all views.

use std::sync::Arc;

use application::log::commit::InvalidCommit;
use application::log::decoded::Decoded;
use application::ports::event_log::StoredCommit;

use crate::projection::Streams;

/// A commit, decoded.
#[derive(Clone, Debug)]
pub struct DecodedCommit {
    /// The bytes and the place.
    pub stored: StoredCommit,
    /// What it says.
    pub says: Arc<Decoded>,
    /// The kind of its stream: a view that follows others need not look further.
    pub streams: Streams,
    /// Whether some event could not be read.
    pub poisoned: bool,
}

/// Reads a commit from its bytes, whatever else is known of it: what is rebuilt rests on what was stored.
///
/// # Errors
/// [`InvalidCommit`] when not even the header can be read: then nobody knows whose commit it is.
pub fn decode(stored: StoredCommit) -> Result<DecodedCommit, InvalidCommit> {
    let says = Decoded::read(&stored.bytes)?;
    Ok(DecodedCommit::new(stored, Arc::new(says)))
}

/// Takes a commit as it was decided, if that is at hand, and reads it otherwise.
///
/// # Errors
/// See [`decode`].
pub fn take(stored: StoredCommit) -> Result<DecodedCommit, InvalidCommit> {
    let says = stored.decoded()?;
    Ok(DecodedCommit::new(stored, says))
}

impl DecodedCommit {
    fn new(stored: StoredCommit, says: Arc<Decoded>) -> Self {
        let (streams, poisoned) = (Streams::of(says.header.stream.key), says.is_poisoned());
        Self { stored, says, streams, poisoned }
    }
}
