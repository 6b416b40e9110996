//! Whether the index says the same as the records.
//!
//! All sides are summed up to a fingerprint that does not depend on order, so that the usual case needs no memory: what the
//! records say, the index's rows read through, and the index's rows looked up stream by stream, as readers do. Only when the
//! sums differ are the sides compared row by row, to say where.

use application::log::commit::{ChainHash, CommitHeader};
use application::log::stream::StreamId;
use hashbrown::HashSet;

use super::super::Files;
use super::super::index::{self, Covers, Entry, Index, Key};
use super::super::record::Record;
use super::super::sql::StoreError;
use super::super::store::{Place, Store};
use super::{CheckReport, FindingKind, FindingPlace, in_file, shape};

/// Rows of a stream that are looked up at a time.
const LOOK_UP_ROWS: usize = 1024;

/// A sum over entries.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    entries: u64,
    hashes: u128,
}

impl Sum {
    fn add(&mut self, key: &[u8], entry: &Entry) {
        let mut hasher = blake3::Hasher::new();
        let Entry { first_version, events, place: Place { position, record, offset, bytes } } = entry;
        for number in [*first_version, u64::from(*events), *position, *record, u64::from(*offset), u64::from(*bytes)] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(key);
        let mut hash = [0; 16];
        hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        self.hashes = self.hashes.wrapping_add(u128::from_le_bytes(hash));
        self.entries += 1;
    }
}

/// What the records say up to the position that the index covers.
pub struct Fingerprint {
    up_to: u64,
    sum: Sum,
    /// The hash of the commit there. A commit that is missing or damaged has none, and says nothing about the index.
    anchor: Option<ChainHash>,
}

impl Fingerprint {
    /// An empty sum.
    pub fn up_to(position: u64) -> Self {
        Self { up_to: position, sum: Sum::default(), anchor: (position == 0).then(ChainHash::default) }
    }

    /// Adds what the index should say of a commit.
    pub fn add_commit(&mut self, header: &CommitHeader, record: &Record, position: u64, bytes: &[u8]) {
        if position > self.up_to {
            return;
        }
        if position == self.up_to {
            self.anchor = Some(ChainHash::of(bytes));
        }
        self.sum.add(Key::of(&header.stream).as_slice(), &entry_of(header, record, position));
    }
}

fn entry_of(header: &CommitHeader, record: &Record, position: u64) -> Entry {
    let place = Place::in_record(record, position).expect("the position lies in the record");
    Entry { first_version: header.first_version, events: header.events, place }
}

/// Opens the index for reading. An index that is not there is no finding.
pub fn open(report: &mut CheckReport, files: &Files) -> Option<(Index, Covers)> {
    if files.index.vfs.is_none() && !files.index.file.exists() {
        return None;
    }
    let opened = Index::connect_to_check(&files.index).and_then(|index| {
        let covers = index.covers()?;
        Ok((index.has_this_format()?, index, covers))
    });
    match opened {
        Ok((has_this_format, index, covers)) => {
            report.index_covers = Some(covers.position);
            shape::check(report, &files.index, index.connection(), index::SCHEMA);
            if !has_this_format {
                report.add(FindingKind::Index, in_file(&files.index), "the index is of another format");
            }
            Some((index, covers))
        }
        Err(error) => {
            report.add(FindingKind::Index, in_file(&files.index), error.to_string());
            None
        }
    }
}

/// Compares the sums, and the rows if the sums differ. `streams` are those of the records.
pub fn compare(
    report: &mut CheckReport,
    files: &Files,
    store: &Store,
    (index, covers): (&Index, Covers),
    records: &Fingerprint,
    streams: Vec<StreamId>,
) {
    if covers.position > report.head {
        let what = format!("the index knows commits up to {}", covers.position);
        report.add(FindingKind::Lost, in_file(&files.log), what);
    }
    if records.anchor.is_some_and(|anchor| anchor != covers.anchor) {
        report.add(FindingKind::Index, in_file(&files.index), "the index was made for another log");
    }
    match read_through(files, index).and_then(|read| Ok((read, look_up(files, index, streams)?))) {
        Ok((read, looked_up)) if read == records.sum && looked_up == records.sum => return,
        Ok(_) => {}
        Err(error) => return report.add(FindingKind::Index, in_file(&files.index), error.to_string()),
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

/// The sum of all rows.
fn read_through(files: &Files, index: &Index) -> Result<Sum, StoreError> {
    let mut sum = Sum::default();
    each_row(index, |key, entry| sum.add(key, &entry)).map_err(|error| StoreError::sql(&files.index, error))?;
    Ok(sum)
}

/// The sum of what readers find, who look streams up: from a version on, and the newest commit.
fn look_up(files: &Files, index: &Index, mut streams: Vec<StreamId>) -> Result<Sum, StoreError> {
    // In the order of the rows, so that each page of the index is read once.
    streams.sort_unstable_by(|one, other| Key::of(one).as_slice().cmp(Key::of(other).as_slice()));
    let mut sum = Sum::default();
    for stream in &streams {
        let key = Key::of(stream);
        let mut newest = None;
        loop {
            let from = newest.map_or(1, |newest: Entry| newest.first_version + 1);
            let mut rows = index.range(stream, from, LOOK_UP_ROWS)?;
            let is_last_page = rows.len() < LOOK_UP_ROWS;
            // The first one may be the row before.
            rows.retain(|row| row.first_version >= from);
            rows.iter().for_each(|row| sum.add(key.as_slice(), row));
            newest = rows.last().copied().or(newest);
            if is_last_page || rows.is_empty() {
                break;
            }
        }
        if index.last(stream)? != newest {
            let place = format!("{} {stream}: its newest commit is not where its rows end", files.index.name());
            return Err(StoreError::Damaged { place });
        }
    }
    Ok(sum)
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
    let up_to = covers.position.min(report.head);
    while next <= up_to {
        let Ok(Some(record)) = store.record_holding(next) else {
            next += 1;
            continue;
        };
        for position in next..=record.last().min(up_to) {
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
