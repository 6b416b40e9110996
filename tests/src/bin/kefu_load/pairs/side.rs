//! One side of a pair: its socket from the first hello on.

use crate::error::LoadError;
use crate::frame::Opcode;
use crate::link::{self, Outbox, Reader, Transport};
use crate::stage::{Account, Stage};
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
    user: u128,
    reader: Reader,
    outbox: Outbox,
    last_index: u64,
}

/// What a side keeps while it talks.
pub struct Voice {
    /// Who.
    pub user: u128,
    /// Where its words leave.
    pub outbox: Outbox,
    /// The newest index it has.
    pub last_index: u64,
}

impl Side {
    /// Connects, says hello and waits for the welcome.
    pub async fn connect(stage: &Stage, transport: Transport, account: &Account) -> Result<Self, LoadError> {
        let token = stage.token(account).await?;
        let (mut reader, outbox) = link::connect(transport, stage.api.endpoint(), &token).await?;
        loop {
            while let Some((opcode, payload)) = reader.frame()? {
                match (opcode, wire::hear(payload)) {
                    (Opcode::Text, Heard::Welcome { head }) => {
                        return Ok(Self { user: account.user, reader, outbox, last_index: head });
                    }
                    (Opcode::Text, Heard::Bye { code }) => return Err(LoadError::Bye { code: String::from_utf8_lossy(code).into_owned() }),
                    _ => {}
                }
            }
            reader.fill().await?;
        }
    }

    /// Who.
    pub fn user(&self) -> u128 {
        self.user
    }

    /// Waits until the desk has given the chat's conversation to somebody; answers whom.
    pub async fn wait_for_agent(&mut self, chat: u128) -> Result<u128, LoadError> {
        self.wait(|item| if item.event == b"agent_assigned" && item.chat == Some(chat) { item.agent } else { None }).await
    }

    /// Waits until the chat is this agent's; answers under which assignment.
    pub async fn wait_for_chat(&mut self, chat: u128) -> Result<Option<u64>, LoadError> {
        self.wait(|item| (item.kind == b"joined" && item.chat == Some(chat)).then_some(item.assignment)).await
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
        (Voice { user: self.user, outbox: self.outbox, last_index: self.last_index }, self.reader)
    }
}
