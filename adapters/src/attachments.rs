//! Attachments between the wire and the store: received and sealed, looked up and opened.
//!
//! Whoever calls has decided that the asker may. What a store keeps of an attachment is told in `application::attachment`.

pub mod kinds;
pub mod links;
pub mod names;
pub mod receive;
pub mod sight;
pub mod sweep;
pub mod uploads;

use std::ops::Range;

use application::attachment::{HEADER_BYTES_MAX, Header};
use application::ports::blob_store::{BlobError, BlobName};
use application::ports::key_store::{KeyState, KeyStoreError, SubjectId, SubjectKey};
use bytes::Bytes;
use domain::ids::{AttachmentId, TenantId};

use crate::http::error::ApiError;
use crate::state::AppState;

/// An attachment that lies in the store.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Under which name.
    pub name: BlobName,
    /// What is known of it.
    pub header: Header,
}

/// What is known of a header's truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is what was sealed.
    Proven,
    /// Whoever it was sealed for was erased, so nobody can tell; and nobody can read what it is about.
    Erased,
}

impl Stored {
    /// Looks an attachment up.
    ///
    /// # Errors
    /// [`ApiError::Blob`], [`ApiError::Attachment`].
    pub async fn find(app: &AppState, tenant: TenantId, attachment: AttachmentId) -> Result<Option<Self>, ApiError> {
        let name = BlobName { tenant, attachment };
        let first = match app.ports.blobs.read(name, 0..HEADER_BYTES_MAX as u64).await {
            Ok(first) => first,
            Err(BlobError::NotFound) => return Ok(None),
            Err(error @ BlobError::Unavailable { .. }) => return Err(error.into()),
        };
        let header = Header::read(tenant, attachment, &first.bytes, first.total)?;
        Ok(Some(Self { name, header }))
    }

    /// The key that opens it, if its uploader was not erased.
    ///
    /// # Errors
    /// [`ApiError::Keys`].
    pub fn key(&self, app: &AppState) -> Result<SubjectKey, ApiError> {
        match app.ports.keys.get(self.name.tenant, SubjectId::from(self.header.about.uploader))? {
            KeyState::Present(key) => Ok(key),
            KeyState::Destroyed | KeyState::Unknown => Err(KeyStoreError::Destroyed.into()),
        }
    }

    /// Proves the header, by opening the name that is sealed with it.
    ///
    /// # Errors
    /// [`ApiError::Attachment`] for a header that was changed; [`ApiError::Keys`].
    pub fn prove(&self, app: &AppState) -> Result<Proof, ApiError> {
        match self.key(app) {
            Ok(key) => Ok(self.header.name(&key).map(|_| Proof::Proven)?),
            Err(ApiError::Keys(KeyStoreError::Destroyed)) => Ok(Proof::Erased),
            Err(error) => Err(error),
        }
    }

    /// Reads and opens a range of the content.
    ///
    /// # Errors
    /// [`ApiError::Blob`], [`ApiError::Attachment`].
    pub async fn content(&self, app: &AppState, key: &SubjectKey, range: &Range<u64>) -> Result<Bytes, ApiError> {
        let part = app.ports.blobs.read(self.name, self.header.place_of(range)).await?;
        Ok(self.header.content(key, range, &part.bytes)?.into())
    }

    /// The BLAKE3 hash of the whole content.
    ///
    /// # Errors
    /// [`ApiError::Blob`], [`ApiError::Attachment`].
    pub async fn hash(&self, app: &AppState, key: &SubjectKey) -> Result<[u8; 32], ApiError> {
        let part = app.ports.blobs.read(self.name, self.header.place_of_footer()).await?;
        Ok(self.header.hash(key, &part.bytes)?)
    }
}
