//! What waits for one device: a bounded queue between whoever delivers and the device's task.
//!
//! A device first reads from its feed what it missed; meanwhile live items are not kept but only counted, because the feed has
//! them. It then goes live at an index it has reached: no gap, no duplicate, and no memory however long it was away.
//!
//! For a device that polls each time it is woken costs a request, and for any other a write. They are patient: what they know anyway
//! waits for what presses, for a while.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use super::signal::Signal;

mod bye;

pub use bye::Bye;

/// Signals that may wait for a device: a busy agent's chats, several times over.
const SIGNALS_MAX: usize = 4_096;

/// Bounds of a queue.
#[derive(Clone, Copy, Debug)]
pub struct OutboxLimits {
    /// Frames.
    pub frames_max: usize,
    /// Bytes.
    pub bytes_max: usize,
}

/// An item that waits.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its index.
    pub index: u64,
    /// What the long poll calls it.
    pub biz_code: &'static str,
    /// As it is sent.
    pub text: String,
}

/// What waited for a device.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Items, oldest first.
    pub items: Vec<Frame>,
    /// What is current, each thing once.
    pub signals: Vec<Signal>,
}

impl Taken {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.signals.is_empty()
    }
}

/// What a look at the queue finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing.
    Nothing,
    /// Something that does not press. It lies there until something does, or until its time is over ([`Outbox::take_overdue`]).
    Lies,
    /// What waited was taken, with what lay there; and perhaps the device was told to go.
    Took(Option<Bye>),
}

enum Phase {
    /// Reading its feed; the newest live item that went by.
    Resuming { newest_missed: u64 },
    /// Following; everything up to this index has been sent or waits.
    Live { after: u64 },
}

/// Whether the device looks again by the clock, so that it need not be woken for what does not press.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// It does not.
    Off,
    /// It does, and whatever lies there now has lain there since it began to.
    Begun,
    /// It does, and something was taken since it began to.
    Taken,
}

struct State {
    phase: Phase,
    frames: VecDeque<Frame>,
    signals: Vec<Signal>,
    bytes: usize,
    /// Whether something waits that a patient device is woken for.
    presses: bool,
    watch: Watch,
    bye: Option<Bye>,
}

/// See the file's head.
pub struct Outbox {
    state: Mutex<State>,
    waker: AtomicWaker,
    limits: OutboxLimits,
}

impl Outbox {
    /// An empty queue of a device that resumes.
    #[must_use]
    pub fn new(limits: OutboxLimits) -> Self {
        let phase = Phase::Resuming { newest_missed: 0 };
        let state = State { phase, frames: VecDeque::new(), signals: Vec::new(), bytes: 0, presses: false, watch: Watch::Off, bye: None };
        Self { state: Mutex::new(state), waker: AtomicWaker::new(), limits }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a live item must be written for this device. While it resumes the item is only noted.
    pub fn wants(&self, index: u64) -> bool {
        let mut state = self.state();
        if state.bye.is_some() {
            return false;
        }
        match &mut state.phase {
            Phase::Resuming { newest_missed } => {
                *newest_missed = index.max(*newest_missed);
                false
            }
            Phase::Live { after } => index > *after,
        }
    }

    /// Queues a live item that the device wanted.
    pub fn push_item(&self, frame: Frame) {
        self.push(frame, true);
    }

    /// Queues what the device itself said and has its answer for: a patient device is not woken for it.
    pub fn push_echo(&self, frame: Frame) {
        self.push(frame, false);
    }

    fn push(&self, frame: Frame, presses: bool) {
        let wakes = {
            let mut state = self.state();
            if state.bye.is_some() {
                return;
            }
            match &mut state.phase {
                // It went back to its feed since it was asked whether it wants this.
                Phase::Resuming { newest_missed } => {
                    *newest_missed = frame.index.max(*newest_missed);
                    return;
                }
                // And has read it there.
                Phase::Live { after } if frame.index <= *after => return,
                Phase::Live { after } => *after = frame.index,
            }
            let wakes = state.comes(presses);
            state.bytes += frame.text.len();
            state.frames.push_back(frame);
            if state.frames.len() > self.limits.frames_max || state.bytes > self.limits.bytes_max {
                state.give_up();
            }
            wakes || state.bye.is_some()
        };
        if wakes {
            self.waker.wake();
        }
    }

    /// Queues a signal, in the place of one about the same that still waits.
    pub fn push_signal(&self, signal: Signal) {
        let wakes = {
            let mut state = self.state();
            if state.bye.is_some() {
                return;
            }
            let wakes = state.comes(signal.presses());
            state.bytes += signal.text_bytes();
            match state.signals.iter().position(|waiting| signal.replaces(waiting)) {
                Some(at) => {
                    let before = std::mem::replace(&mut state.signals[at], signal);
                    state.bytes -= before.text_bytes();
                }
                None => state.signals.push(signal),
            }
            if state.signals.len() > SIGNALS_MAX || state.bytes > self.limits.bytes_max {
                state.give_up();
            }
            wakes || state.bye.is_some()
        };
        if wakes {
            self.waker.wake();
        }
    }

    /// Goes back to reading the feed: what waits is dropped, because the feed has it.
    pub fn resume(&self) {
        let mut state = self.state();
        state.phase = Phase::Resuming { newest_missed: 0 };
        state.frames = VecDeque::new();
        state.bytes = state.signals.iter().map(Signal::text_bytes).sum();
        state.presses = state.signals.iter().any(Signal::presses);
    }

    /// Tells the device to go, after what waits for it. The first reason stays.
    pub fn close(&self, bye: Bye) {
        self.state().bye.get_or_insert(bye);
        self.waker.wake();
    }

    /// Goes live after an index, unless newer items went by meanwhile; then the feed has to be read again.
    pub fn go_live(&self, reached: u64) -> bool {
        let mut state = self.state();
        match state.phase {
            Phase::Resuming { newest_missed } if newest_missed > reached => false,
            Phase::Resuming { .. } => {
                state.phase = Phase::Live { after: reached };
                true
            }
            Phase::Live { .. } => true,
        }
    }

    /// Whether the device was told to go.
    #[must_use]
    pub fn bye(&self) -> Option<Bye> {
        self.state().bye
    }

    /// Ready when the device was told to go.
    pub fn poll_bye(&self, context: &mut Context<'_>) -> Poll<Bye> {
        self.waker.register(context.waker());
        self.bye().map_or(Poll::Pending, Poll::Ready)
    }

    /// Takes everything that waits, oldest first. Ready also when the device was told to go; `out` may then stay empty.
    pub fn poll_take(&self, context: &mut Context<'_>, out: &mut Taken) -> Poll<Option<Bye>> {
        self.waker.register(context.waker());
        let mut state = self.state();
        if state.is_empty() && state.bye.is_none() {
            return Poll::Pending;
        }
        Poll::Ready(state.take(out))
    }

    /// As [`Self::poll_take`], but what does not press waits for what does.
    pub fn poll_take_pressing(&self, context: &mut Context<'_>, out: &mut Taken) -> Poll<Option<Bye>> {
        self.waker.register(context.waker());
        let mut state = self.state();
        if state.presses || state.bye.is_some() { Poll::Ready(state.take(out)) } else { Poll::Pending }
    }

    /// As [`Self::poll_take`], but what does not press is left for what does. Whoever is told that something lies there looks again by
    /// the clock, and is not woken for more of the kind until then.
    pub fn poll_take_or_leave(&self, context: &mut Context<'_>, out: &mut Taken) -> Look {
        self.waker.register(context.waker());
        let mut state = self.state();
        if state.presses || state.bye.is_some() {
            return Look::Took(state.take(out));
        }
        if state.is_empty() {
            return Look::Nothing;
        }
        if state.watch == Watch::Off {
            state.watch = Watch::Begun;
        }
        Look::Lies
    }

    /// Takes what has lain there since the device was told so, and ends its watch. What came after something was taken gets as long
    /// again; answers whether it is so, and the watch goes on.
    pub fn take_overdue(&self, out: &mut Taken) -> bool {
        let mut state = self.state();
        if state.watch == Watch::Taken && !state.is_empty() {
            state.watch = Watch::Begun;
            return true;
        }
        // Of a farewell the device is woken anyway.
        let _bye = state.take(out);
        state.watch = Watch::Off;
        false
    }

    /// Takes whatever waits.
    pub fn take(&self, out: &mut Taken) -> Option<Bye> {
        self.state().take(out)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state().is_empty()
    }

    /// Lets whoever waits for something look around.
    pub fn wake(&self) {
        self.waker.wake();
    }
}

impl State {
    fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.signals.is_empty()
    }

    /// Notes that something is about to wait; answers whether the device is to be woken. Whoever left something lying is woken
    /// for it already, and looks again when something presses, or by the clock.
    fn comes(&mut self, presses: bool) -> bool {
        self.presses |= presses;
        presses || (self.is_empty() && self.watch == Watch::Off)
    }

    fn take(&mut self, out: &mut Taken) -> Option<Bye> {
        out.items.extend(self.frames.drain(..));
        out.signals.append(&mut self.signals);
        self.bytes = 0;
        self.presses = false;
        if self.watch == Watch::Begun {
            self.watch = Watch::Taken;
        }
        self.bye
    }

    /// The device is too slow. It resumes by its index and gets all of it then.
    fn give_up(&mut self) {
        self.frames = VecDeque::new();
        self.signals = Vec::new();
        self.bytes = 0;
        self.bye = Some(Bye::Slow);
    }
}

#[cfg(test)]
mod tests;
