//! The record: one row of the log file, holding the commits of a flush or of a part of one.
//!
//! Layout, integers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 2 | magic `KR` |
//! | 1 | format, 1 |
//! | 1 | zero |
//! | 8 | position of the first commit, which is also the row id |
//! | 4 | number of commits |
//! | 4 each | length of each commit |
//! | 4 | CRC-32C of everything before |
//! | ... | the commits, one after the other, each with its own CRC |
//!
//! This file knows bytes only: no SQLite, no index.

use bytes::Bytes;

use super::super::is_intact;

const MAGIC: [u8; 2] = *b"KR";
const FORMAT: u8 = 1;
const FIXED_BYTES: usize = 16;
const CRC_BYTES: usize = 4;

/// Why a record or a commit in it cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordDamage {
    /// The header's checksum does not fit, or what it says is impossible.
    #[error("record header is damaged")]
    Header,
    /// The record lies under another row id than it was written for.
    #[error("record says that it begins at position {says}")]
    Misplaced {
        /// What the header says.
        says: u64,
    },
    /// Written by a newer kefu.
    #[error("record format {format} is newer than this program")]
    NewerFormat {
        /// The format found.
        format: u8,
    },
    /// The commit does not fit its checksum.
    #[error("commit checksum does not match")]
    Commit,
}

/// Collects commits into a record.
#[derive(Debug, Default)]
pub struct RecordBuilder {
    lengths: Vec<u32>,
    body: Vec<u8>,
}

impl RecordBuilder {
    /// Adds a commit.
    pub fn push(&mut self, commit: &[u8]) {
        self.lengths.push(u32::try_from(commit.len()).expect("a commit is far below 4 GiB"));
        self.body.extend_from_slice(commit);
    }

    /// Bytes of the commits so far.
    pub fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// The record's bytes; the builder begins anew.
    pub fn finish(&mut self, first: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(header_bytes(self.lengths.len()) + self.body.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[FORMAT, 0]);
        bytes.extend_from_slice(&first.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(self.lengths.len()).expect("a flush has few commits").to_le_bytes());
        for length in self.lengths.drain(..) {
            bytes.extend_from_slice(&length.to_le_bytes());
        }
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.append(&mut self.body);
        bytes
    }
}

/// Where the first commit of a record with so many commits begins.
pub fn header_bytes(commits: usize) -> usize {
    FIXED_BYTES + commits * 4 + CRC_BYTES
}

/// A record whose header was checked.
#[derive(Debug, Clone)]
pub struct Record {
    first: u64,
    bytes: Bytes,
    /// Offsets of the commits in `bytes`, and the end of the last.
    bounds: Vec<u32>,
}

impl Record {
    /// Reads a record found under a row id and checks its header.
    pub fn parse(row: u64, bytes: Bytes) -> Result<Self, RecordDamage> {
        let fixed = bytes.get(..FIXED_BYTES).ok_or(RecordDamage::Header)?;
        let count = u32::from_le_bytes(fixed[12..16].try_into().expect("four bytes")) as usize;
        let body_at = header_bytes(count);
        let header = bytes.get(..body_at).ok_or(RecordDamage::Header)?;
        if !is_intact(header) || fixed[..2] != MAGIC || count == 0 {
            return Err(RecordDamage::Header);
        }
        if fixed[2] != FORMAT {
            return Err(RecordDamage::NewerFormat { format: fixed[2] });
        }
        let first = u64::from_le_bytes(fixed[4..12].try_into().expect("eight bytes"));
        if first != row {
            return Err(RecordDamage::Misplaced { says: first });
        }
        let mut bounds = Vec::with_capacity(count + 1);
        let mut at = body_at as u64;
        bounds.push(u32::try_from(at).map_err(|_| RecordDamage::Header)?);
        for length in header[FIXED_BYTES..body_at - CRC_BYTES].as_chunks::<4>().0 {
            at += u64::from(u32::from_le_bytes(*length));
            bounds.push(u32::try_from(at).map_err(|_| RecordDamage::Header)?);
        }
        if at != bytes.len() as u64 {
            return Err(RecordDamage::Header);
        }
        Ok(Self { first, bytes, bounds })
    }

    /// Position of the first commit.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Position of the last commit.
    pub fn last(&self) -> u64 {
        self.first + self.bounds.len() as u64 - 2
    }

    /// Size of the whole record.
    pub fn byte_count(&self) -> usize {
        self.bytes.len()
    }

    /// Where the commit at a position of this record begins, and its length.
    pub fn place(&self, position: u64) -> Option<(u32, u32)> {
        let index = usize::try_from(position.checked_sub(self.first)?).ok()?;
        let (from, to) = (self.bounds.get(index)?, self.bounds.get(index + 1)?);
        Some((*from, to - from))
    }

    /// The commit at a position of this record, checked against its checksum. It shares the record's memory.
    pub fn commit(&self, position: u64) -> Option<Result<Bytes, RecordDamage>> {
        let (from, length) = self.place(position)?;
        let commit = self.bytes.slice(from as usize..(from + length) as usize);
        Some(if is_intact(&commit) { Ok(commit) } else { Err(RecordDamage::Commit) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(text: &[u8]) -> Vec<u8> {
        [text, &crc32c::crc32c(text).to_le_bytes()].concat()
    }

    fn record() -> Vec<u8> {
        let mut builder = RecordBuilder::default();
        builder.push(&commit(b"one"));
        builder.push(&commit(b"second"));
        builder.finish(7)
    }

    #[test]
    fn each_commit_of_a_record_is_found_by_its_position() {
        let record = Record::parse(7, record().into()).unwrap();
        assert_eq!((record.first(), record.last()), (7, 8));
        assert_eq!(record.commit(7).unwrap().unwrap(), commit(b"one"));
        assert_eq!(record.commit(8).unwrap().unwrap(), commit(b"second"));
        assert!(record.commit(6).is_none() && record.commit(9).is_none());
    }

    #[test]
    fn a_flipped_bit_anywhere_in_a_record_is_noticed_and_spares_the_other_commits() {
        let intact = record();
        let body_at = header_bytes(2);
        for at in 0..intact.len() {
            let mut bytes = intact.clone();
            bytes[at] ^= 0x10;
            match Record::parse(7, bytes.into()) {
                Err(_) => assert!(at < body_at),
                Ok(record) => {
                    let damaged: Vec<bool> = (7..=8).map(|position| record.commit(position).unwrap().is_err()).collect();
                    assert_eq!(damaged, if at < body_at + 7 { [true, false] } else { [false, true] }, "byte {at}");
                    assert!(at >= body_at);
                }
            }
        }
    }

    #[test]
    fn a_record_under_another_row_is_misplaced() {
        assert!(matches!(Record::parse(8, record().into()), Err(RecordDamage::Misplaced { says: 7 })));
    }
}
