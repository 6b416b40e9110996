//! The writing thread of a shard's views. It knows neither rows nor views.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use tokio::sync::watch;

use super::{RETRY_AFTER, RunnerOptions};
use crate::store::{ViewStore, WriteBatch};

/// Gathers what is handed over, and writes it in one transaction now and then; tells how many of the batches were in it. A write that failed is tried again until it succeeds or the server ends.
pub(super) fn write(
    store: &dyn ViewStore,
    options: RunnerOptions,
    batches: &Receiver<WriteBatch>,
    written: &Sender<usize>,
    stop: &watch::Receiver<bool>,
) {
    let (mut gathered, mut count) = (WriteBatch::default(), 0);
    let mut wrote_at = Instant::now();
    loop {
        let wait = options.checkpoint_every.saturating_sub(wrote_at.elapsed());
        let next = if count == 0 { batches.recv().map_err(|_| RecvTimeoutError::Disconnected) } else { batches.recv_timeout(wait) };
        let is_last = matches!(next, Err(RecvTimeoutError::Disconnected));
        if let Ok(batch) = next {
            gathered.append(batch);
            count += 1;
        }
        let due = wrote_at.elapsed() >= options.checkpoint_every || gathered.changes() >= options.pending_rows_max;
        if count > 0 && (due || is_last) {
            wrote_at = Instant::now();
            while let Err(error) = store.write(&mut gathered) {
                tracing::error!(%error, "views cannot be written; trying again");
                if *stop.borrow() {
                    return;
                }
                std::thread::sleep(RETRY_AFTER);
            }
            gathered = WriteBatch::default();
            // Nobody listens on the way out.
            let _ = written.send(std::mem::take(&mut count));
        }
        if is_last {
            return;
        }
    }
}
