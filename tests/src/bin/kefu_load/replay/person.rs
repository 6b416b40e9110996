//! One account with its socket: it reconnects after every loss, resumes by index, and sends again under the same ids whatever was
//! not acknowledged.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use super::World;
use super::chats::Serving;
use crate::error::LoadError;
use crate::frame::Opcode;
use crate::ids::Mint;
use crate::ledger::ReaderRole;
use crate::socket::{self, Outbox, Reader};
use crate::stage::Account;
use crate::wire::{self, Heard, Item, Position};

/// Pause before connecting again; doubles up to the second one.
const RECONNECT: Duration = Duration::from_millis(10);
const RECONNECT_MAX: Duration = Duration::from_millis(500);
/// A busy server is left alone for so long.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// Receipts are held back for at most so long.
const RECEIPT_AFTER: Duration = Duration::from_millis(200);
/// Every so many messages that come in are read.
const READ_EVERY: u64 = 10;

/// What became of a message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is durable.
    Acked {
        /// The message's id.
        message: u128,
        /// Its place.
        seq: u64,
        /// Where it is in the log.
        position: Position,
    },
    /// It was refused for good.
    Refused {
        /// Why.
        code: String,
    },
}

struct Unacked {
    id: u128,
    frame: Vec<u8>,
    verdict: oneshot::Sender<Verdict>,
}

/// See the file's head.
pub struct Person {
    /// Who.
    pub account: Account,
    /// As what.
    pub role: ReaderRole,
    /// Every chat that their feed has named.
    pub chats: RefCell<BTreeSet<u128>>,
    outbox: RefCell<Option<Rc<Outbox>>>,
    online: Notify,
    last_index: Cell<u64>,
    welcomed: Cell<bool>,
    unreceived: Cell<u32>,
    got: Cell<u64>,
    orders: Cell<u64>,
    unacked: RefCell<BTreeMap<u64, Unacked>>,
    mint: RefCell<Mint>,
    world: Weak<World>,
}

/// A message that is on its way.
pub struct OnItsWay {
    /// Its client id.
    pub id: u128,
    /// The order in which its sender minted it.
    pub order: u64,
    /// When it was sent first.
    pub since: Instant,
    /// Will tell what became of it.
    pub verdict: oneshot::Receiver<Verdict>,
}

impl Person {
    /// Somebody appears, and stays connected from now on.
    pub fn appear(world: &Rc<World>, account: Account, role: ReaderRole) -> Rc<Self> {
        let person = Rc::new(Self {
            account,
            role,
            chats: RefCell::default(),
            outbox: RefCell::default(),
            online: Notify::new(),
            last_index: Cell::new(0),
            welcomed: Cell::new(false),
            unreceived: Cell::new(0),
            got: Cell::new(0),
            orders: Cell::new(0),
            unacked: RefCell::default(),
            mint: RefCell::new(Mint::seeded()),
            world: Rc::downgrade(world),
        });
        tokio::task::spawn_local(Rc::clone(&person).stay_connected());
        person
    }

    /// Waits until the first hello was answered.
    pub async fn connected(&self, patience: Duration) -> Result<(), LoadError> {
        let welcomed = async {
            while !self.welcomed.get() {
                self.online.notified().await;
            }
        };
        let never = LoadError::Protocol { what: "the server never answered hello" };
        tokio::time::timeout(patience, welcomed).await.map_err(|_| never)
    }

    /// Sends a message, at once if connected, and again after every loss until it is acked or refused for good.
    pub fn send(&self, chat: u128, text: &str, assignment: Option<u64>) -> OnItsWay {
        let id = self.mint.borrow_mut().uuid_v7();
        let order = self.orders.get() + 1;
        self.orders.set(order);
        let mut frame = Vec::with_capacity(text.len() + 160);
        let content = serde_json::Value::from(text).to_string();
        wire::send(&mut frame, id, chat, content.as_bytes(), assignment);
        let (verdict, receiver) = oneshot::channel();
        if let Some(outbox) = self.outbox.borrow().as_ref() {
            outbox.push(|out| out.extend_from_slice(&frame));
            self.receipt(outbox);
            outbox.flush();
        }
        self.unacked.borrow_mut().insert(order, Unacked { id, frame, verdict });
        OnItsWay { id, order, since: Instant::now(), verdict: receiver }
    }

    async fn stay_connected(self: Rc<Self>) {
        let mut pause = RECONNECT;
        loop {
            let Some(world) = self.world.upgrade() else { return };
            let welcomed_before = self.welcomed.get();
            let ended = self.session(&world).await;
            let was_online = self.outbox.borrow_mut().take().is_some();
            if let Err(error) = ended {
                self.note(&world, &error, welcomed_before || was_online).await;
            }
            if was_online {
                pause = RECONNECT;
            }
            drop(world);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RECONNECT_MAX);
        }
    }

    /// A lost connection is no error of the server's by itself; being sent away is.
    async fn note(&self, world: &World, error: &LoadError, established: bool) {
        let sent_away = if let LoadError::Bye { code } = error { Some(code.as_str()) } else { None };
        if matches!(sent_away, Some("expired" | "revoked" | "unauthorized")) {
            world.stage.renew(&self.account).await;
        }
        let lost = matches!(error, LoadError::Socket(_) | LoadError::Unreachable { .. } | LoadError::HandshakeRefused { .. });
        let expected = (established && lost) || matches!(sent_away, Some("expired" | "shutdown" | "close"));
        if !expected {
            world.counts.borrow_mut().error(error.kind());
        }
    }

    /// One connection from hello to its end.
    async fn session(&self, world: &World) -> Result<(), LoadError> {
        let token = world.stage.token(&self.account).await?;
        let (mut reader, outbox) = socket::connect(world.stage.api.endpoint()).await?;
        outbox.push(|out| wire::hello(out, &token, self.last_index.get()));
        outbox.flush();
        loop {
            self.hear_all(world, &mut reader, &outbox)?;
            if self.unreceived.get() == 0 {
                reader.fill().await?;
            } else if let Ok(filled) = tokio::time::timeout(RECEIPT_AFTER, reader.fill()).await {
                filled?;
            } else {
                self.receipt(&outbox);
                outbox.flush();
            }
        }
    }

    fn receipt(&self, outbox: &Outbox) {
        if self.unreceived.take() > 0 {
            outbox.push(|out| wire::receive(out, self.last_index.get()));
        }
    }

    fn hear_all(&self, world: &World, reader: &mut Reader, outbox: &Rc<Outbox>) -> Result<(), LoadError> {
        let now = Instant::now();
        while let Some((opcode, payload)) = reader.frame()? {
            match opcode {
                Opcode::Text => self.hear(world, payload, outbox, now)?,
                Opcode::Ping => outbox.pong(payload),
                Opcode::Pong => {}
                Opcode::Close => return Err(LoadError::Bye { code: "close".into() }),
            }
        }
        if self.unreceived.get() >= world.receive_every {
            self.receipt(outbox);
        }
        outbox.flush();
        Ok(())
    }

    fn hear(&self, world: &World, payload: &[u8], outbox: &Rc<Outbox>, now: Instant) -> Result<(), LoadError> {
        match wire::hear(payload) {
            Heard::Welcome { head } => self.welcome(world, head, outbox),
            Heard::Ack { id, message, seq, position } => self.decided(id, Verdict::Acked { message, seq, position }),
            Heard::Nack { id: Some(id), code, retry } => self.refused(world, id, String::from_utf8_lossy(code).into_owned(), retry, outbox),
            Heard::Nack { id: None, code, .. } => {
                world.counts.borrow_mut().error(format!("nack_{}", String::from_utf8_lossy(code)));
            }
            Heard::Item(item) => self.take(world, &item, outbox, now),
            Heard::Bye { code } => return Err(LoadError::Bye { code: String::from_utf8_lossy(code).into_owned() }),
            Heard::Signal => {}
        }
        Ok(())
    }

    fn welcome(&self, world: &World, head: u64, outbox: &Rc<Outbox>) {
        if !self.welcomed.replace(true) {
            self.last_index.set(head);
        } else {
            world.counts.borrow_mut().reconnects += 1;
            // A device that has nothing yet cannot resume after 0, which means the head: it asks for the range.
            if self.last_index.get() == 0 && head > 0 {
                outbox.push(|out| wire::range(out, 0, head));
            }
        }
        let unacked = self.unacked.borrow();
        for message in unacked.values() {
            outbox.push(|out| out.extend_from_slice(&message.frame));
        }
        world.counts.borrow_mut().resent += unacked.len() as u64;
        *self.outbox.borrow_mut() = Some(Rc::clone(outbox));
        self.online.notify_waiters();
        self.online.notify_one();
    }

    fn decided(&self, id: u128, verdict: Verdict) {
        let mut unacked = self.unacked.borrow_mut();
        let order = unacked.iter().find(|(_, message)| message.id == id).map(|(order, _)| *order);
        if let Some(message) = order.and_then(|order| unacked.remove(&order)) {
            // Whoever waited may have given up.
            let _ = message.verdict.send(verdict);
        }
    }

    fn refused(&self, world: &World, id: u128, code: String, retry: bool, outbox: &Rc<Outbox>) {
        world.counts.borrow_mut().error(format!("nack_{code}"));
        if !retry {
            return self.decided(id, Verdict::Refused { code });
        }
        let frame = self.unacked.borrow().values().find(|message| message.id == id).map(|message| message.frame.clone());
        let Some(frame) = frame else { return };
        world.counts.borrow_mut().resent += 1;
        // If the connection is lost meanwhile this goes nowhere, and the next welcome sends it.
        let outbox = Rc::clone(outbox);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(RETRY_AFTER).await;
            outbox.push(|out| out.extend_from_slice(&frame));
            outbox.flush();
        });
    }

    fn take(&self, world: &World, item: &Item<'_>, outbox: &Outbox, now: Instant) {
        let last = self.last_index.get();
        if item.index <= last {
            return;
        }
        if item.index > last + 1 {
            world.counts.borrow_mut().gaps += 1;
            outbox.push(|out| wire::range(out, last, item.index));
            return;
        }
        self.last_index.set(item.index);
        self.unreceived.set(self.unreceived.get() + 1);
        let Some(id) = item.chat else { return };
        self.chats.borrow_mut().insert(id);
        let (chat, user) = (world.chats.get(id), self.account.user);
        match (item.kind, self.role) {
            (b"message", _) => {
                let Some(message) = &item.message else { return };
                if let Some(client_id) = message.client_id {
                    chat.saw(client_id, user, (message.seq, item.position), now);
                }
                self.got.set(self.got.get() + 1);
                if self.got.get().is_multiple_of(READ_EVERY) {
                    outbox.push(|out| wire::read(out, id, message.seq));
                }
            }
            (b"joined", ReaderRole::Agent) => {
                chat.joined(Serving { agent: user, assignment: item.assignment, since: item.position });
            }
            (b"member_left", ReaderRole::Agent) if item.user.is_none_or(|left| left == user) => chat.left(user),
            (b"conversation", ReaderRole::Customer) if item.event == b"closed" => {
                if let Some(conversation) = item.conversation {
                    chat.closed(conversation);
                }
            }
            _ => {}
        }
    }
}
