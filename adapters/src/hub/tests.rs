//! The hub's own rules; pushing through a real socket is tested end to end.

use application::ports::key_store::{KeyState, KeyStoreError, SubjectId, SubjectKey};
use application::queries::BoardRow;
use domain::ids::SessionId;

use super::*;
use crate::hub::outbox::OutboxLimits;
use crate::render::View;

struct NoKeys;

#[async_trait::async_trait]
impl KeyStore for NoKeys {
    fn get(&self, _: TenantId, _: SubjectId) -> Result<KeyState, KeyStoreError> {
        Ok(KeyState::Unknown)
    }
    async fn ensure(&self, _: TenantId, _: SubjectId) -> Result<SubjectKey, KeyStoreError> {
        Err(KeyStoreError::Destroyed)
    }
    async fn destroy(&self, _: TenantId, _: SubjectId) -> Result<(), KeyStoreError> {
        Ok(())
    }
}

const LIMITS: OutboxLimits = OutboxLimits { frames_max: 8, bytes_max: 1_024 };

fn who(user: u128) -> Who {
    ("acme".parse().unwrap(), UserId::from_u128(user))
}

fn device(user: u128) -> Arc<Device> {
    Device::new(who(user), SessionId::from_u128(user), View::Staff, LIMITS)
}

fn taken(device: &Device) -> Vec<Signal> {
    let mut out = outbox::Taken::default();
    let _ = device.outbox.poll_take(&mut std::task::Context::from_waker(std::task::Waker::noop()), &mut out);
    out.signals
}

#[test]
fn the_first_device_comes_and_the_last_one_goes() {
    let hub = Hub::new(ShardId(0), Arc::new(NoKeys));
    let (phone, desk) = (device(1), device(1));
    assert!(hub.register(&phone));
    assert!(!hub.register(&desk));
    assert!(!hub.unregister(&phone));
    assert!(hub.is_connected(who(1)));
    assert!(hub.unregister(&desk));
    assert!(!hub.is_connected(who(1)));
    assert_eq!(hub.devices(), 0);
}

#[test]
fn presence_is_told_to_those_who_follow_it_now() {
    let hub = Hub::new(ShardId(0), Arc::new(NoKeys));
    let (watcher, other) = (device(1), device(2));
    hub.register(&watcher);
    hub.register(&other);
    hub.watch(&watcher, vec![who(9).1]);
    hub.announce(who(9), true);
    assert_eq!(taken(&watcher), [Signal::Presence { user: who(9).1, online: true }]);
    assert_eq!(taken(&other), Vec::<Signal>::new());
    hub.watch(&watcher, vec![who(8).1]);
    hub.announce(who(9), false);
    assert_eq!(taken(&watcher), Vec::<Signal>::new());
    hub.unregister(&watcher);
    hub.announce(who(8), true);
    assert_eq!(taken(&watcher), Vec::<Signal>::new());
}

#[test]
fn a_board_is_told_to_those_who_watch_it_in_their_tenant() {
    let hub = Hub::new(ShardId(0), Arc::new(NoKeys));
    let (watcher, other) = (device(1), device(2));
    let groups: [GroupId; 2] = ["main".parse().unwrap(), "vip".parse().unwrap()];
    let (acme, rival) = (who(1).0, "rival".parse().unwrap());
    let tell = |tenant, group| hub.boards.tell(tenant, group, &Signal::Board(BoardRow::empty(group)));
    hub.register(&watcher);
    hub.register(&other);
    hub.watch_boards(&watcher, groups.to_vec());
    assert_eq!(hub.boards.watched(rival), []);
    tell(rival, groups[0]);
    tell(acme, groups[0]);
    assert_eq!((taken(&watcher), taken(&other)), (vec![Signal::Board(BoardRow::empty(groups[0]))], vec![]));
    hub.watch_boards(&watcher, vec![groups[1]]);
    tell(acme, groups[0]);
    assert_eq!((taken(&watcher), hub.boards.watched(acme)), (vec![], vec![groups[1]]));
    hub.unregister(&watcher);
    assert_eq!(hub.boards.watched(acme), []);
}

#[test]
fn of_what_a_robot_writes_the_latest_is_told() {
    let hub = Hub::new(ShardId(0), Arc::new(NoKeys));
    let of = (who(1).0, ChatId::from_u128(1), who(1).1);
    let growing = |content: &str| Growing {
        id: domain::ids::ClientMessageId::from_u128(7),
        content: content.into(),
        visibility: domain::message::Visibility::All,
    };
    for content in ["a", "a lon", "a longer answer"] {
        hub.note_growing(of, growing(content));
    }
    let stale = hub.take_stale();
    assert_eq!(stale.growing.into_iter().collect::<Vec<_>>(), [(of, growing("a longer answer"))]);
    assert!(hub.take_stale().is_empty());
}

#[test]
fn a_device_that_comes_while_the_hub_closes_is_told_so() {
    let hub = Hub::new(ShardId(0), Arc::new(NoKeys));
    let early = device(1);
    hub.register(&early);
    hub.close_all(Bye::Shutdown);
    let late = device(2);
    hub.register(&late);
    assert_eq!((early.outbox.bye(), late.outbox.bye()), (Some(Bye::Shutdown), Some(Bye::Shutdown)));
}

#[test]
fn boards_that_are_taken_away_leave_what_was_asked_for_meanwhile_and_who_has_gone_stays_gone() {
    let hub = Hub::new(ShardId(0), Arc::new(NoKeys));
    let (desk, group) = (device(1), |name: &str| name.parse::<GroupId>().unwrap());
    let tenant = desk.who.0;
    hub.register(&desk);
    hub.watch_boards(&desk, vec![group("main"), group("vip")]);
    hub.retain_boards(&desk, |board| *board != group("main"));
    assert_eq!((desk.boards(), hub.boards.watched(tenant)), (vec![group("vip")], vec![group("vip")]));
    assert_eq!(taken(&desk), [Signal::BoardGone(group("main"))], "and the desk is told");
    hub.watch_boards(&desk, vec![group("vip"), group("night")]);
    hub.retain_boards(&desk, |board| *board != group("main"));
    assert_eq!(desk.boards(), [group("vip"), group("night")]);
    hub.unregister(&desk);
    hub.retain_boards(&desk, |_| true);
    assert_eq!((desk.boards(), hub.boards.watched(tenant)), (vec![], vec![]));
}
