//! Writing an attachment: content in, sealed bytes out, with one chunk kept back because it may be the last.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use domain::ids::{AttachmentId, TenantId};
use uuid::Uuid;

use super::{About, Binding, CHUNK_BYTES, FOOTER, FOR_EVER, FORMAT, MAGIC, MEDIA_TYPE_BYTES_MAX, NAME, NAME_BYTES_MAX};
use crate::ports::key_store::SubjectKey;

/// Seals the content of one attachment, piece by piece.
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    binding: Binding,
    /// Content that is not sealed yet: at most one chunk between two calls.
    kept: Vec<u8>,
    next: u64,
    hash: blake3::Hasher,
}

impl Sealer {
    /// Begins an attachment and writes its header. `writing` must be new each time, also for the same attachment.
    ///
    /// # Panics
    /// When media type or name are over their limits; whoever calls has checked both.
    #[must_use]
    pub fn begin(
        key: &SubjectKey,
        (tenant, attachment): (TenantId, AttachmentId),
        writing: Uuid,
        about: &About,
        name: &str,
        out: &mut Vec<u8>,
    ) -> Self {
        assert!(about.media_type.len() <= MEDIA_TYPE_BYTES_MAX && name.len() <= NAME_BYTES_MAX, "the caller keeps the limits");
        let from = out.len();
        out.extend_from_slice(&MAGIC);
        out.push(FORMAT);
        out.extend_from_slice(writing.as_bytes());
        out.extend_from_slice(about.uploader.as_bytes());
        out.extend_from_slice(about.chat.as_bytes());
        out.extend_from_slice(&about.at.0.to_le_bytes());
        out.extend_from_slice(&about.use_by.map_or(FOR_EVER, |use_by| use_by.0).to_le_bytes());
        out.push(u8::try_from(about.media_type.len()).expect("checked above"));
        out.extend_from_slice(about.media_type.as_bytes());
        let binding = Binding::new(tenant, attachment, writing, &out[from..]);
        let cipher = XChaCha20Poly1305::new(&key.0.into());
        let mut sealer = Self { cipher, binding, kept: Vec::with_capacity(CHUNK_BYTES), next: 0, hash: blake3::Hasher::new() };
        let mut sealed = name.as_bytes().to_vec();
        sealer.seal(NAME, false, &mut sealed, 0);
        out.extend_from_slice(&u16::try_from(sealed.len()).expect("a name is short").to_le_bytes());
        out.extend_from_slice(&sealed);
        sealer
    }

    /// Takes content in; whole chunks come out sealed.
    pub fn push(&mut self, mut content: &[u8], out: &mut Vec<u8>) {
        self.hash.update(content);
        while !content.is_empty() {
            if self.kept.len() == CHUNK_BYTES {
                self.chunk(false, out);
            }
            let (now, later) = content.split_at(content.len().min(CHUNK_BYTES - self.kept.len()));
            self.kept.extend_from_slice(now);
            content = later;
        }
    }

    /// Ends the attachment. Its content must not be empty: without a chunk there is nothing to be read.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        debug_assert!(!self.kept.is_empty(), "an attachment has content");
        self.chunk(true, out);
        let from = out.len();
        out.extend_from_slice(self.hash.finalize().as_bytes());
        self.seal(FOOTER, true, out, from);
    }

    fn chunk(&mut self, is_last: bool, out: &mut Vec<u8>) {
        let from = out.len();
        out.append(&mut self.kept);
        self.seal(self.next, is_last, out, from);
        self.next += 1;
    }

    /// Seals `bytes[from..]` in place and appends the tag.
    fn seal(&mut self, part: u64, is_last: bool, bytes: &mut Vec<u8>, from: usize) {
        let data = self.binding.data(part, is_last);
        let tag = self
            .cipher
            .encrypt_inout_detached(&self.binding.nonce(part), &data, InOutBuf::from(&mut bytes[from..]))
            .expect("a chunk is far below the cipher's limit");
        bytes.extend_from_slice(&tag);
    }
}
