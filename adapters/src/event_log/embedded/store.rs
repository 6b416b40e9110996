//! The log file: records in, records and commits out.
//!
//! One row per record, the row id is the position of its first commit. This file must not know streams or versions: the index
//! knows where a stream's commits lie, and whoever reads compares.

use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OptionalExtension, params};

use super::record::{Record, RecordDamage};
use super::sql::{Location, StoreError, Sync};

/// Marks the file as a kefu log ("kefu" in ASCII).
const APPLICATION_ID: i32 = 0x6b65_6675;
/// The shape of this file. A newer one is refused.
const FORMAT: i32 = 1;
/// Page cache of a connection: a flush and the right edge of the tree fit; the rest is the kernel's page cache.
const CACHE_KIB: u32 = 4 * 1024;

/// SQLite keeps the words of a table's definition, and the check compares them: changing them is changing the format.
pub const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS records(first INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT OR IGNORE INTO meta VALUES ('settled', 0);";

/// Where a commit lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its position.
    pub position: u64,
    /// The row of its record.
    pub record: u64,
    /// Where in the record it begins.
    pub offset: u32,
    /// Its length.
    pub bytes: u32,
}

impl Place {
    /// The place of the commit at a position that a record holds.
    pub fn in_record(record: &Record, position: u64) -> Option<Self> {
        record.place(position).map(|(offset, bytes)| Self { position, record: record.first(), offset, bytes })
    }
}

/// Why a flush was not confirmed.
#[derive(Debug, Clone)]
pub enum FlushError {
    /// Certainly nothing of it was stored.
    NotStored {
        /// SQLite's words.
        reason: String,
    },
    /// The write or the sync of the end of the transaction failed: a crash now could bring it back.
    InDoubt {
        /// SQLite's words.
        reason: String,
    },
}

/// A connection to the log file.
pub struct Store {
    location: Location,
    connection: Connection,
}

impl Store {
    /// Opens the file and makes its tables if it is new.
    pub fn open(location: &Location, page_bytes: u32) -> Result<Self, StoreError> {
        let store = Self::connect(location, page_bytes)?;
        if store.marks()? == (0, 0) {
            store.create().map_err(|error| store.sql(error))?;
        }
        store.recognise()?;
        Ok(store)
    }

    /// Opens a connection that leaves the file as it is, whatever is wrong with it.
    pub fn connect_to_check(location: &Location) -> Result<Self, StoreError> {
        let connection = location.open_to_check(CACHE_KIB).map_err(|error| StoreError::sql(location, error))?;
        Ok(Self { location: location.clone(), connection })
    }

    /// Refuses a file that is no log of this format.
    pub fn recognise(&self) -> Result<(), StoreError> {
        let what = match self.marks()? {
            (APPLICATION_ID, FORMAT) => return Ok(()),
            (APPLICATION_ID, format) if format > FORMAT => format!("format {format} is newer than this program"),
            (APPLICATION_ID, format) => format!("there is no format {format}"),
            (other, _) => format!("application id {other:#x} is not ours"),
        };
        Err(StoreError::Damaged { place: format!("{}: {what}", self.location.name()) })
    }

    /// What the file's header says that it is: application id and format, or zeros when it is new.
    fn marks(&self) -> Result<(i32, i32), StoreError> {
        Ok((self.pragma("application_id")?, self.pragma("user_version")?))
    }

    /// Opens a further connection to a file that [`Store::open`] has seen.
    pub fn connect(location: &Location, page_bytes: u32) -> Result<Self, StoreError> {
        let connection = location.open(Sync::Full, page_bytes, CACHE_KIB).map_err(|error| StoreError::sql(location, error))?;
        Ok(Self { location: location.clone(), connection })
    }

    fn create(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        self.connection.execute_batch(SCHEMA)?;
        self.connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        self.connection.pragma_update(None, "user_version", FORMAT)?;
        self.connection.execute_batch("COMMIT")
    }

    fn pragma<T: rusqlite::types::FromSql>(&self, name: &str) -> Result<T, StoreError> {
        self.connection.pragma_query_value(None, name, |row| row.get(0)).map_err(|error| self.sql(error))
    }

    fn sql(&self, error: rusqlite::Error) -> StoreError {
        StoreError::sql(&self.location, error)
    }

    /// The connection, for checkpoints and checks.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Stores records in one transaction. `Ok` means synced.
    pub fn append(&self, records: &[(u64, Vec<u8>)]) -> Result<(), FlushError> {
        let insert = || -> rusqlite::Result<()> {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let mut insert = self.connection.prepare_cached("INSERT INTO records(first, bytes) VALUES (?1, ?2)")?;
            for (first, bytes) in records {
                insert.execute(params![first.cast_signed(), bytes])?;
            }
            Ok(())
        };
        insert().map_err(|error| {
            self.abandon();
            FlushError::NotStored { reason: error.to_string() }
        })?;
        self.commit()
    }

    /// Until the last frame is written, nothing can come back; a full disk stops before that. Every other failure may come
    /// from the sync, after the last frame was written.
    fn commit(&self) -> Result<(), FlushError> {
        let outcome = self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        outcome.map(|_| ()).map_err(|error| {
            let reason = error.to_string();
            self.abandon();
            match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => FlushError::NotStored { reason },
                _any_other_failure => FlushError::InDoubt { reason },
            }
        })
    }

    fn abandon(&self) {
        if !self.connection.is_autocommit() {
            // SQLite has often rolled back already; a failure here shows again at the next BEGIN.
            let _already_reported = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Ends every doubt about an earlier flush: commits a small transaction over its frames, synced. Only while another
    /// connection keeps the shared memory alive, so that the doubtful frames are not recovered first.
    pub fn settle(&self) -> Result<(), FlushError> {
        let update = || -> rusqlite::Result<usize> {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            self.connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'settled'", [])
        };
        let reason = match update() {
            Ok(1) => return self.commit(),
            // A transaction that wrote nothing would prove nothing.
            Ok(_) => self.no_counter().to_string(),
            Err(error) => error.to_string(),
        };
        self.abandon();
        Err(FlushError::NotStored { reason })
    }

    /// Looks for what [`Store::settle`] writes to.
    pub fn find_counter(&self) -> Result<(), StoreError> {
        let find = || self.connection.prepare("SELECT value FROM meta WHERE name = 'settled'")?.exists([]);
        if find().map_err(|error| self.sql(error))? { Ok(()) } else { Err(self.no_counter()) }
    }

    fn no_counter(&self) -> StoreError {
        StoreError::Damaged { place: format!("{}: the counter of settled doubts is missing", self.location.name()) }
    }

    /// The newest commit's position, or 0.
    pub fn head(&self) -> Result<u64, StoreError> {
        Ok(self.record_at_or_before(i64::MAX.cast_unsigned())?.map_or(0, |record| record.last()))
    }

    /// The record with a position, if the log reaches that far.
    pub fn record_holding(&self, position: u64) -> Result<Option<Record>, StoreError> {
        Ok(self.record_at_or_before(position)?.filter(|record| record.last() >= position))
    }

    fn record_at_or_before(&self, position: u64) -> Result<Option<Record>, StoreError> {
        let row = self
            .connection
            .prepare_cached("SELECT first, bytes FROM records WHERE first <= ?1 ORDER BY first DESC LIMIT 1")
            .and_then(|mut select| select.query_row([position.cast_signed()], |row| Ok((row.get(0)?, blob(row)?))).optional())
            .map_err(|error| self.sql(error))?;
        let record = row.map(|(first, bytes)| self.parse(first, bytes)).transpose()?;
        // SQLite believes its inner pages: a damaged one leads it to another row without a word.
        if record.as_ref().is_some_and(|record| record.first() > position) {
            return Err(self.missing(position));
        }
        Ok(record)
    }

    /// The records from the one that holds `from` on, until `bytes_max` is passed; at least one if there is one. They are
    /// dense: a gap is damage.
    pub fn records_from(&self, from: u64, bytes_max: usize) -> Result<Vec<Record>, StoreError> {
        let Some(first) = self.record_at_or_before(from)? else {
            return self.nothing_from(from);
        };
        if first.last() < from {
            return if first.last() + 1 == from { Ok(Vec::new()) } else { self.nothing_from(from) };
        }
        let mut read = first.byte_count();
        let mut next = first.last() + 1;
        let mut records = vec![first];
        let mut select = self
            .connection
            .prepare_cached("SELECT first, bytes FROM records WHERE first >= ?1 ORDER BY first")
            .map_err(|error| self.sql(error))?;
        let mut rows = select.query([next.cast_signed()]).map_err(|error| self.sql(error))?;
        while read < bytes_max {
            let Some(row) = rows.next().map_err(|error| self.sql(error))? else { break };
            let found = row.get(0).and_then(|first| Ok((first, blob(row)?))).map_err(|error| self.sql(error))?;
            let record = self.parse(found.0, found.1)?;
            if record.first() != next {
                return Err(self.missing(next));
            }
            read += record.byte_count();
            next = record.last() + 1;
            records.push(record);
        }
        Ok(records)
    }

    /// Nothing at a position is the head of an empty log, or a hole.
    fn nothing_from(&self, from: u64) -> Result<Vec<Record>, StoreError> {
        let head = self.head()?;
        if from <= head { Err(self.missing(from)) } else { Ok(Vec::new()) }
    }

    /// The damage of a position that no record holds.
    pub fn missing(&self, position: u64) -> StoreError {
        StoreError::Damaged { place: format!("{}: no record holds commit {position}", self.location.name()) }
    }

    fn parse(&self, first: i64, bytes: Bytes) -> Result<Record, StoreError> {
        let row = first.cast_unsigned();
        Record::parse(row, bytes).map_err(|damage| self.damaged(row, 0, &damage))
    }

    /// Names a damage with its place.
    pub fn damaged(&self, record: u64, offset: u32, damage: &RecordDamage) -> StoreError {
        StoreError::Damaged { place: format!("{} record {record} offset {offset}: {damage}", self.location.name()) }
    }

    /// Reads commits from anywhere in the file, each checked against its checksum, in the order asked for.
    pub fn commits_at(&self, places: &[Place]) -> Result<Vec<Bytes>, StoreError> {
        let Some(first) = places.first() else { return Ok(Vec::new()) };
        let open = |place: &Place, error: rusqlite::Error| match error.sqlite_error_code() {
            // SQLite's plain "error" here says that there is no such row.
            Some(ErrorCode::Unknown) => self.missing(place.position),
            _any_other => self.sql(error),
        };
        let mut row = first.record;
        let mut blob =
            self.connection.blob_open(MAIN_DB, "records", "bytes", row.cast_signed(), true).map_err(|error| open(first, error))?;
        places
            .iter()
            .map(|place| {
                if place.record != row {
                    blob.reopen(place.record.cast_signed()).map_err(|error| open(place, error))?;
                    row = place.record;
                }
                let mut bytes = vec![0; place.bytes as usize];
                match blob.read_at_exact(&mut bytes, place.offset as usize) {
                    Ok(()) if super::super::is_intact(&bytes) => Ok(Bytes::from(bytes)),
                    Ok(()) | Err(rusqlite::Error::BlobSizeError) => Err(self.damaged(place.record, place.offset, &RecordDamage::Commit)),
                    Err(error) => Err(self.sql(error)),
                }
            })
            .collect()
    }
}

fn blob(row: &rusqlite::Row<'_>) -> rusqlite::Result<Bytes> {
    Ok(Bytes::copy_from_slice(row.get_ref(1)?.as_blob()?))
}

#[cfg(test)]
mod tests {
    use super::super::record::RecordBuilder;
    use super::*;

    const PAGE_BYTES: usize = 4096;

    fn store(dir: &tempfile::TempDir) -> Store {
        Store::open(&Location { file: dir.path().join("log.sqlite3"), vfs: None }, PAGE_BYTES as u32).unwrap()
    }

    /// Exchanges what two cells of the root page of `records` point to: the second page of the file.
    fn exchange_children(dir: &tempfile::TempDir, one: usize, other: usize) {
        let file = dir.path().join("log.sqlite3");
        let mut bytes = std::fs::read(&file).unwrap();
        let root = &mut bytes[PAGE_BYTES..2 * PAGE_BYTES];
        assert_eq!(root[0], 5, "an inner page of a table");
        let cell = |number: usize| usize::from(u16::from_be_bytes([root[12 + 2 * number], root[13 + 2 * number]]));
        let (one, other) = (cell(one), cell(other));
        (0..4).for_each(|byte| root.swap(one + byte, other + byte));
        std::fs::write(&file, bytes).unwrap();
    }

    #[test]
    fn a_look_up_that_a_damaged_page_leads_astray_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        let mut builder = RecordBuilder::default();
        let records: Vec<(u64, Vec<u8>)> = (1..=40)
            .map(|first| {
                builder.push(&[7; 900]);
                (first, builder.finish(first))
            })
            .collect();
        let filled = store(&dir);
        filled.append(&records).unwrap();
        super::super::sql::checkpoint_truncate(filled.connection()).unwrap();
        drop(filled);
        exchange_children(&dir, 0, 2);
        let store = store(&dir);
        let mut damaged = 0;
        for position in 1..=40 {
            match store.records_from(position, 1) {
                Ok(records) => assert_eq!(records[0].first(), position),
                Err(StoreError::Damaged { place }) => {
                    assert!(place.contains(&position.to_string()), "{place}");
                    damaged += 1;
                }
                Err(error @ StoreError::Sql { .. }) => panic!("{error}"),
            }
        }
        assert!((1..=12).contains(&damaged), "{damaged}");
    }

    #[test]
    fn a_doubt_is_not_settled_by_a_transaction_that_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        store.settle().unwrap();
        store.find_counter().unwrap();
        store.connection.execute("UPDATE meta SET name = 'rettled'", []).unwrap();
        assert!(matches!(store.settle(), Err(FlushError::NotStored { .. })));
        assert!(matches!(store.find_counter(), Err(StoreError::Damaged { .. })));
        assert!(store.connection.is_autocommit());
    }
}
