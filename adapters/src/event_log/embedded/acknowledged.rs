//! A small file beside the log that says how far appends were acknowledged.
//!
//! SQLite ends its recovery quietly at the first damaged frame of the WAL, which would hide lost commits. This mark is written
//! after each flush and never synced: after a crash it may be old, but it is never ahead of what was synced. So a log that
//! ends before it has lost something.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Eight bytes of position, four of CRC-32C.
const MARK_BYTES: usize = 12;

/// The file, open for writing.
pub struct Acknowledged {
    file: File,
}

impl Acknowledged {
    /// Opens the file and reads the mark; a mark that is absent or damaged reads as 0.
    pub fn open(path: &Path) -> io::Result<(Self, u64)> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let position = read(&file);
        Ok((Self { file }, position))
    }

    /// Moves the mark. A failure only makes the next check weaker.
    pub fn advance(&mut self, position: u64) {
        let mut mark = [0; MARK_BYTES];
        mark[..8].copy_from_slice(&position.to_le_bytes());
        let crc = crc32c::crc32c(&mark[..8]);
        mark[8..].copy_from_slice(&crc.to_le_bytes());
        if let Err(error) = self.file.write_all_at(&mark, 0) {
            tracing::debug!(%error, "mark of acknowledged commits was not written");
        }
    }
}

/// Reads a mark without opening it for writing.
pub fn peek(path: &Path) -> u64 {
    File::open(path).map_or(0, |file| read(&file))
}

fn read(file: &File) -> u64 {
    let mut mark = [0; MARK_BYTES];
    if file.read_exact_at(&mut mark, 0).is_err() {
        return 0;
    }
    let (position, crc) = mark.split_at(8);
    if crc32c::crc32c(position).to_le_bytes() != crc {
        return 0;
    }
    u64::from_le_bytes(position.try_into().expect("eight bytes"))
}
