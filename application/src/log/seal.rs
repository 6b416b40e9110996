//! Sealing of private halves: XChaCha20-Poly1305 under the subject's key.
//!
//! The nonce is the event's id followed by [`NONCE_TAIL`]: ids are unique, and an event is sealed once. The additional data
//! binds the text to its tenant, stream and event, so that it cannot be moved to another place.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use domain::ids::EventId;

use super::stream::StreamId;
use crate::ports::key_store::SubjectKey;

/// The last eight bytes of every nonce; a second scheme would use another tail.
pub const NONCE_TAIL: [u8; 8] = *b"kefu-v1\0";

const TAG_BYTES: usize = 16;

/// The sealed bytes are not what was sealed: damaged, moved, or another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed part does not open under its key")]
pub struct NotAuthentic;

fn nonce(event: EventId) -> XNonce {
    let mut nonce = [0; 24];
    nonce[..16].copy_from_slice(event.as_bytes());
    nonce[16..].copy_from_slice(&NONCE_TAIL);
    XNonce::from(nonce)
}

fn additional_data(stream: &StreamId, event: EventId) -> Vec<u8> {
    let mut data = Vec::with_capacity(128);
    data.extend_from_slice(stream.name().as_bytes());
    data.extend_from_slice(event.as_bytes());
    data
}

/// Seals `bytes[from..]` in place and appends the tag.
pub fn seal_in_place(key: &SubjectKey, stream: &StreamId, event: EventId, bytes: &mut Vec<u8>, from: usize) {
    let cipher = XChaCha20Poly1305::new(&key.0.into());
    let tag = cipher
        .encrypt_inout_detached(&nonce(event), &additional_data(stream, event), InOutBuf::from(&mut bytes[from..]))
        .expect("a commit is far below the cipher's 256 GiB limit");
    bytes.extend_from_slice(&tag);
}

/// Opens what [`seal_in_place`] sealed.
///
/// # Errors
/// [`NotAuthentic`].
pub fn open(key: &SubjectKey, stream: &StreamId, event: EventId, sealed: &[u8]) -> Result<Vec<u8>, NotAuthentic> {
    let (text, tag) = sealed.split_at_checked(sealed.len().wrapping_sub(TAG_BYTES)).ok_or(NotAuthentic)?;
    let mut text = text.to_vec();
    let tag = Tag::try_from(tag).map_err(|_| NotAuthentic)?;
    XChaCha20Poly1305::new(&key.0.into())
        .decrypt_inout_detached(&nonce(event), &additional_data(stream, event), InOutBuf::from(text.as_mut_slice()), &tag)
        .map_err(|_| NotAuthentic)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use domain::ids::ChatId;

    use super::*;
    use crate::log::stream::StreamKey;

    fn stream(tenant: &str) -> StreamId {
        StreamId::new(tenant.parse().expect("valid"), StreamKey::Chat(ChatId::from_u128(1)))
    }

    #[test]
    fn what_was_sealed_opens_only_in_its_own_place_and_under_its_own_key() {
        let key = SubjectKey([7; 32]);
        let event = EventId::from_u128(5);
        let mut bytes = b"before:hello".to_vec();
        seal_in_place(&key, &stream("acme"), event, &mut bytes, 7);
        assert_eq!(&bytes[..7], b"before:");
        let sealed = &bytes[7..];
        assert_eq!(open(&key, &stream("acme"), event, sealed).as_deref(), Ok(b"hello".as_slice()));
        assert_eq!(open(&key, &stream("other"), event, sealed), Err(NotAuthentic));
        assert_eq!(open(&key, &stream("acme"), EventId::from_u128(6), sealed), Err(NotAuthentic));
        assert_eq!(open(&SubjectKey([8; 32]), &stream("acme"), event, sealed), Err(NotAuthentic));
        assert_eq!(open(&key, &stream("acme"), event, &sealed[1..]), Err(NotAuthentic));
        assert_eq!(open(&key, &stream("acme"), event, b"short"), Err(NotAuthentic));
    }
}
