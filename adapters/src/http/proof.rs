//! Requests of whoever is not signed in and proves by a signature who they are: a channel, a provider.

use axum::body::Body;
use axum::http::request::Parts;
use bytes::Bytes;
use domain::time::Timestamp;

use super::auth::{client_address, refused};
use super::error::{ApiError, AuthError, InputError};
use super::extract::read_body;
use crate::state::AppState;
use crate::webhook_signature::{SigningKey, TOLERANCE};

/// A request whose signature is right.
pub struct Proven {
    /// The id that its sender gave it: the same at each attempt.
    pub webhook_id: String,
    /// Keyed digest of path and body.
    pub digest: u64,
    /// The body.
    pub bytes: Bytes,
}

/// Reads a body and checks its signature, before anything else of it is looked at.
///
/// # Errors
/// [`ApiError`] of a body that is too large, and of a signature that is wrong or too old.
pub async fn prove(app: &AppState, parts: &Parts, body: Body, key: &SigningKey) -> Result<Proven, ApiError> {
    let bytes = read_body(&parts.headers, body).await?;
    let verified = key.verify(&parts.headers, &bytes, app.now()).map_err(AuthError::from);
    let webhook_id = verified.map_err(|error| refused(app, client_address(app, parts), error))?.to_owned();
    let digest = app.secrets.request_digest(&[parts.uri.path().as_bytes(), &bytes]);
    Ok(Proven { webhook_id, digest, bytes })
}

/// Checks the signature of a request whose body is no text: it is over path and query in the body's place. Answers the request's id.
///
/// # Errors
/// [`ApiError`] of a signature that is wrong or too old.
pub fn prove_address(app: &AppState, parts: &Parts, key: &SigningKey) -> Result<String, ApiError> {
    let address = parts.uri.path_and_query().map_or(parts.uri.path(), |address| address.as_str());
    let verified = key.verify(&parts.headers, address.as_bytes(), app.now()).map_err(AuthError::from);
    Ok(verified.map_err(|error| refused(app, client_address(app, parts), error))?.to_owned())
}

/// A time at which something was said: of the past, as far as clocks agree.
///
/// # Errors
/// [`InputError::Refused`].
pub fn said_at(app: &AppState, sent_at: i64) -> Result<Timestamp, InputError> {
    let sent_at = Timestamp(sent_at);
    if sent_at.0 < 0 || sent_at > app.now() + TOLERANCE {
        return Err(InputError::Refused { field: "sent_at", reason: "must be a time of the past" });
    }
    Ok(sent_at)
}
