//! The bounded queue between those who append and the one writer.
//!
//! Full means refused, at once: memory does not grow with the storm.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};

use application::ports::event_log::{AppendError, Appended};
use tokio::sync::oneshot;

use super::core::Append;

/// The way back to whoever appended: an answer for each commit, in order.
pub type Reply = oneshot::Sender<Vec<Result<Appended, AppendError>>>;

/// What somebody appends together, and whom to answer.
struct Group {
    appends: Vec<Append>,
    bytes: usize,
    reply: Reply,
}

/// Who waits for the appends of a flush: how many of them, one after the other, and the way back.
pub type Askers = Vec<(usize, Reply)>;

/// How much may wait, and how much leaves at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Commits that may wait.
    pub commits_max: usize,
    /// Bytes that may wait.
    pub bytes_max: usize,
    /// Commits of one flush; what was appended together may be more.
    pub flush_commits_max: usize,
    /// Bytes of one flush; what was appended together may be larger.
    pub flush_bytes_max: usize,
}

#[derive(Default)]
struct Waiting {
    groups: VecDeque<Group>,
    commits: usize,
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

    /// Puts what is appended together into the queue, all of it or nothing.
    pub fn push(&self, appends: Vec<Append>, reply: Reply) -> Result<(), AppendError> {
        if appends.is_empty() {
            // Whoever went away does not want the answer.
            let _gone = reply.send(vec![]);
            return Ok(());
        }
        let bytes = appends.iter().map(|append| append.commit.bytes.len()).sum::<usize>();
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(AppendError::Unavailable { reason: "log is closed".into() });
        }
        if waiting.commits + appends.len() > self.limits.commits_max || waiting.bytes + bytes > self.limits.bytes_max {
            return Err(AppendError::Unavailable { reason: "append queue is full".into() });
        }
        waiting.commits += appends.len();
        waiting.bytes += bytes;
        waiting.groups.push_back(Group { appends, bytes, reply });
        let was_empty = waiting.groups.len() == 1;
        drop(waiting);
        if was_empty {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits for appends and takes what one flush holds. `false` when the queue is closed and empty.
    pub fn take(&self, appends: &mut Vec<Append>, askers: &mut Askers) -> bool {
        let mut waiting = self.waiting();
        while waiting.groups.is_empty() {
            if waiting.closed {
                return false;
            }
            waiting = self.filled.wait(waiting).expect("no code panics while it holds the queue");
        }
        let mut bytes = 0;
        while let Some(next) = waiting.groups.front() {
            let fits =
                appends.len() + next.appends.len() <= self.limits.flush_commits_max && bytes + next.bytes <= self.limits.flush_bytes_max;
            if !fits && !askers.is_empty() {
                break;
            }
            bytes += next.bytes;
            if let Some(mut group) = waiting.groups.pop_front() {
                askers.push((group.appends.len(), group.reply));
                appends.append(&mut group.appends);
            }
        }
        waiting.commits -= appends.len();
        waiting.bytes -= bytes;
        true
    }

    /// Whether nothing waits and more may come.
    pub fn is_idle(&self) -> bool {
        let waiting = self.waiting();
        waiting.groups.is_empty() && !waiting.closed
    }

    /// Takes no more appends and forgets what waits: the writer is gone, and whoever waits learns that nobody knows.
    pub fn abandon(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        waiting.groups.clear();
        waiting.commits = 0;
        waiting.bytes = 0;
    }

    /// Takes no more appends; what waits is still served.
    pub fn close(&self) {
        self.waiting().closed = true;
        self.filled.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use application::log::commit::CommitId;
    use application::log::stream::{StreamId, StreamKey};
    use application::ports::event_log::NewCommit;
    use uuid::Uuid;

    use super::*;

    fn append(bytes: usize) -> Append {
        let stream = StreamId::new("acme".parse().unwrap(), StreamKey::Desk);
        let commit =
            NewCommit { id: CommitId(Uuid::nil()), stream, first_version: 1, events: 1, bytes: vec![0; bytes].into(), decided: None };
        Append { commit, tombstone: false }
    }

    fn queue() -> Queue {
        Queue::new(Limits { commits_max: 5, bytes_max: 1000, flush_commits_max: 3, flush_bytes_max: 250 })
    }

    fn push(queue: &Queue, bytes: usize) -> bool {
        queue.push(vec![append(bytes)], oneshot::channel().0).is_ok()
    }

    fn take(queue: &Queue) -> Option<usize> {
        let (mut appends, mut askers) = (Vec::new(), Vec::new());
        let more = queue.take(&mut appends, &mut askers);
        assert_eq!(appends.len(), askers.iter().map(|(count, _)| count).sum::<usize>());
        more.then_some(appends.len())
    }

    #[test]
    fn a_queue_that_is_full_by_count_refuses_until_a_flush_leaves() {
        let queue = queue();
        assert!((0..5).all(|_| push(&queue, 10)));
        assert!(!push(&queue, 10));
        assert_eq!(take(&queue), Some(3));
        assert!((0..3).all(|_| push(&queue, 10)));
        assert!(!push(&queue, 10));
    }

    #[test]
    fn a_queue_that_is_full_by_bytes_refuses_until_a_flush_leaves() {
        let queue = queue();
        assert!(push(&queue, 600) && push(&queue, 400));
        assert!(!push(&queue, 1));
        assert_eq!(take(&queue), Some(1), "a commit over the flush's bytes leaves alone");
        assert!(push(&queue, 600));
        assert!(!push(&queue, 1));
    }

    #[test]
    fn a_flush_takes_no_more_bytes_than_its_limit() {
        let queue = queue();
        assert!((0..3).all(|_| push(&queue, 100)));
        assert_eq!(take(&queue), Some(2));
        assert_eq!(take(&queue), Some(1));
    }

    #[test]
    fn what_was_appended_together_is_taken_and_refused_together() {
        let queue = queue();
        let together = |count| queue.push((0..count).map(|_| append(100)).collect(), oneshot::channel().0).is_ok();
        assert!(together(2) && together(2));
        assert!(!together(2), "one of them would still fit");
        assert!(push(&queue, 10));
        assert_eq!(take(&queue), Some(2), "two more bytes than fit are left to the next flush");
        assert_eq!(take(&queue), Some(3));
        assert!(together(5));
        assert_eq!(take(&queue), Some(5), "more than a flush holds leaves alone");
    }

    #[test]
    fn an_abandoned_queue_leaves_nobody_waiting() {
        let queue = queue();
        let (reply, mut answer) = oneshot::channel();
        queue.push(vec![append(10)], reply).unwrap();
        queue.abandon();
        assert_eq!(answer.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert!(!push(&queue, 10));
        assert_eq!(take(&queue), None);
    }

    #[test]
    fn a_closed_queue_serves_what_waits_and_takes_nothing() {
        let queue = queue();
        assert!(push(&queue, 10));
        queue.close();
        assert!(!push(&queue, 10));
        assert_eq!(take(&queue), Some(1));
        assert_eq!(take(&queue), None);
    }
}
