//! The contract of the key store.

use std::sync::Arc;

use application::ports::key_store::{KeyState, KeyStore, KeyStoreError, SubjectId, TENANT_SUBJECT};
use async_trait::async_trait;
use domain::ids::TenantId;
use uuid::Uuid;

/// An implementation under test, empty.
#[async_trait]
pub trait Engine: Send + Sized {
    /// Starts with an empty store.
    async fn start() -> Self;

    /// The store.
    fn keys(&self) -> Arc<dyn KeyStore>;

    /// Closes the store and opens it again, if it outlives its process at all.
    async fn reopen(&mut self);
}

/// Makes a test of every rule of the contract.
#[macro_export]
macro_rules! key_store_contract {
    ($engine:ty) => {
        $crate::key_store_contract!(@ $engine:
            a_subject_without_a_key_is_unknown,
            a_key_once_made_stays_the_same,
            many_who_ask_at_once_get_one_key,
            tenants_and_subjects_have_keys_of_their_own,
            a_destroyed_key_never_comes_back,
            an_unknown_subject_can_be_destroyed_in_advance,
        );
    };
    (@ $engine:ty: $($rule:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let engine = <$engine as $crate::contracts::key_store::Engine>::start().await;
                $crate::contracts::key_store::$rule(engine).await;
            }
        )*
    };
}

fn tenant() -> TenantId {
    "acme".parse().expect("a valid tenant")
}

fn subject(number: u128) -> SubjectId {
    SubjectId(Uuid::from_u128(number))
}

/// Nothing is made by asking.
pub async fn a_subject_without_a_key_is_unknown(engine: impl Engine) {
    let keys = engine.keys();
    assert_eq!(keys.get(tenant(), subject(1)).unwrap(), KeyState::Unknown);
    assert_eq!(keys.get(tenant(), subject(1)).unwrap(), KeyState::Unknown);
}

/// Also after opening again.
pub async fn a_key_once_made_stays_the_same(mut engine: impl Engine) {
    let key = engine.keys().ensure(tenant(), subject(1)).await.unwrap();
    for _ in 0..2 {
        let keys = engine.keys();
        assert_eq!(keys.get(tenant(), subject(1)).unwrap(), KeyState::Present(key));
        assert!(keys.ensure(tenant(), subject(1)).await.unwrap() == key);
        drop(keys);
        engine.reopen().await;
    }
}

/// Whoever comes second gets the first one's.
pub async fn many_who_ask_at_once_get_one_key(engine: impl Engine) {
    let keys = engine.keys();
    let tasks: Vec<_> = (0..200)
        .map(|index| {
            let keys = Arc::clone(&keys);
            tokio::spawn(async move { (index % 10, keys.ensure(tenant(), subject(index % 10)).await.unwrap()) })
        })
        .collect();
    for task in tasks {
        let (number, key) = task.await.unwrap();
        assert_eq!(keys.get(tenant(), subject(number)).unwrap(), KeyState::Present(key));
    }
}

/// A key opens one subject's texts of one tenant.
pub async fn tenants_and_subjects_have_keys_of_their_own(engine: impl Engine) {
    let keys = engine.keys();
    let other: TenantId = "other".parse().unwrap();
    let mut seen = Vec::new();
    for (tenant, subject) in [(tenant(), subject(1)), (tenant(), subject(2)), (tenant(), TENANT_SUBJECT), (other, subject(1))] {
        let key = keys.ensure(tenant, subject).await.unwrap();
        assert!(!seen.contains(&key));
        seen.push(key);
    }
    keys.destroy(other, subject(1)).await.unwrap();
    assert_eq!(keys.get(tenant(), subject(1)).unwrap(), KeyState::Present(seen[0]));
}

/// Not by asking, not by opening again.
pub async fn a_destroyed_key_never_comes_back(mut engine: impl Engine) {
    engine.keys().ensure(tenant(), subject(1)).await.unwrap();
    engine.keys().destroy(tenant(), subject(1)).await.unwrap();
    for _ in 0..2 {
        let keys = engine.keys();
        assert_eq!(keys.get(tenant(), subject(1)).unwrap(), KeyState::Destroyed);
        assert!(matches!(keys.ensure(tenant(), subject(1)).await, Err(KeyStoreError::Destroyed)));
        keys.destroy(tenant(), subject(1)).await.unwrap();
        drop(keys);
        engine.reopen().await;
    }
}

/// Erasure may come before the first sealed text.
pub async fn an_unknown_subject_can_be_destroyed_in_advance(mut engine: impl Engine) {
    engine.keys().destroy(tenant(), subject(1)).await.unwrap();
    engine.reopen().await;
    assert_eq!(engine.keys().get(tenant(), subject(1)).unwrap(), KeyState::Destroyed);
    assert!(matches!(engine.keys().ensure(tenant(), subject(1)).await, Err(KeyStoreError::Destroyed)));
}
