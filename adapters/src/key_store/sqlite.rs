//! Keys in a SQLite file, `DIR/keys/keys.sqlite3`.
//!
//! One writer thread takes whatever waits and commits it in one synced transaction. A destroyed key leaves a mark; its bytes are
//! overwritten in the file (`secure_delete`) and the WAL that once held them is emptied before the call returns. What the disk
//! or the file system keeps of overwritten blocks is beyond this file.

use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

use application::ports::key_store::{KeyState, KeyStore, KeyStoreError, SubjectId, SubjectKey};
use async_trait::async_trait;
use domain::ids::TenantId;
use hashbrown::HashMap;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use tokio::sync::oneshot;

/// Subjects per generation of the cache; both generations together take about 30 MB when full.
const GENERATION_SUBJECTS_MAX: usize = 128 * 1024;
/// Requests that may wait for the writer.
const QUEUE_MAX: usize = 16 * 1024;
/// Requests of one transaction.
const BATCH_MAX: usize = 1024;
/// The WAL is emptied by itself at this many pages (4 MiB).
const AUTOCHECKPOINT_PAGES: u32 = 1000;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS keys(
        tenant TEXT NOT NULL, subject BLOB NOT NULL, key BLOB, PRIMARY KEY(tenant, subject)) WITHOUT ROWID;";

/// Why the key store was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another process (or another part of this one) has the directory open.
    #[error("key directory is in use")]
    InUse,
    /// The file cannot be read or written.
    #[error("key store cannot be opened: {reason}")]
    Unavailable {
        /// The engine's words.
        reason: String,
    },
}

type Subject = (TenantId, SubjectId);

enum Request {
    Ensure(Subject, oneshot::Sender<Result<SubjectKey, KeyStoreError>>),
    Destroy(Subject, oneshot::Sender<Result<(), KeyStoreError>>),
}

/// Two generations: what is used moves to the young one; when that is full, the old one is forgotten.
#[derive(Default)]
struct Cache {
    young: HashMap<Subject, KeyState>,
    old: HashMap<Subject, KeyState>,
}

impl Cache {
    fn get(&mut self, subject: &Subject) -> Option<KeyState> {
        if let Some(state) = self.young.get(subject) {
            return Some(*state);
        }
        let state = self.old.remove(subject)?;
        self.insert(*subject, state);
        Some(state)
    }

    fn insert(&mut self, subject: Subject, state: KeyState) {
        if self.young.len() >= GENERATION_SUBJECTS_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(subject, state);
        self.old.remove(&subject);
    }
}

#[derive(Default)]
struct Queue {
    requests: VecDeque<Request>,
    closed: bool,
}

struct Shared {
    cache: Mutex<Cache>,
    reader: Mutex<Connection>,
    queue: Mutex<Queue>,
    filled: Condvar,
}

impl Shared {
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().expect("no code panics while it holds the cache")
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("no code panics while it holds the queue")
    }
}

/// The key store of one directory. Dropping it serves what waits and closes it.
pub struct SqliteKeyStore {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
    _lock: File,
}

impl SqliteKeyStore {
    /// Opens the store in `DIR/keys/`, or makes a new one. Blocks.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let io = |error: std::io::Error| OpenError::Unavailable { reason: error.to_string() };
        let dir = dir.join("keys");
        std::fs::create_dir_all(&dir).map_err(io)?;
        let lock = File::options().write(true).create(true).truncate(false).open(dir.join("lock")).map_err(io)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse,
            TryLockError::Error(error) => io(error),
        })?;
        let file = dir.join("keys.sqlite3");
        let open = || -> rusqlite::Result<(Connection, Connection)> {
            let writer = connect(&file)?;
            writer.execute_batch(SCHEMA)?;
            // What a killed process wrote without syncing must not be used before it is on the disk.
            truncate_wal(&writer)?;
            Ok((writer, connect(&file)?))
        };
        let (connection, reader) = open().map_err(|error| OpenError::Unavailable { reason: error.to_string() })?;
        let shared =
            Arc::new(Shared { cache: Mutex::default(), reader: Mutex::new(reader), queue: Mutex::default(), filled: Condvar::new() });
        let writer = std::thread::Builder::new().name("kefu-keys-writer".into()).spawn({
            let shared = Arc::clone(&shared);
            move || keep_writing(&shared, &connection)
        });
        Ok(Self { shared, writer: Some(writer.map_err(io)?), _lock: lock })
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<Result<T, KeyStoreError>>) -> Request) -> Result<T, KeyStoreError> {
        let (reply, answer) = oneshot::channel();
        {
            let mut queue = self.shared.queue();
            if queue.requests.len() >= QUEUE_MAX {
                return Err(KeyStoreError::Unavailable { reason: "queue is full".into() });
            }
            queue.requests.push_back(request(reply));
        }
        self.shared.filled.notify_one();
        answer.await.unwrap_or_else(|_| Err(KeyStoreError::Unavailable { reason: "writer is gone".into() }))
    }
}

impl Drop for SqliteKeyStore {
    fn drop(&mut self) {
        self.shared.queue().closed = true;
        self.shared.filled.notify_all();
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the writer of the key store panicked");
        }
    }
}

#[async_trait]
impl KeyStore for SqliteKeyStore {
    fn get(&self, tenant: TenantId, subject: SubjectId) -> Result<KeyState, KeyStoreError> {
        let subject = (tenant, subject);
        if let Some(state) = self.shared.cache().get(&subject) {
            return Ok(state);
        }
        let reader = self.shared.reader.lock().expect("no code panics while it holds the reader");
        let state = read(&reader, &subject).map_err(unavailable)?;
        // The writer may have put a newer state there since; it counts. That a subject is unknown is not remembered: it may get
        // a key at any moment.
        let mut cache = self.shared.cache();
        match (state, cache.get(&subject)) {
            (_, Some(newer)) => Ok(newer),
            (KeyState::Unknown, None) => Ok(state),
            (KeyState::Present(_) | KeyState::Destroyed, None) => {
                cache.insert(subject, state);
                Ok(state)
            }
        }
    }

    async fn ensure(&self, tenant: TenantId, subject: SubjectId) -> Result<SubjectKey, KeyStoreError> {
        match self.get(tenant, subject)? {
            KeyState::Present(key) => Ok(key),
            KeyState::Destroyed => Err(KeyStoreError::Destroyed),
            KeyState::Unknown => self.ask(|reply| Request::Ensure((tenant, subject), reply)).await,
        }
    }

    async fn destroy(&self, tenant: TenantId, subject: SubjectId) -> Result<(), KeyStoreError> {
        self.ask(|reply| Request::Destroy((tenant, subject), reply)).await
    }
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    // This build has STAT4, which plans a statement anew whenever another value is bound, unless it is told not to.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    connection.pragma_update(None, "wal_autocheckpoint", AUTOCHECKPOINT_PAGES)?;
    Ok(connection)
}

fn read(connection: &Connection, (tenant, subject): &Subject) -> rusqlite::Result<KeyState> {
    let row: Option<Option<[u8; 32]>> = connection
        .prepare_cached("SELECT key FROM keys WHERE tenant = ?1 AND subject = ?2")?
        .query_row(params![tenant.as_str(), subject.0.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(match row {
        None => KeyState::Unknown,
        Some(None) => KeyState::Destroyed,
        Some(Some(key)) => KeyState::Present(SubjectKey(key)),
    })
}

fn unavailable(error: rusqlite::Error) -> KeyStoreError {
    KeyStoreError::Unavailable { reason: error.to_string() }
}

fn keep_writing(shared: &Shared, connection: &Connection) {
    loop {
        let batch: Vec<Request> = {
            let mut queue = shared.queue();
            while queue.requests.is_empty() {
                if queue.closed {
                    return;
                }
                queue = shared.filled.wait(queue).expect("no code panics while it holds the queue");
            }
            let count = queue.requests.len().min(BATCH_MAX);
            queue.requests.drain(..count).collect()
        };
        write(shared, connection, batch);
    }
}

/// Serves a batch in one transaction; everyone is answered after it is synced.
fn write(shared: &Shared, connection: &Connection, batch: Vec<Request>) {
    let outcome = transact(connection, &batch);
    if outcome.is_err() && !connection.is_autocommit() {
        let _already_reported = connection.execute_batch("ROLLBACK");
    }
    // Destroyed keys are forgotten in memory even when the WAL could not be emptied.
    let outcome = outcome.and_then(|states| {
        let destroyed = states.iter().any(|(_, state)| *state == KeyState::Destroyed);
        let mut cache = shared.cache();
        for (subject, state) in &states {
            cache.insert(*subject, *state);
        }
        drop(cache);
        let wanted = batch.iter().any(|request| matches!(request, Request::Destroy(..)));
        if destroyed && wanted { truncate_wal(connection).map(|()| states) } else { Ok(states) }
    });
    match outcome {
        Ok(states) => {
            for (request, (_, state)) in batch.into_iter().zip(states) {
                answer(request, state);
            }
        }
        Err(error) => {
            for request in batch {
                refuse(request, &error);
            }
        }
    }
}

/// The state of each request's subject after its turn.
fn transact(connection: &Connection, batch: &[Request]) -> rusqlite::Result<Vec<(Subject, KeyState)>> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let states = batch.iter().map(|request| apply(connection, request)).collect::<rusqlite::Result<_>>()?;
    connection.execute_batch("COMMIT")?;
    Ok(states)
}

fn apply(connection: &Connection, request: &Request) -> rusqlite::Result<(Subject, KeyState)> {
    let (subject, key) = match request {
        Request::Ensure(subject, _) => match read(connection, subject)? {
            KeyState::Unknown => (*subject, Some(random_key()?)),
            known @ (KeyState::Present(_) | KeyState::Destroyed) => return Ok((*subject, known)),
        },
        Request::Destroy(subject, _) => (*subject, None),
    };
    connection.prepare_cached("INSERT OR REPLACE INTO keys VALUES (?1, ?2, ?3)")?.execute(params![
        subject.0.as_str(),
        subject.1.0.as_bytes(),
        key.as_ref().map(|key| key.0.as_slice())
    ])?;
    Ok((subject, key.map_or(KeyState::Destroyed, KeyState::Present)))
}

/// Fails like a disk when the system has no random numbers: nothing may be sealed then.
fn random_key() -> rusqlite::Result<SubjectKey> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    Ok(SubjectKey(key))
}

fn truncate_wal(connection: &Connection) -> rusqlite::Result<()> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy == 0 {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    Err(rusqlite::Error::SqliteFailure(code, Some("the write-ahead log is in use and was not emptied".into())))
}

fn answer(request: Request, state: KeyState) {
    // Whoever went away does not want the answer.
    match (request, state) {
        (Request::Ensure(_, reply), KeyState::Present(key)) => drop(reply.send(Ok(key))),
        (Request::Ensure(_, reply), KeyState::Destroyed | KeyState::Unknown) => drop(reply.send(Err(KeyStoreError::Destroyed))),
        (Request::Destroy(_, reply), KeyState::Present(_) | KeyState::Destroyed | KeyState::Unknown) => drop(reply.send(Ok(()))),
    }
}

fn refuse(request: Request, error: &rusqlite::Error) {
    let error = KeyStoreError::Unavailable { reason: error.to_string() };
    match request {
        Request::Ensure(_, reply) => drop(reply.send(Err(error))),
        Request::Destroy(_, reply) => drop(reply.send(Err(error))),
    }
}
