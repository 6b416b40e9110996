//! The newest commits, kept in memory with shared bytes, so that whoever keeps up never reads the disk.

use std::collections::VecDeque;

use application::log::decoded::DecodedEvent;
use application::ports::event_log::{CommitPosition, StoredCommit};

/// Memory a commit takes besides its own bytes: the queue's slot and what an allocation rounds up to.
const OVERHEAD_BYTES: usize = 128;

/// How much memory a commit takes, roughly: its bytes, and what it says if that is known.
fn weight(commit: &StoredCommit) -> usize {
    let said = commit.decided.as_ref().map_or(0, |said| commit.bytes.len() + said.events.len() * size_of::<DecodedEvent>());
    commit.bytes.len() + said + OVERHEAD_BYTES
}

/// The newest commits, dense, bounded by bytes.
pub struct Recent {
    commits: VecDeque<StoredCommit>,
    bytes: usize,
    bytes_max: usize,
}

impl Recent {
    /// Keeps at most so many bytes, but always the newest commit.
    pub fn new(bytes_max: usize) -> Self {
        Self { commits: VecDeque::new(), bytes: 0, bytes_max }
    }

    /// Adds the next commit.
    pub fn push(&mut self, commit: StoredCommit) {
        debug_assert!(self.commits.back().is_none_or(|newest| newest.position.0 + 1 == commit.position.0));
        self.bytes += weight(&commit);
        self.commits.push_back(commit);
        while self.bytes > self.bytes_max && self.commits.len() > 1 {
            if let Some(oldest) = self.commits.pop_front() {
                self.bytes -= weight(&oldest);
            }
        }
    }

    /// A commit, if it is here.
    pub fn get(&self, position: u64) -> Option<&StoredCommit> {
        let base = self.commits.front()?.position.0;
        self.commits.get(usize::try_from(position.checked_sub(base)?).ok()?)
    }

    /// The commits after a position, if the first of them is here.
    pub fn after(&self, after: CommitPosition, commits_max: usize) -> Option<Vec<StoredCommit>> {
        let base = self.commits.front()?.position.0;
        let from = usize::try_from(after.0.checked_add(1)?.checked_sub(base)?).ok()?;
        if from >= self.commits.len() {
            return None;
        }
        Some(self.commits.range(from..self.commits.len().min(from.saturating_add(commits_max))).cloned().collect())
    }
}
