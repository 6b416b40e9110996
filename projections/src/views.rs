//! The read models of a shard, to be asked: `Views` answers [`ReadModels`] from the views that its runner keeps in step.
//!
//! Open them with [`Views::open`]`(store, log, sink, options).await`, which returns when they have caught up: what was in the log before
//! is not delivered, so devices are let in afterwards. End with [`Views::close`].
//!
//! A question that the store cannot answer now is logged and answered as if there were nothing: the port has no word for a
//! broken disk, and [`Views::halted`] tells the operator.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use application::ports::event_log::{CommitPosition, EventLog};
use application::queries::{
    AT_LEAST_WAIT_MS, AgentRow, ArticleRow, AttachmentUses, Behind, BoardRow, CampaignRow, CannedReplyRow, ChannelCustomerRow, ChatRow,
    ConversationFilter, ConversationRow, DeliverySink, DescriptionRow, EventRef, FeedItem, OutreachRow, QueueRow, ReadModels,
    StoppedConsumer, TenantRow, TimerRow, UserRow,
};
use async_trait::async_trait;
use domain::ids::{AttachmentId, CampaignId, ChatId, ConversationId, GroupId, OutreachId, ShopId, TenantId, UserId};
use domain::labels::Reference;
use domain::time::Timestamp;
use domain::user::event::KeyedDigest;
use tokio::sync::watch;

use crate::engine::Engine;
pub use crate::engine::Halt as ViewsError;
use crate::projection::ApplyError;
use crate::runner::{BlockingLog, Driver, Progress, Runner, RunnerOptions};
use crate::store::{StoreError, ViewStore};
use crate::view_set::ViewSet;

/// See the file's head.
pub struct Views {
    views: Arc<ViewSet>,
    progress: Arc<Progress>,
    runner: Arc<Runner>,
    head_at_open: CommitPosition,
}

impl Views {
    /// Opens the views at their saved positions, takes in what is in the log, and follows it. Every event that the log gains
    /// from now on is handed to the sink. The views have caught up when this returns.
    ///
    /// # Errors
    /// [`ViewsError`] when the store or the log cannot be read.
    pub async fn open(
        store: Arc<dyn ViewStore>,
        log: Arc<dyn EventLog>,
        sink: Arc<dyn DeliverySink>,
        options: RunnerOptions,
    ) -> Result<Self, ViewsError> {
        let views = Self::start(store, log, sink, options).await?;
        views.caught_up().await?;
        Ok(views)
    }

    /// As [`Self::open`], but returns at once: [`ReadModels::reached`] tells how far the views are.
    ///
    /// # Errors
    /// [`ViewsError`] when the store or the log cannot be read.
    pub async fn start(
        store: Arc<dyn ViewStore>,
        log: Arc<dyn EventLog>,
        sink: Arc<dyn DeliverySink>,
        options: RunnerOptions,
    ) -> Result<Self, ViewsError> {
        let head_at_open = log.head().await?;
        let driver = Driver::new()?;
        let source = BlockingLog { log: Arc::clone(&log), driver: driver.clone() };
        // Rows that are kept in memory are read here: off the runtime, because a large store takes a while.
        let opened = Arc::clone(&store);
        let engine = tokio::task::spawn_blocking(move || Engine::open(opened, Arc::new(source)))
            .await
            .map_err(|error| StoreError { reason: error.to_string() })??;
        let views = engine.views();
        let progress = Arc::new(Progress {
            reached: watch::Sender::new(engine.position()),
            stopped: RwLock::new(engine.stopped()),
            halt: watch::Sender::new(None),
        });
        let runner = Runner::start(engine, store, BlockingLog { log, driver }, sink, Arc::clone(&progress), head_at_open, options)
            .map_err(|error| StoreError { reason: error.to_string() })?;
        Ok(Self { views, progress, runner: Arc::new(runner), head_at_open })
    }

    /// Waits until everything that was in the log at opening is taken in.
    ///
    /// # Errors
    /// [`ViewsError`] when the views halt before.
    pub async fn caught_up(&self) -> Result<(), ViewsError> {
        let mut reached = self.progress.reached.subscribe();
        let mut halt = self.progress.halt.subscribe();
        tokio::select! {
            // The senders live as long as `self`.
            _ = reached.wait_for(|reached| *reached >= self.head_at_open) => Ok(()),
            halt = halt.wait_for(Option::is_some) => match halt.as_deref() {
                Ok(Some(halt)) => Err(halt.clone()),
                Ok(None) | Err(_) => Ok(()),
            },
        }
    }

    /// Why the views stand still altogether, if they do.
    #[must_use]
    pub fn halted(&self) -> Option<ViewsError> {
        self.progress.halt.borrow().clone()
    }

    /// Ends the runner. What was applied is written when this returns.
    pub async fn close(&self) {
        let runner = Arc::clone(&self.runner);
        if let Err(error) = tokio::task::spawn_blocking(move || runner.close()).await {
            tracing::error!(%error, "the views did not end well");
        }
    }
}

impl Drop for Views {
    fn drop(&mut self) {
        self.runner.close();
    }
}

/// An answer, or nothing where the store failed.
fn answer<T: Default>(result: Result<T, ApplyError>) -> T {
    result.unwrap_or_else(|error| {
        tracing::error!(%error, "a read model cannot answer");
        T::default()
    })
}

#[async_trait]
impl ReadModels for Views {
    fn reached(&self) -> CommitPosition {
        *self.progress.reached.borrow()
    }

    async fn at_least(&self, commit: CommitPosition) -> Result<(), Behind> {
        let mut reached = self.progress.reached.subscribe();
        if *reached.borrow_and_update() >= commit {
            return Ok(());
        }
        let there = reached.wait_for(|reached| *reached >= commit);
        match tokio::time::timeout(Duration::from_millis(AT_LEAST_WAIT_MS), there).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Behind { reached: self.reached() }),
        }
    }

    fn tenants(&self) -> Vec<TenantId> {
        self.views.directory().tenants()
    }

    fn tenant(&self, tenant: TenantId) -> Option<Arc<TenantRow>> {
        self.views.directory().tenant(tenant)
    }

    fn users_changed(&self) -> u64 {
        self.views.users_changed()
    }

    fn user(&self, tenant: TenantId, user: UserId) -> Option<Arc<UserRow>> {
        answer(self.views.directory().user(tenant, user))
    }

    fn users(&self, tenant: TenantId, after: Option<UserId>, limit: usize) -> Vec<Arc<UserRow>> {
        answer(self.views.directory().users(tenant, after, limit))
    }

    fn user_by_account(&self, tenant: TenantId, account: KeyedDigest) -> Option<UserId> {
        answer(self.views.directory().user_by_account(tenant, account))
    }

    fn user_now(&self, tenant: TenantId, user: UserId) -> Option<Arc<UserRow>> {
        answer(self.views.directory().user_now(tenant, user))
    }

    fn description(&self, tenant: TenantId, user: UserId) -> Option<DescriptionRow> {
        answer(self.views.directory().description(tenant, user))
    }

    fn own_canned_replies(&self, tenant: TenantId, user: UserId) -> Vec<CannedReplyRow> {
        answer(self.views.directory().own_canned_replies(tenant, user))
    }

    fn channel_customer(&self, tenant: TenantId, user: UserId) -> Option<ChannelCustomerRow> {
        answer(self.views.directory().channel_customer(tenant, user))
    }

    fn blocked_customers(&self, tenant: TenantId, after: Option<UserId>, limit: usize) -> Vec<(UserId, EventRef)> {
        answer(self.views.directory().blocked_customers(tenant, after, limit))
    }

    fn channel_customers(&self, tenant: TenantId, after: Option<UserId>, limit: usize) -> Vec<ChannelCustomerRow> {
        answer(self.views.directory().channel_customers(tenant, after, limit))
    }

    fn online_users(&self) -> Vec<(TenantId, UserId)> {
        self.views.directory().online_users()
    }

    fn chat(&self, tenant: TenantId, chat: ChatId) -> Option<ChatRow> {
        answer(self.views.conversation_list().chat(tenant, chat))
    }

    fn chats_of(&self, tenant: TenantId, user: UserId) -> Vec<ChatId> {
        answer(self.views.conversation_list().chats_of(tenant, user))
    }

    fn chats_with(&self, tenant: TenantId, customer: UserId, shop: ShopId) -> Vec<ChatId> {
        answer(self.views.conversation_list().chats_with(tenant, customer, shop))
    }

    fn unread(&self, tenant: TenantId, chat: ChatId, user: UserId) -> Option<u64> {
        answer(self.views.unread().unread(tenant, chat, user))
    }

    fn messages(&self, tenant: TenantId, chat: ChatId, from_seq: u64, limit: usize) -> Vec<(u64, EventRef)> {
        answer(self.views.feed().messages(tenant, chat, from_seq, limit))
    }

    fn attachment_uses(&self, tenant: TenantId, attachment: AttachmentId) -> Option<AttachmentUses> {
        answer(self.views.unread().attachment_uses(tenant, attachment))
    }

    fn is_recalled(&self, tenant: TenantId, chat: ChatId, seq: u64) -> bool {
        answer(self.views.unread().is_recalled(tenant, chat, seq))
    }

    fn is_hidden(&self, tenant: TenantId, chat: ChatId, seq: u64, reader: UserId) -> bool {
        answer(self.views.unread().is_hidden(tenant, chat, seq, reader))
    }

    fn conversation(&self, tenant: TenantId, conversation: ConversationId) -> Option<ConversationRow> {
        answer(self.views.conversation_list().conversation(tenant, conversation))
    }

    fn conversations(
        &self,
        tenant: TenantId,
        filter: ConversationFilter,
        after: Option<(Timestamp, ConversationId)>,
        limit: usize,
    ) -> Vec<ConversationRow> {
        answer(self.views.conversation_list().conversations(tenant, filter, after, limit))
    }

    fn feed_head(&self, tenant: TenantId, user: UserId) -> u64 {
        answer(self.views.feed().head(tenant, user))
    }

    fn feed(&self, tenant: TenantId, user: UserId, after: u64, limit: usize) -> Vec<FeedItem> {
        answer(self.views.feed().items(tenant, user, after, limit))
    }

    fn queue(&self, tenant: TenantId, group: Option<GroupId>) -> Vec<QueueRow> {
        self.views.queues().queue(tenant, group)
    }

    fn queue_position(&self, tenant: TenantId, conversation: ConversationId) -> Option<usize> {
        self.views.queues().queue_position(tenant, conversation)
    }

    fn agents(&self, tenant: TenantId) -> Vec<AgentRow> {
        self.views.queues().agents(tenant)
    }

    fn boards(&self, tenant: TenantId, groups: &[GroupId]) -> Vec<BoardRow> {
        self.views.queues().boards(tenant, groups)
    }

    fn campaign(&self, tenant: TenantId, campaign: CampaignId) -> Option<CampaignRow> {
        self.views.campaigns().campaign(tenant, campaign)
    }

    fn campaigns(&self, tenant: TenantId, after: Option<CampaignId>, limit: usize) -> Vec<CampaignRow> {
        self.views.campaigns().campaigns(tenant, after, limit)
    }

    fn article(&self, tenant: TenantId, article: &Reference) -> Option<ArticleRow> {
        self.views.articles().article(tenant, article)
    }

    fn articles(&self, tenant: TenantId, after: Option<&Reference>, limit: usize) -> Vec<ArticleRow> {
        self.views.articles().articles(tenant, after, limit)
    }

    fn articles_changed(&self, tenant: TenantId) -> u64 {
        self.views.articles().changes(tenant)
    }

    fn outreach(&self, tenant: TenantId, attempt: OutreachId) -> Option<OutreachRow> {
        answer(self.views.outreach().attempt(tenant, attempt))
    }

    fn outreaches(&self, tenant: TenantId, before: Option<EventRef>, limit: usize) -> Vec<OutreachRow> {
        answer(self.views.outreach().attempts(tenant, before, limit))
    }

    fn running_campaigns(&self) -> Vec<(TenantId, CampaignId)> {
        self.views.campaigns().running()
    }

    fn due_timers(&self, now: Timestamp, limit: usize) -> Vec<(TenantId, TimerRow)> {
        answer(self.views.timers().due(now, limit))
    }

    fn next_timer(&self) -> Option<Timestamp> {
        answer(self.views.timers().next())
    }

    fn stopped_consumers(&self) -> Vec<StoppedConsumer> {
        self.progress.stopped.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
