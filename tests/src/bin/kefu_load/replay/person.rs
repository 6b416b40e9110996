//! One account of a replay: what its feed brings goes to what is known of the chats.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::{Rc, Weak};
use std::time::Instant;

use super::World;
use super::chats::Serving;
use crate::chaos::Chaos;
use crate::device::{Device, Ear};
use crate::ledger::ReaderRole;
use crate::link::{Outbox, Transport};
use crate::stage::Account;
use crate::stay::Stay;
use crate::wire::{self, Item};

/// Every so many messages that come in are read.
const READ_EVERY: u64 = 10;

/// An account with its device.
pub type Person = Device<Listener>;

/// See the file's head.
pub struct Listener {
    /// As what.
    pub role: ReaderRole,
    /// Every chat that their feed has named.
    pub chats: RefCell<BTreeSet<u128>>,
    user: u128,
    got: Cell<u64>,
    world: Weak<World>,
}

impl Person {
    /// Somebody enters the stage, and stays connected from now on.
    pub fn enter(world: &Rc<World>, chaos: &Rc<Chaos>, account: Account, role: ReaderRole) -> Rc<Self> {
        let stay = Stay::new(&world.stage, Transport::Socket, chaos);
        let listener = Listener { role, chats: RefCell::default(), user: account.user, got: Cell::new(0), world: Rc::downgrade(world) };
        Self::appear(stay, Rc::new(account), Rc::clone(&world.counts), world.receive_every, listener)
    }
}

impl Ear for Listener {
    fn take(&self, item: &Item<'_>, outbox: &Outbox, now: Instant) {
        let (Some(id), Some(world)) = (item.chat, self.world.upgrade()) else { return };
        self.chats.borrow_mut().insert(id);
        let (chat, user) = (world.chats.get(id), self.user);
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
