//! Reading an attachment: its header, where a range of its content lies, and the content itself.

use std::ops::Range;

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305};
use domain::ids::{AttachmentId, ChatId, TenantId, UserId};
use domain::time::Timestamp;
use uuid::Uuid;

use super::{
    About, Binding, CHUNK_BYTES, FOOTER, FOOTER_BYTES, FOR_EVER, FORMAT, FORMAT_WITHOUT_USE_BY, HASH_BYTES, MAGIC, NAME,
    SEALED_CHUNK_BYTES, TAG_BYTES,
};
use crate::ports::key_store::SubjectKey;

/// Why a stored attachment cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It does not begin like one, or it is too short.
    #[error("not an attachment")]
    Malformed,
    /// A newer program wrote it.
    #[error("attachment has format {format}, newer than this program")]
    NewerFormat {
        /// Its format.
        format: u8,
    },
    /// A part is not what was sealed: damaged, moved, cut off, or another key.
    #[error("a part of the attachment does not open under its key")]
    NotAuthentic,
}

/// The header of a stored attachment, and what follows from the size of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What is known beside the content. None of it is proven before a part has opened.
    pub about: About,
    /// Bytes of the content.
    pub bytes: u64,
    name: Vec<u8>,
    begin: u64,
    chunks: u64,
    sealed: u64,
    binding: Binding,
}

/// Reads from the front of a slice.
struct Front<'a>(&'a [u8]);

impl<'a> Front<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(Unreadable::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        Ok(self.take(N)?.try_into().expect("as many as were taken"))
    }
}

impl Header {
    /// Reads the header from the first [`super::HEADER_BYTES_MAX`] bytes of a stored attachment of this size.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(tenant: TenantId, attachment: AttachmentId, first: &[u8], total: u64) -> Result<Self, Unreadable> {
        let mut front = Front(first);
        if front.array()? != MAGIC {
            return Err(Unreadable::Malformed);
        }
        let [format] = front.array()?;
        if !(FORMAT_WITHOUT_USE_BY..=FORMAT).contains(&format) {
            return Err(if format > FORMAT { Unreadable::NewerFormat { format } } else { Unreadable::Malformed });
        }
        let writing = Uuid::from_bytes(front.array()?);
        let uploader = UserId::from_uuid(Uuid::from_bytes(front.array()?));
        let chat = ChatId::from_uuid(Uuid::from_bytes(front.array()?));
        let at = Timestamp(i64::from_le_bytes(front.array()?));
        let use_by = if format == FORMAT_WITHOUT_USE_BY { FOR_EVER } else { i64::from_le_bytes(front.array()?) };
        let use_by = (use_by != FOR_EVER).then_some(Timestamp(use_by));
        let [length] = front.array()?;
        let media_type = std::str::from_utf8(front.take(usize::from(length))?).map_err(|_| Unreadable::Malformed)?;
        let binding = Binding::new(tenant, attachment, writing, &first[..first.len() - front.0.len()]);
        let length = u16::from_le_bytes(front.array()?);
        let name = front.take(usize::from(length))?.to_vec();
        let begin = (first.len() - front.0.len()) as u64;
        let sealed = total.checked_sub(begin + FOOTER_BYTES as u64).ok_or(Unreadable::Malformed)?;
        let chunks = sealed.div_ceil(SEALED_CHUNK_BYTES as u64);
        // A part that holds no byte but a tag was never written.
        let bytes = sealed
            .checked_sub(chunks * TAG_BYTES as u64)
            .filter(|_| sealed % SEALED_CHUNK_BYTES as u64 > TAG_BYTES as u64 || sealed % SEALED_CHUNK_BYTES as u64 == 0);
        let bytes = bytes.filter(|bytes| *bytes > 0).ok_or(Unreadable::Malformed)?;
        let about = About { uploader, chat, at, use_by, media_type: media_type.to_owned() };
        Ok(Self { about, bytes, name, begin, chunks, sealed, binding })
    }

    /// The name of the file, as its uploader gave it.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn name(&self, key: &SubjectKey) -> Result<String, Unreadable> {
        String::from_utf8(self.open(key, NAME, false, &self.name)?).map_err(|_| Unreadable::Malformed)
    }

    /// Where the chunks lie that hold this range of the content, which must not be empty nor reach beyond the end.
    #[must_use]
    pub fn place_of(&self, content: &Range<u64>) -> Range<u64> {
        let first = content.start / CHUNK_BYTES as u64;
        let behind = content.end.div_ceil(CHUNK_BYTES as u64);
        let place = |chunk: u64| self.begin + (chunk * SEALED_CHUNK_BYTES as u64).min(self.sealed);
        place(first)..place(behind)
    }

    /// Opens a range of the content from the bytes that lie at [`Self::place_of`] it.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn content(&self, key: &SubjectKey, content: &Range<u64>, stored: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let place = self.place_of(content);
        if stored.len() as u64 != place.end - place.start {
            return Err(Unreadable::Malformed);
        }
        let first = content.start / CHUNK_BYTES as u64;
        let mut opened = Vec::with_capacity(stored.len());
        for (chunk, sealed) in (first..).zip(stored.chunks(SEALED_CHUNK_BYTES)) {
            opened.extend_from_slice(&self.open(key, chunk, chunk + 1 == self.chunks, sealed)?);
        }
        let skipped = usize::try_from(content.start % CHUNK_BYTES as u64).expect("less than a chunk");
        let wanted = usize::try_from(content.end - content.start).map_err(|_| Unreadable::Malformed)?;
        if opened.len() < skipped + wanted {
            return Err(Unreadable::Malformed);
        }
        opened.truncate(skipped + wanted);
        opened.drain(..skipped);
        Ok(opened)
    }

    /// Where the footer lies.
    #[must_use]
    pub fn place_of_footer(&self) -> Range<u64> {
        let begin = self.begin + self.sealed;
        begin..begin + FOOTER_BYTES as u64
    }

    /// The BLAKE3 hash of the whole content, from the bytes at [`Self::place_of_footer`].
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn hash(&self, key: &SubjectKey, stored: &[u8]) -> Result<[u8; HASH_BYTES], Unreadable> {
        self.open(key, FOOTER, true, stored)?.try_into().map_err(|_| Unreadable::Malformed)
    }

    fn open(&self, key: &SubjectKey, part: u64, is_last: bool, sealed: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let (text, tag) = sealed.split_at_checked(sealed.len().wrapping_sub(TAG_BYTES)).ok_or(Unreadable::Malformed)?;
        let mut text = text.to_vec();
        let tag = Tag::try_from(tag).map_err(|_| Unreadable::Malformed)?;
        XChaCha20Poly1305::new(&key.0.into())
            .decrypt_inout_detached(&self.binding.nonce(part), &self.binding.data(part, is_last), InOutBuf::from(text.as_mut_slice()), &tag)
            .map_err(|_| Unreadable::NotAuthentic)?;
        Ok(text)
    }
}
