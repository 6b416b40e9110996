//! The index file: which commits a stream has, and where they lie.
//!
//! It is a help, never the truth: it can be deleted and is rebuilt from the log file. It says up to which position it is
//! complete (`covers`) and what the commit there hashes to (`anchor`), so that an index of another log is noticed.

use std::ops::RangeInclusive;

use application::log::commit::ChainHash;
use application::log::stream::{StreamId, StreamKey};
use domain::ids::SLUG_BYTES_MAX;
use rusqlite::types::Value;
use rusqlite::{Connection, MAIN_DB, OptionalExtension, params};

use super::sql::{Location, StoreError, Sync};
use super::store::Place;

/// The shape of this file. Any other is thrown away and rebuilt.
const FORMAT: i64 = 1;
/// Rows are about 50 bytes and come in key order; small pages keep a random insert cheap.
const PAGE_BYTES: u32 = 4096;
/// Page cache of a connection: the inner pages of a tree over ten million rows.
const CACHE_KIB: u32 = 16 * 1024;

/// As in the log file, the check compares these words with those in the file.
pub const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS commits(
        stream BLOB, version INTEGER, events INTEGER, position INTEGER, back INTEGER, offset INTEGER, bytes INTEGER,
        PRIMARY KEY(stream, version)) WITHOUT ROWID;";

/// What the index knows of one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The version of its first event.
    pub first_version: u64,
    /// How many events; 0 is a tombstone.
    pub events: u32,
    /// Where it lies.
    pub place: Place,
}

impl Entry {
    /// The version of the stream after this commit.
    pub fn last_version(&self) -> u64 {
        self.first_version + u64::from(self.events) - 1
    }

    /// Whether it ends its stream.
    pub fn is_tombstone(&self) -> bool {
        self.events == 0
    }
}

/// How far the index is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Covers {
    /// The last position it knows.
    pub position: u64,
    /// The hash of the commit there.
    pub anchor: ChainHash,
}

/// Longest key: an id, a kind and a tenant.
const KEY_BYTES_MAX: usize = 16 + 1 + SLUG_BYTES_MAX;

/// The key of a stream: its id first, because ids begin with their time and new streams then lie side by side.
#[derive(Clone, Copy)]
pub struct Key {
    bytes: [u8; KEY_BYTES_MAX],
    length: usize,
}

impl Key {
    /// The key of a stream; no other stream has it.
    pub fn of(stream: &StreamId) -> Self {
        let (kind, id) = match stream.key {
            StreamKey::Chat(id) => (1, *id.as_bytes()),
            StreamKey::Conversation(id) => (2, *id.as_bytes()),
            StreamKey::User(id) => (3, *id.as_bytes()),
            StreamKey::Desk => (4, [0; 16]),
            StreamKey::Tenant => (5, [0; 16]),
            StreamKey::Campaign(id) => (6, *id.as_bytes()),
            StreamKey::Retrieval => (7, [0; 16]),
        };
        let tenant = stream.tenant.as_str().as_bytes();
        let length = 17 + tenant.len();
        let mut bytes = [0; KEY_BYTES_MAX];
        bytes[..16].copy_from_slice(&id);
        bytes[16] = kind;
        bytes[17..length].copy_from_slice(tenant);
        Self { bytes, length }
    }

    /// Its bytes, as they are stored.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// A connection to the index file.
pub struct Index {
    location: Location,
    connection: Connection,
}

impl Index {
    /// Opens the file and makes its tables if it is new. An index of another shape is emptied.
    pub fn open(location: &Location) -> Result<Self, StoreError> {
        let index = Self::connect(location)?;
        // SQLite takes a damaged header for a wish to be read only. What cannot be written cannot follow the log.
        if index.connection.is_readonly(MAIN_DB).map_err(|error| index.sql(error))? {
            return Err(StoreError::Damaged { place: format!("{}: it is read-only", location.name()) });
        }
        index.connection.execute_batch(SCHEMA).map_err(|error| index.sql(error))?;
        if !index.has_this_format()? {
            index.clear()?;
        }
        Ok(index)
    }

    /// Opens a connection that leaves the file as it is, whatever is wrong with it.
    pub fn connect_to_check(location: &Location) -> Result<Self, StoreError> {
        let connection = location.open_to_check(CACHE_KIB).map_err(|error| StoreError::sql(location, error))?;
        Ok(Self { location: location.clone(), connection })
    }

    /// Whether the file says that it has this shape. If not, opening empties it.
    pub fn has_this_format(&self) -> Result<bool, StoreError> {
        let format = self.meta("format").map_err(|error| self.sql(error))?;
        Ok(format == Some(Value::Integer(FORMAT)))
    }

    fn meta(&self, name: &str) -> rusqlite::Result<Option<Value>> {
        self.connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
    }

    /// Opens a further connection to a file that [`Index::open`] has seen.
    pub fn connect(location: &Location) -> Result<Self, StoreError> {
        let connection = location.open(Sync::Relaxed, PAGE_BYTES, CACHE_KIB).map_err(|error| StoreError::sql(location, error))?;
        Ok(Self { location: location.clone(), connection })
    }

    /// Throws everything away.
    pub fn clear(&self) -> Result<(), StoreError> {
        self.recreate().map_err(|error| self.sql(error))
    }

    fn recreate(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE; DROP TABLE IF EXISTS commits; DROP TABLE IF EXISTS meta;")?;
        self.connection.execute_batch(SCHEMA)?;
        self.connection.execute("INSERT INTO meta VALUES ('format', ?1)", [FORMAT])?;
        self.connection.execute_batch("COMMIT")
    }

    fn sql(&self, error: rusqlite::Error) -> StoreError {
        StoreError::sql(&self.location, error)
    }

    /// The connection, for checkpoints and checks.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// How far it is complete; the default for a new one.
    pub fn covers(&self) -> Result<Covers, StoreError> {
        let both = self.meta("covers").and_then(|covers| Ok((covers, self.meta("anchor")?))).map_err(|error| self.sql(error))?;
        match both {
            (None, None) => Ok(Covers::default()),
            (Some(Value::Integer(position)), Some(Value::Blob(anchor))) if anchor.len() == 16 => {
                let mut hash = [0; 16];
                hash.copy_from_slice(&anchor);
                Ok(Covers { position: position.cast_unsigned(), anchor: ChainHash(hash) })
            }
            _not_what_was_written => Err(StoreError::Damaged { place: format!("{}: meta", self.location.name()) }),
        }
    }

    /// Adds entries and moves `covers`, in one transaction. `entries` come in key order, so that neighbours share a page.
    pub fn save(&self, entries: &[(Key, Entry)], covers: Covers) -> Result<(), StoreError> {
        let save = || -> rusqlite::Result<()> {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            let mut insert = self.connection.prepare_cached("INSERT OR REPLACE INTO commits VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
            for (key, entry) in entries {
                let place = entry.place;
                insert.execute(params![
                    key.as_slice(),
                    entry.first_version.cast_signed(),
                    entry.events,
                    place.position.cast_signed(),
                    (place.position - place.record).cast_signed(),
                    place.offset,
                    place.bytes
                ])?;
            }
            let mut meta = self.connection.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?;
            meta.execute(params!["covers", covers.position.cast_signed()])?;
            meta.execute(params!["anchor", covers.anchor.0.as_slice()])?;
            self.connection.execute_batch("COMMIT")
        };
        save().map_err(|error| {
            if !self.connection.is_autocommit() {
                let _already_reported = self.connection.execute_batch("ROLLBACK");
            }
            self.sql(error)
        })
    }

    /// The last commit of a stream.
    pub fn last(&self, stream: &StreamId) -> Result<Option<Entry>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT version, events, position, back, offset, bytes FROM commits WHERE stream = ?1 ORDER BY version DESC LIMIT 1",
            )
            .and_then(|mut select| select.query_row([Key::of(stream).as_slice()], entry).optional())
            .map_err(|error| self.sql(error))
    }

    /// The last commits of several streams, in one read transaction.
    pub fn last_of(&self, streams: &[StreamId]) -> Result<Vec<Option<Entry>>, StoreError> {
        let run =
            |sql| self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(|error| self.sql(error));
        run("BEGIN")?;
        let last = streams.iter().map(|stream| self.last(stream)).collect();
        run("COMMIT")?;
        last
    }

    /// Commits of a stream from the one that holds `from_version` on, at most `commits_max`.
    pub fn range(&self, stream: &StreamId, from_version: u64, commits_max: usize) -> Result<Vec<Entry>, StoreError> {
        let commits_max = i64::try_from(commits_max).unwrap_or(i64::MAX);
        self.connection
            .prepare_cached(
                "SELECT version, events, position, back, offset, bytes FROM commits WHERE stream = ?1 AND version >=
                    ifnull((SELECT max(version) FROM commits WHERE stream = ?1 AND version <= ?2), 0)
                 ORDER BY version LIMIT ?3",
            )
            .and_then(|mut select| {
                select
                    .query_map(params![Key::of(stream).as_slice(), i64::try_from(from_version).unwrap_or(i64::MAX), commits_max], entry)?
                    .collect()
            })
            .map_err(|error| self.sql(error))
    }
}

/// Reads an entry from the columns version, events, position, back, offset, bytes. Numbers that no commit has are an error:
/// nothing that counts on with them can overflow.
pub fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    let (first_version, position) = (number(row, 0, 1..=i64::MAX)?, number(row, 2, 1..=i64::MAX)?);
    let back = number(row, 3, 0..=position.cast_signed() - 1)?;
    Ok(Entry {
        first_version,
        events: row.get(1)?,
        place: Place { position, record: position - back, offset: row.get(4)?, bytes: row.get(5)? },
    })
}

fn number(row: &rusqlite::Row<'_>, column: usize, possible: RangeInclusive<i64>) -> rusqlite::Result<u64> {
    let number = row.get(column)?;
    let number = possible.contains(&number).then_some(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, number))?;
    Ok(number.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use domain::ids::ChatId;

    use super::*;

    fn stream() -> StreamId {
        StreamId::new("acme".parse().unwrap(), StreamKey::Chat(ChatId::from_u128(7)))
    }

    fn index(dir: &tempfile::TempDir) -> Result<Index, StoreError> {
        Index::open(&Location { file: dir.path().join("index.sqlite3"), vfs: None })
    }

    fn with_one_entry() -> (tempfile::TempDir, Index, Entry) {
        let dir = tempfile::tempdir().unwrap();
        let index = index(&dir).unwrap();
        let entry = Entry { first_version: 127, events: 2, place: Place { position: 9, record: 8, offset: 300, bytes: 200 } };
        index.save(&[(Key::of(&stream()), entry)], Covers { position: 9, anchor: ChainHash::default() }).unwrap();
        (dir, index, entry)
    }

    #[test]
    fn an_entry_is_found_as_it_was_saved() {
        let (_dir, index, entry) = with_one_entry();
        assert_eq!(index.last(&stream()).unwrap(), Some(entry));
        assert_eq!(index.range(&stream(), 128, 10).unwrap(), [entry]);
    }

    #[test]
    fn numbers_that_no_commit_has_are_damage_and_no_overflow() {
        // One flipped bit makes -1 of 127.
        for damage in
            ["version = -1", "version = 0", "position = 0", "position = -9", "back = 9", "back = -1", "events = -1", "bytes = 1.5"]
        {
            let (_dir, index, _) = with_one_entry();
            index.connection.execute(&format!("UPDATE commits SET {damage}"), []).unwrap();
            assert!(matches!(index.last(&stream()), Err(StoreError::Damaged { .. })), "{damage}");
            assert!(matches!(index.range(&stream(), 1, 10), Err(StoreError::Damaged { .. })), "{damage}");
        }
    }

    #[test]
    fn an_index_whose_format_is_no_number_is_emptied_as_one_of_another_format_is() {
        for format in ["2", "'1'", "1.5", "NULL"] {
            let (dir, opened, _) = with_one_entry();
            opened.connection.execute(&format!("UPDATE meta SET value = {format} WHERE name = 'format'"), []).unwrap();
            drop(opened);
            let again = index(&dir).unwrap();
            assert_eq!((again.covers().unwrap(), again.last(&stream()).unwrap()), (Covers::default(), None), "{format}");
            assert!(again.has_this_format().unwrap());
        }
    }

    #[test]
    fn a_table_in_other_words_is_damage() {
        let (_dir, index, _) = with_one_entry();
        index.connection.execute_batch("ALTER TABLE commits RENAME COLUMN bytes TO cytes").unwrap();
        assert!(matches!(index.last(&stream()), Err(StoreError::Damaged { .. })));
    }
}
