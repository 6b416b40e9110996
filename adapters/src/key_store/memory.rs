//! Keys in memory, for tests and simulation: the same seed gives the same keys.
//!
//! It must not be used for anything that lives longer than the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use application::ports::key_store::{KeyState, KeyStore, KeyStoreError, SubjectId, SubjectKey};
use async_trait::async_trait;
use domain::ids::TenantId;

/// Separates these derived keys from every other use of BLAKE3.
const DERIVATION: &str = "kefu 2026 memory key store, for tests only";

/// Keys that are derived from a seed.
#[derive(Debug, Default)]
pub struct MemoryKeyStore {
    seed: u64,
    keys: Mutex<HashMap<(TenantId, SubjectId), KeyState>>,
}

impl MemoryKeyStore {
    /// A store whose keys depend on the seed, the tenant and the subject only, so that a simulation can repeat them.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { seed, keys: Mutex::default() }
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<(TenantId, SubjectId), KeyState>> {
        self.keys.lock().expect("no code panics while it holds the keys")
    }

    fn derive(&self, tenant: TenantId, subject: SubjectId) -> SubjectKey {
        let mut hasher = blake3::Hasher::new_derive_key(DERIVATION);
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(subject.0.as_bytes());
        hasher.update(tenant.as_str().as_bytes());
        SubjectKey(*hasher.finalize().as_bytes())
    }
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    fn get(&self, tenant: TenantId, subject: SubjectId) -> Result<KeyState, KeyStoreError> {
        Ok(self.keys().get(&(tenant, subject)).copied().unwrap_or(KeyState::Unknown))
    }

    async fn ensure(&self, tenant: TenantId, subject: SubjectId) -> Result<SubjectKey, KeyStoreError> {
        let mut keys = self.keys();
        let state = keys.entry((tenant, subject)).or_insert(KeyState::Unknown);
        match *state {
            KeyState::Present(key) => Ok(key),
            KeyState::Destroyed => Err(KeyStoreError::Destroyed),
            KeyState::Unknown => {
                let key = self.derive(tenant, subject);
                *state = KeyState::Present(key);
                Ok(key)
            }
        }
    }

    async fn destroy(&self, tenant: TenantId, subject: SubjectId) -> Result<(), KeyStoreError> {
        self.keys().insert((tenant, subject), KeyState::Destroyed);
        Ok(())
    }
}
