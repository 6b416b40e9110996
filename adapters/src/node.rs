//! One node put together from its engines: owner, policies, read models and timers. `main.rs` gives it the embedded engines,
//! tests give it those in memory. It must not know HTTP.

use std::sync::Arc;

use application::log::commit;
use application::owner::{Owner, OwnerLimits};
use application::ports::blob_store::BlobStore;
use application::ports::checkpoints::Checkpoints;
use application::ports::clock::Clock;
use application::ports::event_log::{CommitPosition, EventLog, ReadError};
use application::ports::ids::Ids;
use application::ports::key_store::KeyStore;
use application::ports::snapshots::Snapshots;
use application::queries::{DeliverySink, ReadModels};
use domain::time::Timestamp;
use projections::runner::RunnerOptions;
use projections::store::ViewStore;
use projections::views::{Views, ViewsError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::breaker::Breakers;
use crate::latency::give_way;
use crate::owner_task::{self, OwnerHandle, OwnerStop};
use crate::policy_task::scorers::Scorers;
use crate::policy_task::{PolicyTask, PolicyWatch};
use crate::providers::ProviderTask;
use crate::providers::connections::Connections;
use crate::providers::courier::Courier;
use crate::reading::caught_up;
use crate::robots::models::Models;
use crate::robots::remote::RemoteRobots;
use crate::robots::{Answerers, RobotTask, Seats};
use crate::state::Ports;
use crate::timer_task;

/// What a node stands on.
#[derive(Clone)]
pub struct Engines {
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// The keys.
    pub keys: Arc<dyn KeyStore>,
    /// The sealed bytes of attachments.
    pub blobs: Arc<dyn BlobStore>,
    /// Folded aggregates.
    pub snapshots: Arc<dyn Snapshots>,
    /// How far the policies are.
    pub checkpoints: Arc<dyn Checkpoints>,
    /// Where read models are kept.
    pub view_store: Arc<dyn ViewStore>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Bounds of the owner.
    pub limits: OwnerLimits,
}

/// Why a node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log cannot be read.
    #[error("the event log cannot be read")]
    Log(#[from] ReadError),
    /// The newest commit is no commit.
    #[error("the newest commit cannot be read")]
    Newest(#[from] commit::InvalidCommit),
    /// The read models cannot be opened.
    #[error("the read models cannot be opened")]
    Views(#[from] ViewsError),
}

/// A running node.
pub struct Node {
    /// What the edge stands on.
    pub ports: Ports,
    owner: OwnerStop,
    views: Arc<Views>,
    tasks: Vec<JoinHandle<()>>,
    cancel: CancellationToken,
    /// How far the robot is.
    robots: watch::Receiver<CommitPosition>,
    /// How far the calls to providers are.
    providers: watch::Receiver<CommitPosition>,
}

/// The epoch of an owner that never has a rival: this process locks its directory.
const ONLY_EPOCH: u64 = 1;

impl Node {
    /// Starts everything; the read models have caught up when it returns.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(engines: Engines, sink: Arc<dyn DeliverySink>, seats: Seats) -> Result<Self, StartError> {
        let newest = newest_commit_time(engines.log.as_ref()).await?;
        let options = RunnerOptions { on_writing_thread: give_way, ..RunnerOptions::default() };
        let views = Arc::new(Views::open(Arc::clone(&engines.view_store), Arc::clone(&engines.log), sink, options).await?);
        let shard = engines.log.shard();
        let owner = Owner::new(shard, ONLY_EPOCH, newest, engines.limits, Arc::clone(&engines.keys), Arc::clone(&engines.ids));
        let (commands, owner) =
            owner_task::start(owner, Arc::clone(&engines.log), Arc::clone(&engines.snapshots), Arc::clone(&engines.clock));
        let read_models: Arc<dyn ReadModels> = views.clone();
        let cancel = CancellationToken::new();
        let bus: Arc<OwnerHandle> = Arc::new(commands);
        let timers = timer_task::run(Arc::clone(&read_models), bus.clone(), Arc::clone(&engines.clock), cancel.clone());
        let models = Arc::new(Models::new(Arc::clone(&engines.log), Arc::clone(&engines.keys), Arc::clone(&read_models)));
        let Seats { outgoing, shows, provider_retry } = seats;
        let (log, keys) = (Arc::clone(&engines.log), Arc::clone(&engines.keys));
        let remote = Arc::new(RemoteRobots::new(log, keys, Arc::clone(&outgoing), Arc::clone(&engines.clock)));
        let (task, policies) = policy_task(&engines, &bus, &read_models, &remote);
        let providers = Arc::new(Connections::new(Arc::clone(&engines.log), Arc::clone(&engines.keys)));
        let (robot, reached) = RobotTask::new(
            Answerers { models: Arc::clone(&models), remote: Arc::clone(&remote), shows },
            Arc::clone(&engines.log),
            Arc::clone(&engines.keys),
            Arc::clone(&read_models),
            bus.clone(),
            Arc::clone(&engines.checkpoints),
        );
        let courier = Courier {
            log: Arc::clone(&engines.log),
            keys: Arc::clone(&engines.keys),
            views: Arc::clone(&read_models),
            commands: bus.clone(),
            clock: Arc::clone(&engines.clock),
            outgoing: Arc::clone(&outgoing),
            connections: Arc::clone(&providers),
            retry: provider_retry,
            breakers: Breakers::default(),
        };
        let (calls, called) = ProviderTask::new(courier, Arc::clone(&engines.checkpoints));
        let tasks = vec![
            tokio::spawn(task.run(cancel.clone())),
            tokio::spawn(timers),
            tokio::spawn(robot.run(cancel.clone())),
            tokio::spawn(calls.run(cancel.clone())),
        ];
        let ports = Ports {
            commands: bus,
            views: read_models,
            log: engines.log,
            keys: engines.keys,
            blobs: engines.blobs,
            clock: engines.clock,
            ids: engines.ids,
            policies,
            models,
            robots: remote,
            providers,
            outgoing,
        };
        Ok(Self { ports, owner, views, tasks, cancel, robots: reached, providers: called })
    }

    /// Waits until the policies have carried out everything up to the log's head, and the read models show it.
    ///
    /// # Errors
    /// [`ReadError`] when the log cannot be read.
    pub async fn settle(&self) -> Result<(), ReadError> {
        let (mut reached, mut robots, mut providers) = (self.ports.policies.reached.clone(), self.robots.clone(), self.providers.clone());
        loop {
            let head = self.ports.log.head().await?;
            // The sender lives as long as the node; when it is gone there is nothing to wait for.
            let _ = reached.wait_for(|reached| *reached >= head).await;
            let _ = robots.wait_for(|reached| *reached >= head).await;
            let _ = providers.wait_for(|reached| *reached >= head).await;
            if self.ports.log.head().await? == head {
                caught_up(&*self.ports.views, head, "node").await;
                return Ok(());
            }
        }
    }

    /// Answers what was taken in, and ends.
    pub async fn stop(self) {
        self.cancel.cancel();
        self.owner.stop().await;
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task did not end well");
            }
        }
        self.views.close().await;
    }
}

fn policy_task(
    engines: &Engines,
    bus: &Arc<OwnerHandle>,
    views: &Arc<dyn ReadModels>,
    remote: &Arc<RemoteRobots>,
) -> (PolicyTask, PolicyWatch) {
    let (log, keys, checkpoints) = (Arc::clone(&engines.log), Arc::clone(&engines.keys), Arc::clone(&engines.checkpoints));
    let scorers = Scorers::new(Arc::clone(remote), Arc::clone(views), bus.clone());
    PolicyTask::new(log, bus.clone(), Arc::clone(views), keys, checkpoints, scorers)
}

/// Time of the newest commit: the owner goes on from there, whatever the clock says.
///
/// # Errors
/// [`StartError`].
pub async fn newest_commit_time(log: &dyn EventLog) -> Result<Timestamp, StartError> {
    let head = log.head().await?;
    if head == CommitPosition::default() {
        return Ok(Timestamp::default());
    }
    match log.read_commit(head).await? {
        Some(newest) => Ok(newest.header()?.time),
        None => Ok(Timestamp::default()),
    }
}
