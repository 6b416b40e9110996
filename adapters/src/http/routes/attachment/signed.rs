//! Files whose content is signed: the request's query, which its signature covers, says what its bytes are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use domain::ids::{ChatId, TenantId, UserId};
use futures_util::{Stream, StreamExt, stream};
use sha2::{Digest, Sha256};

use super::upload::{Request, check_announced};
use crate::attachments::names;
use crate::http::error::{ApiError, InputError};
use crate::messaging;
use crate::state::AppState;

/// What was announced of a file, under a signature.
pub struct SignedFile {
    name: String,
    /// The SHA-256 hash of its content.
    hash: [u8; 32],
}

/// Where it goes, and for whom.
pub struct SignedPlace {
    /// The tenant.
    pub tenant: TenantId,
    /// The chat.
    pub chat: ChatId,
    /// Whose.
    pub uploader: UserId,
    /// Whether they are one person.
    pub alone: bool,
    /// The request's id: the same file under the same id is stored once.
    pub webhook_id: String,
}

impl SignedFile {
    /// Checks what is announced: name, hash (64 hexadecimal digits) and size.
    ///
    /// # Errors
    /// [`InputError::Refused`]; [`InputError::TooLarge`].
    pub fn announced(app: &AppState, tenant: TenantId, name: &str, sha256: &str, headers: &HeaderMap) -> Result<Self, ApiError> {
        let name = names::cleaned(name).ok_or(InputError::Refused { field: "name", reason: "must be at most 255 bytes" })?;
        let hash = digest(sha256).ok_or(InputError::Refused { field: "sha256", reason: "is 64 hexadecimal digits" })?;
        check_announced(headers, messaging::limits(app, tenant))?;
        Ok(Self { name, hash })
    }

    /// Receives the content and stores it, or finds it stored.
    ///
    /// # Errors
    /// [`InputError::Refused`] when it is another one; as [`Request::receive`].
    pub async fn receive(self, app: &AppState, place: SignedPlace, body: Body) -> Result<Response, ApiError> {
        let SignedPlace { tenant, chat, uploader, alone, webhook_id } = place;
        let differs = Arc::new(AtomicBool::new(false));
        let request = Request { app, tenant, chat, uploader, name: &self.name, alone, key: Some(webhook_id) };
        let received = request.receive(Box::pin(as_signed(body, self.hash, Arc::clone(&differs)))).await;
        if differs.load(Ordering::Relaxed) {
            return Err(InputError::Refused { field: "sha256", reason: "is not that of the content" }.into());
        }
        received
    }
}

fn digest(hexadecimal: &str) -> Option<[u8; 32]> {
    let is_one = hexadecimal.len() == 64 && hexadecimal.bytes().all(|digit| digit.is_ascii_hexdigit());
    let mut digest = [0; 32];
    for (byte, at) in digest.iter_mut().zip((0..64).step_by(2)).filter(|_| is_one) {
        *byte = u8::from_str_radix(hexadecimal.get(at..at + 2)?, 16).ok()?;
    }
    is_one.then_some(digest)
}

/// Why a body that is received breaks off.
struct BreaksOff;

/// A body that breaks off at its end when its bytes are others than was signed, so that they are not stored.
fn as_signed(body: Body, expected: [u8; 32], differs: Arc<AtomicBool>) -> impl Stream<Item = Result<Bytes, BreaksOff>> + Send {
    stream::try_unfold((body.into_data_stream(), Sha256::new()), move |(mut body, mut hasher)| {
        let differs = Arc::clone(&differs);
        async move {
            match body.next().await {
                Some(Ok(bytes)) => {
                    hasher.update(&bytes);
                    Ok(Some((bytes, (body, hasher))))
                }
                None if <[u8; 32]>::from(hasher.finalize()) == expected => Ok(None),
                None => {
                    differs.store(true, Ordering::Relaxed);
                    Err(BreaksOff)
                }
                Some(Err(_)) => Err(BreaksOff),
            }
        }
    })
}
