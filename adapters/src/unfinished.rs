//! Commits that a consumer has read, in order, with what is still under way for each: the consumer has got as far as everything
//! before the first unfinished one.

use std::collections::VecDeque;

use application::ports::event_log::CommitPosition;

/// See the file's head.
#[derive(Default)]
pub struct Unfinished(VecDeque<(CommitPosition, usize)>);

impl Unfinished {
    /// How many commits there are; those on end without anything to do count as one.
    pub fn commits(&self) -> usize {
        self.0.len()
    }

    /// The next commit, with so much to do.
    pub fn begin(&mut self, position: CommitPosition, todo: usize) {
        match self.0.back_mut() {
            // Both are done as soon as everything before them is.
            Some((last, 0)) if todo == 0 => *last = position,
            _ => self.0.push_back((position, todo)),
        }
    }

    /// One thing of a commit is done.
    pub fn done_one(&mut self, position: CommitPosition) {
        if let Ok(index) = self.0.binary_search_by_key(&position, |(position, _)| *position)
            && let Some((_, left)) = self.0.get_mut(index)
        {
            *left = left.saturating_sub(1);
        }
    }

    /// Up to where everything is done, if that has changed.
    pub fn advance(&mut self) -> Option<CommitPosition> {
        let mut done = None;
        while let Some((position, 0)) = self.0.front() {
            done = Some(*position);
            self.0.pop_front();
        }
        done
    }
}
