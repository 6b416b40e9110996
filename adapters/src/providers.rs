//! Providers: seats at desks of their own, which are called over signed HTTP. Follows the log, and tells each what concerns it, of
//! one chat one thing after the other.
//!
//! It is a consumer of its own, so that a provider that is slow or down holds up neither a policy nor another tenant. Calls carry the
//! ids of their facts, and so do the commands that follow, so that a restart repeats nothing. What a provider says by itself comes in
//! at `crate::http::routes::provider::inbound`.

pub mod answers;
mod caller;
pub mod calls;
pub mod connections;
pub mod courier;
mod told;

use std::sync::Arc;

use application::ports::checkpoints::Checkpoints;
use application::ports::event_log::{CommitPosition, StoredCommit};
use domain::ids::TenantId;
use hashbrown::HashSet;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::courier::Courier;
use self::told::Told;
use crate::follower::{Bounds, Carrier, Follower, Halt, Place};
use crate::reading::caught_up;

/// See the file's head.
pub struct ProviderTask(Follower<Courier>);

impl ProviderTask {
    /// Goes on from the checkpoint. The watch tells how far it is.
    pub fn new(courier: Courier, checkpoints: Arc<dyn Checkpoints>) -> (Self, watch::Receiver<CommitPosition>) {
        let log = Arc::clone(&courier.log);
        let (follower, watching) = Follower::new(courier, log, checkpoints);
        (Self(follower), watching)
    }

    /// Runs until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        self.0.run(cancel).await;
    }
}

impl Carrier for Courier {
    const CONSUMER: &'static str = "providers";
    /// A provider that is down takes nobody else's place; whoever writes more to one that hears nothing has somebody else.
    const BOUNDS: Bounds = Bounds { all: 16_384, of_tenant: 1_024, behind: 64 };
    type Item = Told;
    /// The tenants that have, or had, providers.
    type Finder = HashSet<TenantId>;

    async fn begin(&self, done: CommitPosition) -> HashSet<TenantId> {
        caught_up(&*self.views, done, Self::CONSUMER).await;
        let has_one = |tenant: &TenantId| self.views.tenant(*tenant).is_some_and(|row| !row.providers.is_empty());
        self.views.tenants().into_iter().filter(has_one).collect()
    }

    fn find(tenants: &mut HashSet<TenantId>, commit: &StoredCommit) -> Vec<(Place, Told)> {
        told::told(commit, tenants).into_iter().map(|told| ((told.stream.tenant, told.chat), told)).collect()
    }

    async fn carry(&self, told: &Told, commit: CommitPosition) -> Result<(), Halt> {
        self.carry_out(told, commit).await
    }

    async fn give_up(&self, told: &Told, commit: CommitPosition) -> Result<(), Halt> {
        self.hand_back(told, commit).await
    }
}
