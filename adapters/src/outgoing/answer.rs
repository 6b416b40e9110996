//! An answer that is read piece by piece, and no further than its limit.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use reqwest::Response;

use super::{SendError, failed};

/// The answer to a call.
#[derive(Debug)]
pub struct Answer {
    response: Response,
    left: usize,
    bytes_max: usize,
}

impl Answer {
    pub(super) const fn new(response: Response, bytes_max: usize) -> Self {
        Self { response, left: bytes_max, bytes_max }
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Its headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next piece of its body; nothing at the end.
    ///
    /// # Errors
    /// [`SendError::TooLarge`], [`SendError::NoAnswer`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, SendError> {
        let Some(piece) = self.response.chunk().await.map_err(failed)? else { return Ok(None) };
        self.left = self.left.checked_sub(piece.len()).ok_or(SendError::TooLarge { bytes_max: self.bytes_max })?;
        Ok(Some(piece))
    }

    /// What is left of its body.
    ///
    /// # Errors
    /// [`SendError::TooLarge`], [`SendError::NoAnswer`].
    pub async fn whole(mut self) -> Result<Vec<u8>, SendError> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}
