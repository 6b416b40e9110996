//! Receiving an attachment: a body of unknown length, judged by its first bytes, sealed while it comes, stored as a whole or not
//! at all.

use std::time::Duration;

use application::attachment::{About, Sealer};
use application::ports::blob_store::{BlobName, BlobNote, BlobWriter};
use application::ports::key_store::SubjectKey;
use bytes::Bytes;
use domain::tenant::event::Limits;
use futures_util::{Stream, StreamExt};

use super::kinds::{self, SNIFFED_BYTES};
use crate::http::error::{ApiError, InputError};
use crate::state::AppState;

/// How long a client may say nothing within an upload: a slot is held meanwhile.
pub const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Sealed bytes handed to the store at a time.
const WRITTEN_BYTES: usize = 256 * 1024;

/// The body of an upload, piece by piece, up to its limit.
pub struct Pieces<S> {
    body: S,
    bytes: u64,
    bytes_max: u64,
    silence_max: Duration,
}

impl<S, E> Pieces<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: Send,
{
    /// A body that may have so many bytes.
    pub fn new(body: S, bytes_max: u64, silence_max: Duration) -> Self {
        Self { body, bytes: 0, bytes_max, silence_max }
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// [`InputError::TooLarge`] with the first byte over the limit, [`InputError::Interrupted`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, InputError> {
        let next = tokio::time::timeout(self.silence_max, self.body.next()).await;
        let piece = match next {
            Ok(Some(Ok(piece))) => piece,
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) | Err(_) => return Err(InputError::Interrupted),
        };
        self.bytes += piece.len() as u64;
        if self.bytes > self.bytes_max {
            return Err(too_large(self.bytes_max));
        }
        Ok(Some(piece))
    }

    /// The BLAKE3 hash of all that comes.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn hash(&mut self) -> Result<[u8; 32], InputError> {
        let mut hasher = blake3::Hasher::new();
        while let Some(piece) = self.next().await? {
            hasher.update(&piece);
        }
        Ok(*hasher.finalize().as_bytes())
    }
}

/// The refusal of a body over the limit.
#[must_use]
pub fn too_large(bytes_max: u64) -> InputError {
    InputError::TooLarge { bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX) }
}

/// An attachment that is about to be received. Its media type is found out.
pub struct Incoming<'a> {
    /// What the edge stands on.
    pub app: &'a AppState,
    /// Under which name it is stored.
    pub name: BlobName,
    /// What is known of it.
    pub about: About,
    /// The name of the file.
    pub file_name: &'a str,
    /// The uploader's key.
    pub key: SubjectKey,
    /// The tenant's.
    pub limits: Limits,
}

impl Incoming<'_> {
    /// Receives the body. When this fails, nothing is stored.
    ///
    /// # Errors
    /// [`InputError`]; [`ApiError::Blob`].
    pub async fn receive<S, E>(mut self, pieces: &mut Pieces<S>) -> Result<About, ApiError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
        E: Send,
    {
        let mut first = Vec::new();
        while first.len() < SNIFFED_BYTES
            && let Some(piece) = pieces.next().await?
        {
            first.extend_from_slice(&piece);
        }
        if first.is_empty() {
            return Err(InputError::Refused { field: "body", reason: "must not be empty" }.into());
        }
        let media_type = kinds::sniff(&first);
        let kind = kinds::kind_of(media_type);
        if !self.limits.attachment_kinds.contains(kind) {
            return Err(InputError::KindNotAllowed { kind: kinds::word(kind) }.into());
        }
        media_type.clone_into(&mut self.about.media_type);
        let mut writer = self.app.ports.blobs.begin(self.name).await?;
        let written = match self.write(&mut *writer, &first, pieces).await {
            Ok(()) => self.note().await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            writer.abort().await;
            return Err(error);
        }
        writer.finish().await?;
        Ok(self.about)
    }

    /// Notes when it is to be decided whether the upload stays: before it is there, so that none is forgotten.
    async fn note(&self) -> Result<(), ApiError> {
        let Some(due) = self.about.use_by else { return Ok(()) };
        Ok(self.app.ports.blobs.note(BlobNote { name: self.name, due }).await?)
    }

    async fn write<S, E>(&self, writer: &mut dyn BlobWriter, first: &[u8], pieces: &mut Pieces<S>) -> Result<(), ApiError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
        E: Send,
    {
        let mut out = Vec::with_capacity(2 * WRITTEN_BYTES);
        let whose = (self.name.tenant, self.name.attachment);
        // New for each attempt, so that a repeated upload shares no nonce with the one that broke off.
        let mut sealer = Sealer::begin(&self.key, whose, self.app.new_id(), &self.about, self.file_name, &mut out);
        sealer.push(first, &mut out);
        while let Some(piece) = pieces.next().await? {
            sealer.push(&piece, &mut out);
            if out.len() >= WRITTEN_BYTES {
                writer.write(std::mem::take(&mut out).into()).await?;
            }
        }
        sealer.finish(&mut out);
        Ok(writer.write(out.into()).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_body_is_taken_up_to_the_limit_and_not_a_byte_more() {
        let body = || stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"123")), Ok(Bytes::from_static(b"45"))]);
        let mut fits = Pieces::new(body(), 5, SILENCE_MAX);
        assert_eq!(fits.hash().await, Ok(*blake3::hash(b"12345").as_bytes()));
        assert_eq!(Pieces::new(body(), 4, SILENCE_MAX).hash().await, Err(InputError::TooLarge { bytes_max: 4 }));
    }

    #[tokio::test]
    async fn a_client_that_says_nothing_more_is_not_waited_for() {
        let silent = stream::pending::<Result<Bytes, Infallible>>();
        assert_eq!(Pieces::new(silent, 5, Duration::ZERO).next().await, Err(InputError::Interrupted));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_told_so() {
        let body = stream::iter([Ok(Bytes::from_static(b"123")), Err("connection reset")]);
        assert_eq!(Pieces::new(body, 5, SILENCE_MAX).hash().await, Err(InputError::Interrupted));
    }
}
