//! Following the log: from memory as long as the subscriber keeps up, by pages from the disk when it does not.
//!
//! There is one loop and no hand-over between catching up and being live, so nothing can fall between them.

use std::sync::Arc;

use application::ports::event_log::{CommitPosition, ReadError, StoredCommit, Subscription};
use async_trait::async_trait;
use tokio::sync::watch;

use super::super::SUBSCRIPTION_PAGE_COMMITS;
use super::pool::Pool;
use super::view::View;

/// See the head of this file.
pub struct EmbeddedSubscription {
    view: Arc<View>,
    pool: Arc<Pool>,
    head: watch::Receiver<u64>,
    after: CommitPosition,
}

impl EmbeddedSubscription {
    /// A subscription that begins after a position.
    pub fn new(view: Arc<View>, pool: Arc<Pool>, after: CommitPosition) -> Self {
        let head = view.follow();
        Self { view, pool, head, after }
    }

    async fn page(&self) -> Result<Vec<StoredCommit>, ReadError> {
        if let Some(commits) = self.view.recent_after(self.after, SUBSCRIPTION_PAGE_COMMITS) {
            return Ok(commits);
        }
        let (view, after) = (Arc::clone(&self.view), self.after);
        let read = move |reader: &super::view::Reader| match reader.read_shard(&view, after, SUBSCRIPTION_PAGE_COMMITS) {
            // A damaged commit further on must not hide the intact ones before it.
            Err(ReadError::Corrupt { .. }) => reader.read_shard(&view, after, 1),
            page => page,
        };
        self.pool.run(read).await
    }
}

#[async_trait]
impl Subscription for EmbeddedSubscription {
    async fn next(&mut self) -> Result<Vec<StoredCommit>, ReadError> {
        let after = self.after.0;
        let view = &self.view;
        let closed = || ReadError::Unavailable { reason: "log is closed".into() };
        self.head.wait_for(|head| *head > after || view.is_closed()).await.map_err(|_| closed())?;
        if self.view.is_closed() {
            return Err(closed());
        }
        let page = self.page().await?;
        if let Some(newest) = page.last() {
            self.after = newest.position;
        }
        Ok(page)
    }
}
