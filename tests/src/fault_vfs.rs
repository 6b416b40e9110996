//! A disk that fails on purpose: a SQLite VFS over files in memory.
//!
//! It remembers what was written and not synced. On a crash it keeps what was synced and a seeded subset of the rest, torn at
//! sectors and in any order. It can also be full, and fail a sync. `Disk` is the model, plain and safe; `ffi` is the glue to
//! SQLite. The same calls with the same seed give the same disk, as long as one thread makes them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::random::Random;

mod ffi;

/// What a disk writes at once: a write is torn between sectors, never inside one.
pub const SECTOR_BYTES: usize = 512;

/// Something done to a file and not synced yet.
#[derive(Clone, Debug)]
enum Unsynced {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { length: usize },
}

/// Why the disk refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The machine is off.
    Crashed,
    /// No space.
    Full,
    /// The sync failed; nobody knows what is on the disk.
    Sync,
}

#[derive(Default)]
struct File {
    /// On the disk for certain.
    synced: Vec<u8>,
    /// What the running process reads.
    current: Vec<u8>,
    unsynced: Vec<Unsynced>,
    /// Written before a failed sync: the kernel takes it for clean, so that no later sync writes it.
    limbo: Vec<Unsynced>,
    /// Lock level of each open handle that holds one.
    locks: BTreeMap<u64, i32>,
    shared_memory: SharedMemory,
}

/// The wal-index of a database file: memory that its connections share, and eight locks.
#[derive(Default)]
struct SharedMemory {
    regions: Vec<Box<[u64]>>,
    attached: u32,
    /// Holders of each lock: -1 is one exclusive holder.
    locks: [i32; 8],
}

/// The model of the disk.
struct Disk {
    files: BTreeMap<String, File>,
    random: Random,
    operations: u64,
    crash_at: Option<u64>,
    crashed: bool,
    capacity_bytes: Option<usize>,
    failing_syncs: Option<(String, u32)>,
    pretends_to_sync: bool,
    handles: u64,
}

impl Disk {
    /// Counts a write, a truncation, a sync or a deletion. Says whether the machine goes off at this one, and if so, whether
    /// that is after it took effect.
    fn operation(&mut self) -> Result<Option<bool>, Refusal> {
        if self.crashed {
            return Err(Refusal::Crashed);
        }
        self.operations += 1;
        if self.crash_at == Some(self.operations) {
            self.crashed = true;
            return Ok(Some(self.random.below_u64(2) == 0));
        }
        Ok(None)
    }

    fn used_bytes(&self) -> usize {
        self.files.values().map(|file| file.current.len()).sum()
    }

    fn write(&mut self, path: &str, offset: usize, bytes: &[u8]) -> Result<(), Refusal> {
        let crash = self.operation()?;
        let used = self.used_bytes();
        let capacity = self.capacity_bytes;
        let file = self.files.entry(path.to_owned()).or_default();
        let end = offset + bytes.len();
        let growth = end.saturating_sub(file.current.len());
        if growth > 0 && capacity.is_some_and(|capacity| used + growth > capacity) {
            return Err(Refusal::Full);
        }
        apply(&mut file.current, &Unsynced::Write { offset, bytes: bytes.to_vec() });
        for (offset, piece) in sectors(offset, bytes) {
            file.limbo.retain(|lost| !matches!(lost, Unsynced::Write { offset: at, .. } if *at / SECTOR_BYTES == offset / SECTOR_BYTES));
            file.unsynced.push(Unsynced::Write { offset, bytes: piece.to_vec() });
        }
        if crash.is_some() { Err(Refusal::Crashed) } else { Ok(()) }
    }

    fn truncate(&mut self, path: &str, length: usize) -> Result<(), Refusal> {
        let crash = self.operation()?;
        let file = self.files.entry(path.to_owned()).or_default();
        file.current.resize(length, 0);
        file.unsynced.push(Unsynced::Truncate { length });
        if crash.is_some() { Err(Refusal::Crashed) } else { Ok(()) }
    }

    fn sync(&mut self, path: &str) -> Result<(), Refusal> {
        let crash = self.operation()?;
        let fails = match &mut self.failing_syncs {
            Some((suffix, left)) if *left > 0 && path.ends_with(suffix.as_str()) => {
                *left -= 1;
                true
            }
            Some(_) | None => false,
        };
        let pretends = self.pretends_to_sync;
        let file = self.files.entry(path.to_owned()).or_default();
        if fails {
            file.limbo.append(&mut file.unsynced);
            return Err(Refusal::Sync);
        }
        if crash != Some(false) && !pretends {
            for done in file.unsynced.drain(..) {
                apply(&mut file.synced, &done);
            }
            // A file's length is no page: it is the file system's own, and not forgotten.
            file.limbo.retain(|lost| matches!(lost, Unsynced::Write { .. }));
        }
        if crash.is_some() { Err(Refusal::Crashed) } else { Ok(()) }
    }

    fn delete(&mut self, path: &str) -> Result<(), Refusal> {
        let crash = self.operation()?;
        if crash != Some(false) {
            self.files.remove(path);
        }
        if crash.is_some() { Err(Refusal::Crashed) } else { Ok(()) }
    }

    /// What is there after the power came back.
    fn reboot(&mut self, seed: u64) {
        let mut random = Random::new(seed);
        // From "nothing more was written" over any mixture to "all of it was".
        let kept_of_8 = random.below_u64(9);
        for file in self.files.values_mut() {
            for unsynced in file.limbo.drain(..).chain(file.unsynced.drain(..)) {
                if random.below_u64(8) < kept_of_8 {
                    apply(&mut file.synced, &unsynced);
                }
            }
            file.current.clone_from(&file.synced);
            file.locks.clear();
            file.shared_memory = SharedMemory::default();
        }
        self.crashed = false;
        self.crash_at = None;
    }
}

fn apply(content: &mut Vec<u8>, change: &Unsynced) {
    match change {
        Unsynced::Write { offset, bytes } => {
            let end = offset + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[*offset..end].copy_from_slice(bytes);
        }
        Unsynced::Truncate { length } => content.resize(*length, 0),
    }
}

/// Cuts a write where sectors end.
fn sectors(offset: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let first = (SECTOR_BYTES - offset % SECTOR_BYTES).min(bytes.len());
    let (head, rest) = bytes.split_at(first);
    let rest_at = offset + first;
    let rest = rest.chunks(SECTOR_BYTES).enumerate().map(move |(n, piece)| (rest_at + n * SECTOR_BYTES, piece));
    std::iter::once((offset, head)).chain(rest).filter(|(_, piece)| !piece.is_empty())
}

/// The disk in the hand of a test. SQLite finds it under [`FaultDisk::vfs`] until it is dropped; close all connections first.
pub struct FaultDisk {
    name: String,
    disk: Arc<Mutex<Disk>>,
    registration: ffi::Registration,
}

impl FaultDisk {
    /// An empty disk; the seed decides whether a crash hits before or after the operation it was put at.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        static NAMES: AtomicU64 = AtomicU64::new(0);
        let name = format!("kefu-fault-{}", NAMES.fetch_add(1, Ordering::Relaxed));
        let disk = Arc::new(Mutex::new(Disk {
            files: BTreeMap::new(),
            random: Random::new(seed),
            operations: 0,
            crash_at: None,
            crashed: false,
            capacity_bytes: None,
            failing_syncs: None,
            pretends_to_sync: false,
            handles: 0,
        }));
        let registration = ffi::register(&name, &disk);
        Self { name, disk, registration }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().expect("no code panics while it holds the disk")
    }

    /// The name of its VFS.
    #[must_use]
    pub fn vfs(&self) -> &str {
        debug_assert!(self.registration.is_registered());
        &self.name
    }

    /// Writes, truncations, syncs and deletions so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.disk().operations
    }

    /// Turns the machine off at an operation, counted from the first ever. All later ones fail until [`FaultDisk::reboot`].
    pub fn crash_at(&self, operation: u64) {
        self.disk().crash_at = Some(operation);
    }

    /// Turns the machine off now.
    pub fn crash(&self) {
        self.disk().crashed = true;
    }

    /// Whether the machine is off.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.disk().crashed
    }

    /// Turns the machine on again: what was synced is there, and a seeded part of the rest.
    pub fn reboot(&self, seed: u64) {
        self.disk().reboot(seed);
    }

    /// Starts over after the process alone died: what it wrote is there, synced or not, and still in danger. Call
    /// [`FaultDisk::crash`] before its connections are closed, so that they cannot tidy up.
    pub fn restart_process(&self) {
        let mut disk = self.disk();
        for file in disk.files.values_mut() {
            file.locks.clear();
            file.shared_memory = SharedMemory::default();
        }
        disk.crashed = false;
        disk.crash_at = None;
    }

    /// Lets the files grow by so many more bytes in total, or without limit.
    pub fn set_free_bytes(&self, free: Option<usize>) {
        let mut disk = self.disk();
        disk.capacity_bytes = free.map(|free| disk.used_bytes() + free);
    }

    /// Fails the next syncs of the files whose path ends so.
    pub fn fail_syncs(&self, path_suffix: &str, count: u32) {
        self.disk().failing_syncs = Some((path_suffix.to_owned(), count));
    }

    /// From now on syncs succeed and do nothing, as on a disk with a cache that lies.
    pub fn pretend_to_sync(&self) {
        self.disk().pretends_to_sync = true;
    }

    /// The length of the file whose path ends so, or 0.
    #[must_use]
    pub fn length(&self, path_suffix: &str) -> usize {
        self.disk().files.iter().find(|(path, _)| path.ends_with(path_suffix)).map_or(0, |(_, file)| file.current.len())
    }

    /// How many changes of the file whose path ends so were not synced, or lost by a sync that failed.
    #[must_use]
    pub fn unsynced(&self, path_suffix: &str) -> usize {
        let disk = self.disk();
        disk.files.iter().filter(|(path, _)| path.ends_with(path_suffix)).map(|(_, file)| file.unsynced.len() + file.limbo.len()).sum()
    }

    /// Flips a bit on the disk, in the file whose path ends so. No connection may be open.
    pub fn flip_bit(&self, path_suffix: &str, offset: usize, bit: u8) {
        for (path, file) in &mut self.disk().files {
            if path.ends_with(path_suffix) {
                file.current[offset] ^= 1 << bit;
                file.synced.clone_from(&file.current);
                file.unsynced.clear();
            }
        }
    }

    /// Flips a bit where these bytes lie, in the file whose path ends so. No connection may be open.
    ///
    /// # Panics
    /// When they are not there in one piece.
    pub fn flip_bit_in(&self, path_suffix: &str, needle: &[u8]) {
        let offset = {
            let disk = self.disk();
            let (_, file) = disk.files.iter().find(|(path, _)| path.ends_with(path_suffix)).expect("there is such a file");
            file.current.windows(needle.len()).position(|window| window == needle).expect("the bytes are there in one piece")
        };
        self.flip_bit(path_suffix, offset, 0);
    }

    /// Removes the files whose path ends so. No connection may be open.
    pub fn remove(&self, path_suffix: &str) {
        self.disk().files.retain(|path, _| !path.ends_with(path_suffix));
    }
}

impl Drop for FaultDisk {
    fn drop(&mut self) {
        self.registration.unregister();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(disk: &FaultDisk) -> rusqlite::Result<i64> {
        let connection = open(disk)?;
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0))
    }

    fn open(disk: &FaultDisk) -> rusqlite::Result<rusqlite::Connection> {
        let connection = rusqlite::Connection::open_with_flags_and_vfs("/a.db", rusqlite::OpenFlags::default(), disk.vfs())?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(connection)
    }

    #[test]
    fn what_sqlite_synced_survives_a_crash_and_several_connections_share_a_wal() {
        let disk = FaultDisk::new(1);
        let writer = open(&disk).unwrap();
        let reader = open(&disk).unwrap();
        writer.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES (1)").unwrap();
        assert_eq!(reader.query_row("SELECT a FROM t", [], |row| row.get::<_, i64>(0)), Ok(1));
        writer.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        disk.crash();
        assert!(writer.execute_batch("INSERT INTO t VALUES (3)").is_err());
        drop((writer, reader));
        disk.reboot(7);
        assert_eq!(count(&disk), Ok(2));
    }

    #[test]
    fn without_syncs_a_crash_takes_something() {
        let lost = (0..20).any(|seed| {
            let disk = FaultDisk::new(seed);
            let writer = open(&disk).unwrap();
            writer.execute_batch("CREATE TABLE t(a); PRAGMA synchronous = OFF").unwrap();
            for _ in 0..20 {
                writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
            }
            disk.crash();
            drop(writer);
            disk.reboot(seed);
            count(&disk) != Ok(20)
        });
        assert!(lost);
    }

    #[test]
    fn a_write_is_cut_where_sectors_end() {
        let bytes = [0; 1100];
        let cuts: Vec<(usize, usize)> = sectors(500, &bytes).map(|(offset, piece)| (offset, piece.len())).collect();
        assert_eq!(cuts, [(500, 12), (512, 512), (1024, 512), (1536, 64)]);
    }
}
