//! The full check: reads every byte of the log and compares everything that can be compared.
//!
//! Record headers and commit checksums, dense positions, contiguous versions and the hash chain of every stream, what the files
//! say that they are, SQLite's own structure check, the mark of acknowledged commits, and whether the index says the same as the
//! records. It goes every way that opening and reading go, so that they cannot find damage that it does not know. It changes
//! nothing, and it goes on after damage, so that the report shows all of it. Memory: about 200 bytes per stream.

use application::log::commit::{self, ChainHash, CommitHeader};
use application::log::stream::StreamId;
use hashbrown::HashMap;
use serde::Serialize;

use super::acknowledged;
use super::record::Record;
use super::sql::{Location, StoreError};
use super::store::{self, Place, Store};
use super::{Files, OpenError};

mod compare;
mod shape;

/// Findings listed in full; more are only counted. A report shall stay readable.
const FINDINGS_MAX: usize = 1000;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// SQLite finds its file damaged.
    File,
    /// A record's header is damaged, or it lies under the wrong row.
    Record,
    /// A commit does not fit its checksum or makes no sense.
    Commit,
    /// Positions are not dense: commits are missing, or there twice.
    Gap,
    /// A stream's versions are not contiguous, or something follows its tombstone.
    Version,
    /// A commit does not name the hash of the stream's commit before it.
    Chain,
    /// Commits that were acknowledged are not there.
    Lost,
    /// The index says something else than the records. Deleting the index file mends it.
    Index,
}

/// Where something is wrong, as precisely as is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingPlace {
    /// The file's name.
    pub file: String,
    /// The row of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// The offset in the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
    /// The position of the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// Where.
    pub place: FindingPlace,
    /// In words, without contents.
    pub what: String,
}

/// The outcome of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The newest position found.
    pub head: u64,
    /// Records read.
    pub records: u64,
    /// Commits read and found intact.
    pub commits: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes of them.
    pub commit_bytes: u64,
    /// Streams seen.
    pub streams: u64,
    /// Streams that ended with a tombstone.
    pub tombstones: u64,
    /// The position that the index covers, if there is an index.
    pub index_covers: Option<u64>,
    /// What is wrong: the first findings, as many as a person would read.
    pub findings: Vec<Finding>,
    /// How much more is wrong.
    pub findings_not_listed: u64,
}

impl CheckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, kind: FindingKind, place: FindingPlace, what: impl Into<String>) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { kind, place, what: what.into() });
        } else {
            self.findings_not_listed += 1;
        }
    }
}

fn in_file(location: &Location) -> FindingPlace {
    FindingPlace { file: location.name(), record: None, offset: None, position: None }
}

struct StreamState {
    version: u64,
    hash: ChainHash,
    gone: bool,
}

/// What the scan carries from record to record.
struct Scan<'a> {
    report: &'a mut CheckReport,
    location: &'a Location,
    streams: HashMap<StreamId, StreamState>,
    expected: u64,
    index: Option<compare::Fingerprint>,
}

/// Checks the files. The directory is locked already.
pub fn check(files: &Files) -> Result<CheckReport, OpenError> {
    let mut report = CheckReport::default();
    if files.log.vfs.is_none() && !files.log.file.exists() {
        return Err(OpenError::Unavailable { reason: format!("there is no {}", files.log.name()) });
    }
    let store = match Store::connect_to_check(&files.log) {
        Ok(store) => store,
        Err(StoreError::Damaged { place }) => {
            report.add(FindingKind::File, in_file(&files.log), place);
            return Ok(report);
        }
        Err(error @ StoreError::Sql { .. }) => return Err(error.into()),
    };
    shape::check(&mut report, &files.log, store.connection(), store::SCHEMA);
    for error in [store.recognise(), store.find_counter()].into_iter().filter_map(Result::err) {
        report.add(FindingKind::File, in_file(&files.log), error.to_string());
    }
    let index = compare::open(&mut report, files);
    let covers = index.as_ref().map(|(_, covers)| *covers);
    let fingerprint = covers.map(|covers| compare::Fingerprint::up_to(covers.position));
    let mut scan = Scan { report: &mut report, location: &files.log, streams: HashMap::new(), expected: 1, index: fingerprint };
    if let Err(error) = scan.records(&store) {
        scan.report.add(FindingKind::File, in_file(&files.log), error.to_string());
    }
    let (fingerprint, streams) = scan.finish();
    check_head(&mut report, files, &store);
    let marked = acknowledged::peek(&files.acknowledged);
    if marked > report.head {
        report.add(FindingKind::Lost, in_file(&files.log), format!("commits up to {marked} were acknowledged"));
    }
    if let (Some((index, covers)), Some(fingerprint)) = (index, fingerprint) {
        compare::compare(&mut report, files, &store, (&index, covers), &fingerprint, streams);
    }
    Ok(report)
}

/// Opening looks the newest record up and begins there. Where something was found already, that says why it cannot.
fn check_head(report: &mut CheckReport, files: &Files, store: &Store) {
    let what = match store.head() {
        Ok(head) if head == report.head => return,
        Ok(head) => format!("looked up, the newest commit is {head}; read through, it is {}", report.head),
        Err(error) => error.to_string(),
    };
    if report.is_clean() {
        report.add(FindingKind::File, in_file(&files.log), what);
    }
}

impl Scan<'_> {
    fn records(&mut self, store: &Store) -> rusqlite::Result<()> {
        let mut select = store.connection().prepare("SELECT first, bytes FROM records ORDER BY first")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let first = row.get::<_, i64>(0)?.cast_unsigned();
            let bytes = bytes::Bytes::copy_from_slice(row.get_ref(1)?.as_blob()?);
            self.record(store, first, bytes);
        }
        Ok(())
    }

    fn place(&self, record: u64, offset: Option<u32>, position: Option<u64>) -> FindingPlace {
        FindingPlace { file: self.location.name(), record: Some(record), offset, position }
    }

    fn record(&mut self, store: &Store, row: u64, bytes: bytes::Bytes) {
        self.report.records += 1;
        if row != self.expected {
            let what = format!("expected commit {} here", self.expected);
            self.report.add(FindingKind::Gap, self.place(row, None, Some(self.expected)), what);
        }
        let record = match Record::parse(row, bytes) {
            Ok(record) => record,
            Err(damage) => {
                self.report.add(FindingKind::Record, self.place(row, Some(0), None), damage.to_string());
                // How many commits it held is unknown; the next record says where it begins.
                self.expected = row.saturating_add(1);
                return;
            }
        };
        let before = self.report.commits;
        for position in record.first()..=record.last() {
            self.commit(&record, position);
        }
        if before + record.last() - record.first() + 1 == self.report.commits {
            self.look_up(store, &record);
        }
        self.expected = record.last() + 1;
        self.report.head = record.last();
    }

    /// Reads an intact record in the two ways of readers: it is looked up by a position, and commits are taken out of it by their
    /// places without reading it.
    fn look_up(&mut self, store: &Store, record: &Record) {
        let place = self.place(record.first(), None, Some(record.last()));
        match store.record_holding(record.last()) {
            Ok(Some(found)) if found.first() == record.first() && found.byte_count() == record.byte_count() => {}
            Ok(_) => self.report.add(FindingKind::Record, place.clone(), "a look-up of its last commit does not find this record"),
            Err(error) => self.report.add(FindingKind::Record, place.clone(), error.to_string()),
        }
        let positions = record.first()..=record.last();
        let places: Vec<Place> = positions.clone().filter_map(|position| Place::in_record(record, position)).collect();
        match store.commits_at(&places) {
            Ok(commits) if positions.zip(&commits).all(|(position, found)| record.commit(position) == Some(Ok(found.clone()))) => {}
            Ok(_) => self.report.add(FindingKind::Record, place, "read by their places, its commits are others"),
            Err(error) => self.report.add(FindingKind::Record, place, error.to_string()),
        }
    }

    fn commit(&mut self, record: &Record, position: u64) {
        let (offset, _) = record.place(position).expect("the position lies in the record");
        let place = self.place(record.first(), Some(offset), Some(position));
        let bytes = match record.commit(position).expect("the position lies in the record") {
            Ok(bytes) => bytes,
            Err(damage) => return self.report.add(FindingKind::Commit, place, damage.to_string()),
        };
        let header = match commit::check(&bytes) {
            Ok(header) => header,
            Err(error) => return self.report.add(FindingKind::Commit, place, error.to_string()),
        };
        self.report.commits += 1;
        self.report.events += u64::from(header.events);
        self.report.commit_bytes += bytes.len() as u64;
        if commit::events(&bytes).is_ok_and(|mut events| events.any(|event| event.is_err())) {
            self.report.add(FindingKind::Commit, place.clone(), "an event is malformed");
        }
        if let Some(fingerprint) = &mut self.index {
            fingerprint.add_commit(&header, record, position, &bytes);
        }
        self.link(&header, &bytes, place);
    }

    /// Compares a commit with its stream so far.
    fn link(&mut self, header: &CommitHeader, bytes: &[u8], place: FindingPlace) {
        let state = self.streams.entry(header.stream).or_insert(StreamState { version: 0, hash: ChainHash::default(), gone: false });
        if state.gone {
            self.report.add(FindingKind::Version, place.clone(), format!("{} goes on after its tombstone", header.stream));
        }
        if header.first_version != state.version + 1 {
            let what = format!("{}: version {} follows {}", header.stream, header.first_version, state.version);
            self.report.add(FindingKind::Version, place.clone(), what);
        }
        if header.previous != state.hash {
            self.report.add(FindingKind::Chain, place, format!("{}: not the hash of the commit before", header.stream));
        }
        *state = StreamState { version: header.last_version(), hash: ChainHash::of(bytes), gone: header.tombstone };
    }

    fn finish(self) -> (Option<compare::Fingerprint>, Vec<StreamId>) {
        self.report.streams = self.streams.len() as u64;
        self.report.tombstones = self.streams.values().filter(|stream| stream.gone).count() as u64;
        (self.index, self.streams.into_keys().collect())
    }
}
