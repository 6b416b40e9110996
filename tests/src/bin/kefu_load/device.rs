//! One device of an account: it stays connected, resumes by index, closes gaps, says what arrived, and sends again under the same
//! ids whatever was not acknowledged. What its feed brings goes to an [`Ear`].

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::error::LoadError;
use super::frame::Opcode;
use super::ids::Mint;
use super::link::{Outbox, Reader};
use super::report::Counts;
use super::stage::Account;
use super::stay::{Guest, Stay};
use super::wire::{self, Heard, Item, Position};

/// A busy server is left alone for so long.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// Receipts are held back for at most so long.
const RECEIPT_AFTER: Duration = Duration::from_millis(200);

/// Takes what a device's feed brings: each item once, in order.
pub trait Ear {
    /// The next item.
    fn take(&self, item: &Item<'_>, outbox: &Outbox, now: Instant);
}

/// What became of a message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is durable.
    Acked {
        /// The message's id.
        message: u128,
        /// Its place.
        seq: u64,
        /// Where it is in the log, or where it was repeated.
        position: Position,
        /// The order in which the device minted it; 0 if it was refused once, and so owes no order any more.
        order: u64,
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
    was_sent: bool,
    order: u64,
    verdict: oneshot::Sender<Verdict>,
}

/// A message that is on its way.
pub struct OnItsWay {
    /// Its client id.
    pub id: u128,
    /// Will tell what became of it.
    pub verdict: oneshot::Receiver<Verdict>,
}

/// See the file's head.
pub struct Device<E> {
    /// Whose it is.
    pub account: Rc<Account>,
    /// Who takes what comes.
    pub ear: E,
    stay: Stay,
    counts: Rc<RefCell<Counts>>,
    receive_every: u32,
    outbox: RefCell<Option<Outbox>>,
    online: Notify,
    last_index: Cell<u64>,
    welcomed: Cell<bool>,
    unreceived: Cell<u32>,
    orders: Cell<u64>,
    unacked: RefCell<BTreeMap<u64, Unacked>>,
    mint: RefCell<Mint>,
    task: RefCell<Option<JoinHandle<()>>>,
}

impl<E: Ear + 'static> Device<E> {
    /// A device appears, and stays connected from now on.
    pub fn appear(stay: Stay, account: Rc<Account>, counts: Rc<RefCell<Counts>>, receive_every: u32, ear: E) -> Rc<Self> {
        let device = Rc::new(Self {
            account,
            ear,
            stay,
            counts,
            receive_every,
            outbox: RefCell::default(),
            online: Notify::new(),
            last_index: Cell::new(0),
            welcomed: Cell::new(false),
            unreceived: Cell::new(0),
            orders: Cell::new(0),
            unacked: RefCell::default(),
            mint: RefCell::new(Mint::seeded()),
            task: RefCell::default(),
        });
        device.come_back();
        device
    }

    /// Connects again after [`Self::leave`].
    pub fn come_back(self: &Rc<Self>) {
        let device = Rc::clone(self);
        let task = tokio::task::spawn_local(async move {
            let _: std::convert::Infallible = device.stay.connected(&*device, None).await;
        });
        *self.task.borrow_mut() = Some(task);
    }

    /// Goes away without a word.
    pub fn leave(&self) {
        if let Some(task) = self.task.borrow_mut().take() {
            task.abort();
        }
        self.outbox.borrow_mut().take();
        if let Some(line) = self.stay.line() {
            line.end();
        }
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

    /// Whether it is connected and welcome.
    pub fn is_online(&self) -> bool {
        self.outbox.borrow().is_some()
    }

    /// What is done to its connection.
    pub fn stay(&self) -> &Stay {
        &self.stay
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
        let outbox = self.outbox.borrow();
        if let Some(outbox) = outbox.as_ref() {
            outbox.push(|out| out.extend_from_slice(&frame));
            self.receipt(outbox);
            outbox.flush();
        }
        self.unacked.borrow_mut().insert(order, Unacked { id, frame, was_sent: outbox.is_some(), order, verdict });
        OnItsWay { id, verdict: receiver }
    }

    fn hear(&self, payload: &[u8], outbox: &Outbox, now: Instant) -> Result<(), LoadError> {
        match wire::hear(payload) {
            Heard::Welcome { head } => self.welcome(head, outbox),
            Heard::Ack { id, message, seq, position } => {
                self.decided(id, |unacked| Verdict::Acked { message, seq, position, order: unacked.order });
            }
            Heard::Nack { id: Some(id), code, retry } => self.refused(id, &String::from_utf8_lossy(code), retry, outbox),
            Heard::Nack { id: None, code, .. } => {
                self.counts.borrow_mut().error(format!("nack_{}", String::from_utf8_lossy(code)));
            }
            Heard::Item(item) => self.take(&item, outbox, now),
            Heard::Bye { code } => return Err(LoadError::Bye { code: String::from_utf8_lossy(code).into_owned() }),
            Heard::Signal => {}
        }
        Ok(())
    }

    fn welcome(&self, head: u64, outbox: &Outbox) {
        if !self.welcomed.replace(true) {
            self.last_index.set(head);
        } else {
            self.counts.borrow_mut().reconnects += 1;
            // A device that has nothing yet cannot resume after 0, which means the head: it asks for the range.
            if self.last_index.get() == 0 && head > 0 {
                outbox.ask_range(0, head);
            }
        }
        let mut again = 0;
        for message in self.unacked.borrow_mut().values_mut() {
            outbox.push(|out| out.extend_from_slice(&message.frame));
            again += u64::from(std::mem::replace(&mut message.was_sent, true));
        }
        self.counts.borrow_mut().resent += again;
        *self.outbox.borrow_mut() = Some(outbox.clone());
        self.online.notify_waiters();
        self.online.notify_one();
    }

    fn decided(&self, id: u128, verdict: impl FnOnce(&Unacked) -> Verdict) {
        let mut unacked = self.unacked.borrow_mut();
        let place = unacked.iter().find(|(_, message)| message.id == id).map(|(place, _)| *place);
        if let Some(message) = place.and_then(|place| unacked.remove(&place)) {
            let verdict = verdict(&message);
            // Whoever waited may have given up.
            let _ = message.verdict.send(verdict);
        }
    }

    fn refused(&self, id: u128, code: &str, retry: bool, outbox: &Outbox) {
        self.counts.borrow_mut().error(format!("nack_{code}"));
        if !retry {
            return self.decided(id, |_| Verdict::Refused { code: code.to_owned() });
        }
        let mut unacked = self.unacked.borrow_mut();
        let Some(message) = unacked.values_mut().find(|message| message.id == id) else { return };
        message.order = 0;
        self.counts.borrow_mut().resent += 1;
        // If the connection is lost meanwhile this goes nowhere, and the next welcome sends it.
        let (outbox, frame) = (outbox.clone(), message.frame.clone());
        tokio::task::spawn_local(async move {
            tokio::time::sleep(RETRY_AFTER).await;
            outbox.push(|out| out.extend_from_slice(&frame));
            outbox.flush();
        });
    }

    fn take(&self, item: &Item<'_>, outbox: &Outbox, now: Instant) {
        let last = self.last_index.get();
        if item.index <= last {
            return;
        }
        if item.index > last + 1 {
            self.counts.borrow_mut().gaps += 1;
            outbox.ask_range(last, item.index);
            return;
        }
        self.last_index.set(item.index);
        self.unreceived.set(self.unreceived.get() + 1);
        self.ear.take(item, outbox, now);
    }
}

impl<E: Ear + 'static> Guest for Device<E> {
    fn account(&self) -> &Account {
        &self.account
    }

    fn after(&self) -> u64 {
        self.last_index.get()
    }

    fn hear_all(&self, reader: &mut Reader, outbox: &Outbox) -> Result<(), LoadError> {
        let now = Instant::now();
        while let Some((opcode, payload)) = reader.frame()? {
            match opcode {
                Opcode::Text => self.hear(payload, outbox, now)?,
                Opcode::Ping => outbox.pong(payload),
                Opcode::Pong => {}
                Opcode::Close => return Err(LoadError::Bye { code: "close".into() }),
            }
        }
        if self.unreceived.get() >= self.receive_every {
            self.receipt(outbox);
        }
        outbox.flush();
        Ok(())
    }

    fn lost(&self) -> bool {
        self.outbox.borrow_mut().take().is_some()
    }

    fn counts(&self) -> &RefCell<Counts> {
        &self.counts
    }

    fn receipt_within(&self) -> Option<Duration> {
        (self.unreceived.get() > 0).then_some(RECEIPT_AFTER)
    }

    fn receipt(&self, outbox: &Outbox) {
        if self.unreceived.take() > 0 {
            let index = self.last_index.get();
            outbox.push(|out| wire::receive(out, index));
        }
    }
}
