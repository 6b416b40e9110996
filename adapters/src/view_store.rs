//! The store of the views on disk: one SQLite file with a table of (key, value) per table of a view.
//!
//! The file can be deleted: the views are rebuilt from the log. Transactions are not synced one by one (`synchronous =
//! NORMAL` with a write-ahead log): a loss of power may take the last ones, whole, and the log gives them back.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use hashbrown::HashSet;
use projections::store::{Pair, StoreError, ViewStore, WriteBatch};
use rusqlite::config::DbConfig;
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
        // Without it some statements are planned anew for every bound key.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
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
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use projections::store::MemoryStore;

    use super::*;

    fn everything(store: &dyn ViewStore) -> Vec<(String, Vec<Pair>)> {
        let tables = store.tables().unwrap();
        let rows = |table: String| (table.clone(), store.scan(&table, &[], &[u8::MAX; 9], usize::MAX).unwrap());
        tables.into_iter().map(rows).filter(|(_, rows)| !rows.is_empty()).collect()
    }

    /// Batches made up from a seed; the same for every store.
    fn batches() -> Vec<WriteBatch> {
        let mut chance = 7_u64;
        let mut next = |bound: u64| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (chance >> 33) % bound
        };
        let tables: [Arc<str>; 3] = ["one".into(), "two".into(), "with \"quotes\"".into()];
        let mut batches = Vec::new();
        for number in 0..60_u8 {
            let mut batch = WriteBatch::default();
            if number % 20 == 19 {
                batch.drop_table(tables[1].to_string());
            }
            for _ in 0..next(40) {
                let writes = batch.table(&tables[usize::try_from(next(3)).unwrap()]);
                let key = [u8::try_from(next(4)).unwrap(), u8::try_from(next(256)).unwrap()];
                if next(4) == 0 { writes.delete(&key) } else { writes.put(&key, &[number]) }
            }
            batches.push(batch);
        }
        batches
    }

    #[test]
    fn the_store_on_disk_answers_like_the_one_in_memory_also_when_it_is_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("views.sqlite");
        let memory = MemoryStore::default();
        let mut disk = SqliteViewStore::open(&path).unwrap();
        assert_eq!(disk.get("one", b"nothing").unwrap(), None);
        assert_eq!(disk.scan("one", &[], &[9], 9).unwrap(), []);
        for (number, mut batch) in batches().into_iter().enumerate() {
            memory.write(&mut batch.clone()).unwrap();
            disk.write(&mut batch).unwrap();
            if number % 7 == 0 {
                drop(disk);
                disk = SqliteViewStore::open(&path).unwrap();
            }
            assert_eq!(everything(&disk), everything(&memory));
            for first in 0..4 {
                let (from, to) = ([first, 10], [first, 200]);
                assert_eq!(disk.scan("one", &from, &to, 5).unwrap(), memory.scan("one", &from, &to, 5).unwrap());
                assert_eq!(disk.get("two", &from).unwrap(), memory.get("two", &from).unwrap());
            }
        }
    }

    #[test]
    fn many_readers_see_whole_batches_while_one_writes() {
        let directory = tempfile::tempdir().unwrap();
        let disk = SqliteViewStore::open(&directory.path().join("views.sqlite")).unwrap();
        let table: Arc<str> = "rows".into();
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    loop {
                        let rows = disk.scan("rows", &[], &[u8::MAX], usize::MAX).unwrap();
                        let values: std::collections::BTreeSet<_> = rows.iter().map(|(_, value)| value.clone()).collect();
                        assert!(values.len() <= 1, "half a batch");
                        if values.contains([100].as_slice()) {
                            return;
                        }
                    }
                });
            }
            for number in 1..=100 {
                let mut batch = WriteBatch::default();
                for key in 0..50 {
                    batch.table(&table).put(&[key], &[number]);
                }
                disk.write(&mut batch).unwrap();
            }
        });
    }
}
