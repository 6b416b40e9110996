//! SQLite as this engine uses it: how a connection is opened, and what its errors mean for a log.
//!
//! The rules (measured and read up in the notes that led to this engine): one process, one write connection, no memory map,
//! no long-lived cursor. This file must not know records or streams.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::ffi::{self, SQLITE_ERROR};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use application::ports::event_log::{AppendError, ReadError};

/// Statements kept prepared per connection; each connection here knows fewer than this.
const STATEMENTS_MAX: usize = 32;

/// How a file of the log is reached.
#[derive(Clone, Debug)]
pub struct Location {
    /// The file.
    pub file: PathBuf,
    /// The SQLite VFS, if not the default one; tests put a faulty disk here.
    pub vfs: Option<String>,
}

/// How much a commit on this connection is worth after a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// It is on the disk: the log.
    Full,
    /// It is consistent, but the newest may be missing: the index, which can be rebuilt.
    Relaxed,
}

impl Location {
    /// The file's name, for messages: never a whole path.
    pub fn name(&self) -> String {
        self.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Opens a connection in WAL mode. `page_bytes` matters for a new file only. Nothing is checkpointed by itself; of the log not
    /// even when its last connection closes, because a WAL that was refused may hold more than SQLite found in it.
    pub fn open(&self, sync: Sync, page_bytes: u32, cache_kib: u32) -> rusqlite::Result<Connection> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_CREATE)?;
        // Before anything is read: also a connection that fails at the next line is closed.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, sync == Sync::Full)?;
        connection.pragma_update(None, "page_size", page_bytes)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", if sync == Sync::Full { "FULL" } else { "NORMAL" })?;
        connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(connection)
    }

    /// Opens a connection that leaves a file as it is, whatever is wrong with it: it does not make it, mend its mode, write to
    /// it, or tidy its WAL up when it closes. (It is opened for writing: the memory that goes with a WAL needs that.)
    pub fn open_to_check(&self, cache_kib: u32) -> rusqlite::Result<Connection> {
        let connection = self.connect(OpenFlags::empty())?;
        // Before anything is read: also a connection that fails at the next line is closed.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
        Ok(connection)
    }

    /// A connection with what all of them need. Nothing was read yet.
    fn connect(&self, more: OpenFlags) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        let connection = match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.file, flags, vfs.as_str())?,
            None => Connection::open_with_flags(&self.file, flags)?,
        };
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // Readers and checkpoints never hold the write lock for long; anything longer is a fault worth an error.
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        // This build has STAT4, which plans a statement anew whenever another value is bound, five times the cost of a look-up.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(connection)
    }
}

/// How far a checkpoint came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Pages in the WAL.
    pub wal_pages: u64,
    /// Pages of it that are in the database file, too.
    pub done_pages: u64,
}

/// Copies what it can from the WAL to the database file without making anyone wait.
pub fn checkpoint_passive(connection: &Connection) -> rusqlite::Result<Checkpoint> {
    connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], |row| {
        let pages = |column| row.get::<_, i64>(column).map(|pages| u64::try_from(pages).unwrap_or(0));
        Ok(Checkpoint { wal_pages: pages(1)?, done_pages: pages(2)? })
    })
}

/// Has the disk keep what checkpoints have copied to the database file so far. SQLite does so itself only at the end of a checkpoint
/// that came as far as the WAL (`walCheckpoint` in its `wal.c`).
pub fn sync_database(connection: &Connection) -> rusqlite::Result<()> {
    let failed = |code| Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
    let mut file: *mut ffi::sqlite3_file = std::ptr::null_mut();
    // SAFETY: the connection is open for as long as it is borrowed, and writes a pointer to a place for one.
    #[expect(unsafe_code, reason = "SQL knows no statement for it")]
    let found =
        unsafe { ffi::sqlite3_file_control(connection.handle(), c"main".as_ptr(), ffi::SQLITE_FCNTL_FILE_POINTER, (&raw mut file).cast()) };
    if found != ffi::SQLITE_OK || file.is_null() {
        return failed(found);
    }
    // SAFETY: the file belongs to the connection, is open as long as that, and its methods live as long as the VFS. A connection
    // is used by one thread at a time, and so is its file.
    #[expect(unsafe_code, reason = "as above")]
    let synced = unsafe {
        match (*file).pMethods.as_ref().and_then(|methods| methods.xSync) {
            Some(sync) => sync(file, ffi::SQLITE_SYNC_NORMAL | ffi::SQLITE_SYNC_DATAONLY),
            // A database in memory: nothing to keep.
            None => ffi::SQLITE_OK,
        }
    };
    if synced == ffi::SQLITE_OK { Ok(()) } else { failed(synced) }
}

/// Copies everything from the WAL and empties it. For a moment nobody else may read or write.
pub fn checkpoint_truncate(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Why the engine could not read its files.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused; the file is not known to be damaged.
    #[error("{file}: {source}")]
    Sql {
        /// Which file.
        file: String,
        /// SQLite's words.
        #[source]
        source: rusqlite::Error,
    },
    /// The bytes are not what was written.
    #[error("damaged at {place}")]
    Damaged {
        /// File, record, offset and what is wrong there.
        place: String,
    },
}

impl StoreError {
    /// Sorts SQLite's error: damage is told apart from everything that may pass.
    pub fn sql(location: &Location, source: rusqlite::Error) -> Self {
        let file = location.name();
        if is_damage(&source) { Self::Damaged { place: format!("{file}: {source}") } } else { Self::Sql { file, source } }
    }
}

/// Whether an error says that a file is not what was written. The statements of this engine never change, so a table or a column
/// that is not there (SQLite's plain error) and a value of another type than was stored are damage, too.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, SqlInputError, SqliteFailure};
    let of_the_file = |failure: &ffi::Error| {
        matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) || failure.extended_code == SQLITE_ERROR
    };
    // Everything else may pass.
    matches!(error, SqliteFailure(failure, _) if of_the_file(failure))
        || matches!(error, SqlInputError { .. } | InvalidColumnType(..) | IntegralValueOutOfRange(..) | FromSqlConversionFailure(..))
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { place } => Self::Corrupt { place },
            StoreError::Sql { .. } => Self::Unavailable { reason: error.to_string() },
        }
    }
}

impl From<StoreError> for AppendError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { place } => Self::Corrupt { place },
            StoreError::Sql { .. } => Self::Unavailable { reason: error.to_string() },
        }
    }
}

/// Removes a database file with its WAL and shared memory, as far as they exist. Only for files that can be rebuilt.
pub fn remove(file: &Path) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
