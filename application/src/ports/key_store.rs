//! The keys that seal private halves, kept outside the log and its backups.

use async_trait::async_trait;
use domain::ids::TenantId;
use uuid::Uuid;

/// Whose key it is: the id of a customer or a staff member, or [`TENANT_SUBJECT`] for the tenant's own texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectId(pub Uuid);

/// The subject under which a tenant's own names and secrets are sealed.
pub const TENANT_SUBJECT: SubjectId = SubjectId(Uuid::nil());

impl From<domain::ids::UserId> for SubjectId {
    fn from(user: domain::ids::UserId) -> Self {
        Self(user.uuid())
    }
}

/// A 256-bit secret key. Shows nothing of itself when printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SubjectKey(pub [u8; 32]);

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectKey(..)")
    }
}

/// What the store knows of a subject's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Here it is.
    Present(SubjectKey),
    /// It was destroyed on purpose; nothing may be sealed for this subject again.
    Destroyed,
    /// The store never had one (or lost it).
    Unknown,
}

/// Why the key store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyStoreError {
    /// The store cannot be read or written now.
    #[error("key store is unavailable: {reason}")]
    Unavailable {
        /// The engine's words.
        reason: String,
    },
    /// The subject's key was destroyed and is not made again.
    #[error("the key of this subject was destroyed")]
    Destroyed,
}

/// Keeps one key per subject. Durable when a call returns.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// The key of a subject. Cheap: called for every sealed event that is written or opened.
    ///
    /// # Errors
    /// [`KeyStoreError::Unavailable`].
    fn get(&self, tenant: TenantId, subject: SubjectId) -> Result<KeyState, KeyStoreError>;

    /// Makes sure that the subject has a key, durably, and returns it. Calling twice gives the same key.
    ///
    /// # Errors
    /// [`KeyStoreError::Destroyed`] when it was destroyed, [`KeyStoreError::Unavailable`].
    async fn ensure(&self, tenant: TenantId, subject: SubjectId) -> Result<SubjectKey, KeyStoreError>;

    /// Destroys a subject's key for good. Destroying an unknown one marks it destroyed, too.
    ///
    /// # Errors
    /// [`KeyStoreError::Unavailable`].
    async fn destroy(&self, tenant: TenantId, subject: SubjectId) -> Result<(), KeyStoreError>;
}
