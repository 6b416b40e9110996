//! A crowd: customers with a device each, and what a device of a crowd remembers of what it heard.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::Notify;

use crate::args::TargetArgs;
use crate::chaos::Chaos;
use crate::device::{Device, Ear};
use crate::error::LoadError;
use crate::link::{Outbox, Transport};
use crate::report::Counts;
use crate::stage::{Account, Part, Stage};
use crate::stay::Stay;
use crate::wire::Item;

/// Sockets that are opened at a time while a crowd gathers as fast as it can.
const AT_A_TIME: usize = 256;

/// What a device has heard.
#[derive(Default)]
pub struct Heed {
    /// Client ids of the messages that came, in their order.
    messages: RefCell<Vec<u128>>,
    known: RefCell<HashSet<u128>>,
    doubled: Cell<u64>,
    heard: Notify,
}

impl Ear for Heed {
    fn take(&self, item: &Item<'_>, _: &Outbox, _: Instant) {
        let Some(id) = item.message.as_ref().and_then(|message| message.client_id) else { return };
        self.messages.borrow_mut().push(id);
        if !self.known.borrow_mut().insert(id) {
            self.doubled.set(self.doubled.get() + 1);
        }
        self.heard.notify_waiters();
    }
}

impl Heed {
    /// Messages that came, in their order.
    pub fn messages(&self) -> Vec<u128> {
        self.messages.borrow().clone()
    }

    /// How many messages came.
    pub fn count(&self) -> usize {
        self.messages.borrow().len()
    }

    /// How many came under more than one index.
    pub fn doubled(&self) -> u64 {
        self.doubled.get()
    }

    /// Waits until a message has come.
    pub async fn until(&self, patience: Duration, id: u128) -> Result<(), LoadError> {
        let until = tokio::time::Instant::now() + patience;
        loop {
            let heard = self.heard.notified();
            if self.known.borrow().contains(&id) {
                return Ok(());
            }
            if tokio::time::timeout_at(until, heard).await.is_err() {
                return Err(LoadError::Protocol { what: "a device waited in vain" });
            }
        }
    }
}

/// A device of a crowd.
pub type Member = Device<Heed>;

/// What all devices of a crowd share.
pub struct Crowd<'a> {
    /// The tenant and the API.
    pub stage: Rc<Stage>,
    /// What goes wrong on purpose.
    pub chaos: Rc<Chaos>,
    /// Everything that is counted.
    pub counts: Rc<RefCell<Counts>>,
    /// Where and how patiently.
    pub target: &'a TargetArgs,
}

impl<'a> Crowd<'a> {
    /// A crowd of so many devices on a new stage.
    pub async fn new(target: &'a TargetArgs, devices: usize) -> Result<Self, LoadError> {
        let chaos = Chaos::new(target, devices)?;
        Ok(Self { stage: Rc::new(Stage::set(target, 1).await?), chaos, counts: Rc::default(), target })
    }

    /// Makes customers.
    pub async fn customers(&self, count: u32) -> Result<Vec<Rc<Account>>, LoadError> {
        let people = (1..=count).map(|nth| Part::Customer { name: format!("customer-{nth}") }).collect();
        Ok(self.stage.people(people).await?.into_iter().map(Rc::new).collect())
    }

    /// A device of somebody, which connects.
    pub fn device(&self, account: &Rc<Account>) -> Rc<Member> {
        let stay = Stay::new(&self.stage, Transport::Socket, &self.chaos);
        Device::appear(stay, Rc::clone(account), Rc::clone(&self.counts), self.target.receive_every, Heed::default())
    }

    /// Connects one device of each and waits until each is welcome: some at a time, or so many a second. What is counted as
    /// latency begins when a connection was due.
    pub async fn gather(&self, accounts: &[Rc<Account>], rate: Option<f64>) -> Result<Vec<Rc<Member>>, LoadError> {
        let begun = Instant::now();
        let connect = |(nth, account)| async move {
            let due = due(begun, nth, rate).await;
            let device = self.device(account);
            device.connected(self.target.stall()).await?;
            self.counts.borrow_mut().latency.record(due.elapsed());
            Ok::<_, LoadError>(device)
        };
        let at_a_time = if rate.is_some() { accounts.len() } else { AT_A_TIME };
        let devices: Vec<_> = stream::iter(accounts.iter().enumerate()).map(connect).buffered(at_a_time).try_collect().await?;
        eprintln!("crowd: {} devices connected in {:.1} s", devices.len(), begun.elapsed().as_secs_f64());
        Ok(devices)
    }
}

/// Waits until the nth of something is due, which is now without a rate; answers when that was.
pub async fn due(begun: Instant, nth: usize, rate: Option<f64>) -> Instant {
    let Some(rate) = rate else { return Instant::now() };
    let due = begun + Duration::from_secs_f64(nth as f64 / rate);
    tokio::time::sleep_until(due.into()).await;
    due
}
