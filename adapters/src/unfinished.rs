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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_gets_as_far_as_the_first_that_is_not_done_however_many_lie_behind_it() {
        let mut unfinished = Unfinished::default();
        for (position, todo) in [(1, 0), (2, 0), (3, 2), (4, 0), (5, 0), (6, 1), (7, 0)] {
            unfinished.begin(CommitPosition(position), todo);
        }
        assert_eq!(unfinished.commits(), 5, "those without anything to do count as one");
        assert_eq!(unfinished.advance(), Some(CommitPosition(2)));
        unfinished.done_one(CommitPosition(6));
        unfinished.done_one(CommitPosition(3));
        assert_eq!(unfinished.advance(), None);
        unfinished.done_one(CommitPosition(3));
        assert_eq!(unfinished.advance(), Some(CommitPosition(7)));
    }
}
