//! Checkpoints that cannot come as far as the WAL, because somebody still reads what was there before: as beside a busy writer.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use tests::fault_vfs::FaultDisk;

use super::{Machine, drop_after_crash, seeds};

/// The file into which checkpoints copy.
const LOG_FILE: &str = "log.sqlite3";

/// Somebody who has begun to read and takes their time.
pub struct SlowReader {
    _connection: Connection,
}

impl SlowReader {
    /// Begins to read.
    pub fn begin(dir: &Path, disk: &FaultDisk) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags_and_vfs(dir.join("log").join(LOG_FILE), flags, disk.vfs())?;
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.execute_batch("BEGIN")?;
        let _records: i64 = connection.query_row("SELECT count(*) FROM records", [], |row| row.get(0))?;
        Ok(Self { _connection: connection })
    }
}

#[test]
fn what_a_checkpoint_has_copied_is_kept_by_the_disk_also_when_it_did_not_come_to_the_end() {
    for seed in 0..seeds() {
        println!("seed {seed}");
        let mut machine = Machine::new(seed);
        let mut log = machine.open().unwrap();
        let before = machine.disk.length(LOG_FILE);
        for _ in 0..8 {
            machine.flush(&mut log);
        }
        let reader = SlowReader::begin(machine.dir.path(), &machine.disk).unwrap();
        machine.flush(&mut log);
        log.core.checkpoint();
        assert!(machine.disk.length(LOG_FILE) > before, "it has copied something");
        assert_eq!(machine.disk.unsynced(LOG_FILE), 0, "nothing of it is left to whoever completes a checkpoint");
        drop(reader);
    }
}

#[test]
fn after_a_checkpoint_that_the_disk_may_not_have_kept_the_wal_stays() {
    for seed in 0..seeds() * 10 {
        println!("seed {seed}");
        let mut machine = Machine::new(seed);
        let mut log = machine.open().unwrap();
        for _ in 0..8 {
            machine.flush(&mut log);
        }
        let reader = SlowReader::begin(machine.dir.path(), &machine.disk).unwrap();
        machine.flush(&mut log);
        machine.disk.fail_syncs(LOG_FILE, 1);
        log.core.checkpoint();
        drop(reader);
        // Were the WAL begun anew, the pages whose sync failed would be nowhere.
        for _ in 0..4 {
            log.core.checkpoint();
            machine.flush(&mut log);
        }
        drop_after_crash(&machine, log);
        machine.disk.reboot(seed);
        let log = machine.open().unwrap();
        machine.verify(&log);
        drop(log);
        machine.check();
    }
}
