//! The hub's own rules; pushing through a real socket is tested end to end.

use application::ports::key_store::{KeyState, KeyStoreError, SubjectId, SubjectKey};
use domain::ids::SessionId;

use super::*;
use crate::hub::outbox::OutboxLimits;

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
fn a_device_that_comes_while_the_hub_closes_is_told_so() {
    let hub = Hub::new(ShardId(0), Arc::new(NoKeys));
    let early = device(1);
    hub.register(&early);
    hub.close_all(Bye::Shutdown);
    let late = device(2);
    hub.register(&late);
    assert_eq!((early.outbox.bye(), late.outbox.bye()), (Some(Bye::Shutdown), Some(Bye::Shutdown)));
}
