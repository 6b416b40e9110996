//! Keys of which one can be covered: as if the store did not answer, or had lost it.

use std::sync::{Arc, Mutex, PoisonError};

use adapters::config::Config;
use application::ports::key_store::{KeyState, KeyStore, KeyStoreError, SubjectId, SubjectKey};
use async_trait::async_trait;
use domain::ids::TenantId;

use super::World;

/// What one is told who asks for a covered key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covered {
    /// The store cannot be read.
    Unavailable,
    /// There never was such a key.
    Unknown,
}

/// See the file's head.
pub struct Cover {
    keys: Arc<dyn KeyStore>,
    covered: Mutex<Option<((TenantId, SubjectId), Covered)>>,
}

impl Cover {
    /// An installation without tenants whose keys can be covered. Nothing is covered yet.
    ///
    /// # Panics
    /// When the node does not start.
    pub async fn world() -> (World, Arc<Self>) {
        let mut cover = None;
        let world = World::over(Config::default(), |engines| {
            let keys = Arc::new(Self { keys: Arc::clone(&engines.keys), covered: Mutex::default() });
            engines.keys = keys.clone();
            cover = Some(keys);
        });
        (world.await, cover.expect("engines are handed over to be replaced"))
    }

    /// Covers a subject's key, or, with none, nothing any more.
    pub fn cover(&self, what: Option<((TenantId, SubjectId), Covered)>) {
        *self.covered.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }
}

#[async_trait]
impl KeyStore for Cover {
    fn get(&self, tenant: TenantId, subject: SubjectId) -> Result<KeyState, KeyStoreError> {
        let covered = *self.covered.lock().unwrap_or_else(PoisonError::into_inner);
        match covered.filter(|(of, _)| *of == (tenant, subject)) {
            Some((_, Covered::Unavailable)) => Err(KeyStoreError::Unavailable { reason: "covered".into() }),
            Some((_, Covered::Unknown)) => Ok(KeyState::Unknown),
            None => self.keys.get(tenant, subject),
        }
    }

    async fn ensure(&self, tenant: TenantId, subject: SubjectId) -> Result<SubjectKey, KeyStoreError> {
        self.keys.ensure(tenant, subject).await
    }

    async fn destroy(&self, tenant: TenantId, subject: SubjectId) -> Result<(), KeyStoreError> {
        self.keys.destroy(tenant, subject).await
    }
}
