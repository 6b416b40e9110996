//! Whether the index says the same as the records.
//!
//! Both sides are summed up to a fingerprint that does not depend on order, so that the usual case needs no memory. Only when
//! the sums differ are the sides compared row by row, to say where.

use application::log::commit::{ChainHash, CommitHeader};
use hashbrown::HashSet;

use super::super::Files;
use super::super::index::{self, Covers, Entry, Index, Key};
use super::super::record::Record;
use super::super::sql::{self, StoreError};
use super::super::store::{Place, Store};
use super::{CheckReport, FindingKind, FindingPlace, in_file, structure};

/// A sum over all entries up to a position, and the hash of the commit there.
pub struct Fingerprint {
    up_to: u64,
    entries: u64,
    sum: u128,
    anchor: ChainHash,
}

impl Fingerprint {
    /// An empty sum.
    pub fn up_to(position: u64) -> Self {
        Self { up_to: position, entries: 0, sum: 0, anchor: ChainHash::default() }
    }

    /// Adds what the index should say of a commit.
    pub fn add_commit(&mut self, header: &CommitHeader, record: &Record, position: u64, bytes: &[u8]) {
        if position > self.up_to {
            return;
        }
        if position == self.up_to {
            self.anchor = ChainHash::of(bytes);
        }
        self.add(Key::of(&header.stream).as_slice(), &entry_of(header, record, position));
    }

    fn add(&mut self, key: &[u8], entry: &Entry) {
        let mut hasher = blake3::Hasher::new();
        let Entry { first_version, events, place: Place { position, record, offset, bytes } } = entry;
        for number in [*first_version, u64::from(*events), *position, *record, u64::from(*offset), u64::from(*bytes)] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(key);
        let mut hash = [0; 16];
        hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        self.sum = self.sum.wrapping_add(u128::from_le_bytes(hash));
        self.entries += 1;
    }
}

fn entry_of(header: &CommitHeader, record: &Record, position: u64) -> Entry {
    let (offset, bytes) = record.place(position).expect("the position lies in the record");
    Entry { first_version: header.first_version, events: header.events, place: Place { position, record: record.first(), offset, bytes } }
}

/// Opens the index for reading. An index that is not there is no finding.
pub fn open(report: &mut CheckReport, files: &Files) -> Option<(Index, Covers)> {
    if files.index.vfs.is_none() && !files.index.file.exists() {
        return None;
    }
    let opened = Index::connect(&files.index).and_then(|index| {
        sql::keep_wal_on_close(index.connection()).map_err(|error| StoreError::sql(&files.index, error))?;
        let covers = index.covers()?;
        Ok((index, covers))
    });
    match opened {
        Ok((index, covers)) => {
            report.index_covers = Some(covers.position);
            structure(report, &files.index, index.connection());
            Some((index, covers))
        }
        Err(error) => {
            report.add(FindingKind::Index, in_file(&files.index), error.to_string());
            None
        }
    }
}

/// Compares the sums, and the rows if the sums differ.
pub fn compare(report: &mut CheckReport, files: &Files, store: &Store, index: &Index, covers: Covers, records: &Fingerprint) {
    if covers.position > report.head {
        let what = format!("the index knows commits up to {}", covers.position);
        report.add(FindingKind::Lost, in_file(&files.log), what);
    }
    if covers.anchor != records.anchor {
        report.add(FindingKind::Index, in_file(&files.index), "the index was made for another log");
    }
    let mut rows = Fingerprint::up_to(covers.position);
    if let Err(error) = each_row(index, |key, entry| rows.add(key, &entry)) {
        return report.add(FindingKind::Index, in_file(&files.index), error.to_string());
    }
    if rows.sum == records.sum && rows.entries == records.entries {
        return;
    }
    let before = report.findings.len();
    if let Err(error) = name_differences(report, files, store, index, covers) {
        report.add(FindingKind::Index, in_file(&files.index), error.to_string());
    }
    let all_intact = report.commits == report.head;
    if report.findings.len() == before && all_intact {
        report.add(FindingKind::Index, in_file(&files.index), "the index has other rows than the records");
    }
}

fn each_row(index: &Index, mut visit: impl FnMut(&[u8], Entry)) -> rusqlite::Result<()> {
    let mut select = index.connection().prepare("SELECT version, events, position, back, offset, bytes, stream FROM commits")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        visit(row.get_ref(6)?.as_blob()?, index::entry(row)?);
    }
    Ok(())
}

/// Row by row: each row against the commit it points to, then each commit against its row.
fn name_differences(report: &mut CheckReport, files: &Files, store: &Store, index: &Index, covers: Covers) -> Result<(), StoreError> {
    let place = |entry: &Entry| FindingPlace {
        file: files.index.name(),
        record: Some(entry.place.record),
        offset: Some(entry.place.offset),
        position: Some(entry.place.position),
    };
    let mut wrong = HashSet::new();
    let visit = |key: &[u8], entry: Entry| {
        let holds = store.record_holding(entry.place.position).ok().flatten();
        let commit = holds.as_ref().and_then(|record| record.commit(entry.place.position)?.ok());
        let header = commit.as_ref().and_then(|bytes| application::log::commit::header(bytes).ok());
        // A commit that cannot be read was reported already, and says nothing about the index.
        let differs = header.zip(holds.as_ref()).is_some_and(|(header, record)| {
            Key::of(&header.stream).as_slice() != key || entry_of(&header, record, entry.place.position) != entry
        });
        if differs && wrong.insert(entry.place.position) {
            report.add(FindingKind::Index, place(&entry), "the index points here for another commit");
        }
    };
    each_row(index, visit).map_err(|error| StoreError::sql(&files.index, error))?;
    let mut next = 1;
    while next <= covers.position {
        let Ok(Some(record)) = store.record_holding(next) else {
            next += 1;
            continue;
        };
        for position in next..=record.last().min(covers.position) {
            let Some(Ok(bytes)) = record.commit(position) else { continue };
            let Ok(header) = application::log::commit::header(&bytes) else { continue };
            let expected = entry_of(&header, &record, position);
            let row = index.range(&header.stream, header.first_version, 1)?;
            if row.first() != Some(&expected) && !wrong.contains(&position) {
                report.add(FindingKind::Index, place(&expected), "the index does not know this commit");
            }
        }
        next = record.last() + 1;
    }
    Ok(())
}
