//! What chaos may do to one device's connection: cut it, or stop its reader for a while.
//!
//! It must not know what is read.

use std::cell::Cell;

use tokio::sync::Notify;

use crate::error::LoadError;
use crate::link::Reader;

/// See the file's head. One a device, whichever connection it has at the moment.
#[derive(Default)]
pub struct Line {
    stalls: bool,
    online: Cell<bool>,
    to_cut: Cell<bool>,
    stalled: Cell<bool>,
    stalled_here: Cell<bool>,
    changed: Notify,
}

impl Line {
    /// Of a device whose reader stops now and then, or never.
    pub fn new(stalls: bool) -> Self {
        Self { stalls, ..Self::default() }
    }

    /// Whether its reader stops now and then.
    pub fn stalls(&self) -> bool {
        self.stalls
    }

    /// Whether its reader stands still now.
    pub fn is_stalled(&self) -> bool {
        self.stalled.get()
    }

    /// Whether its reader stood still at some time of this connection.
    pub fn was_stalled(&self) -> bool {
        self.stalled_here.get()
    }

    /// Whether there is a connection.
    pub fn is_online(&self) -> bool {
        self.online.get()
    }

    /// There is a connection.
    pub fn begin(&self) {
        self.online.set(true);
        self.to_cut.set(false);
        self.stalled_here.set(self.stalled.get());
    }

    /// There is none any more.
    pub fn end(&self) {
        self.online.set(false);
    }

    /// Cuts the connection; answers whether there was one. A reader that stands still is left alone: the server is to end that.
    pub fn cut(&self) -> bool {
        if !self.online.get() || self.stalled.get() {
            return false;
        }
        self.online.set(false);
        self.to_cut.set(true);
        self.changed.notify_waiters();
        true
    }

    /// Stops the reader, or lets it go on.
    pub fn stall(&self, on: bool) {
        self.stalled.set(on);
        if on {
            self.stalled_here.set(true);
        }
        self.changed.notify_waiters();
    }

    /// Waits until something has arrived, which is not looked at while the reader stands still; ends when the line is cut.
    pub async fn fill(&self, reader: &mut Reader) -> Result<(), LoadError> {
        loop {
            let changed = self.changed.notified();
            if self.to_cut.take() {
                return Err(LoadError::Cut);
            }
            reader.hold(self.stalled.get());
            if self.stalled.get() {
                changed.await;
                continue;
            }
            tokio::select! {
                filled = reader.fill() => return filled,
                () = changed => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_connection_that_is_read_can_be_cut() {
        let line = Line::new(true);
        assert!(!line.cut(), "not connected");
        line.begin();
        line.stall(true);
        assert!(!line.cut(), "its reader stands still");
        line.stall(false);
        assert!(line.was_stalled() && !line.is_stalled());
        assert!(line.cut() && !line.cut(), "once a connection");
        line.begin();
        assert!(!line.was_stalled() && line.cut());
        line.begin();
        line.end();
        assert!(!line.cut());
    }
}
