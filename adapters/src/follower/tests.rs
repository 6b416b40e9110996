//! What the bounds do, and what a failure does, with a carrier whose bounds are small.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use application::log::commit::{Actor, ChainHash, CommitBuilder, CommitId, EventMeta, header};
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::{NewCommit, ShardId};
use domain::ids::{CommandId, EventId};
use domain::time::Timestamp;
use uuid::Uuid;

use super::*;
use crate::event_log::memory::MemoryLog;

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Did {
    Carried(u64),
    GaveUp(u64),
}
use Did::{Carried, GaveUp};

/// Does what it is given, unless it is held: then it waits. Items are the positions of their commits.
#[derive(Default)]
struct Clerk {
    did: Mutex<Vec<Did>>,
    held: watch::Sender<Option<TenantId>>,
    /// What goes wrong once.
    fails: Mutex<Option<u64>>,
}

struct Item(TenantId, u64);

impl Clerk {
    fn did(&self) -> MutexGuard<'_, Vec<Did>> {
        self.did.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Carrier for Clerk {
    const CONSUMER: &'static str = "clerk";
    const BOUNDS: Bounds = Bounds { all: 8, of_tenant: 4, behind: 2 };
    type Item = Item;
    type Finder = ();

    async fn begin(&self, _: CommitPosition) {}

    fn find((): &mut (), commit: &StoredCommit) -> Vec<(Place, Item)> {
        let stream = header(&commit.bytes).unwrap().stream;
        let StreamKey::Chat(chat) = stream.key else { return vec![] };
        vec![((stream.tenant, chat), Item(stream.tenant, commit.position.0))]
    }

    async fn carry(&self, item: &Item, _: CommitPosition) -> Result<(), Halt> {
        let _ = self.held.subscribe().wait_for(|held| *held != Some(item.0)).await;
        let fails = self.fails.lock().unwrap().take_if(|fails| *fails == item.1);
        if fails.is_some() {
            return Err(CommandError::Unavailable { reason: "the disk is full".to_owned() }.into());
        }
        self.did().push(Carried(item.1));
        Ok(())
    }

    async fn give_up(&self, item: &Item, _: CommitPosition) -> Result<(), Halt> {
        self.did().push(GaveUp(item.1));
        Ok(())
    }
}

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

fn rival() -> TenantId {
    "rival".parse().unwrap()
}

/// Things that come one after the other, each because of the next commit.
fn work() -> (Arc<Clerk>, UnderWay<Clerk>) {
    let clerk = Arc::new(Clerk::default());
    (Arc::clone(&clerk), UnderWay::new(clerk))
}

impl UnderWay<Clerk> {
    fn comes(&mut self, tenant: TenantId, chat: u128, number: u64) {
        self.take(CommitPosition(number), vec![((tenant, ChatId::from_u128(chat)), Item(tenant, number))]);
    }

    /// Everything that need not wait.
    fn goes_on(&mut self) {
        while self.is_busy() && self.next().now_or_never().is_some_and(|over| over.is_ok()) {}
    }
}

#[test]
fn what_is_over_the_bound_of_a_chat_is_given_up_and_the_rest_keeps_its_order() {
    let (clerk, mut work) = work();
    clerk.held.send_replace(Some(acme()));
    for number in 1..=4 {
        work.comes(acme(), 1, number);
    }
    work.comes(rival(), 1, 5);
    work.goes_on();
    assert_eq!(*clerk.did(), [GaveUp(4), Carried(5)], "one is under way, two wait behind it, and nobody else does");
    assert_eq!(work.unfinished.advance(), None, "nothing is done as long as the first is not");
    clerk.held.send_replace(None);
    work.goes_on();
    assert_eq!(clerk.did()[2..], [Carried(1), Carried(2), Carried(3)]);
    assert_eq!(work.unfinished.advance(), Some(CommitPosition(5)), "nothing is lost");
    assert!(work.items == 0 && work.behind.is_empty() && work.of_tenant.is_empty(), "nothing is kept of what is done");
}

#[test]
fn what_is_over_the_bound_of_a_tenant_is_given_up_and_takes_nobody_elses_place() {
    let (clerk, mut work) = work();
    clerk.held.send_replace(Some(acme()));
    for number in 1..=5 {
        work.comes(acme(), u128::from(number), number);
    }
    work.comes(rival(), 1, 6);
    work.goes_on();
    assert_eq!(*clerk.did(), [GaveUp(5), Carried(6)]);
    work.comes(acme(), 5, 7);
    work.goes_on();
    assert_eq!(clerk.did().last(), Some(&GaveUp(7)), "there is no room yet");
    clerk.held.send_replace(None);
    work.goes_on();
    work.comes(acme(), 5, 8);
    work.goes_on();
    assert_eq!(clerk.did().last(), Some(&Carried(8)), "there is again");
    assert_eq!(work.unfinished.advance(), Some(CommitPosition(8)));
}

#[test]
fn beyond_the_bound_of_all_nothing_more_is_read_until_there_is_room() {
    let (clerk, mut work) = work();
    clerk.held.send_replace(Some(acme()));
    let tenants = ["a", "b", "c", "d"].map(|tenant| tenant.parse().unwrap());
    for number in 1..=8 {
        assert!(work.has_room(), "{number}");
        let tenant = if number == 1 { acme() } else { tenants[usize::try_from(number % 4).unwrap()] };
        work.comes(tenant, u128::from(number), number);
    }
    assert!(!work.has_room());
    work.goes_on();
    assert!(work.has_room() && work.items == 1, "all but the one who is held");
}

/// Of an event without a sealed half.
type NothingSealed = fn(&mut Vec<u8>) -> Result<(), Infallible>;

fn commit(chat: u128, version: u64) -> NewCommit {
    let stream = StreamId::new(acme(), StreamKey::Chat(ChatId::from_u128(chat)));
    let id = CommitId(Uuid::from_u128(chat << 64 | u128::from(version)));
    let mut builder = CommitBuilder::new(id, stream, version, Timestamp(1), 1, ChainHash::default());
    let meta = EventMeta {
        id: EventId::from_u128(1),
        command: CommandId::from_u128(1),
        command_digest: 0,
        correlation: Uuid::nil(),
        causation: Uuid::nil(),
        actor: Actor::Operator,
    };
    let nothing_sealed: Option<(Uuid, NothingSealed)> = None;
    builder.event(&meta, "chat.message_posted", 1, |_| Ok::<_, Infallible>(()), nothing_sealed).unwrap();
    let (bytes, events) = builder.finish(false).unwrap();
    NewCommit { id, stream, first_version: version, events, bytes, decided: None }
}

#[derive(Default)]
struct Notes(Mutex<Option<Vec<u8>>>);

impl Checkpoints for Notes {
    fn load(&self, _: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }

    fn save(&self, _: &str, bytes: &[u8]) {
        *self.0.lock().unwrap() = Some(bytes.to_vec());
    }
}

impl Follower<Clerk> {
    /// Follows until it is that far, or fails.
    async fn until(&mut self, position: u64) -> Result<(), Halt> {
        let mut reached = self.reached.subscribe();
        tokio::select! {
            halt = self.follow() => halt,
            _ = reached.wait_for(|reached| reached.0 >= position) => Ok(()),
        }
    }
}

#[tokio::test]
async fn after_a_failure_it_begins_again_at_what_is_done_and_after_a_stop_at_its_checkpoint() {
    let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new(ShardId(0)));
    for (chat, version) in [(1, 1), (1, 2), (1, 3)] {
        log.append(commit(chat, version)).await.unwrap();
    }
    let checkpoints = Arc::new(Notes::default());
    let follower = || Follower::new(Clerk::default(), Arc::clone(&log), Arc::clone(&checkpoints) as Arc<dyn Checkpoints>).0;
    let mut first = follower();
    *first.carrier.fails.lock().unwrap() = Some(2);
    assert!(matches!(first.until(3).await, Err(Halt::Command(CommandError::Unavailable { .. }))));
    assert_eq!((first.done, &*first.carrier.did()), (CommitPosition(1), &vec![Carried(1)]), "what comes behind it waits");
    first.until(3).await.unwrap();
    assert_eq!(*first.carrier.did(), [Carried(1), Carried(2), Carried(3)]);
    first.save();
    log.append(commit(1, 4)).await.unwrap();
    let mut second = follower();
    second.until(4).await.unwrap();
    assert_eq!(*second.carrier.did(), [Carried(4)]);
}
