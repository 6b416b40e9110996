//! One side of a pair: its connection from the first hello on.

use std::rc::Rc;

use super::talk::Pair;
use crate::chaos::Chaos;
use crate::error::LoadError;
use crate::frame::Opcode;
use crate::link::{Outbox, Reader, Transport};
use crate::report::Counts;
use crate::stage::{Account, Stage};
use crate::stay::{Guest, Stay};
use crate::wire::{self, Heard, Item};

/// Which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Asks.
    Customer,
    /// Answers.
    Agent,
}

/// A side that is connected and signed in.
pub struct Side {
    account: Rc<Account>,
    stay: Stay,
    reader: Reader,
    outbox: Outbox,
    last_index: u64,
}

/// What a side keeps while it talks.
pub struct Voice {
    /// Who.
    pub account: Rc<Account>,
    /// How it stays connected.
    pub stay: Rc<Stay>,
    /// Where its words leave, while it is connected.
    pub outbox: Option<Outbox>,
    /// The newest index it has.
    pub last_index: u64,
}

impl Side {
    /// Connects, says hello and waits for the welcome.
    pub async fn connect(stage: &Rc<Stage>, transport: Transport, chaos: &Rc<Chaos>, account: &Rc<Account>) -> Result<Self, LoadError> {
        let stay = Stay::new(stage, transport, chaos);
        let (mut reader, outbox) = stay.connect(account, 0).await?;
        loop {
            while let Some((opcode, payload)) = reader.frame()? {
                match (opcode, wire::hear(payload)) {
                    (Opcode::Text, Heard::Welcome { head }) => {
                        return Ok(Self { account: Rc::clone(account), stay, reader, outbox, last_index: head });
                    }
                    (Opcode::Text, Heard::Bye { code }) => return Err(LoadError::Bye { code: String::from_utf8_lossy(code).into_owned() }),
                    _ => {}
                }
            }
            reader.fill().await?;
        }
    }

    /// Waits until the desk has given the chat's conversation to somebody; to whom, customers are not told.
    pub async fn wait_for_agent(&mut self, chat: u128) -> Result<(), LoadError> {
        self.wait(|item| (item.event == b"agent_assigned" && item.chat == Some(chat)).then_some(())).await
    }

    /// Waits until a chat is this agent's; answers which, and under which assignment.
    pub async fn wait_for_chat(&mut self) -> Result<(u128, Option<u64>), LoadError> {
        self.wait(|item| item.chat.filter(|_| item.kind == b"joined").map(|chat| (chat, item.assignment))).await
    }

    async fn wait<T>(&mut self, mut wanted: impl FnMut(&Item<'_>) -> Option<T>) -> Result<T, LoadError> {
        loop {
            while let Some((opcode, payload)) = self.reader.frame()? {
                if opcode == Opcode::Ping {
                    self.outbox.pong(payload);
                    self.outbox.flush();
                }
                match wire::hear(payload) {
                    Heard::Item(item) if opcode == Opcode::Text => {
                        self.last_index = self.last_index.max(item.index);
                        if let Some(found) = wanted(&item) {
                            return Ok(found);
                        }
                    }
                    Heard::Bye { code } => return Err(LoadError::Bye { code: String::from_utf8_lossy(code).into_owned() }),
                    Heard::Item(_) | Heard::Welcome { .. } | Heard::Ack { .. } | Heard::Nack { .. } | Heard::Signal => {}
                }
            }
            self.reader.fill().await?;
        }
    }

    /// Takes it apart for talking.
    pub fn split(self) -> (Voice, Reader) {
        let Self { account, stay, reader, outbox, last_index } = self;
        (Voice { account, stay: Rc::new(stay), outbox: Some(outbox), last_index }, reader)
    }
}

/// A side's place in its pair, for as long as the pair talks.
pub struct Seat {
    /// The pair.
    pub pair: Rc<Pair>,
    /// The side.
    pub role: Role,
    /// Who sits there.
    pub account: Rc<Account>,
}

impl Guest for Seat {
    fn account(&self) -> &Account {
        &self.account
    }

    fn after(&self) -> u64 {
        self.pair.last_index(self.role)
    }

    fn hear_all(&self, reader: &mut Reader, outbox: &Outbox) -> Result<(), LoadError> {
        self.pair.hear_all(self.role, reader, outbox)
    }

    fn lost(&self) -> bool {
        self.pair.lost(self.role)
    }

    fn counts(&self) -> &std::cell::RefCell<Counts> {
        self.pair.counts()
    }
}
