//! Copying the log's WAL into its database file, so that whoever does the last piece waits for little.

use super::sql::{self, Checkpoint};
use super::store::Store;
use super::view::View;

/// Copies what it can without making anyone wait, and has the disk keep it; answers how far that went, if it could be done.
///
/// SQLite syncs the database file only at the end of a checkpoint that came as far as the WAL, which beside a busy writer none
/// does. What has gathered by the time the writer itself completes one (tens of megabytes) is what all its messages would wait for.
///
/// A failure to copy is repeated at the next checkpoint. After a failure to sync nobody knows what of the copied pages is on the
/// disk, and another sync may say that all is well; the WAL still has them, and so it stays as it is until the log is opened anew,
/// which copies all of it again (<https://wiki.postgresql.org/wiki/Fsync_Errors> on what systems do).
pub fn copy(store: &Store, view: &View) -> Option<Checkpoint> {
    if view.must_keep_wal() {
        return None;
    }
    let done = match sql::checkpoint_passive(store.connection()) {
        Ok(done) => done,
        Err(error) => {
            tracing::warn!(%error, "checkpoint of the log failed");
            return None;
        }
    };
    // Also when the numbers say that it came to the end: that is the end of the WAL as it was when this checkpoint began.
    if let Err(error) = sql::sync_database(store.connection()) {
        tracing::error!(%error, "the disk may not have kept a checkpoint of the log: its WAL grows until the next start");
        view.keep_wal();
        return None;
    }
    Some(done)
}
