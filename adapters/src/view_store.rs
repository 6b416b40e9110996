//! The store of the views on disk: one SQLite file with a table of (key, value) per table of a view.
//!
//! The file can be deleted: the views are rebuilt from the log. Transactions are not synced one by one (`synchronous =
//! NORMAL` with a write-ahead log): a loss of power may take the last ones, whole, and the log gives them back.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use hashbrown::HashSet;
use projections::store::{Pair, StoreError, ViewStore, WriteBatch};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

/// Connections kept for reading. More readers at a time open more, and close them afterwards.
const READERS_KEPT: usize = 4;
/// Statements kept per connection: two for each table there is.
const STATEMENTS_KEPT: usize = 64;
/// Page cache of the writer: catching up touches pages all over the trees.
const WRITER_CACHE_KIB: i64 = 64 * 1024;
/// Page cache of each reader.
const READER_CACHE_KIB: i64 = 8 * 1024;
/// Pages of 4 KiB in the write-ahead log before they are moved into the file: large, so that a hot page is moved once.
const WAL_PAGES: i64 = 8_192;

/// See the file's head.
pub struct SqliteViewStore {
    path: std::path::PathBuf,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
}

struct Writer {
    connection: Connection,
    /// Tables that are there.
    tables: HashSet<String>,
}

fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError { reason: error.to_string() }
}

fn quoted(table: &str) -> String {
    format!("\"{}\"", table.replace('"', "\"\""))
}

impl SqliteViewStore {
    /// Opens the store in a file, or makes it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let writer = Self::open_writer(path).map_err(unavailable)?;
        Ok(Self { path: path.to_owned(), writer: Mutex::new(writer), readers: Mutex::new(Vec::new()) })
    }

    fn open_writer(path: &Path) -> rusqlite::Result<Writer> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        let tables = tables(&connection)?.into_iter().collect();
        Ok(Writer { connection, tables })
    }

    fn open_reader(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Ok(connection)
    }

    fn read<R>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> Result<R, StoreError> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = kept.map_or_else(|| self.open_reader(), Ok).map_err(unavailable)?;
        let answer = ask(&connection);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_KEPT {
            readers.push(connection);
        }
        answer.map_err(unavailable)
    }
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut names = connection.prepare_cached("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    names.query_map([], |row| row.get(0))?.collect()
}

/// A table that is not there yet is empty.
fn or_empty<R: Default>(answer: rusqlite::Result<R>) -> rusqlite::Result<R> {
    match answer {
        Err(rusqlite::Error::SqliteFailure(_, Some(reason))) if reason.starts_with("no such table") => Ok(R::default()),
        Err(rusqlite::Error::SqlInputError { msg, .. }) if msg.starts_with("no such table") => Ok(R::default()),
        other => other,
    }
}

impl ViewStore for SqliteViewStore {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| {
            or_empty((|| {
                let mut get = connection.prepare_cached(&format!("SELECT v FROM {} WHERE k = ?1", quoted(table)))?;
                get.query_row(params![key], |row| row.get(0)).optional()
            })())
        })
    }

    fn scan(&self, table: &str, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| {
            or_empty((|| {
                let sql = format!("SELECT k, v FROM {} WHERE k >= ?1 AND k < ?2 ORDER BY k LIMIT ?3", quoted(table));
                let mut scan = connection.prepare_cached(&sql)?;
                scan.query_map(params![from, to, limit], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            })())
        })
    }

    fn write(&self, batch: &mut WriteBatch) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Writer { connection, tables } = &mut *writer;
        let mut known = tables.clone();
        let mut write = |known: &mut HashSet<String>| -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            for table in batch.drops() {
                transaction.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(table)))?;
                known.remove(table);
            }
            for writes in batch.tables_mut() {
                let table = quoted(writes.name());
                if known.insert(writes.name().to_owned()) {
                    let sql = format!("CREATE TABLE IF NOT EXISTS {table} (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID");
                    transaction.execute_batch(&sql)?;
                }
                let mut put = transaction.prepare_cached(&format!("REPLACE INTO {table} (k, v) VALUES (?1, ?2)"))?;
                let mut delete = transaction.prepare_cached(&format!("DELETE FROM {table} WHERE k = ?1"))?;
                for (key, value) in writes.sorted() {
                    match value {
                        Some(value) => put.execute(params![key, value])?,
                        None => delete.execute(params![key])?,
                    };
                }
            }
            transaction.commit()
        };
        let outcome = write(&mut known);
        if outcome.is_ok() {
            *tables = known;
        }
        outcome.map_err(unavailable)
    }

    fn tables(&self) -> Result<Vec<String>, StoreError> {
        self.read(tables)
    }
}
