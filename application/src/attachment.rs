//! The bytes of a stored attachment: a header, sealed chunks, and a sealed footer.
//!
//! Chunks are sealed one by one (XChaCha20-Poly1305, under the uploader's key), so that any range can be read and no file needs
//! to be in memory. This file must not know where the bytes lie, nor who may read them.
//!
//! | bytes | what |
//! |---|---|
//! | 2 | `KA` |
//! | 1 | format: 2 |
//! | 16 | id of this writing, the first part of every nonce |
//! | 16 | uploader, whose key seals |
//! | 16 | chat |
//! | 8 | when it was uploaded: milliseconds since 1970-01-01 UTC, signed, little-endian |
//! | 8 | until when a message may be the first to use it, in the same way; the largest number: for ever. Not in format 1 |
//! | 1 + n | media type as it was sniffed |
//! | 2 + n | name, sealed; the length is little-endian |
//! | 64 KiB + 16 each | the content, sealed in chunks; the last one may be shorter, and is never empty |
//! | 48 | BLAKE3 hash of the content, sealed |
//!
//! The nonce of a part is the id of the writing followed by the number of the part (little-endian); chunks count from 0, and
//! the name and the footer have the two largest numbers. An id is minted for each writing, so no nonce is used twice. The
//! additional data is the tenant, the attachment, the header up to the name, the number of the part, and whether it is the
//! last chunk: no part can be moved, exchanged, left out or cut off.

mod open;
mod seal;

pub use open::{Header, Unreadable};
pub use seal::Sealer;

use chacha20poly1305::XNonce;
use domain::ids::{AttachmentId, ChatId, TenantId, UserId};
use domain::time::Timestamp;
use uuid::Uuid;

/// Content bytes of a chunk: small enough to open for the first byte of a range, large enough that the tags cost nothing.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// Longest name of a file in bytes of UTF-8: what file systems take.
pub const NAME_BYTES_MAX: usize = 255;
/// Longest media type in bytes; the longest that is sniffed has 73.
pub const MEDIA_TYPE_BYTES_MAX: usize = 128;
/// Bytes at the beginning of a stored attachment that hold its header.
pub const HEADER_BYTES_MAX: usize = FIXED_BYTES + 1 + MEDIA_TYPE_BYTES_MAX + 2 + NAME_BYTES_MAX + TAG_BYTES;

const MAGIC: [u8; 2] = *b"KA";
const FORMAT: u8 = 2;
/// It had no time to be used by, and whatever was stored in it stays.
const FORMAT_WITHOUT_USE_BY: u8 = 1;
/// The time of what may be used for ever.
const FOR_EVER: i64 = i64::MAX;
/// Everything before the media type.
const FIXED_BYTES: usize = 2 + 1 + 16 + 16 + 16 + 8 + 8;
const TAG_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
const FOOTER_BYTES: usize = HASH_BYTES + TAG_BYTES;
const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
/// Number of the part that holds the name.
const NAME: u64 = u64::MAX - 1;
/// Number of the part that holds the footer.
const FOOTER: u64 = u64::MAX;

/// What is known of an attachment beside its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Who uploaded it; their key seals.
    pub uploader: UserId,
    /// The chat it belongs to: who may read that may read this.
    pub chat: ChatId,
    /// When.
    pub at: Timestamp,
    /// Until when a message may be the first to use it; `None`: for ever.
    pub use_by: Option<Timestamp>,
    /// What it is, as its content tells.
    pub media_type: String,
}

/// What the parts of one stored attachment are bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Binding {
    writing: Uuid,
    data: Vec<u8>,
}

impl Binding {
    /// `head` is the header up to the name.
    fn new(tenant: TenantId, attachment: AttachmentId, writing: Uuid, head: &[u8]) -> Self {
        let mut data = Vec::with_capacity(64 + head.len());
        data.extend_from_slice(tenant.as_str().as_bytes());
        data.push(0);
        data.extend_from_slice(attachment.as_bytes());
        data.extend_from_slice(head);
        Self { writing, data }
    }

    fn nonce(&self, part: u64) -> XNonce {
        let mut nonce = [0; 24];
        nonce[..16].copy_from_slice(self.writing.as_bytes());
        nonce[16..].copy_from_slice(&part.to_le_bytes());
        XNonce::from(nonce)
    }

    fn data(&self, part: u64, is_last: bool) -> Vec<u8> {
        let mut data = Vec::with_capacity(self.data.len() + 9);
        data.extend_from_slice(&self.data);
        data.extend_from_slice(&part.to_le_bytes());
        data.push(u8::from(is_last));
        data
    }
}

#[cfg(test)]
mod tests;
