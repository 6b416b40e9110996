//! What a pair says and hears: the hot path.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Phase;
use super::side::{Role, Voice};
use crate::args::PairsArgs;
use crate::chaos::{FLOOD, FLOOD_BYTES, FLOODING_MAX};
use crate::error::LoadError;
use crate::frame::Opcode;
use crate::ids::Mint;
use crate::ledger::{ChatLedger, Entry, digest};
use crate::link::{Outbox, Reader};
use crate::report::Counts;
use crate::wire::{self, Heard, Item, Position};

/// Every so many of the customer's messages is answered.
pub const ANSWER_EVERY: u64 = 4;
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
    /// The same for what is said to a reader that stands still.
    flood: String,
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
            flood: filler(if args.target.chaos.chaos_stall_readers > 0 { FLOOD_BYTES } else { 0 }),
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
    /// As [`Entry::order`] says.
    order: u64,
    since: Instant,
    text: u64,
    /// Said because the other side does not read: nothing follows it, and its latency is of no interest.
    is_flood: bool,
    was_sent: bool,
    acked: Option<Acked>,
    /// Where its item lies in the log: the ack of a message that was repeated may name a later place.
    lies_at: Option<Position>,
    arrived: bool,
}

impl Flying {
    /// What the ledger keeps of it, if it was acked.
    fn entry(&self, sender: u128) -> Option<Entry> {
        let Acked { message, seq, position } = self.acked?;
        let position = self.lies_at.unwrap_or(position);
        let (client_id, order, text) = (self.id, self.order, self.text);
        Some(Entry { client_id, message, seq, position, text, sender, order, delivered: self.arrived })
    }
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
    /// Customer, agent.
    users: [u128; 2],
    state: RefCell<State>,
}

struct Talker {
    voice: Voice,
    /// Items taken since the last receipt.
    unreceived: u32,
    /// Messages of the other side.
    got: u64,
    /// Since when it is connected.
    online_since: Instant,
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
        let users = [customer.account.user, agent.account.user];
        let sides = [customer, agent].map(|voice| RefCell::new(Talker { voice, unreceived: 0, got: 0, online_since: Instant::now() }));
        Self { talk, number, chat, assignment, receive_every, sides, users, state: RefCell::default() }
    }

    /// The chat.
    pub fn chat(&self) -> u128 {
        self.chat
    }

    /// Who is on a side.
    pub fn user(&self, role: Role) -> u128 {
        self.users[role as usize]
    }

    /// The newest index that a side has.
    pub fn last_index(&self, role: Role) -> u64 {
        self.side(role).borrow().voice.last_index
    }

    /// Everything that is counted.
    pub fn counts(&self) -> &RefCell<Counts> {
        &self.talk.counts
    }

    /// A side's connection is lost; answers whether there was one.
    pub fn lost(&self, role: Role) -> bool {
        self.side(role).borrow_mut().voice.outbox.take().is_some()
    }

    /// Whether this is the one in `every` that something follows. Every pair begins at another: if all of them answered their fourth
    /// message, a fixed rate would be half of them silent and then twice the rate.
    fn is_turn(&self, count: u64, every: u64) -> bool {
        (count + self.number as u64).is_multiple_of(every)
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
        let mut state = self.state.borrow_mut();
        let mut entries = std::mem::take(&mut state.entries);
        entries.extend(state.flying.iter().filter_map(|flying| flying.entry(self.users[flying.from as usize])));
        ChatLedger { chat: self.chat, entries }
    }

    /// The customer says the next thing, which was due at `due`.
    pub fn say_next(&self, due: Instant) {
        self.say(Role::Customer, due, false);
        self.flush(Role::Customer);
    }

    /// Says something: at once, or at the next welcome if the side is not connected.
    fn say(&self, from: Role, since: Instant, is_flood: bool) {
        let mut state = self.state.borrow_mut();
        let talker = self.side(from).borrow();
        let id = self.talk.mint.borrow_mut().uuid_v7();
        state.said[from as usize] += 1;
        let number = state.said[from as usize];
        let was_sent = talker.voice.outbox.is_some();
        let mut flying =
            Flying { id, from, number, order: number, since, text: 0, is_flood, was_sent, acked: None, lies_at: None, arrived: false };
        let mut quoted = self.talk.quoted.borrow_mut();
        self.write(&flying, &mut quoted);
        flying.text = digest(&quoted[1..quoted.len() - 1]);
        if let Some(outbox) = &talker.voice.outbox {
            self.push(outbox, &flying, &quoted);
        }
        self.talk.counts.borrow_mut().sent += 1;
        state.flying.push_back(flying);
    }

    /// A message's text with its quotes: always the same for the same message.
    fn write(&self, flying: &Flying, quoted: &mut String) {
        quoted.clear();
        quoted.push('"');
        let side = if flying.from == Role::Customer { 'c' } else { 'a' };
        // Writing to a string cannot fail.
        let _ = write!(quoted, "{side}{:04} {:08} ", self.number % 10_000, flying.number);
        quoted.push_str(if flying.is_flood { &self.talk.flood } else { &self.talk.filler });
        quoted.push('"');
    }

    fn push(&self, outbox: &Outbox, flying: &Flying, quoted: &str) {
        let assignment = self.assignment.filter(|_| flying.from == Role::Agent);
        outbox.push(|out| wire::send(out, flying.id, self.chat, quoted.as_bytes(), assignment));
    }

    /// A side is connected again: what was not acknowledged is repeated, in order and under the same ids.
    fn welcomed(&self, role: Role, outbox: &Outbox, now: Instant) {
        let mut talker = self.side(role).borrow_mut();
        talker.voice.outbox = Some(outbox.clone());
        talker.online_since = now;
        let (mut state, mut quoted, mut again) = (self.state.borrow_mut(), self.talk.quoted.borrow_mut(), 0);
        for flying in state.flying.iter_mut().filter(|flying| flying.from == role && flying.acked.is_none()) {
            self.write(flying, &mut quoted);
            self.push(outbox, flying, &quoted);
            again += u64::from(std::mem::replace(&mut flying.was_sent, true));
        }
        let mut counts = self.talk.counts.borrow_mut();
        counts.reconnects += 1;
        counts.resent += again;
    }

    /// Sends what a side has said, with the receipt that is due.
    fn flush(&self, role: Role) {
        let talker = &mut *self.side(role).borrow_mut();
        let Some(outbox) = &talker.voice.outbox else { return };
        if talker.unreceived > 0 {
            let index = talker.voice.last_index;
            outbox.push(|out| wire::receive(out, index));
            talker.unreceived = 0;
        }
        outbox.flush();
    }

    /// Hears everything that is here for a side, and lets leave what is said to it.
    pub fn hear_all(self: &Rc<Self>, role: Role, reader: &mut Reader, outbox: &Outbox) -> Result<(), LoadError> {
        let mut spoke = [false; 2];
        let heard = self.hear_frames(role, reader, outbox, &mut spoke);
        if self.side(role).borrow().unreceived >= self.receive_every {
            spoke[role as usize] = true;
        }
        // Also when the connection ends here: the other side's still stands.
        for side in [Role::Customer, Role::Agent] {
            if spoke[side as usize] {
                self.flush(side);
            }
        }
        heard
    }

    fn hear_frames(self: &Rc<Self>, role: Role, reader: &mut Reader, outbox: &Outbox, spoke: &mut [bool; 2]) -> Result<(), LoadError> {
        let now = Instant::now();
        while let Some((opcode, payload)) = reader.frame()? {
            match opcode {
                Opcode::Text => {
                    if let Some(next) = self.hear(role, payload, outbox, now)? {
                        self.say(next, now, false);
                        spoke[next as usize] = true;
                    }
                }
                Opcode::Ping => {
                    outbox.pong(payload);
                    outbox.flush();
                }
                Opcode::Pong => {}
                Opcode::Close => return Err(LoadError::Bye { code: "close".into() }),
            }
        }
        Ok(())
    }

    /// Hears one frame; answers who speaks next, if somebody does.
    fn hear(self: &Rc<Self>, role: Role, payload: &[u8], outbox: &Outbox, now: Instant) -> Result<Option<Role>, LoadError> {
        match wire::hear(payload) {
            Heard::Ack { id, message, seq, position } => Ok(self.acked(id, Acked { message, seq, position }, now)),
            Heard::Item(item) => Ok(self.took(role, &item, outbox, now)),
            Heard::Nack { id, code, retry } => {
                self.talk.counts.borrow_mut().error(format!("nack_{}", String::from_utf8_lossy(code)));
                if let Some(id) = id {
                    self.refused(id, retry);
                }
                Ok(None)
            }
            Heard::Bye { code } => Err(LoadError::Bye { code: String::from_utf8_lossy(code).into_owned() }),
            Heard::Welcome { .. } => {
                self.welcomed(role, outbox, now);
                outbox.flush();
                Ok(None)
            }
            Heard::Signal => Ok(None),
        }
    }

    fn acked(&self, id: u128, acked: Acked, now: Instant) -> Option<Role> {
        let mut state = self.state.borrow_mut();
        let place = state.flying.iter().position(|flying| flying.id == id && flying.acked.is_none())?;
        state.flying[place].acked = Some(acked);
        let mut counts = self.talk.counts.borrow_mut();
        counts.acked += 1;
        if !state.flying[place].is_flood {
            counts.ack_latency.record(now.saturating_duration_since(state.flying[place].since));
        }
        drop(counts);
        self.landed(&mut state, place)
    }

    fn took(&self, role: Role, item: &Item<'_>, outbox: &Outbox, now: Instant) -> Option<Role> {
        let mut talker = self.side(role).borrow_mut();
        let last = talker.voice.last_index;
        if item.index <= last {
            return None;
        }
        if item.index > last + 1 {
            self.talk.counts.borrow_mut().gaps += 1;
            outbox.ask_range(last, item.index);
            outbox.flush();
            return None;
        }
        talker.voice.last_index = item.index;
        talker.unreceived += 1;
        let message = item.message.as_ref()?;
        let mut state = self.state.borrow_mut();
        let place = state.flying.iter().position(|flying| Some(flying.id) == message.client_id)?;
        state.flying[place].lies_at = Some(item.position);
        if state.flying[place].from == role || state.flying[place].arrived {
            return None;
        }
        talker.got += 1;
        if self.is_turn(talker.got, READ_EVERY) {
            outbox.push(|out| wire::read(out, self.chat, message.seq));
        }
        drop(talker);
        self.arrived(&mut state, place, now)
    }

    fn arrived(&self, state: &mut State, place: usize, now: Instant) -> Option<Role> {
        let flying = &mut state.flying[place];
        flying.arrived = true;
        let mut counts = self.talk.counts.borrow_mut();
        counts.delivered += 1;
        if !flying.is_flood {
            counts.latency.record(now.saturating_duration_since(flying.since));
        }
        if self.talk.phase.get() == Phase::Measured {
            self.talk.arrived_measured.set(self.talk.arrived_measured.get() + 1);
        }
        let answered =
            !self.talk.closed_loop && !flying.is_flood && flying.from == Role::Customer && self.is_turn(flying.number, ANSWER_EVERY);
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
        self.settle(state, &flying);
        self.next_after(&flying)
    }

    /// A message is done, or given up: what was acked stays in the ledger.
    fn settle(&self, state: &mut State, flying: &Flying) {
        let entry = flying.entry(self.users[flying.from as usize]);
        state.entries.extend(entry);
    }

    fn next_after(&self, flying: &Flying) -> Option<Role> {
        if !self.talk.closed_loop || flying.is_flood || !self.talk.is_on() {
            return None;
        }
        let answered = flying.from == Role::Customer && self.is_turn(flying.number, ANSWER_EVERY);
        Some(if answered { Role::Agent } else { Role::Customer })
    }

    /// One that may be tried again is, after a while and under the same id; a refused message was never sent.
    fn refused(self: &Rc<Self>, id: u128, retry: bool) {
        let mut state = self.state.borrow_mut();
        let Some(place) = state.flying.iter().position(|flying| flying.id == id && flying.acked.is_none()) else { return };
        let mut counts = self.talk.counts.borrow_mut();
        if !retry {
            state.flying.remove(place);
            counts.sent -= 1;
            return;
        }
        state.flying[place].order = 0;
        counts.resent += 1;
        let pair = Rc::clone(self);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(RETRY_AFTER).await;
            pair.say_again(id);
        });
    }

    fn say_again(&self, id: u128) {
        let state = self.state.borrow();
        let Some(flying) = state.flying.iter().find(|flying| flying.id == id && flying.acked.is_none()) else { return };
        // Whoever is not connected repeats everything at the next welcome.
        let talker = self.side(flying.from).borrow();
        let Some(outbox) = &talker.voice.outbox else { return };
        let mut quoted = self.talk.quoted.borrow_mut();
        self.write(flying, &mut quoted);
        self.push(outbox, flying, &quoted);
        outbox.flush();
    }

    /// While a side's reader stands still the other one says more than the server may keep for it.
    fn flood(&self, now: Instant) {
        for (reads, says) in [(Role::Customer, Role::Agent), (Role::Agent, Role::Customer)] {
            let flying = || self.state.borrow().flying.iter().filter(|flying| flying.is_flood).count();
            if self.talk.is_on() && self.side(reads).borrow().voice.stay.is_stalled() && flying() + FLOOD <= FLOODING_MAX {
                (0..FLOOD).for_each(|_| self.say(says, now, true));
                self.flush(says);
            }
        }
    }

    /// Sends held-back receipts, and gives up what has stalled so that a closed loop goes on.
    pub fn tick(&self, now: Instant, stall: Duration) {
        for role in [Role::Customer, Role::Agent] {
            if self.side(role).borrow().unreceived > 0 {
                self.flush(role);
            }
        }
        self.flood(now);
        // While a side is not connected, or does not read, nothing can come.
        let can_hear = |side: &RefCell<Talker>| {
            let talker = side.borrow();
            (talker.voice.outbox.is_some() && !talker.voice.stay.is_stalled()).then_some(talker.online_since)
        };
        let (Some(one), Some(other)) = (can_hear(&self.sides[0]), can_hear(&self.sides[1])) else { return };
        let overdue = |flying: &Flying| now.saturating_duration_since(flying.since.max(one).max(other)) > stall;
        let mut state = self.state.borrow_mut();
        let stalled = state.flying.iter().position(overdue);
        let Some(place) = stalled else { return };
        let Some(flying) = state.flying.remove(place) else { return };
        state.never_arrived += u64::from(flying.acked.is_some() && !flying.arrived);
        self.settle(&mut state, &flying);
        drop(state);
        let what = if flying.acked.is_some() { "acked_but_never_arrived" } else { "never_acked" };
        self.talk.counts.borrow_mut().error(what);
        if let Some(next) = self.next_after(&flying) {
            self.say(next, now, false);
            self.flush(next);
        }
    }
}
