//! One device in a crowd: a task that hears what comes, answers pings, and notes how far its feed is.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::error::LoadError;
use crate::frame::Opcode;
use crate::socket::{self, Outbox, Reader};
use crate::stage::{Account, Part, Stage};
use crate::wire::{self, Heard};

/// Sockets that are opened at a time while a crowd gathers.
const AT_A_TIME: usize = 256;

/// What a device has heard.
#[derive(Default)]
pub struct Heed {
    /// The newest index.
    pub index: Cell<u64>,
    /// Client ids of the messages that came, in their order.
    pub messages: RefCell<Vec<u128>>,
    /// Items that did not follow the one before.
    pub gaps: Cell<u64>,
    /// Items that had come before.
    pub doubled: Cell<u64>,
    /// Acks that came: the ids of what was sent.
    pub acks: RefCell<Vec<u128>>,
    /// Why it ended.
    pub ended: RefCell<Option<String>>,
    /// Whether the welcome came.
    pub welcome: Cell<bool>,
    /// Rung at every frame.
    pub heard: Notify,
}

/// A device that is connected.
pub struct Device {
    /// What it has heard.
    pub heed: Rc<Heed>,
    /// Where its words leave.
    pub outbox: Rc<Outbox>,
    task: JoinHandle<()>,
}

impl Drop for Device {
    fn drop(&mut self) {
        // The socket closes with its reader.
        self.task.abort();
    }
}

impl Device {
    /// Connects and says hello after an index; what the device heard before goes on.
    pub async fn connect(stage: &Stage, account: &Account, heed: Rc<Heed>) -> Result<Self, LoadError> {
        let token = stage.token(account).await?;
        let (reader, outbox) = socket::connect(stage.api.endpoint()).await?;
        let after = heed.index.get();
        outbox.push(|out| wire::hello(out, &token, after));
        outbox.flush();
        let task = tokio::task::spawn_local(listen(reader, Rc::clone(&outbox), Rc::clone(&heed)));
        Ok(Self { heed, outbox, task })
    }

    /// Waits until something about what was heard is so.
    pub async fn until(&self, patience: Duration, so: impl Fn(&Heed) -> bool) -> Result<(), LoadError> {
        let until = tokio::time::Instant::now() + patience;
        loop {
            let heard = self.heed.heard.notified();
            if so(&self.heed) {
                return Ok(());
            }
            if let Some(code) = self.heed.ended.borrow().clone() {
                return Err(LoadError::Bye { code });
            }
            if tokio::time::timeout_at(until, heard).await.is_err() {
                return Err(LoadError::Protocol { what: "a device waited in vain" });
            }
        }
    }
}

async fn listen(mut reader: Reader, outbox: Rc<Outbox>, heed: Rc<Heed>) {
    let ended = loop {
        if let Err(error) = hear_all(&mut reader, &outbox, &heed) {
            break error;
        }
        heed.heard.notify_waiters();
        if let Err(error) = reader.fill().await {
            break error;
        }
    };
    *heed.ended.borrow_mut() = Some(ended.to_string());
    heed.heard.notify_waiters();
}

fn hear_all(reader: &mut Reader, outbox: &Rc<Outbox>, heed: &Heed) -> Result<(), LoadError> {
    while let Some((opcode, payload)) = reader.frame()? {
        match opcode {
            Opcode::Text => match wire::hear(payload) {
                Heard::Welcome { head } => {
                    heed.welcome.set(true);
                    // Whoever begins now has everything before.
                    if heed.index.get() == 0 {
                        heed.index.set(head);
                    }
                }
                Heard::Item(item) => {
                    let index = heed.index.get();
                    if item.index <= index {
                        heed.doubled.set(heed.doubled.get() + 1);
                    } else {
                        heed.gaps.set(heed.gaps.get() + u64::from(item.index > index + 1));
                        heed.index.set(item.index);
                        heed.messages.borrow_mut().extend(item.message.and_then(|message| message.client_id));
                    }
                }
                Heard::Ack { id, .. } => heed.acks.borrow_mut().push(id),
                Heard::Bye { code } => return Err(LoadError::Bye { code: String::from_utf8_lossy(code).into_owned() }),
                Heard::Nack { code, .. } => return Err(LoadError::Bye { code: String::from_utf8_lossy(code).into_owned() }),
                Heard::Signal => {}
            },
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

/// Makes customers.
pub async fn customers(stage: &Stage, count: u32) -> Result<Vec<Account>, LoadError> {
    stage.people((1..=count).map(|nth| Part::Customer { name: format!("customer-{nth}") }).collect()).await
}

/// Connects one device of each, some at a time, and waits until each is welcome.
pub async fn gather(stage: &Stage, accounts: &[Account], patience: Duration) -> Result<Vec<Device>, LoadError> {
    let begun = Instant::now();
    let connect = |account| async move {
        let device = Device::connect(stage, account, Rc::default()).await?;
        device.until(patience, |heed| heed.welcome.get()).await?;
        Ok::<_, LoadError>(device)
    };
    let devices: Vec<Device> = stream::iter(accounts).map(connect).buffered(AT_A_TIME).try_collect().await?;
    eprintln!("crowd: {} devices connected in {:.1} s", devices.len(), begun.elapsed().as_secs_f64());
    Ok(devices)
}
