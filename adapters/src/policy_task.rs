//! Follows the log with the policies: every fact's commands are carried out once, in order, before the checkpoint moves past it.
//!
//! Commands of later facts do not wait for those of earlier ones to be durable, but they are handed to the owner in order, and
//! a failure that may pass rewinds to the checkpoint: what was carried out is recognised by its id. A fact that cannot be read, or whose
//! flow cannot, stops the policies for that tenant alone, until an operator's recorded decision.

mod progress;
pub mod scorers;
mod view;

use std::sync::Arc;

use application::command::{Answer, Request};
use application::error::CommandError;
use application::log::codec::DecodeError;
use application::log::decoded::{Decoded, DecodedEvent};
use application::policies::{self, Fact, Need};
use application::ports::checkpoints::Checkpoints;
use application::ports::command_bus::CommandBus;
use application::ports::event_log::{CommitPosition, EventLog, ReadError, StoredCommit};
use application::ports::key_store::KeyStore;
use application::queries::{EventRef, ReadModels, StoppedConsumer};
use domain::event::Event;
use domain::ids::TenantId;
use domain::tenant::event::{ConsumerResumed, PoisonVerdict, TenantEvent};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::watch;
use tokio::time::Duration;
use tokio_util::sync::CancellationToken;

use self::progress::Progress;
use self::scorers::{Scorers, Wanted};
use self::view::View;
use crate::flows::followed::FlowLookup;
use crate::reading::{OpenError, caught_up};
use crate::unfinished::Unfinished;

/// The policies' name among the consumers.
pub const CONSUMER: &str = "policies";
/// Commands that may be on their way; more would only fill the owner's queue.
const ORDERS_OPEN: usize = 512;
/// Commits that may lie behind the oldest one whose commands are on their way: one may wait for a scorer.
const COMMITS_BEHIND: usize = 1 << 16;
/// Commits between two saved checkpoints.
const COMMITS_PER_CHECKPOINT: u64 = 64;
/// Wait before going on after a failure that may pass.
const RETRY_WAIT: Duration = Duration::from_millis(100);
/// Commits read at a time when one tenant's facts are gone through again.
const REPLAY_PAGE: usize = 512;

/// See the module.
pub struct PolicyTask {
    log: Arc<dyn EventLog>,
    commands: Arc<dyn CommandBus>,
    views: Arc<dyn ReadModels>,
    flows: FlowLookup,
    scorers: Arc<Scorers>,
    checkpoints: Arc<dyn Checkpoints>,
    progress: Progress,
    saved: CommitPosition,
    stopped: watch::Sender<Vec<StoppedConsumer>>,
    reached: watch::Sender<CommitPosition>,
}

/// What others may watch of the policies.
#[derive(Clone)]
pub struct PolicyWatch {
    /// For which tenants they stand still.
    pub stopped: watch::Receiver<Vec<StoppedConsumer>>,
    /// Up to where every fact's commands have been carried out.
    pub reached: watch::Receiver<CommitPosition>,
}

/// Why the policies could not go on; they begin again at the checkpoint.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error("the log cannot be read: {0}")]
    Log(#[from] ReadError),
    #[error("a command could not be carried out: {0}")]
    Command(CommandError),
    #[error("a flow cannot be looked up: {0}")]
    Flow(OpenError),
}

/// Why nothing follows from a fact.
enum Unmet {
    /// It, or what its tenant says of such, cannot be read: the tenant waits there for an operator.
    Unreadable(EventRef, String),
    /// What may pass.
    Halt(Halt),
}

impl Unmet {
    /// What became of looking up a flow because of a fact.
    fn flow(at: EventRef, error: OpenError) -> Self {
        if error.may_pass() { Self::Halt(Halt::Flow(error)) } else { Self::Unreadable(at, format!("its flow cannot be read: {error}")) }
    }
}

/// A command of a policy, the fact that it follows from, and what a scorer is asked before it is carried out.
struct Order {
    at: EventRef,
    request: Request,
    wanted: Option<Wanted>,
}

/// Because of which fact, whose, and what became of it.
type Carried = (EventRef, TenantId, Result<Answer, CommandError>);

type Open = FuturesUnordered<BoxFuture<'static, (CommitPosition, Carried)>>;

impl PolicyTask {
    /// Goes on from the checkpoint. The watch tells how far they are.
    pub fn new(
        log: Arc<dyn EventLog>,
        commands: Arc<dyn CommandBus>,
        views: Arc<dyn ReadModels>,
        keys: Arc<dyn KeyStore>,
        checkpoints: Arc<dyn Checkpoints>,
        scorers: Scorers,
    ) -> (Self, PolicyWatch) {
        let progress: Progress = checkpoints.load(CONSUMER).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let (stopped, watch_stopped) = watch::channel(progress.consumers());
        let (reached, watch_reached) = watch::channel(progress.done);
        let saved = progress.done;
        let watching = PolicyWatch { stopped: watch_stopped, reached: watch_reached };
        let flows = FlowLookup::new(Arc::clone(&log), keys, Arc::clone(&views));
        (Self { log, commands, views, flows, scorers: scorers.into(), checkpoints, progress, saved, stopped, reached }, watching)
    }

    /// Runs until cancelled.
    pub async fn run(mut self, cancel: CancellationToken) {
        loop {
            let halt = tokio::select! {
                halt = self.follow() => halt,
                () = cancel.cancelled() => break,
            };
            if let Err(error) = halt {
                tracing::warn!(%error, commit = self.progress.done.0, "policies begin again at their checkpoint");
            }
            tokio::select! {
                () = tokio::time::sleep(RETRY_WAIT) => {}
                () = cancel.cancelled() => break,
            }
        }
        self.save();
    }

    async fn follow(&mut self) -> Result<(), Halt> {
        let mut subscription = self.log.subscribe(self.progress.done).await?;
        let mut open = Open::new();
        // With the number of commands that are still on their way.
        let mut unfinished = Unfinished::default();
        loop {
            tokio::select! {
                batch = subscription.next(), if open.len() < ORDERS_OPEN && unfinished.commits() < COMMITS_BEHIND => {
                    for commit in batch? {
                        let orders = self.react(&commit).await?;
                        unfinished.begin(commit.position, orders.len());
                        self.hand_over(commit.position, orders, &mut open);
                    }
                }
                Some((position, carried)) = open.next(), if !open.is_empty() => {
                    self.settle(carried)?;
                    unfinished.done_one(position);
                }
            }
            while let Some(Some((position, carried))) = open.next().now_or_never() {
                self.settle(carried)?;
                unfinished.done_one(position);
            }
            self.advance(&mut unfinished);
        }
    }

    fn hand_over(&self, position: CommitPosition, orders: Vec<Order>, open: &mut Open) {
        for Order { at, request, wanted } in orders {
            let tenant = request.stream.tenant;
            let mut work = if let Some(wanted) = wanted {
                let scorers = Arc::clone(&self.scorers);
                async move { (position, (at, tenant, scorers.carry_out(request, wanted).await)) }.boxed()
            } else {
                let commands = Arc::clone(&self.commands);
                async move { (position, (at, tenant, commands.execute(request).await)) }.boxed()
            };
            // Polled once here and now: the owner hears of commands in the order of their facts.
            match work.as_mut().now_or_never() {
                Some(done) => open.push(async move { done }.boxed()),
                None => open.push(work),
            }
        }
    }

    /// A refusal is an answer: the fact asked for something that is no longer so. What may pass is tried again, but a key that is
    /// not there comes back only if somebody brings it: its tenant waits for them.
    fn settle(&mut self, (at, tenant, result): Carried) -> Result<(), Halt> {
        match result {
            Ok(_) => {}
            Err(error @ (CommandError::Refused(_) | CommandError::Erased | CommandError::Gone | CommandError::TooLarge)) => {
                tracing::debug!(commit = at.commit.0, %error, "a policy's command was refused");
            }
            Err(error @ CommandError::KeyMissing) => self.stop(tenant, at, error.to_string()),
            Err(error) if error.may_pass() => return Err(Halt::Command(error)),
            Err(error) => tracing::error!(commit = at.commit.0, %error, "a policy's command cannot be carried out"),
        }
        Ok(())
    }

    fn advance(&mut self, unfinished: &mut Unfinished) {
        if let Some(done) = unfinished.advance() {
            self.progress.done = done;
        }
        self.reached.send_if_modified(|before| std::mem::replace(before, self.progress.done) != self.progress.done);
        if self.progress.done.0 >= self.saved.0 + COMMITS_PER_CHECKPOINT {
            self.save();
        }
    }

    fn save(&mut self) {
        match serde_json::to_vec(&self.progress) {
            Ok(bytes) => self.checkpoints.save(CONSUMER, &bytes),
            Err(error) => tracing::error!(%error, "the policies' checkpoint cannot be written"),
        }
        self.saved = self.progress.done;
        let stopped = self.progress.consumers();
        self.stopped.send_if_modified(|before| {
            let changed = *before != stopped;
            *before = stopped;
            changed
        });
    }

    /// The commands of a commit's facts. A fact that cannot be read stops its tenant.
    async fn react(&mut self, stored: &StoredCommit) -> Result<Vec<Order>, Halt> {
        let mut requests = Vec::new();
        let commit = match stored.decoded() {
            Ok(commit) => commit,
            Err(error) => {
                tracing::error!(commit = stored.position.0, %error, "a commit that says nothing readable was passed over");
                return Ok(requests);
            }
        };
        let tenant = commit.header.stream.tenant;
        for (at, fact) in facts_of(stored.position, &commit) {
            if let Ok(fact) = &fact
                && let Event::Tenant(TenantEvent::ConsumerResumed(resumed)) = fact.event
            {
                requests.extend(self.resume(tenant, resumed, stored.position).await?);
            }
            if self.progress.stopped.contains_key(&tenant) {
                continue;
            }
            let reacted = match fact {
                Ok(fact) => self.react_to(&fact, at).await,
                Err(error) => Err(Unmet::Unreadable(at, error.to_string())),
            };
            match reacted {
                Ok(orders) => requests.extend(orders),
                Err(Unmet::Unreadable(at, cause)) => self.stop(tenant, at, cause),
                Err(Unmet::Halt(halt)) => return Err(halt),
            }
        }
        Ok(requests)
    }

    async fn react_to(&self, fact: &Fact<'_>, at: EventRef) -> Result<Vec<Order>, Unmet> {
        let need = policies::need(fact.stream, fact.event);
        if need != Need::Nothing {
            caught_up(&*self.views, at.commit, CONSUMER).await;
        }
        let unread = |error| Unmet::flow(at, error);
        let (mut reception, mut assignment) = (None, None);
        if let Need::Flows { conversation, reception: wanted, assignment: asked } = need {
            let tenant = fact.stream.tenant;
            if let Some(wanted) = wanted {
                reception = self.flows.reception(wanted, tenant, conversation, fact.at).await.map_err(unread)?;
            }
            if asked {
                assignment = self.flows.assignment(tenant, conversation, fact.at).await.map_err(unread)?;
            }
        }
        let published = match need {
            Need::Document => self.flows.assignment_at(fact.stream.tenant, at).await.map_err(unread)?,
            Need::Nothing | Need::Views | Need::Flows { .. } => None,
        };
        let view = View { views: self.views.as_ref(), reception, assignment, published };
        let requests = policies::react(fact, &view);
        Ok(requests
            .into_iter()
            .map(|request| Order { at, wanted: self.scorers.wanted(&request, view.assignment.as_ref()), request })
            .collect())
    }

    fn stop(&mut self, tenant: TenantId, at: EventRef, cause: String) {
        tracing::error!(tenant.id = %tenant, commit = at.commit.0, event = at.index, cause, "policies stop for this tenant");
        self.progress.stop(tenant, at, cause);
        self.save();
    }

    /// An operator decided: go through the tenant's facts since the stop, then on.
    async fn resume(&mut self, tenant: TenantId, resumed: &ConsumerResumed, until: CommitPosition) -> Result<Vec<Order>, Halt> {
        if resumed.consumer != CONSUMER {
            return Ok(vec![]);
        }
        let Some((at, cause)) = self.progress.stopped.get(&tenant).cloned() else {
            return Ok(vec![]);
        };
        if at.commit.0 != resumed.commit || at.index != resumed.index {
            return Ok(vec![]);
        }
        self.progress.stopped.remove(&tenant);
        let skipped = (resumed.verdict == PoisonVerdict::Skip).then_some(at);
        tracing::info!(tenant.id = %tenant, commit = at.commit.0, cause, verdict = ?resumed.verdict, "policies go on for this tenant");
        let mut requests = Vec::new();
        let mut after = CommitPosition(at.commit.0.saturating_sub(1));
        loop {
            let page = self.log.read_shard(after, REPLAY_PAGE).await?;
            let Some(last) = page.last() else { return Ok(requests) };
            after = last.position;
            for stored in page.into_iter().take_while(|stored| stored.position < until) {
                match self.replay(tenant, &stored, skipped, &mut requests).await {
                    Ok(()) => {}
                    Err(Unmet::Unreadable(at, cause)) => {
                        self.stop(tenant, at, cause);
                        return Ok(requests);
                    }
                    Err(Unmet::Halt(halt)) => {
                        // The operator's decision is met again when the policies begin anew.
                        self.progress.stopped.insert(tenant, (at, cause));
                        return Err(halt);
                    }
                }
            }
            if after >= until {
                self.save();
                return Ok(requests);
            }
        }
    }

    async fn replay(
        &self,
        tenant: TenantId,
        stored: &StoredCommit,
        skipped: Option<EventRef>,
        requests: &mut Vec<Order>,
    ) -> Result<(), Unmet> {
        let commit =
            stored.decoded().map_err(|error| Unmet::Unreadable(EventRef { commit: stored.position, index: 0 }, error.to_string()))?;
        if commit.header.stream.tenant != tenant {
            return Ok(());
        }
        for (at, fact) in facts_of(stored.position, &commit) {
            if skipped == Some(at) {
                continue;
            }
            let fact = fact.map_err(|error| Unmet::Unreadable(at, error.to_string()))?;
            requests.extend(self.react_to(&fact, at).await?);
        }
        Ok(())
    }
}

/// What a commit says, as facts with their places.
fn facts_of(position: CommitPosition, commit: &Decoded) -> impl Iterator<Item = (EventRef, Result<Fact<'_>, &DecodeError>)> {
    let (stream, at) = (commit.header.stream, commit.header.time);
    (0..).zip(&commit.events).map(move |(index, event)| {
        let fact = match event {
            DecodedEvent::Known(meta, event) => Ok(Fact { stream, meta: *meta, at, event }),
            DecodedEvent::Poison(error) => Err(error),
        };
        (EventRef { commit: position, index }, fact)
    })
}
