//! A device as docs/PROTOCOL.md draws one: a cursor, an outbox that repeats until an answer for good, and what it has shown. It
//! notes whatever breaks a promise of that page; how frames travel it does not know.

mod shown;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use adapters::event_log::memory::MemoryLog;
use application::ports::event_log::CommitPosition;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use super::cast::{Actor, Cast, Part};
use super::net::{Line, Net};
use super::{Breakage, Broken};
use super::{poll, socket, stream};
use crate::random::Random;
use shown::parse;
pub(super) use shown::{Draft, Item, Outcome, Said, Shown};

/// How a device wants to be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Not at all.
    Away,
    /// By a socket.
    Socket,
    /// By polls.
    Poll,
    /// By the stream of events.
    Stream,
}

/// How a link ended.
#[derive(Debug)]
pub(super) enum End {
    /// It broke.
    Broken,
    /// The device wants something else.
    Wished,
    /// The sign-in is over.
    SignedOut(String),
    /// The server said goodbye for another reason.
    Bye,
}

pub(super) struct State {
    pub(super) wish: Wish,
    pub(super) shown: Shown,
    /// What was shown of accounts before.
    pub(super) before: Vec<Shown>,
    aside: BTreeMap<u64, Item>,
    joined: BTreeSet<String>,
    pub(super) outbox: VecDeque<Draft>,
    orders: VecDeque<(&'static str, Value)>,
    /// What was sent, in order, with what came of it.
    pub(super) sent: Vec<(Draft, Option<Outcome>)>,
    /// Chats in which something was refused for now, so that the order of what follows is the client's own fault.
    pub(super) reordered: BTreeSet<String>,
    pub(super) findings: Vec<(Broken, String)>,
    pub(super) trace: VecDeque<String>,
    lines: Vec<Arc<Line>>,
    random: Random,
}

/// See the file's head.
pub(super) struct Device {
    pub(super) name: String,
    /// What it calls itself when it polls.
    pub(super) uuid: String,
    pub(super) cast: Arc<Cast>,
    log: MemoryLog,
    breakage: Breakage,
    state: Mutex<State>,
    /// It has something to do.
    pub(super) woken: Notify,
    changes: watch::Sender<u64>,
}

/// Lines that a trace keeps.
const TRACE: usize = 60;

impl State {
    fn note(&mut self, what: String) {
        if self.trace.len() == TRACE {
            self.trace.pop_front();
        }
        self.trace.push_back(what);
    }
}

impl Device {
    pub(super) fn new(
        cast: &Arc<Cast>,
        log: &MemoryLog,
        (actor, number): (usize, usize),
        breakage: Breakage,
        mut random: Random,
    ) -> Arc<Self> {
        let wish = random.pick(&[Wish::Socket, Wish::Socket, Wish::Poll, Wish::Stream, Wish::Away]);
        let who = &cast.actors[actor];
        let state = State {
            wish,
            shown: Shown::of(actor),
            before: vec![],
            aside: BTreeMap::new(),
            joined: BTreeSet::new(),
            outbox: VecDeque::new(),
            orders: VecDeque::new(),
            sent: vec![],
            reordered: BTreeSet::new(),
            findings: vec![],
            trace: VecDeque::new(),
            lines: vec![],
            random: Random::new(random.number()),
        };
        Arc::new(Self {
            name: format!("{}/{}#{number}", who.tenant, who.name),
            uuid: uuid::Uuid::from_u64_pair(random.number(), random.number()).simple().to_string(),
            cast: Arc::clone(cast),
            log: log.clone(),
            breakage,
            state: Mutex::new(state),
            woken: Notify::new(),
            changes: watch::Sender::new(0),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Waits until something holds of it.
    pub(super) async fn until(&self, holds: impl Fn(&State) -> bool) {
        // The sender lives as long as `self`.
        let _ = self.changes.subscribe().wait_for(|_| holds(&self.state())).await;
    }

    /// Who uses it.
    pub(super) fn actor(&self) -> Actor {
        self.cast.actors[self.state().shown.actor].clone()
    }

    pub(super) fn note(&self, what: impl FnOnce() -> String) {
        self.state().note(what());
    }

    /// Notes a broken promise.
    pub(super) fn find(&self, what: String) {
        self.note_broken(Broken::Protocol, &what);
    }

    /// Notes that a link carried another item than the one that was next.
    pub(super) fn find_out_of_turn(&self, index: u64, next: u64, what: &str) {
        self.note_broken(if index > next { Broken::PassedOver } else { Broken::CarriedAgain }, what);
    }

    fn note_broken(&self, broken: Broken, what: &str) {
        self.state().findings.push((broken, format!("{}: {what}", self.name)));
        self.changed();
    }

    pub(super) fn wish(&self, wish: Wish) {
        self.state().wish = wish;
        self.woken.notify_one();
    }

    /// A number of the device's own.
    pub(super) fn below(&self, bound: usize) -> usize {
        self.state().random.below(bound)
    }

    /// Does something to the connections that are up.
    pub(super) fn lines(&self, act: impl Fn(&Line)) {
        self.state().lines.iter().for_each(|line| act(line));
    }

    /// Writes a message: it waits in the outbox until it is answered.
    pub(super) fn write(&self, draft: Draft) {
        {
            let mut state = self.state();
            state.sent.push((draft.clone(), None));
            state.outbox.push_back(draft);
        }
        self.woken.notify_one();
    }

    /// Gives an order that is lost with the link.
    pub(super) fn order(&self, kind: &'static str, fields: Value) {
        self.state().orders.push_back((kind, fields));
        self.woken.notify_one();
    }

    /// Asks again for what it may have already.
    pub(super) fn again(&self, after: u64, to: u64) {
        self.order("again", json!({"after": after, "to": to}));
    }

    /// The next order of the outbox, with how many messages may be under way at a time.
    pub(super) fn next(&self, under_way_max: usize) -> Option<(&'static str, Value)> {
        let mut state = self.state();
        if let Some(order) = state.orders.pop_front() {
            return Some(order);
        }
        if state.outbox.iter().filter(|draft| draft.is_sent).count() >= under_way_max {
            return None;
        }
        let State { outbox, joined, before, .. } = &mut *state;
        let was_theirs = |id: &str| {
            let chat = self.cast.chats.iter().find(|chat| chat.id == id);
            before.iter().any(|before| chat.is_some_and(|chat| chat.customer == Some(before.actor)))
        };
        // After a merge the chat is the new account's once its feed says so.
        let may_go = |draft: &Draft| !was_theirs(&draft.chat) || joined.contains(&draft.chat);
        let draft = outbox.iter_mut().find(|draft| !draft.is_sent && may_go(draft))?;
        draft.is_sent = true;
        draft.given_at = self.log.core().head();
        let fields = draft.fields();
        state.note(format!("gives {fields}"));
        if state.random.once_in(8) {
            state.orders.push_back(("send", fields.clone()));
        }
        Some(("send", fields))
    }

    /// A message was refused for good.
    pub(super) fn refused(&self, id: &str, code: String) {
        let given_at = self.state().outbox.iter().find(|draft| draft.id == id).map_or(CommitPosition(0), |draft| draft.given_at);
        self.answered(id, Outcome::Refused { code, given_at });
    }

    /// A message was answered.
    pub(super) fn answered(&self, id: &str, outcome: Outcome) {
        let mut state = self.state();
        state.note(format!("{id}: {outcome:?}"));
        state.outbox.retain(|draft| draft.id != id);
        let conflict = state.sent.iter_mut().find(|(draft, _)| draft.id == id).and_then(|(_, known)| match (&*known, &outcome) {
            (Some(Outcome::Acknowledged { seq, .. }), Outcome::Acknowledged { seq: again, .. }) => {
                (seq != again).then(|| format!("{id} was acknowledged at {seq}, then at {again}"))
            }
            (Some(Outcome::Acknowledged { seq, .. }), Outcome::Refused { code, .. }) => {
                Some(format!("{id} was acknowledged at {seq}, then refused: {code}"))
            }
            (None | Some(Outcome::Refused { .. }), _) => {
                *known = Some(outcome.clone());
                None
            }
        });
        drop(state);
        if let Some(conflict) = conflict {
            self.find(conflict);
        }
        self.changed();
        self.woken.notify_one();
    }

    /// A message can be posted later.
    pub(super) fn later(&self, id: &str) {
        let mut state = self.state();
        state.note(format!("{id}: later"));
        if let Some(draft) = state.outbox.iter_mut().find(|draft| draft.id == id) {
            draft.is_sent = false;
            let chat = draft.chat.clone();
            state.reordered.insert(chat);
        }
        drop(state);
        self.woken.notify_one();
    }

    /// Takes an item of its feed. Answers what to ask for when there is a gap.
    pub(super) fn take(&self, frame: &Value) -> Option<(u64, u64)> {
        let Some(item) = parse(frame) else {
            self.find(format!("no item: {frame}"));
            return None;
        };
        if frame["p"].as_u64() != Some(item.index - 1) {
            self.find(format!("item {} names {} as the one before", item.index, frame["p"]));
        }
        let mut state = self.state();
        let next = state.shown.cursor() + 1;
        if item.index < next {
            let known = &state.shown.items[usize::try_from(item.index - 1).unwrap_or(usize::MAX)];
            let different = (!known.is_same(&item)).then(|| format!("item {} was {known:?} and is {item:?}", item.index));
            drop(state);
            if let Some(different) = different {
                self.find(different);
            }
            return None;
        }
        if item.index > next {
            let to = item.index - 1;
            state.aside.insert(item.index, item);
            return Some((next - 1, to));
        }
        let mut following = Some(item);
        while let Some(item) = following {
            state.joined.extend(item.joined.clone());
            state.shown.items.push(item);
            let next = state.shown.cursor() + 1;
            following = state.aside.remove(&next);
        }
        drop(state);
        self.changed();
        self.woken.notify_one();
        None
    }

    /// Whether this frame comes twice, when that is to be noticed.
    pub(super) fn doubles(&self) -> bool {
        self.breakage == Breakage::Double && self.state().random.once_in(20)
    }

    /// The sign-in is over: a visitor goes on as the customer whom they turned out to be.
    fn signed_out(&self, why: &str) {
        let mut state = self.state();
        match self.cast.actors[state.shown.actor].part {
            Part::Visitor { into } => {
                let mut over = std::mem::replace(&mut state.shown, Shown::of(into));
                over.is_over = true;
                state.before.push(over);
                state.aside.clear();
                state.joined.clear();
                state.outbox.iter_mut().for_each(|draft| draft.is_sent = false);
            }
            Part::Customer | Part::Agent | Part::Supervisor => {
                state.wish = Wish::Away;
                drop(state);
                self.find(format!("signed out: {why}"));
            }
        }
    }

    /// Lives until it is dropped.
    pub(super) async fn run(self: Arc<Self>, net: Arc<Net>) {
        loop {
            let wish = self.state().wish;
            if wish == Wish::Away {
                self.woken.notified().await;
                continue;
            }
            net.up().await;
            self.state().outbox.iter_mut().for_each(|draft| draft.is_sent = false);
            self.state().orders.clear();
            let end = match wish {
                Wish::Away => End::Wished,
                Wish::Socket => socket::run(&self, &net).await,
                Wish::Poll => poll::run(&self, &net).await,
                Wish::Stream => stream::run(&self, &net).await,
            };
            self.note(|| format!("{wish:?} ended: {end:?}"));
            self.state().lines.clear();
            match end {
                End::SignedOut(why) => self.signed_out(&why),
                End::Broken | End::Wished | End::Bye => {}
            }
            tokio::task::yield_now().await;
        }
    }

    /// Connects once.
    pub(super) fn connect(&self, net: &Net) -> Option<super::net::Pipe> {
        let mut state = self.state();
        let (pipe, line) = net.connect(&mut state.random)?;
        state.lines.push(line);
        Some(pipe)
    }
}

/// What a `bye` means to a device.
pub(super) fn farewell(code: &str) -> End {
    match code {
        "expired" | "revoked" | "deactivated" | "superseded" | "unauthorized" => End::SignedOut(code.to_owned()),
        _ => End::Bye,
    }
}
