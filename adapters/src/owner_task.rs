//! Drives the owner of a shard with tokio: commands in from every channel, loads and appends out to the log.
//!
//! One task per shard. It must not decide anything itself.

use std::sync::Arc;

use application::command::{Answer, Request};
use application::error::CommandError;
use application::log::stream::StreamId;
use application::owner::{ClockJump, LoadError, Loaded, Look, Output, Owner, Ticket, load_rest, load_together};
use application::ports::clock::Clock;
use application::ports::command_bus::CommandBus;
use application::ports::event_log::{AppendError, Appended, EventLog, NewCommit, ReadError, StoredCommit};
use application::ports::snapshots::Snapshots;
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use hashbrown::HashMap;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Duration;

/// Commands that may lie between the channels and the owner; beyond it the answer is `busy` at once.
const INBOX_COMMANDS: usize = 16_384;
/// Commands taken over in one go.
const INBOX_TAKE: usize = 512;
/// Streams that are loaded with one look at the log. What a look costs is mostly the way to another thread and back; more than
/// these in one, and the first of them would wait for the last.
const LOADED_TOGETHER: usize = 16;
/// Commits that are appended with one journey to the log and back, and their bytes: all are answered when the last is settled, so
/// together they must be small beside a flush. One commit may be larger.
const APPENDED_TOGETHER: usize = 64;
const APPENDED_TOGETHER_BYTES: usize = 256 * 1024;
/// Wait before the second and later looks at a tail in doubt.
const RESOLVE_WAIT: Duration = Duration::from_millis(50);

type Asker = oneshot::Sender<Result<Answer, CommandError>>;

struct Asked {
    request: Request,
    asker: Asker,
}

/// The way to a shard's owner. Cheap to clone.
#[derive(Clone)]
pub struct OwnerHandle {
    outside: mpsc::Sender<Asked>,
    /// Commands of policies and timers; their senders keep a bounded number open.
    inside: mpsc::UnboundedSender<Asked>,
}

#[async_trait]
impl CommandBus for OwnerHandle {
    async fn execute(&self, request: Request) -> Result<Answer, CommandError> {
        let (asker, answer) = oneshot::channel();
        if request.may_be_put_off() {
            self.outside.try_send(Asked { request, asker }).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => CommandError::Busy,
                mpsc::error::TrySendError::Closed(_) => CommandError::ShuttingDown,
            })?;
        } else {
            self.inside.send(Asked { request, asker }).map_err(|_| CommandError::ShuttingDown)?;
        }
        // The driver answers everything it has taken in; when it is gone, nobody knows.
        answer.await.unwrap_or(Err(CommandError::InDoubt))
    }
}

/// What came back from the log.
enum Done {
    Loaded(StreamId, Result<Loaded, LoadError>),
    LoadedTogether(Vec<(StreamId, Look)>),
    Appended(Vec<(StreamId, Result<Appended, AppendError>)>),
    Resolved(StreamId, Result<Option<StoredCommit>, ReadError>),
    Saved,
}

/// Starts the driver. It ends after the last handle is dropped or [`OwnerStop`] asks, when everything taken in is answered.
pub fn start(owner: Owner, log: Arc<dyn EventLog>, snapshots: Arc<dyn Snapshots>, clock: Arc<dyn Clock>) -> (OwnerHandle, OwnerStop) {
    let (outside, from_outside) = mpsc::channel(INBOX_COMMANDS);
    let (inside, from_inside) = mpsc::unbounded_channel();
    let (stop, stopping) = oneshot::channel();
    let driver = Driver { owner, log, snapshots, clock, work: FuturesUnordered::new(), askers: HashMap::new(), next_ticket: 0 };
    let task = tokio::spawn(driver.run(from_outside, from_inside, stopping));
    (OwnerHandle { outside, inside }, OwnerStop { stop, task })
}

/// Ends a driver.
pub struct OwnerStop {
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl OwnerStop {
    /// Refuses new commands, waits until those taken in are answered.
    pub async fn stop(self) {
        // The driver may have ended by itself; then there is nothing to stop.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the owner's driver did not end well");
        }
    }
}

struct Driver {
    owner: Owner,
    log: Arc<dyn EventLog>,
    snapshots: Arc<dyn Snapshots>,
    clock: Arc<dyn Clock>,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    askers: HashMap<Ticket, Asker>,
    next_ticket: u64,
}

impl Driver {
    async fn run(
        mut self,
        mut outside: mpsc::Receiver<Asked>,
        mut inside: mpsc::UnboundedReceiver<Asked>,
        mut stopping: oneshot::Receiver<()>,
    ) {
        let (mut policies, mut taken) = (Vec::with_capacity(INBOX_TAKE), Vec::with_capacity(INBOX_TAKE));
        let mut open = true;
        while open || !self.owner.is_idle() || !self.work.is_empty() {
            tokio::select! {
                Some(done) = self.work.next(), if !self.work.is_empty() => self.done(done),
                count = inside.recv_many(&mut policies, INBOX_TAKE), if open => open = count > 0,
                count = outside.recv_many(&mut taken, INBOX_TAKE), if open => open = count > 0,
                _ = &mut stopping, if open => {
                    self.owner.close();
                    open = false;
                }
            }
            while let Some(Some(done)) = self.work.next().now_or_never() {
                self.done(done);
            }
            for asked in policies.drain(..).chain(taken.drain(..)) {
                self.take_in(asked);
            }
            self.owner.run(self.clock.reading());
            self.carry_out();
        }
    }

    fn take_in(&mut self, asked: Asked) {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.askers.insert(ticket, asked.asker);
        self.owner.submit(ticket, asked.request);
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Loaded(stream, result) => self.owner.loaded(stream, result),
            Done::LoadedTogether(all) => {
                for (stream, look) in all {
                    match look {
                        Look::Whole(result) => self.owner.loaded(stream, result),
                        Look::Beginning(page) => self.load_rest(stream, page),
                    }
                }
            }
            Done::Appended(all) => all.into_iter().for_each(|(stream, result)| self.owner.appended(stream, result)),
            Done::Resolved(stream, result) => self.owner.resolved(stream, result),
            Done::Saved => {}
        }
    }

    fn carry_out(&mut self) {
        let (mut to_load, mut to_append, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(output) = self.owner.output() {
            match output {
                Output::Reply { ticket, result } => {
                    if let Some(asker) = self.askers.remove(&ticket) {
                        // An asker who went away does not need the answer.
                        let _ = asker.send(result);
                    }
                }
                Output::Append { commit } => {
                    bytes += commit.bytes.len();
                    to_append.push(commit);
                    if to_append.len() == APPENDED_TOGETHER || bytes >= APPENDED_TOGETHER_BYTES {
                        self.append(std::mem::take(&mut to_append));
                        bytes = 0;
                    }
                }
                Output::Load { stream } => to_load.push(stream),
                Output::Resolve { stream, tries } => {
                    tracing::warn!(%stream, tries, "an append is in doubt; reading the stream's tail");
                    let log = Arc::clone(&self.log);
                    let work = async move {
                        if tries > 0 {
                            tokio::time::sleep(RESOLVE_WAIT).await;
                        }
                        Done::Resolved(stream, log.read_tail(stream).await)
                    };
                    self.work.push(work.boxed());
                }
                Output::ClockJumped(ClockJump::Set { by }) => {
                    tracing::error!(by_ms = by.0, "the clock was set; outreach is refused until it has run evenly for a while");
                }
                Output::ClockJumped(ClockJump::Behind { by }) => {
                    tracing::error!(by_ms = by.0, "the clock lies behind the log; outreach is refused until it has come up");
                }
                Output::SaveSnapshot { stream, bytes } => {
                    let snapshots = Arc::clone(&self.snapshots);
                    let work = async move {
                        snapshots.save(stream, bytes).await;
                        Done::Saved
                    };
                    self.work.push(work.boxed());
                }
            }
        }
        if !to_append.is_empty() {
            self.append(to_append);
        }
        for streams in to_load.chunks(LOADED_TOGETHER) {
            self.load_together(streams);
        }
    }

    fn load_rest(&mut self, stream: StreamId, beginning: Vec<StoredCommit>) {
        let (log, snapshots) = (Arc::clone(&self.log), Arc::clone(&self.snapshots));
        let work = async move { Done::Loaded(stream, load_rest(log.as_ref(), snapshots.as_ref(), stream, beginning).await) };
        self.work.push(work.boxed());
    }

    fn load_together(&mut self, streams: &[StreamId]) {
        let (log, streams) = (Arc::clone(&self.log), streams.to_vec());
        let work = async move {
            let loaded = load_together(log.as_ref(), &streams).await;
            Done::LoadedTogether(streams.into_iter().zip(loaded).collect())
        };
        self.work.push(work.boxed());
    }

    fn append(&mut self, commits: Vec<NewCommit>) {
        let log = Arc::clone(&self.log);
        let mut work = async move {
            let streams: Vec<StreamId> = commits.iter().map(|commit| commit.stream).collect();
            let results = log.append_together(commits).await;
            Done::Appended(streams.into_iter().zip(results).collect())
        }
        .boxed();
        // Polled once here and now, so that appends enter the log in the order in which they were decided.
        match work.as_mut().now_or_never() {
            Some(done) => self.work.push(async move { done }.boxed()),
            None => self.work.push(work),
        }
    }
}
