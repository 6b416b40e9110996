//! The bounded queue between those who append and the one writer.
//!
//! Full means refused, at once: memory does not grow with the storm.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};

use application::ports::event_log::{AppendError, Appended};
use tokio::sync::oneshot;

use super::core::Append;

/// The way back to whoever appended.
pub type Reply = oneshot::Sender<Result<Appended, AppendError>>;

/// How much may wait, and how much leaves at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Commits that may wait.
    pub commits_max: usize,
    /// Bytes that may wait.
    pub bytes_max: usize,
    /// Commits of one flush.
    pub flush_commits_max: usize,
    /// Bytes of one flush; one commit may be larger.
    pub flush_bytes_max: usize,
}

#[derive(Default)]
struct Waiting {
    appends: VecDeque<(Append, Reply)>,
    bytes: usize,
    closed: bool,
}

/// See the head of this file.
pub struct Queue {
    limits: Limits,
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

impl Queue {
    /// An empty queue.
    pub fn new(limits: Limits) -> Self {
        Self { limits, waiting: Mutex::default(), filled: Condvar::new() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no code panics while it holds the queue")
    }

    /// Puts an append into the queue.
    pub fn push(&self, append: Append, reply: Reply) -> Result<(), AppendError> {
        let bytes = append.commit.bytes.len();
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(AppendError::Unavailable { reason: "log is closed".into() });
        }
        if waiting.appends.len() >= self.limits.commits_max || waiting.bytes + bytes > self.limits.bytes_max {
            return Err(AppendError::Unavailable { reason: "append queue is full".into() });
        }
        waiting.bytes += bytes;
        waiting.appends.push_back((append, reply));
        let was_empty = waiting.appends.len() == 1;
        drop(waiting);
        if was_empty {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits for appends and takes what one flush holds. `false` when the queue is closed and empty.
    pub fn take(&self, appends: &mut Vec<Append>, replies: &mut Vec<Reply>) -> bool {
        let mut waiting = self.waiting();
        while waiting.appends.is_empty() {
            if waiting.closed {
                return false;
            }
            waiting = self.filled.wait(waiting).expect("no code panics while it holds the queue");
        }
        let mut bytes = 0;
        while appends.len() < self.limits.flush_commits_max {
            let Some((next, _)) = waiting.appends.front() else { break };
            let next_bytes = next.commit.bytes.len();
            if bytes + next_bytes > self.limits.flush_bytes_max && !appends.is_empty() {
                break;
            }
            bytes += next_bytes;
            if let Some((append, reply)) = waiting.appends.pop_front() {
                appends.push(append);
                replies.push(reply);
            }
        }
        waiting.bytes -= bytes;
        true
    }

    /// Whether nothing waits and more may come.
    pub fn is_idle(&self) -> bool {
        let waiting = self.waiting();
        waiting.appends.is_empty() && !waiting.closed
    }

    /// Takes no more appends; what waits is still served.
    pub fn close(&self) {
        self.waiting().closed = true;
        self.filled.notify_all();
    }
}
