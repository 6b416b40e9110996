//! What both sides have seen of each chat, as their sockets bring it, and waiting for something to be seen.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::wire::Position;

/// All chats, by id; one is made when anybody first hears of it.
#[derive(Default)]
pub struct Chats(RefCell<HashMap<u128, Rc<Chat>>>);

impl Chats {
    /// One chat.
    pub fn get(&self, id: u128) -> Rc<Chat> {
        Rc::clone(self.0.borrow_mut().entry(id).or_default())
    }
}

/// One chat.
#[derive(Default)]
pub struct Chat {
    seen: RefCell<Seen>,
    changed: Notify,
}

/// An agent who is a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serving {
    /// Who.
    pub agent: u128,
    /// By which decision of the desk.
    pub assignment: Option<u64>,
    /// Since when.
    pub since: Position,
}

/// What is known of a chat.
#[derive(Default)]
pub struct Seen {
    members: Vec<Serving>,
    closed: HashSet<u128>,
    /// Messages on their way: who has them, and since when.
    arrived: HashMap<u128, Vec<(u128, Instant)>>,
    /// Where they lie in the log, as their items say: the ack of a repeated message may name a later position.
    places: HashMap<u128, Position>,
    last_seq: u64,
}

impl Seen {
    /// The agent who serves: the desk's newest decision.
    pub fn serving(&self) -> Option<Serving> {
        self.members.iter().copied().max_by_key(|member| member.assignment)
    }

    /// Whether the customer has seen the end of a conversation.
    pub fn is_closed(&self, conversation: u128) -> bool {
        self.closed.contains(&conversation)
    }

    /// When a message arrived at somebody.
    pub fn arrival(&self, message: u128, at: u128) -> Option<Instant> {
        self.arrived.get(&message)?.iter().find(|(who, _)| *who == at).map(|(_, when)| *when)
    }

    /// Where a message on its way lies in the log, once anybody has its item.
    pub fn place_of(&self, message: u128) -> Option<Position> {
        self.places.get(&message).copied()
    }

    /// Whether a message on its way was posted before this position.
    pub fn was_posted_before(&self, message: u128, position: Position) -> bool {
        self.place_of(message).is_some_and(|place| place < position)
    }

    /// The newest place that anybody has seen.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }
}

impl Chat {
    /// An agent saw that they became a member.
    pub fn joined(&self, serving: Serving) {
        let mut seen = self.seen.borrow_mut();
        seen.members.retain(|member| member.agent != serving.agent);
        seen.members.push(serving);
        self.changed.notify_waiters();
    }

    /// An agent saw that they are no member any more.
    pub fn left(&self, agent: u128) {
        self.seen.borrow_mut().members.retain(|member| member.agent != agent);
        self.changed.notify_waiters();
    }

    /// The customer saw that a conversation ended.
    pub fn closed(&self, conversation: u128) {
        self.seen.borrow_mut().closed.insert(conversation);
        self.changed.notify_waiters();
    }

    /// A message is about to be sent: its arrivals matter from now on.
    pub fn expect(&self, message: u128) {
        self.seen.borrow_mut().arrived.insert(message, Vec::with_capacity(2));
    }

    /// A message is done with.
    pub fn forget(&self, message: u128) {
        let mut seen = self.seen.borrow_mut();
        seen.arrived.remove(&message);
        seen.places.remove(&message);
    }

    /// Somebody saw a message.
    pub fn saw(&self, message: u128, who: u128, (seq, position): (u64, Position), when: Instant) {
        let mut seen = self.seen.borrow_mut();
        seen.last_seq = seen.last_seq.max(seq);
        if let Some(arrivals) = seen.arrived.get_mut(&message) {
            arrivals.push((who, when));
            seen.places.insert(message, position);
            self.changed.notify_waiters();
        }
    }

    /// What is known now.
    pub fn now<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.borrow())
    }

    /// Waits until something is so; `None` if nothing new was seen for the whole time.
    pub async fn until<T>(&self, patience: Duration, mut look: impl FnMut(&Seen) -> Option<T>) -> Option<T> {
        loop {
            let changed = self.changed.notified();
            if let Some(found) = look(&self.seen.borrow()) {
                return Some(found);
            }
            tokio::time::timeout(patience, changed).await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serving(agent: u128, assignment: u64) -> Serving {
        Serving { agent, assignment: Some(assignment), since: Position::default() }
    }

    #[test]
    fn the_newest_decision_says_who_serves() {
        let chat = Chat::default();
        assert_eq!(chat.now(Seen::serving), None);
        chat.joined(serving(1, 5));
        chat.joined(serving(2, 7));
        chat.joined(serving(1, 6));
        assert_eq!(chat.now(Seen::serving).map(|serving| serving.agent), Some(2));
        chat.left(2);
        assert_eq!(chat.now(Seen::serving).map(|serving| serving.assignment), Some(Some(6)));
    }

    #[tokio::test]
    async fn waiting_ends_when_it_is_seen_or_when_nothing_moves() {
        let chat = Chat::default();
        chat.expect(9);
        let arrives = async {
            tokio::task::yield_now().await;
            chat.saw(9, 1, (3, Position::default()), Instant::now());
        };
        let (arrival, ()) = tokio::join!(chat.until(Duration::from_secs(1), |seen| seen.arrival(9, 1)), arrives);
        assert!(arrival.is_some());
        assert_eq!(chat.now(Seen::last_seq), 3);
        assert_eq!(chat.now(|seen| seen.place_of(9)), Some(Position::default()));
        assert!(chat.until(Duration::ZERO, |seen| seen.arrival(9, 2)).await.is_none());
        chat.forget(9);
        chat.saw(9, 2, (4, Position::default()), Instant::now());
        assert!(chat.now(|seen| seen.arrival(9, 2)).is_none(), "nobody waits for it any more");
    }
}
