//! How a seed ends: nothing goes wrong any more, everything is answered, and what it leaves behind is gathered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use application::ports::event_log::{CommitPosition, EventLog};
use application::queries::{AccountStage, Delivery, DeliverySink, ReadModels};
use projections::runner::RunnerOptions;
use projections::store::MemoryStore;
use projections::views::Views;

use super::Story;
use crate::delivery_sim::Broken;
use crate::delivery_sim::cast::Actor;
use crate::delivery_sim::check::{Evidence, Left, Numbers};
use crate::delivery_sim::device::{Device, Wish};
use crate::recount::placed;

/// Items of a feed that are read at a time.
const FEED_PAGE: usize = 1_000;

/// Nobody listens to a rebuild.
pub(super) struct Nobody;

impl DeliverySink for Nobody {
    fn deliver(&self, _: Vec<Delivery>) {}
}

impl Story {
    /// Nothing goes wrong any more: every message is answered, every device has its feed.
    pub(crate) async fn come_to_rest(&mut self) {
        self.faults.store(false, Ordering::SeqCst);
        self.net.heal();
        for device in &self.devices {
            device.lines(|line| line.stall(false));
            device.wish(self.random.pick(&[Wish::Socket, Wish::Poll, Wish::Stream]));
        }
        for device in &self.devices {
            device.until(|state| state.outbox.is_empty() || !state.findings.is_empty()).await;
        }
        self.settle().await;
        self.rest = self.disk.log.core().head();
        let heads = self.heads();
        for device in &self.devices {
            device.until(|state| !state.findings.is_empty() || state.shown.cursor() >= heads[state.shown.actor].unwrap_or(u64::MAX)).await;
        }
    }

    /// Waits until policies and read models have done everything that was caused so far.
    async fn settle(&self) {
        let Some(process) = &self.process else { return };
        let mut reached = process.running.app.ports.policies.reached.clone();
        let views = Arc::clone(&process.running.app.ports.views);
        loop {
            let head = self.disk.log.core().head();
            let _ = reached.wait_for(|reached| *reached >= head).await;
            while views.at_least(head).await.is_err() {}
            if self.disk.log.core().head() == head {
                return;
            }
        }
    }

    /// Where each feed ends; `None` for an account that is another one now.
    fn heads(&self) -> Vec<Option<u64>> {
        let Some(process) = &self.process else { return vec![] };
        let views = &process.running.app.ports.views;
        let head = |actor: &Actor| {
            let row = views.user(actor.tenant, actor.user)?;
            match row.stage {
                AccountStage::Active | AccountStage::Deactivated => Some(views.feed_head(actor.tenant, actor.user)),
                AccountStage::Merged { .. } => None,
            }
        };
        self.cast.actors.iter().map(head).collect()
    }

    fn feeds(&self, views: &dyn ReadModels) -> Vec<Numbers> {
        let feed = |actor: &Actor| {
            let mut numbers = Numbers::new();
            loop {
                let page = views.feed(actor.tenant, actor.user, numbers.len() as u64, FEED_PAGE);
                if page.is_empty() {
                    return numbers;
                }
                numbers.extend(page.into_iter().map(|item| {
                    let position = format!("s0c{}e{}", item.at.commit.0, item.at.index);
                    let kind = serde_json::to_value(item.kind).expect("a kind is a word");
                    (position, kind.as_str().unwrap_or_default().to_owned())
                }));
            }
        };
        self.cast.actors.iter().map(feed).collect()
    }

    /// Ends everything and gathers what it leaves behind.
    pub(crate) async fn end(&mut self) -> Evidence {
        let mut feeds = vec![];
        if let Some(process) = &self.process {
            feeds.push(("of the node", self.feeds(&*process.running.app.ports.views)));
        }
        self.living.abort_all();
        while self.living.join_next().await.is_some() {}
        self.kill().await;
        let log: Arc<dyn EventLog> = Arc::new(self.disk.log.clone());
        for (name, store) in [("after a restart", Arc::clone(&self.disk.views)), ("made anew", Arc::new(MemoryStore::default()))] {
            let views = Views::open(store, Arc::clone(&log), Arc::new(Nobody), RunnerOptions::default()).await.expect("views open");
            feeds.push((name, self.feeds(&views)));
            views.close().await;
        }
        let left = |device: &Arc<Device>| {
            let state = device.state();
            let shown = state.before.iter().chain([&state.shown]).cloned().collect();
            Left { name: device.name.clone(), shown, sent: state.sent.clone(), reordered: state.reordered.clone() }
        };
        let devices: Vec<Left> = self.devices.iter().map(left).collect();
        let commits = self.disk.log.core().read_shard(CommitPosition(0), usize::MAX).expect("a log in memory is whole");
        self.statistics.commits = commits.len();
        for device in &devices {
            self.statistics.count(device);
        }
        Evidence { cast: Arc::clone(&self.cast), events: placed(&commits), rest: self.rest, is_ordered: !self.has_faults, devices, feeds }
    }

    /// What devices found while they lived.
    pub(crate) fn findings(&self) -> Vec<(Broken, String)> {
        self.devices.iter().flat_map(|device| device.state().findings.clone()).collect()
    }

    /// What happened last, and at each device.
    pub(crate) fn words(&self) -> String {
        let mut words = vec!["the last actions:".to_owned()];
        words.extend(self.trace.iter().rev().take(40).rev().cloned());
        let mut states = BTreeMap::new();
        for device in &self.devices {
            let state = device.state();
            let waiting: Vec<&str> = state.outbox.iter().map(|draft| draft.id.as_str()).collect();
            // Whoever still waits has more to tell.
            let lines = if waiting.is_empty() && state.findings.is_empty() { 1 } else { 20 };
            let trace: Vec<&str> = state.trace.iter().rev().take(lines).rev().map(String::as_str).collect();
            let line = format!("{:?}, cursor {}, waiting {waiting:?}: {}", state.wish, state.shown.cursor(), trace.join("\n    "));
            states.insert(device.name.clone(), line);
        }
        words.extend(states.into_iter().map(|(name, state)| format!("{name}: {state}")));
        words.join("\n  ")
    }
}
