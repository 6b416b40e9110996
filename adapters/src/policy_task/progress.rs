//! How far the policies are, and for which tenants they stand still.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use application::ports::event_log::CommitPosition;
use application::queries::{EventRef, StoppedConsumer};
use domain::ids::TenantId;
use serde::{Deserialize, Serialize};

use super::CONSUMER;

/// What their checkpoint holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Up to here every fact's commands have been carried out.
    pub done: CommitPosition,
    /// Where each tenant waits for an operator, and why.
    pub stopped: BTreeMap<TenantId, (EventRef, String)>,
}

impl Progress {
    /// A tenant waits for an operator. What follows from facts may fail in another order than theirs; it is the oldest from which all
    /// is gone through again.
    pub fn stop(&mut self, tenant: TenantId, at: EventRef, cause: String) {
        match self.stopped.entry(tenant) {
            Entry::Occupied(stopped) if stopped.get().0 <= at => {}
            Entry::Occupied(mut stopped) => drop(stopped.insert((at, cause))),
            Entry::Vacant(stopped) => drop(stopped.insert((at, cause))),
        }
    }

    /// What an operator sees of it.
    pub fn consumers(&self) -> Vec<StoppedConsumer> {
        let told = |(tenant, (at, cause)): (&TenantId, &(EventRef, String))| StoppedConsumer {
            consumer: CONSUMER.to_owned(),
            tenant: *tenant,
            at: *at,
            cause: cause.clone(),
        };
        self.stopped.iter().map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_goes_on_from_the_oldest_fact_that_failed() {
        let mut progress = Progress::default();
        let tenant: TenantId = "acme".parse().unwrap();
        let at = |commit| EventRef { commit: CommitPosition(commit), index: 0 };
        for (commit, stands_at) in [(7, 7), (5, 5), (6, 5)] {
            progress.stop(tenant, at(commit), format!("cause {commit}"));
            let [stopped] = &progress.consumers()[..] else { panic!("one tenant") };
            assert_eq!((stopped.at, &stopped.cause), (at(stands_at), &format!("cause {stands_at}")));
        }
    }
}
