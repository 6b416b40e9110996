//! What a pair says and hears: the hot path.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Phase;
use super::side::{Role, Voice};
use crate::args::PairsArgs;
use crate::error::LoadError;
use crate::frame::Opcode;
use crate::ids::Mint;
use crate::ledger::{ChatLedger, Entry, digest};
use crate::link::Reader;
use crate::report::Counts;
use crate::wire::{self, Heard, Item, Position};

/// Every so many of the customer's messages is answered.
const ANSWER_EVERY: u64 = 4;
/// Every so many messages that a side gets are read.
const READ_EVERY: u64 = 10;
/// A busy server is left alone for so long.
const RETRY_AFTER: Duration = Duration::from_millis(20);
/// What fills a message up to its size: three bytes a character, as most text here is Chinese.
const FILLER: &str = "您好，请问这件商品什么时候发货";

/// What all pairs share.
pub struct Talk {
    phase: Cell<Phase>,
    closed_loop: bool,
    filler: String,
    mint: RefCell<Mint>,
    /// The text at hand, with its quotes; kept to save an allocation a message.
    quoted: RefCell<String>,
    arrived_measured: Cell<u64>,
    /// Everything that is counted.
    pub counts: RefCell<Counts>,
}

impl Talk {
    /// Before the warm-up.
    pub fn new(args: &PairsArgs) -> Self {
        Self {
            phase: Cell::new(Phase::WarmUp),
            closed_loop: args.rate.is_none(),
            filler: filler(args.bytes as usize),
            mint: RefCell::new(Mint::seeded()),
            quoted: RefCell::default(),
            arrived_measured: Cell::new(0),
            counts: RefCell::new(Counts::default()),
        }
    }

    /// The warm-up is over.
    pub fn begin_measuring(&self) {
        let mut counts = self.counts.borrow_mut();
        counts.latency.clear();
        counts.ack_latency.clear();
        self.phase.set(Phase::Measured);
    }

    /// Messages that arrived while something was measured.
    pub fn arrived(&self) -> u64 {
        self.arrived_measured.get()
    }

    /// The measurement is over; answers how many messages arrived in it.
    pub fn end_measuring(&self) -> u64 {
        self.phase.set(Phase::Draining);
        self.arrived()
    }

    /// Whether anything new is said.
    pub fn is_on(&self) -> bool {
        self.phase.get() != Phase::Draining
    }
}

/// The part of a message's text that is the same for all of a run.
fn filler(bytes: usize) -> String {
    // What is left beside the head is filled character by character and then with dots.
    let mut filler: String = FILLER.chars().cycle().take(bytes.saturating_sub(HEAD_BYTES) / 3).collect();
    while filler.len() + HEAD_BYTES < bytes {
        filler.push('.');
    }
    filler
}

/// Side, pair and number in front of every text: one letter, 4 + 8 digits, two blanks.
const HEAD_BYTES: usize = 15;

struct Flying {
    id: u128,
    from: Role,
    number: u64,
    since: Instant,
    text: u64,
    acked: Option<Acked>,
    arrived: bool,
}

#[derive(Clone, Copy)]
struct Acked {
    message: u128,
    seq: u64,
    position: Position,
}

/// A customer and an agent.
pub struct Pair {
    talk: Rc<Talk>,
    number: usize,
    chat: u128,
    assignment: Option<u64>,
    receive_every: u32,
    sides: [RefCell<Talker>; 2],
    state: RefCell<State>,
}

struct Talker {
    voice: Voice,
    /// Items taken since the last receipt.
    unreceived: u32,
    /// Messages of the other side.
    got: u64,
    alive: bool,
}

#[derive(Default)]
struct State {
    flying: VecDeque<Flying>,
    /// Of the customer, of the agent.
    said: [u64; 2],
    never_arrived: u64,
    entries: Vec<Entry>,
}

impl Pair {
    /// A pair whose conversation is assigned.
    pub fn new(
        talk: Rc<Talk>,
        number: usize,
        chat: u128,
        assignment: Option<u64>,
        receive_every: u32,
        customer: Voice,
        agent: Voice,
    ) -> Self {
        let sides = [customer, agent].map(|voice| RefCell::new(Talker { voice, unreceived: 0, got: 0, alive: true }));
        Self { talk, number, chat, assignment, receive_every, sides, state: RefCell::default() }
    }

    /// The chat.
    pub fn chat(&self) -> u128 {
        self.chat
    }

    /// Who is on a side.
    pub fn user(&self, role: Role) -> u128 {
        self.side(role).borrow().voice.user
    }

    fn side(&self, role: Role) -> &RefCell<Talker> {
        match role {
            Role::Customer => &self.sides[0],
            Role::Agent => &self.sides[1],
        }
    }

    /// Whether something said has not yet been acked and arrived.
    pub fn is_waiting(&self) -> bool {
        !self.state.borrow().flying.is_empty()
    }

    /// How many acked messages never arrived.
    pub fn never_arrived(&self) -> u64 {
        let state = self.state.borrow();
        state.never_arrived + state.flying.iter().filter(|flying| flying.acked.is_some() && !flying.arrived).count() as u64
    }

    /// What was acknowledged; also what never arrived.
    pub fn take_ledger(&self) -> ChatLedger {
        ChatLedger { chat: self.chat, entries: std::mem::take(&mut self.state.borrow_mut().entries) }
    }

    /// The customer says the next thing, which was due at `due`.
    pub fn say_next(&self, due: Instant) {
        self.say(Role::Customer, due);
        self.flush(Role::Customer);
    }

    fn say(&self, from: Role, since: Instant) {
        let mut state = self.state.borrow_mut();
        let talker = self.side(from).borrow();
        if !talker.alive {
            return;
        }
        let id = self.talk.mint.borrow_mut().uuid_v7();
        state.said[from as usize] += 1;
        let number = state.said[from as usize];
        let mut quoted = self.talk.quoted.borrow_mut();
        quoted.clear();
        quoted.push('"');
        // Writing to a string cannot fail.
        let _ = write!(quoted, "{}{:04} {number:08} ", if from == Role::Customer { 'c' } else { 'a' }, self.number % 10_000);
        quoted.push_str(&self.talk.filler);
        quoted.push('"');
        let text = digest(&quoted[1..quoted.len() - 1]);
        let assignment = self.assignment.filter(|_| from == Role::Agent);
        talker.voice.outbox.push(|out| wire::send(out, id, self.chat, quoted.as_bytes(), assignment));
        self.talk.counts.borrow_mut().sent += 1;
        state.flying.push_back(Flying { id, from, number, since, text, acked: None, arrived: false });
    }

    /// Sends what a side has said, with the receipt that is due.
    fn flush(&self, role: Role) {
        let mut talker = self.side(role).borrow_mut();
        if talker.unreceived > 0 {
            let index = talker.voice.last_index;
            talker.voice.outbox.push(|out| wire::receive(out, index));
            talker.unreceived = 0;
        }
        talker.voice.outbox.flush();
    }

    /// Hears what comes to a side until its socket ends.
    pub async fn listen(self: &Rc<Self>, role: Role, mut reader: Reader) {
        let ended = loop {
            if let Err(error) = self.hear_all(role, &mut reader) {
                break error;
            }
            if let Err(error) = reader.fill().await {
                break error;
            }
        };
        self.side(role).borrow_mut().alive = false;
        if self.talk.is_on() || self.is_waiting() {
            self.talk.counts.borrow_mut().error(ended.kind());
        }
    }

    fn hear_all(self: &Rc<Self>, role: Role, reader: &mut Reader) -> Result<(), LoadError> {
        let now = Instant::now();
        let mut spoke = [false; 2];
        while let Some((opcode, payload)) = reader.frame()? {
            match opcode {
                Opcode::Text => {
                    if let Some(next) = self.hear(role, payload, now)? {
                        self.say(next, now);
                        spoke[next as usize] = true;
                    }
                }
                Opcode::Ping => {
                    self.side(role).borrow().voice.outbox.pong(payload);
                    spoke[role as usize] = true;
                }
                Opcode::Pong => {}
                Opcode::Close => return Err(LoadError::Bye { code: "close".into() }),
            }
        }
        if self.side(role).borrow().unreceived >= self.receive_every {
            spoke[role as usize] = true;
        }
        for side in [Role::Customer, Role::Agent] {
            if spoke[side as usize] {
                self.flush(side);
            }
        }
        Ok(())
    }

    /// Hears one frame; answers who speaks next, if somebody does.
    fn hear(self: &Rc<Self>, role: Role, payload: &[u8], now: Instant) -> Result<Option<Role>, LoadError> {
        match wire::hear(payload) {
            Heard::Ack { id, message, seq, position } => Ok(self.acked(id, Acked { message, seq, position }, now)),
            Heard::Item(item) => Ok(self.took(role, &item, now)),
            Heard::Nack { id, code, retry } => {
                self.talk.counts.borrow_mut().error(format!("nack_{}", String::from_utf8_lossy(code)));
                if let Some(id) = id {
                    self.refused(id, retry);
                }
                Ok(None)
            }
            Heard::Bye { code } => Err(LoadError::Bye { code: String::from_utf8_lossy(code).into_owned() }),
            Heard::Welcome { .. } | Heard::Signal => Ok(None),
        }
    }

    fn acked(&self, id: u128, acked: Acked, now: Instant) -> Option<Role> {
        let mut state = self.state.borrow_mut();
        let place = state.flying.iter().position(|flying| flying.id == id && flying.acked.is_none())?;
        state.flying[place].acked = Some(acked);
        let mut counts = self.talk.counts.borrow_mut();
        counts.acked += 1;
        counts.ack_latency.record(now.saturating_duration_since(state.flying[place].since));
        let flying = &state.flying[place];
        let entry = Entry {
            client_id: id,
            message: acked.message,
            seq: acked.seq,
            position: acked.position,
            text: flying.text,
            sender: self.user(flying.from),
            order: flying.number,
            delivered: flying.arrived,
        };
        state.entries.push(entry);
        drop(counts);
        self.landed(&mut state, place)
    }

    fn took(&self, role: Role, item: &Item<'_>, now: Instant) -> Option<Role> {
        let mut talker = self.side(role).borrow_mut();
        if item.index <= talker.voice.last_index {
            return None;
        }
        if item.index > talker.voice.last_index + 1 {
            self.talk.counts.borrow_mut().gaps += 1;
        }
        talker.voice.last_index = item.index;
        talker.unreceived += 1;
        let message = item.message.as_ref()?;
        let mut state = self.state.borrow_mut();
        let place = state.flying.iter().position(|flying| Some(flying.id) == message.client_id)?;
        if state.flying[place].from == role || state.flying[place].arrived {
            return None;
        }
        talker.got += 1;
        if talker.got.is_multiple_of(READ_EVERY) {
            talker.voice.outbox.push(|out| wire::read(out, self.chat, message.seq));
        }
        drop(talker);
        self.arrived(&mut state, place, now)
    }

    fn arrived(&self, state: &mut State, place: usize, now: Instant) -> Option<Role> {
        let flying = &mut state.flying[place];
        flying.arrived = true;
        let mut counts = self.talk.counts.borrow_mut();
        counts.delivered += 1;
        counts.latency.record(now.saturating_duration_since(flying.since));
        if self.talk.phase.get() == Phase::Measured {
            self.talk.arrived_measured.set(self.talk.arrived_measured.get() + 1);
        }
        let answered = !self.talk.closed_loop && flying.from == Role::Customer && flying.number_is_answered();
        drop(counts);
        let landed = self.landed(state, place);
        // In an open loop the answer follows the arrival; in a closed one it waits for the ack too.
        if answered && self.talk.is_on() { Some(Role::Agent) } else { landed }
    }

    /// A message that was acked and has arrived is done; in a closed loop the next one follows.
    fn landed(&self, state: &mut State, place: usize) -> Option<Role> {
        if state.flying[place].acked.is_none() || !state.flying[place].arrived {
            return None;
        }
        let flying = state.flying.remove(place)?;
        self.next_after(&flying)
    }

    fn next_after(&self, flying: &Flying) -> Option<Role> {
        if !self.talk.closed_loop || !self.talk.is_on() {
            return None;
        }
        let answered = flying.from == Role::Customer && flying.number_is_answered();
        Some(if answered { Role::Agent } else { Role::Customer })
    }

    /// A refused message was never sent. One that may be tried again is, after a while.
    fn refused(self: &Rc<Self>, id: u128, retry: bool) {
        let mut state = self.state.borrow_mut();
        let Some(place) = state.flying.iter().position(|flying| flying.id == id && flying.acked.is_none()) else { return };
        let Some(flying) = state.flying.remove(place) else { return };
        let mut counts = self.talk.counts.borrow_mut();
        counts.sent -= 1;
        if !retry || !self.talk.is_on() {
            return;
        }
        counts.resent += 1;
        let pair = Rc::clone(self);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(RETRY_AFTER).await;
            pair.say(flying.from, flying.since);
            pair.flush(flying.from);
        });
    }

    /// Sends held-back receipts, and gives up what has stalled so that a closed loop goes on.
    pub fn tick(&self, now: Instant, stall: Duration) {
        for role in [Role::Customer, Role::Agent] {
            if self.side(role).borrow().unreceived > 0 {
                self.flush(role);
            }
        }
        let mut state = self.state.borrow_mut();
        let stalled = state.flying.iter().position(|flying| now.saturating_duration_since(flying.since) > stall);
        let Some(place) = stalled else { return };
        let Some(flying) = state.flying.remove(place) else { return };
        state.never_arrived += u64::from(flying.acked.is_some() && !flying.arrived);
        drop(state);
        let what = if flying.acked.is_some() { "acked_but_never_arrived" } else { "never_acked" };
        self.talk.counts.borrow_mut().error(what);
        if let Some(next) = self.next_after(&flying) {
            self.say(next, now);
            self.flush(next);
        }
    }
}

impl Flying {
    fn number_is_answered(&self) -> bool {
        self.number.is_multiple_of(ANSWER_EVERY)
    }
}
