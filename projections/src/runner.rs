//! Keeps the views of a shard in step with its log, on three threads: one reads and decodes, one applies and delivers, one
//! writes.
//!
//! Deliveries and queries do not wait for a write. A crash loses what was applied since the last checkpoint, and the log gives
//! it back; positions are written with the rows, so a view is never ahead of its position or behind it. What was in the log
//! before the start is not delivered: devices resume by the index of their feed.

mod writing;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use application::log::stream::StreamId;
use application::ports::event_log::{CommitPosition, EventLog, ReadError, StoredCommit};
use application::queries::{DeliverySink, StoppedConsumer};
use tokio::runtime::{Handle, Runtime, RuntimeFlavor};
use tokio::sync::watch;

use crate::decode::{self, DecodedCommit};
use crate::engine::{EVERY_VIEW, Engine, Halt, LogSource};
use crate::store::{ViewStore, WriteBatch};

/// Commits that are applied under one lock: long enough to be worth a lock, short enough (well below a millisecond) that no
/// query waits for it.
const CHUNK_COMMITS: usize = 256;
/// Decoded chunks that may wait: enough that neither thread starves, a few megabytes at most.
const CHUNKS_WAITING_MAX: usize = 8;
/// How long changes of a view gather before they are handed to the writing thread. Handing a row over costs about as much as
/// applying a fact, and whoever talks waits meanwhile: seldom enough that a row that changes all the time is not handed over all
/// the time. The views have their turns evenly within it, so that each takes a millisecond or two.
const HAND_OVER_EVERY: Duration = Duration::from_millis(250);
/// How long to wait before an unavailable log or store is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How often the log is asked when it has to be read again in the middle of something.
const READ_TRIES: u32 = 30;

/// How the runner works.
#[derive(Clone, Copy, Debug)]
pub struct RunnerOptions {
    /// The longest that changes wait to be written. Longer merges more changes of one row into one write, and takes the processor
    /// away from the messages of the moment less often; a crash costs the re-reading of this much log.
    pub checkpoint_every: Duration,
    /// Changed rows that are written without waiting: large enough for catching up in large transactions, small enough for
    /// memory (a row is up to a kilobyte; twice as many may be on their way).
    pub pending_rows_max: usize,
    /// What the writing thread does first. Nobody waits for it, so whoever knows the machine may have it give way to the others.
    pub on_writing_thread: fn(),
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self { checkpoint_every: Duration::from_secs(2), pending_rows_max: 100_000, on_writing_thread: || {} }
    }
}

/// What the runner tells the world.
pub(crate) struct Progress {
    /// Every view has taken in what lies up to here.
    pub(crate) reached: watch::Sender<CommitPosition>,
    /// Who stands still.
    pub(crate) stopped: RwLock<Vec<StoppedConsumer>>,
    /// Why everything stands still.
    pub(crate) halt: watch::Sender<Option<Halt>>,
}

/// The threads of a shard's views.
pub(crate) struct Runner {
    stop: watch::Sender<bool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Something that futures are run on from a plain thread.
#[derive(Clone)]
pub(crate) enum Driver {
    /// The server's own runtime, where engines have their connections.
    Shared(Handle),
    /// A runtime for this alone, where there is no other or only one that must not be blocked.
    Own(Arc<OwnRuntime>),
}

/// A runtime that may be let go anywhere, also inside another one.
pub(crate) struct OwnRuntime(Option<Runtime>);

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Driver {
    pub(crate) fn new() -> Result<Self, ReadError> {
        match Handle::try_current() {
            Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => Ok(Self::Shared(handle)),
            Ok(_) | Err(_) => tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map(|runtime| Self::Own(Arc::new(OwnRuntime(Some(runtime)))))
                .map_err(|error| ReadError::Unavailable { reason: error.to_string() }),
        }
    }

    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        match self {
            Self::Shared(handle) => handle.block_on(future),
            Self::Own(runtime) => runtime.0.as_ref().expect("only dropping takes it").block_on(future),
        }
    }
}

/// The log, read from a plain thread.
pub(crate) struct BlockingLog {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) driver: Driver,
}

impl BlockingLog {
    /// Reads, and tries again while the log is unavailable: an outage of half a minute must not halt the views.
    fn insist(&self, mut read: impl FnMut() -> Result<Vec<StoredCommit>, ReadError>) -> Result<Vec<StoredCommit>, ReadError> {
        for _ in 1..READ_TRIES {
            match read() {
                Err(ReadError::Unavailable { reason }) => {
                    tracing::warn!(reason, "views cannot read the log; trying again");
                    self.driver.wait(async { tokio::time::sleep(RETRY_AFTER).await });
                }
                answer @ (Ok(_) | Err(ReadError::Gone | ReadError::Corrupt { .. })) => return answer,
            }
        }
        read()
    }
}

impl LogSource for BlockingLog {
    fn read_shard(&self, after: CommitPosition, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        self.insist(|| self.driver.wait(self.log.read_shard(after, commits_max)))
    }

    fn read_stream(&self, stream: StreamId, from_version: u64, commits_max: usize) -> Result<Vec<StoredCommit>, ReadError> {
        self.insist(|| self.driver.wait(self.log.read_stream(stream, from_version, commits_max)))
    }
}

/// What the reading thread hands on.
enum Read {
    Commits(Vec<DecodedCommit>),
    Halt(Halt),
}

impl Runner {
    /// Starts the threads. What lies after `deliver_after` is delivered.
    pub(crate) fn start(
        engine: Engine,
        store: Arc<dyn ViewStore>,
        log: BlockingLog,
        sink: Arc<dyn DeliverySink>,
        progress: Arc<Progress>,
        deliver_after: CommitPosition,
        options: RunnerOptions,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let (read_to, read_from) = sync_channel(CHUNKS_WAITING_MAX);
        let (write_to, write_from) = channel::<WriteBatch>();
        let (written_to, written_from) = channel();
        let from = engine.position();
        let write_stop = stopped.clone();
        let worker = Worker {
            engine,
            sink,
            progress,
            deliver_after,
            options,
            write_to,
            written_from,
            on_their_way: VecDeque::new(),
            handed_over_at: Instant::now(),
            turn: 0,
            dirty: 0,
            stops_seen: 0,
        };
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| std::thread::Builder::new().name(name.to_owned()).spawn(run);
        let threads = vec![
            spawn("views-read", Box::new(move || read(&log, from, stopped, &read_to)))?,
            spawn("views-apply", Box::new(move || worker.run(&read_from)))?,
            spawn(
                "views-write",
                Box::new(move || {
                    (options.on_writing_thread)();
                    writing::write(&*store, options, &write_from, &written_to, &write_stop);
                }),
            )?,
        ];
        Ok(Self { stop, threads: Mutex::new(threads) })
    }

    /// Ends the threads; what was applied is written before this returns.
    pub(crate) fn close(&self) {
        self.stop.send_replace(true);
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the views panicked");
            }
        }
    }
}

/// The reading thread.
fn read(log: &BlockingLog, from: CommitPosition, mut stop: watch::Receiver<bool>, to: &SyncSender<Read>) {
    log.driver.wait(async {
        let mut after = from;
        while !*stop.borrow() {
            let ended = tokio::select! {
                ended = follow(&*log.log, &mut after, to) => ended,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            match ended {
                Followed::NobodyListens => return,
                Followed::Failed(error) => {
                    tracing::error!(%error, commit = after.0, "views cannot read the log; trying again");
                    tokio::select! {
                        () = tokio::time::sleep(RETRY_AFTER) => {}
                        _ = stop.wait_for(|stop| *stop) => return,
                    }
                }
            }
        }
    });
}

enum Followed {
    NobodyListens,
    Failed(ReadError),
}

async fn follow(log: &dyn EventLog, after: &mut CommitPosition, to: &SyncSender<Read>) -> Followed {
    let mut subscription = match log.subscribe(*after).await {
        Ok(subscription) => subscription,
        Err(error) => return Followed::Failed(error),
    };
    loop {
        let page = match subscription.next().await {
            Ok(page) => page,
            Err(error) => return Followed::Failed(error),
        };
        let mut chunk = Vec::with_capacity(page.len().min(CHUNK_COMMITS));
        let last = page.len() - 1;
        for (index, stored) in page.into_iter().enumerate() {
            let at = stored.position;
            match decode::take(stored) {
                Ok(commit) => chunk.push(commit),
                Err(cause) => {
                    // Everything before it is sound; whoever receives this knows the rest.
                    let _ = to.send(Read::Commits(chunk));
                    let _ = to.send(Read::Halt(Halt::Commit { at, cause }));
                    return Followed::NobodyListens;
                }
            }
            *after = at;
            if (chunk.len() == CHUNK_COMMITS || index == last) && to.send(Read::Commits(std::mem::take(&mut chunk))).is_err() {
                return Followed::NobodyListens;
            }
        }
    }
}

/// The applying thread.
struct Worker {
    engine: Engine,
    sink: Arc<dyn DeliverySink>,
    progress: Arc<Progress>,
    deliver_after: CommitPosition,
    options: RunnerOptions,
    write_to: Sender<WriteBatch>,
    written_from: Receiver<usize>,
    /// Of which views each batch is that was handed over and is not written yet, and how many rows it has; oldest first.
    on_their_way: VecDeque<(Range<usize>, usize)>,
    handed_over_at: Instant,
    /// Which view has its turn.
    turn: usize,
    /// How many views, from that one on, may have changed since they had their turn.
    dirty: usize,
    stops_seen: u64,
}

impl Worker {
    fn run(mut self, from: &Receiver<Read>) {
        self.publish();
        self.stops_seen = self.engine.stops_changed();
        if let Err(halt) = self.follow(from) {
            tracing::error!(%halt, "views halt");
            self.progress.halt.send_replace(Some(halt));
            return;
        }
        // On the way out; the writing thread ends when it has written this.
        if self.dirty > 0 {
            self.hand_over(EVERY_VIEW);
        }
    }

    fn follow(&mut self, from: &Receiver<Read>) -> Result<(), Halt> {
        loop {
            let wait = self.hand_over_every().saturating_sub(self.handed_over_at.elapsed());
            let next = if self.dirty > 0 { from.recv_timeout(wait) } else { from.recv().map_err(|_| RecvTimeoutError::Disconnected) };
            match next {
                Ok(Read::Commits(commits)) => self.take(commits)?,
                Ok(Read::Halt(halt)) => return Err(halt),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.checkpoint();
        }
    }

    /// How long until the next view has its turn.
    fn hand_over_every(&self) -> Duration {
        HAND_OVER_EVERY.min(self.options.checkpoint_every) / u32::try_from(EVERY_VIEW.len()).unwrap_or(1)
    }

    fn take(&mut self, commits: Vec<DecodedCommit>) -> Result<(), Halt> {
        if commits.is_empty() {
            return Ok(());
        }
        let deliveries = self.engine.apply(commits, self.deliver_after)?;
        self.dirty = EVERY_VIEW.len();
        // Told first: who waited for a position finds what lies before it with the devices, too.
        if !deliveries.is_empty() {
            self.sink.deliver(deliveries);
        }
        self.publish();
        Ok(())
    }

    fn publish(&mut self) {
        if self.stops_seen != self.engine.stops_changed() || self.engine.position() == *self.progress.reached.borrow() {
            self.stops_seen = self.engine.stops_changed();
            *self.progress.stopped.write().unwrap_or_else(PoisonError::into_inner) = self.engine.stopped();
        }
        self.progress.reached.send_replace(self.engine.position());
    }

    /// Hands over what changed when it is time, and waits for what is on its way only when memory asks for it.
    fn checkpoint(&mut self) {
        while let Ok(written) = self.written_from.try_recv() {
            self.wrote(written);
        }
        let full = self.engine.pending() >= self.options.pending_rows_max;
        if self.dirty == 0 || !full && self.handed_over_at.elapsed() < self.hand_over_every() {
            return;
        }
        while self.on_their_way.iter().map(|(_, rows)| rows).sum::<usize>() >= 2 * self.options.pending_rows_max {
            // It ends only after this thread, unless it panicked.
            let Ok(written) = self.written_from.recv() else { return };
            self.wrote(written);
        }
        self.hand_over(if full { EVERY_VIEW } else { self.turn..self.turn + 1 });
    }

    fn hand_over(&mut self, views: Range<usize>) {
        let batch = self.engine.begin_checkpoint(views.clone());
        self.dirty = self.dirty.saturating_sub(views.len());
        self.turn = views.end % EVERY_VIEW.len();
        self.handed_over_at = Instant::now();
        self.on_their_way.push_back((views, batch.changes()));
        if self.write_to.send(batch).is_err() {
            tracing::error!("nobody writes views any more");
        }
    }

    fn wrote(&mut self, batches: usize) {
        for (views, _) in self.on_their_way.drain(..batches) {
            self.engine.end_checkpoint(views);
        }
    }
}
