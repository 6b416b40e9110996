//! What can be asked of the read models: the questions and the answers. `projections` answers them.
//!
//! Answers carry references to private texts, never the texts: whoever may see one opens it from the log. Every question
//! names its tenant first.

mod articles;
mod campaigns;
mod chats;
mod delivery;
mod desk;
mod outreach;
mod providers;
mod robots;
mod tickets;
mod timers;

use std::sync::Arc;

use async_trait::async_trait;
use domain::conversation::event::{CloseReason, Entry};
use domain::devices::{DeviceKind, DevicePolicy};
use domain::flow::FlowKind;
use domain::ids::{
    ApiKeyId, AttachmentId, CampaignId, CannedReplyId, ChannelId, ChatId, ConversationId, GroupId, OutreachId, SessionId, ShopId, TaskId,
    TenantId, UserId,
};
use domain::labels::{Label, Language, Reference};
use domain::message::Party;
use domain::tenant::event::{Limits, Scope};
use domain::time::Timestamp;
use domain::user::abilities::Abilities;
use domain::user::event::{KeyedDigest, Role};
use serde::{Deserialize, Serialize};

pub use articles::ArticleRow;
pub use campaigns::{CampaignRow, CampaignStatus};
pub use chats::{AttachmentPlace, AttachmentUses, ChatRow, ChatRowKind, MemberRow, ParticipantRow, ThreadRow};
pub use delivery::{Delivery, DeliverySink};
pub use desk::{AgentRow, BoardRow, QueueRow};
pub use outreach::OutreachRow;
pub use providers::ProviderRow;
pub use robots::RobotRow;
pub use tickets::{TicketFilter, TicketRow};
pub use timers::{TimerName, TimerRow};

use crate::ports::event_log::CommitPosition;

/// Longest wait for a read model to reach a position (`at_least`), in milliseconds.
pub const AT_LEAST_WAIT_MS: u64 = 2_000;

/// Where an event lies in its tenant's shard: enough to open its private half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventRef {
    /// The commit.
    pub commit: CommitPosition,
    /// The event in it.
    pub index: u32,
}

/// Where a user's account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountStage {
    /// In use.
    Active,
    /// May not be used any more.
    Deactivated,
    /// Is another account now.
    Merged {
        /// Which.
        into: UserId,
    },
}

/// Whether an agent takes conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceStatus {
    /// Yes.
    Started,
    /// Not now.
    Paused,
    /// Not on shift.
    #[default]
    Stopped,
}

/// A live sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Its id.
    pub session: SessionId,
    /// Since when.
    pub started_at: Timestamp,
    /// When it ends unless refreshed. Compare with the time of asking.
    pub expires_at: Timestamp,
    /// What the device is.
    pub kind: DeviceKind,
    /// Where the device is described.
    pub device: EventRef,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    /// Its id.
    pub user: UserId,
    /// What they are.
    pub role: Role,
    /// Whether nobody vouches for who they are.
    pub anonymous: bool,
    /// Where the account stands.
    pub stage: AccountStage,
    /// Since when.
    pub registered_at: Timestamp,
    /// Where name and picture are.
    pub profile: EventRef,
    /// Where the password hash is.
    pub password: Option<EventRef>,
    /// Accounts elsewhere: digest, and where the account is written.
    pub accounts: Vec<(KeyedDigest, EventRef)>,
    /// Sign-ins that have not ended.
    pub sessions: Vec<SessionRow>,
    /// Whether they take conversations.
    pub service: ServiceStatus,
    /// Whether a device is connected, or was within grace.
    pub online: bool,
    /// The groups they serve.
    pub groups: Vec<GroupId>,
    /// Most conversations at a time.
    pub capacity: u32,
    /// What they are able to do.
    pub abilities: Abilities,
    /// Where it says why they are blocked, while they are.
    pub blocked: Option<EventRef>,
}

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRow {
    /// Its public part.
    pub key: ApiKeyId,
    /// Keyed digest of its secret part.
    pub secret: KeyedDigest,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Where it says what it is for.
    pub title: EventRef,
    /// Whether it is void.
    pub revoked: bool,
}

/// A canned reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CannedReplyRow {
    /// Its id.
    pub reply: CannedReplyId,
    /// What is typed to find it.
    pub shortcut: Label,
    /// The group whose agents have it; without one, the tenant's or somebody's own.
    pub group: Option<GroupId>,
    /// Where it says what it says.
    pub content: EventRef,
}

/// What a tenant knows of a customer in words of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescriptionRow {
    /// The tier they are of.
    pub tier: Option<Label>,
    /// The language they speak.
    pub language: Option<Language>,
    /// Their tags, in order.
    pub tags: Vec<Label>,
    /// The names of their attributes, in order, and where the values are.
    pub attributes: Vec<(Label, EventRef)>,
}

/// A version of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowRow {
    /// Which of the two documents.
    pub kind: FlowKind,
    /// The shop that it is for; without one, every shop that has none of its own.
    pub shop: Option<ShopId>,
    /// Its number.
    pub version: u32,
    /// When it was published.
    pub published_at: Timestamp,
    /// Where the document is.
    pub text: EventRef,
    /// Whether it is in force.
    pub in_force: bool,
}

/// A channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelRow {
    /// Its id.
    pub channel: ChannelId,
    /// The shop that its customers talk with.
    pub shop: ShopId,
    /// Where its name and address are.
    pub settings: EventRef,
    /// Where its secret is.
    pub secret: EventRef,
    /// When it was last connected.
    pub connected_at: Timestamp,
    /// Whether its customers' items are delivered.
    pub delivers: bool,
    /// Whether it was disconnected.
    pub disconnected: bool,
}

/// A customer who comes by a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelCustomerRow {
    /// Who.
    pub user: UserId,
    /// By which.
    pub channel: ChannelId,
    /// The last index of their feed that it is known to have.
    pub up_to: u64,
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRow {
    /// Its id.
    pub tenant: TenantId,
    /// IANA time zone.
    pub time_zone: String,
    /// Where its name is.
    pub title: EventRef,
    /// Its shops, and where their names are.
    pub shops: Vec<(ShopId, EventRef)>,
    /// Its groups, and where their names are.
    pub groups: Vec<(GroupId, EventRef)>,
    /// Its API keys, revoked ones included.
    pub api_keys: Vec<ApiKeyRow>,
    /// Where the secret of its customers' identity tokens is.
    pub identity_secret: Option<EventRef>,
    /// Its limits.
    pub limits: Limits,
    /// What holds for the devices of a role, where it was changed.
    pub device_policies: Vec<(Role, DevicePolicy)>,
    /// Its canned replies and those of its groups.
    pub canned_replies: Vec<CannedReplyRow>,
    /// Its channels, disconnected ones included.
    pub channels: Vec<ChannelRow>,
    /// Every version of its flows, oldest first.
    pub flows: Vec<FlowRow>,
    /// The robots that it has elsewhere.
    pub robots: Vec<RobotRow>,
    /// The providers that answer for it.
    pub providers: Vec<ProviderRow>,
    /// The ranges of addresses that it blocked: their digests, and where they are.
    pub blocked_ranges: Vec<(KeyedDigest, EventRef)>,
}

impl TenantRow {
    /// What holds for the devices of a role.
    #[must_use]
    pub fn device_policy(&self, role: Role) -> DevicePolicy {
        let changed = self.device_policies.iter().find(|(known, _)| *known == role);
        changed.map(|(_, policy)| policy.clone()).unwrap_or_default()
    }

    /// The flow that a shop follows: its own, or else the tenant's.
    #[must_use]
    pub fn flow(&self, kind: FlowKind, shop: ShopId) -> Option<&FlowRow> {
        let in_force = |whose: Option<ShopId>| self.flows.iter().find(|row| row.in_force && row.kind == kind && row.shop == whose);
        in_force(Some(shop)).or_else(|| in_force(None))
    }

    /// A channel, disconnected or not.
    #[must_use]
    pub fn channel(&self, channel: ChannelId) -> Option<&ChannelRow> {
        self.channels.iter().find(|known| known.channel == channel)
    }
}

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationStatus {
    /// The reception flow has it.
    Reception,
    /// It waits for a human.
    Waiting,
    /// The customer left a message, which somebody answers later.
    LeftMessage,
    /// A human serves.
    Serving,
    /// It ended.
    Closed,
}

/// A conversation as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationRow {
    /// Its id.
    pub conversation: ConversationId,
    /// Its chat.
    pub chat: ChatId,
    /// The shop.
    pub shop: ShopId,
    /// The customer.
    pub customer: UserId,
    /// How it was entered.
    pub entry: Entry,
    /// Where it stands.
    pub status: ConversationStatus,
    /// The problem, once a human was asked.
    pub task: Option<TaskId>,
    /// The group that was asked last.
    pub group: Option<GroupId>,
    /// The robot that receives, until a human is asked.
    pub robot: Option<Label>,
    /// The agent who serves, or served last.
    pub agent: Option<UserId>,
    /// The assignment under which they serve.
    pub assignment: Option<u64>,
    /// Since when it exists.
    pub opened_at: Timestamp,
    /// When it ended.
    pub closed_at: Option<Timestamp>,
    /// Why it ended.
    pub close_reason: Option<CloseReason>,
    /// Who ended it.
    pub closed_by: Option<Party>,
    /// What staff say of the end.
    pub close_label: Option<Label>,
    /// The customer's score, if they rated.
    pub score: Option<u8>,
    /// Since when the customer's oldest unanswered message waits. An age is computed when asked.
    pub waiting_since: Option<Timestamp>,
    /// Where the last message that everybody may see is.
    pub last_message: Option<EventRef>,
    /// When anything last happened in it; lists are sorted by it, newest first.
    pub last_activity: Timestamp,
    /// Messages in it.
    pub messages: u64,
    /// Where the desk decided who gets it, the first one first.
    pub decisions: Vec<EventRef>,
    /// The ticket of a left message.
    pub ticket: Option<TicketRow>,
}

/// What a feed item tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum FeedKind {
    /// The reader became a member of a chat; its history is read from the chat.
    Joined = 1,
    /// Somebody else became a member.
    MemberJoined = 2,
    /// Somebody, perhaps the reader, is no member any more.
    MemberLeft = 3,
    /// A message.
    Message = 4,
    /// A message was taken back.
    Recalled = 5,
    /// The reader removed a message from their own sight.
    Hidden = 6,
    /// Somebody has read up to a place.
    Read = 7,
    /// Something happened to a conversation.
    Conversation = 8,
    /// This feed ends: the anonymous account is another one now.
    MergedInto = 9,
    /// Something about a group thread is otherwise: its title, its owner, what a member may do, whether it goes on.
    Thread = 10,
}

/// One item of a user's feed: where to find it, never what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedItem {
    /// Its number in the reader's feed, contiguous from 1. The previous number is this one less one.
    pub index: u64,
    /// Where the event lies.
    pub at: EventRef,
    /// What it tells.
    pub kind: FeedKind,
}

/// A consumer that cannot process an event of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedConsumer {
    /// Name of the view or policy.
    pub consumer: String,
    /// The tenant for which it stands still; others go on.
    pub tenant: TenantId,
    /// The event it cannot process.
    pub at: EventRef,
    /// Why.
    pub cause: String,
}

/// The read models have not reached the asked position in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read models have reached commit {}", reached.0)]
pub struct Behind {
    /// Where they are.
    pub reached: CommitPosition,
}

/// Which conversations a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Only this agent's.
    pub agent: Option<UserId>,
    /// Only this customer's.
    pub customer: Option<UserId>,
    /// Only of this shop.
    pub shop: Option<ShopId>,
    /// Only in this state.
    pub status: Option<ConversationStatus>,
    /// Only those with such a ticket.
    pub ticket: Option<TicketFilter>,
}

/// The read models of a shard.
#[async_trait]
pub trait ReadModels: Send + Sync {
    /// How far the read models are.
    fn reached(&self) -> CommitPosition;
    /// Waits until they have reached a position, at most [`AT_LEAST_WAIT_MS`].
    async fn at_least(&self, commit: CommitPosition) -> Result<(), Behind>;

    /// All tenants.
    fn tenants(&self) -> Vec<TenantId>;
    /// A tenant.
    fn tenant(&self, tenant: TenantId) -> Option<Arc<TenantRow>>;
    /// How often any user changed. What [`Self::user`] answers is the same for as long as this is: whoever keeps an answer asks this
    /// first, and takes no lock.
    fn users_changed(&self) -> u64;
    /// A user.
    fn user(&self, tenant: TenantId, user: UserId) -> Option<Arc<UserRow>>;
    /// Users in the order of their ids, after one of them.
    fn users(&self, tenant: TenantId, after: Option<UserId>, limit: usize) -> Vec<Arc<UserRow>>;
    /// Who is known elsewhere under this account (after merges: the account it was merged into).
    fn user_by_account(&self, tenant: TenantId, account: KeyedDigest) -> Option<UserId>;
    /// The user that somebody is after all merges.
    fn user_now(&self, tenant: TenantId, user: UserId) -> Option<Arc<UserRow>>;
    /// The canned replies that a user keeps for themself.
    fn own_canned_replies(&self, tenant: TenantId, user: UserId) -> Vec<CannedReplyRow>;
    /// What a tenant knows of a customer in words of its own, if it said anything.
    fn description(&self, tenant: TenantId, user: UserId) -> Option<DescriptionRow>;
    /// The channel by which a customer comes, if they come by one.
    fn channel_customer(&self, tenant: TenantId, user: UserId) -> Option<ChannelCustomerRow>;
    /// Customers who come by channels in the order of their ids, after one of them.
    fn channel_customers(&self, tenant: TenantId, after: Option<UserId>, limit: usize) -> Vec<ChannelCustomerRow>;
    /// Blocked customers in the order of their ids, after one of them, each with where it says so.
    fn blocked_customers(&self, tenant: TenantId, after: Option<UserId>, limit: usize) -> Vec<(UserId, EventRef)>;
    /// Users who are online now, for the grace that starts anew after a restart.
    fn online_users(&self) -> Vec<(TenantId, UserId)>;

    /// A chat.
    fn chat(&self, tenant: TenantId, chat: ChatId) -> Option<ChatRow>;
    /// Chats of a user: those they are a member of now.
    fn chats_of(&self, tenant: TenantId, user: UserId) -> Vec<ChatId>;
    /// Chats that somebody has with a shop as its customer: one, or more after a merge.
    fn chats_with(&self, tenant: TenantId, customer: UserId, shop: ShopId) -> Vec<ChatId>;
    /// Unread messages of a member: `max(0, last_seq - max(visibility floor, read_seq, own last seq))`, counting only what they may see.
    fn unread(&self, tenant: TenantId, chat: ChatId, user: UserId) -> Option<u64>;
    /// Where the messages of a chat are, from a place on: (place, reference).
    fn messages(&self, tenant: TenantId, chat: ChatId, from_seq: u64, limit: usize) -> Vec<(u64, EventRef)>;
    /// The messages that use an attachment, if any does.
    fn attachment_uses(&self, tenant: TenantId, attachment: AttachmentId) -> Option<AttachmentUses>;
    /// Whether a message was recalled.
    fn is_recalled(&self, tenant: TenantId, chat: ChatId, seq: u64) -> bool;
    /// Whether a reader removed a message from their own sight.
    fn is_hidden(&self, tenant: TenantId, chat: ChatId, seq: u64, reader: UserId) -> bool;

    /// A conversation.
    fn conversation(&self, tenant: TenantId, conversation: ConversationId) -> Option<ConversationRow>;
    /// Conversations, newest activity first, after a place in that order.
    fn conversations(
        &self,
        tenant: TenantId,
        filter: ConversationFilter,
        after: Option<(Timestamp, ConversationId)>,
        limit: usize,
    ) -> Vec<ConversationRow>;

    /// The newest index of a user's feed; 0 when it is empty.
    fn feed_head(&self, tenant: TenantId, user: UserId) -> u64;
    /// Items of a user's feed after an index.
    fn feed(&self, tenant: TenantId, user: UserId, after: u64, limit: usize) -> Vec<FeedItem>;

    /// Who waits for a group (or all), in the order of being served.
    fn queue(&self, tenant: TenantId, group: Option<GroupId>) -> Vec<QueueRow>;
    /// Place of a conversation in its queue, from 1.
    fn queue_position(&self, tenant: TenantId, conversation: ConversationId) -> Option<usize>;
    /// The agents as the desk sees them.
    fn agents(&self, tenant: TenantId) -> Vec<AgentRow>;
    /// How each of these groups stands.
    fn boards(&self, tenant: TenantId, groups: &[GroupId]) -> Vec<BoardRow>;

    /// A campaign.
    fn campaign(&self, tenant: TenantId, campaign: CampaignId) -> Option<CampaignRow>;
    /// Campaigns of a tenant, the newest first, after one of them.
    fn campaigns(&self, tenant: TenantId, after: Option<CampaignId>, limit: usize) -> Vec<CampaignRow>;
    /// An article.
    fn article(&self, tenant: TenantId, article: &Reference) -> Option<ArticleRow>;
    /// Articles of a tenant in the order of their names, after one of them.
    fn articles(&self, tenant: TenantId, after: Option<&Reference>, limit: usize) -> Vec<ArticleRow>;
    /// Another number whenever the tenant's articles have changed.
    fn articles_changed(&self, tenant: TenantId) -> u64;
    /// An attempt to start contact with a customer.
    fn outreach(&self, tenant: TenantId, attempt: OutreachId) -> Option<OutreachRow>;
    /// Attempts of a tenant, the newest first, before the one that is told at a place.
    fn outreaches(&self, tenant: TenantId, before: Option<EventRef>, limit: usize) -> Vec<OutreachRow>;
    /// The campaigns that speak now.
    fn running_campaigns(&self) -> Vec<(TenantId, CampaignId)>;

    /// Timers that are due.
    fn due_timers(&self, now: Timestamp, limit: usize) -> Vec<(TenantId, TimerRow)>;
    /// When the next timer is due.
    fn next_timer(&self) -> Option<Timestamp>;

    /// Consumers that stand still.
    fn stopped_consumers(&self) -> Vec<StoppedConsumer>;
}
