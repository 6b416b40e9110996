//! What waits for one device: a bounded queue between whoever delivers and the device's task.
//!
//! A device first reads from its feed what it missed; meanwhile live items are not kept but only counted, because the feed has
//! them. It then goes live at an index it has reached: no gap, no duplicate, and no memory however long it was away.
//!
//! For a device that polls each time it is woken costs a request. It is patient: what it knows anyway waits for what presses.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use super::signal::Signal;

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

/// Why a device is told to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bye {
    /// Its sign-in's time is over.
    Expired,
    /// Its sign-in was ended.
    Revoked,
    /// The account was closed.
    Deactivated,
    /// Its user signed in on too many other devices.
    Superseded,
    /// It did not read fast enough; it resumes by its index.
    Slow,
    /// The server stops; it connects again.
    Shutdown,
    /// It sent what is no frame of ours.
    BadFrame,
    /// It sent too much at once.
    TooBig,
    /// It is not signed in.
    Unauthorized,
    /// It did not say hello in time.
    NoHello,
}

impl Bye {
    /// The code in the `bye` frame.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Deactivated => "deactivated",
            Self::Superseded => "superseded",
            Self::Slow => "slow",
            Self::Shutdown => "shutdown",
            Self::BadFrame | Self::TooBig => "bad_frame",
            Self::Unauthorized | Self::NoHello => "unauthorized",
        }
    }

    /// The code of the WebSocket close frame.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Expired | Self::Revoked | Self::Deactivated | Self::Superseded | Self::Unauthorized => 4401,
            Self::BadFrame => 4400,
            Self::NoHello => 4408,
            Self::Slow => 1013,
            Self::Shutdown => 1012,
            Self::TooBig => 1009,
        }
    }

    /// In words.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Expired => "the sign-in has expired",
            Self::Revoked => "the sign-in was ended",
            Self::Deactivated => "the account was closed",
            Self::Superseded => "signed in on too many other devices",
            Self::Slow => "too many frames are waiting; connect again and resume after the last index",
            Self::Shutdown => "the server stops; connect again",
            Self::BadFrame => "not a frame of this protocol",
            Self::TooBig => "the frame is too large",
            Self::Unauthorized => "not signed in",
            Self::NoHello => "no hello in time",
        }
    }
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

enum Phase {
    /// Reading its feed; the newest live item that went by.
    Resuming { newest_missed: u64 },
    /// Following; everything up to this index has been sent or waits.
    Live { after: u64 },
}

struct State {
    phase: Phase,
    frames: VecDeque<Frame>,
    signals: Vec<Signal>,
    bytes: usize,
    /// Whether something waits that a patient device is woken for.
    presses: bool,
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
        let state = State { phase, frames: VecDeque::new(), signals: Vec::new(), bytes: 0, presses: false, bye: None };
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
    /// for it already, and looks again when something presses.
    fn comes(&mut self, presses: bool) -> bool {
        self.presses |= presses;
        presses || self.is_empty()
    }

    fn take(&mut self, out: &mut Taken) -> Option<Bye> {
        out.items.extend(self.frames.drain(..));
        out.signals.append(&mut self.signals);
        self.bytes = 0;
        self.presses = false;
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
