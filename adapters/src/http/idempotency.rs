//! Idempotency keys: the same key and request is carried out once, the same key with another request is refused.
//!
//! What was carried out is remembered by each stream for good (a command's id is derived from the key). A key that is used
//! again for a request to *another* stream is noticed here, from memory, until this many newer keys have come.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use application::error::CommandError;
use axum::http::HeaderMap;
use uuid::Uuid;

use super::error::InputError;

/// Longest key; the convention of others.
pub const KEY_BYTES_MAX: usize = 255;
/// Keys remembered; at 40 bytes each about 4 MiB.
pub const KEYS_KEPT: usize = 65_536;

/// The header.
pub const HEADER: &str = "idempotency-key";

/// Reads the header, if there is one.
///
/// # Errors
/// [`InputError::InvalidIdempotencyKey`].
pub fn key_of(headers: &HeaderMap) -> Result<Option<String>, InputError> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(None);
    };
    let key = value.to_str().map_err(|_| InputError::InvalidIdempotencyKey)?;
    let valid = !key.is_empty() && key.len() <= KEY_BYTES_MAX && key.bytes().all(|byte| byte.is_ascii_graphic());
    if valid { Ok(Some(key.to_owned())) } else { Err(InputError::InvalidIdempotencyKey) }
}

/// The keys seen lately, each with the digest of its request.
#[derive(Default)]
pub struct SeenKeys {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    by_key: HashMap<Uuid, u64>,
    oldest_first: VecDeque<Uuid>,
}

impl SeenKeys {
    /// Notes that a key came with a request.
    ///
    /// # Errors
    /// [`CommandError::IdempotencyMismatch`] when it came with another one before.
    pub fn note(&self, asker: Uuid, key: &str, digest: u64) -> Result<(), CommandError> {
        let name = Uuid::new_v5(&asker, key.as_bytes());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.by_key.get(&name) {
            Some(known) if *known == digest => return Ok(()),
            Some(_) => return Err(CommandError::IdempotencyMismatch),
            None => {}
        }
        if seen.oldest_first.len() >= KEYS_KEPT
            && let Some(oldest) = seen.oldest_first.pop_front()
        {
            seen.by_key.remove(&oldest);
        }
        seen.by_key.insert(name, digest);
        seen.oldest_first.push_back(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_with_another_request_is_refused_per_asker() {
        let keys = SeenKeys::default();
        let (alice, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(keys.note(alice, "k", 7), Ok(()));
        assert_eq!(keys.note(alice, "k", 7), Ok(()));
        assert_eq!(keys.note(alice, "k", 8), Err(CommandError::IdempotencyMismatch));
        assert_eq!(keys.note(bob, "k", 8), Ok(()));
    }

    #[test]
    fn only_the_newest_keys_are_remembered() {
        let keys = SeenKeys::default();
        let asker = Uuid::from_u128(1);
        for number in 0..=KEYS_KEPT {
            keys.note(asker, &number.to_string(), 1).unwrap();
        }
        assert_eq!(keys.note(asker, "1", 2), Err(CommandError::IdempotencyMismatch));
        assert_eq!(keys.note(asker, "0", 2), Ok(()));
    }

    #[test]
    fn a_key_is_1_to_255_printable_characters() {
        for (key, fine) in [("a".repeat(255), true), ("a".repeat(256), false), (String::new(), false), ("a b".to_owned(), false)] {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, key.parse().unwrap());
            assert_eq!(key_of(&headers).is_ok(), fine, "{key}");
        }
        assert_eq!(key_of(&HeaderMap::new()), Ok(None));
    }
}
