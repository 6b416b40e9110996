//! The threads of the engine: one writes, one checkpoints, one keeps the index.
//!
//! They share signals and nothing else that blocks: the writer waits for the disk and for the queue only, except when the index
//! falls so far behind that memory would grow.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use application::ports::event_log::AppendError;

use super::core::{Append, Core};
use super::index::Index;
use super::queue::{Askers, Queue};
use super::store::Store;
use super::view::{Reader, View};
use super::{Options, checkpoint, indexer};
use crate::latency::give_way;

/// The index is saved at least this often while there is something to save.
const INDEX_INTERVAL: Duration = Duration::from_secs(2);
/// How long the writer waits for the index, when memory is full, before it refuses appends.
const INDEX_PATIENCE: Duration = Duration::from_secs(2);
/// Between attempts to settle a flush in doubt while nobody appends.
const SETTLE_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Default)]
struct Wanted {
    checkpoint: bool,
    index: bool,
    stop: bool,
}

/// What the threads tell each other.
#[derive(Default)]
pub struct Signals {
    wanted: Mutex<Wanted>,
    changed: Condvar,
    /// The checkpointer has just caught up and the WAL is long: a short checkpoint by the writer lets the WAL begin anew.
    restart_wal: AtomicBool,
}

impl Signals {
    fn want(&self, change: impl FnOnce(&mut Wanted)) {
        change(&mut self.wanted.lock().expect("no code panics while it holds the signals"));
        self.changed.notify_all();
    }

    /// Waits until something is wanted or the time is over; says whether to stop.
    fn wait(&self, patience: Duration, take: impl Fn(&mut Wanted) -> bool) -> bool {
        let wanted = self.wanted.lock().expect("no code panics while it holds the signals");
        let (mut wanted, _) = self
            .changed
            .wait_timeout_while(wanted, patience, |wanted| !wanted.stop && !take(wanted))
            .expect("no code panics while it holds the signals");
        take(&mut wanted);
        wanted.stop
    }
}

/// The running threads.
pub struct Threads {
    signals: Arc<Signals>,
    queue: Arc<Queue>,
    writer: JoinHandle<Core>,
    others: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts them.
    pub fn start(
        core: Core,
        index: Index,
        index_reader: Reader,
        checkpointer: Store,
        queue: Arc<Queue>,
        options: &Options,
    ) -> std::io::Result<Self> {
        let signals = Arc::new(Signals::default());
        let view = Arc::clone(core.view());
        let spawn = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let indexer = spawn("kefu-log-index").spawn({
            let (signals, view, batch) = (Arc::clone(&signals), Arc::clone(&view), options.index_batch);
            move || keep_index(&signals, &view, &index_reader, &index, batch)
        })?;
        let checkpointer = spawn("kefu-log-checkpoint").spawn({
            let (signals, view, options) = (Arc::clone(&signals), Arc::clone(&view), options.clone());
            move || keep_checkpointing(&signals, &view, &checkpointer, &options)
        })?;
        let writer = spawn("kefu-log-writer").spawn({
            let (signals, queue, options) = (Arc::clone(&signals), Arc::clone(&queue), options.clone());
            move || keep_writing(core, &signals, &queue, &options)
        })?;
        Ok(Self { signals, queue, writer, others: vec![indexer, checkpointer] })
    }

    /// Serves what waits, saves the index, and ends. Blocks for as long as that takes.
    pub fn stop(self) {
        self.queue.close();
        let core = self.writer.join();
        self.signals.want(|wanted| wanted.stop = true);
        for thread in self.others {
            if thread.join().is_err() {
                tracing::error!("a thread of the log panicked");
            }
        }
        match core {
            Ok(core) => core.checkpoint_all(),
            Err(_) => tracing::error!("the writer of the log panicked"),
        }
    }
}

/// Lets nobody wait for a writer that ended, also when it panicked.
struct Abandon<'a>(&'a Queue);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn keep_writing(mut core: Core, signals: &Signals, queue: &Queue, options: &Options) -> Core {
    let _abandon = Abandon(queue);
    let mut appends: Vec<Append> = Vec::new();
    let mut askers: Askers = Vec::new();
    let view = Arc::clone(core.view());
    let mut wal_bytes = 0;
    while queue.take(&mut appends, &mut askers) {
        let answers = if has_room(&view, signals, options) {
            core.flush(&appends)
        } else {
            appends.iter().map(|_| Err(AppendError::Unavailable { reason: "the index is behind".into() })).collect()
        };
        let mut answers = answers.into_iter();
        for (count, reply) in askers.drain(..) {
            // Whoever went away does not want the answer.
            let _gone = reply.send(answers.by_ref().take(count).collect());
        }
        appends.clear();
        while view.is_unsettled() && core.settle().is_err() && queue.is_idle() {
            std::thread::sleep(SETTLE_INTERVAL);
        }
        wal_bytes += core.take_wal_bytes();
        if wal_bytes >= options.checkpoint_bytes {
            wal_bytes = 0;
            signals.want(|wanted| wanted.checkpoint = true);
        }
        if view.tail().len() >= options.index_batch {
            signals.want(|wanted| wanted.index = true);
        }
        if signals.restart_wal.swap(false, Ordering::AcqRel) {
            core.checkpoint();
        }
    }
    core
}

/// Whether memory has room for what the index does not know yet; waits for a while if not.
fn has_room(view: &View, signals: &Signals, options: &Options) -> bool {
    let full = || view.tail().len() >= options.tail_commits_max;
    if !full() {
        return true;
    }
    signals.want(|wanted| wanted.index = true);
    signals.wait(INDEX_PATIENCE, |_| !full());
    !full()
}

fn keep_index(signals: &Signals, view: &View, reader: &Reader, index: &Index, batch: usize) {
    give_way();
    loop {
        let stop = signals.wait(INDEX_INTERVAL, |wanted| std::mem::take(&mut wanted.index));
        loop {
            match indexer::save(view, reader, index, batch) {
                Ok(0) => break,
                Ok(_) => signals.changed.notify_all(),
                Err(error) => {
                    tracing::warn!(%error, "index was not saved");
                    break;
                }
            }
            if !stop && view.tail().len() < batch {
                break;
            }
        }
        if stop {
            return;
        }
    }
}

fn keep_checkpointing(signals: &Signals, view: &View, store: &Store, options: &Options) {
    give_way();
    while !signals.wait(Duration::MAX, |wanted| std::mem::take(&mut wanted.checkpoint)) {
        let done = checkpoint::copy(store, view);
        if done.is_some_and(|done| done.wal_pages * u64::from(options.page_bytes) >= options.restart_wal_bytes) {
            signals.restart_wal.store(true, Ordering::Release);
        }
    }
}
