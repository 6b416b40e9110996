//! What happens to a tenant, as it is stored.

mod blocks;
mod channels;
mod flows;
mod providers;
mod robots;

use serde::{Deserialize, Serialize};

pub use self::blocks::{AddressesBlocked, AddressesUnblocked, BlockedAddresses};
pub use self::channels::{ChannelConnected, ChannelDeliveryStopped, ChannelDisconnected, ChannelSecretSet, ChannelSettings};
pub use self::flows::{FlowPublished, FlowText, FlowWithdrawn};
pub use self::providers::{ProviderConnected, ProviderDisconnected, ProviderSecretSet, ProviderSettings};
pub use self::robots::{RobotConnected, RobotDisconnected, RobotProtocol, RobotSecretSet, RobotSettings, RobotUse};
use crate::devices::DevicePolicy;
use crate::ids::{ApiKeyId, CannedReplyId, GroupId, ShopId};
use crate::labels::Label;
use crate::message::CannedText;
use crate::private::Private;
use crate::stored_events;
use crate::time::Millis;
use crate::user::event::{KeyedDigest, Role};

/// A name shown to people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Title {
    /// The name.
    pub title: String,
}

/// The tenant exists from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantCreated {
    /// IANA name of the time zone its days are counted in.
    pub time_zone: String,
    /// Its name.
    #[serde(skip)]
    pub private: Private<Title>,
}

/// A store of the tenant opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopOpened {
    /// The store.
    pub shop: ShopId,
    /// Its name.
    #[serde(skip)]
    pub private: Private<Title>,
}

/// A reception group was formed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupFormed {
    /// The group.
    pub group: GroupId,
    /// Its name.
    #[serde(skip)]
    pub private: Private<Title>,
}

/// One thing an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Mint identities: sign customers in on their behalf. Never together with reception, robot or provider scopes.
    MintIdentities,
    /// Create, change and read users.
    ManageUsers,
    /// Create shops and groups, and read settings.
    ManageTenant,
    /// Read conversations, chats and queues.
    ReadConversations,
    /// Receive customers: open conversations and post on their behalf.
    Reception,
    /// Answer as a robot seat.
    Robot,
    /// Answer as a provider seat.
    Provider,
}

/// An integration got a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyIssued {
    /// Its public part.
    pub key: ApiKeyId,
    /// Keyed digest of its secret part, which nobody keeps.
    pub secret: KeyedDigest,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// What it is for.
    #[serde(skip)]
    pub private: Private<Title>,
}

/// A key is void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRevoked {
    /// Which.
    pub key: ApiKeyId,
}

/// The secret with which the tenant's own servers sign customers' identities (HS256).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedSecret {
    /// The secret, base64.
    pub secret: String,
}

/// Customers' identity tokens are checked with this secret from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentitySecretSet {
    /// The secret.
    #[serde(skip)]
    pub private: Private<SharedSecret>,
}

/// What an attachment is, as its content tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// A picture that every browser shows.
    Picture,
    /// A film that every browser plays.
    Video,
    /// A sound that every browser plays.
    Audio,
    /// Anything else.
    File,
}

impl AttachmentKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Picture, Self::Video, Self::Audio, Self::File];
}

/// The kinds of attachments that a tenant takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<AttachmentKind>", into = "Vec<AttachmentKind>")]
pub struct AttachmentKinds([bool; AttachmentKind::ALL.len()]);

impl AttachmentKinds {
    /// Whether this kind is taken.
    #[must_use]
    pub const fn contains(self, kind: AttachmentKind) -> bool {
        self.0[kind as usize]
    }
}

impl Default for AttachmentKinds {
    fn default() -> Self {
        Self([true; AttachmentKind::ALL.len()])
    }
}

impl From<Vec<AttachmentKind>> for AttachmentKinds {
    fn from(kinds: Vec<AttachmentKind>) -> Self {
        Self(AttachmentKind::ALL.map(|kind| kinds.contains(&kind)))
    }
}

impl From<AttachmentKinds> for Vec<AttachmentKind> {
    fn from(kinds: AttachmentKinds) -> Self {
        AttachmentKind::ALL.into_iter().filter(|kind| kinds.contains(*kind)).collect()
    }
}

/// Largest attachment in bytes while the tenant has set nothing: a picture of a telephone, or a minute of film.
pub const ATTACHMENT_BYTES_DEFAULT: u64 = 20 * 1024 * 1024;

const fn attachment_bytes_default() -> u64 {
    ATTACHMENT_BYTES_DEFAULT
}

/// When the ticket of a left message is due while the tenant has set nothing: after a day.
pub const TICKET_DUE_DEFAULT: Millis = Millis::days(1);

const fn ticket_due_default() -> Millis {
    TICKET_DUE_DEFAULT
}

/// The tenant's limits, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// How long a sender may recall a message.
    pub recall_window: Millis,
    /// Silence after which a conversation that owes no answer expires.
    pub idle_expiry: Millis,
    /// How soon after the end a customer's message reopens the same conversation.
    pub reopen_window: Millis,
    /// How long an agent without a device keeps their conversations.
    pub offline_grace: Millis,
    /// Largest attachment in bytes.
    #[serde(default = "attachment_bytes_default")]
    pub attachment_bytes_max: u64,
    /// The kinds of attachments that are taken.
    #[serde(default)]
    pub attachment_kinds: AttachmentKinds,
    /// Most messages that its people post in a second, all together; 0 for as many as they like.
    #[serde(default)]
    pub messages_per_second: u32,
    /// How long after a message was left its ticket is due, where staff say nothing else.
    #[serde(default = "ticket_due_default")]
    pub ticket_due: Millis,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            recall_window: Millis::minutes(2),
            idle_expiry: Millis::minutes(30),
            reopen_window: Millis::minutes(10),
            offline_grace: Millis::seconds(60),
            attachment_bytes_max: ATTACHMENT_BYTES_DEFAULT,
            attachment_kinds: AttachmentKinds::default(),
            messages_per_second: 0,
            ticket_due: TICKET_DUE_DEFAULT,
        }
    }
}

/// The limits changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsChanged {
    /// All of them.
    pub limits: Limits,
}

/// Users of a role may be signed in on these devices from here on; each one's next sign-in is held to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicePolicyChanged {
    /// The role.
    pub role: Role,
    /// All of it.
    pub policy: DevicePolicy,
}

/// What an operator decided about an event that a consumer could not process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoisonVerdict {
    /// Try it again: the cause was mended.
    Retry,
    /// Leave it out of this consumer for good.
    Skip,
}

/// An operator decided how a stopped consumer goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerResumed {
    /// Name of the view or policy.
    pub consumer: String,
    /// The commit at which it stood.
    pub commit: u64,
    /// The event in that commit.
    pub index: u32,
    /// Retry or skip.
    pub verdict: PoisonVerdict,
}

/// A canned reply of the tenant or of one of its groups is there, or says something else from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CannedReplySaved {
    /// Which.
    pub reply: CannedReplyId,
    /// What is typed to find it.
    pub shortcut: Label,
    /// The group whose agents have it; without one, everybody who serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// What it says.
    #[serde(skip)]
    pub private: Private<CannedText>,
}

/// A canned reply is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CannedReplyRemoved {
    /// Which.
    pub reply: CannedReplyId,
}

stored_events! {
    /// Everything that happens to a tenant.
    pub enum TenantEvent {
        /// See [`TenantCreated`].
        TenantCreated = "tenant.created", 1, private;
        /// See [`ShopOpened`].
        ShopOpened = "tenant.shop_opened", 1, private;
        /// See [`GroupFormed`].
        GroupFormed = "tenant.group_formed", 1, private;
        /// See [`ApiKeyIssued`].
        ApiKeyIssued = "tenant.api_key_issued", 1, private;
        /// See [`ApiKeyRevoked`].
        ApiKeyRevoked = "tenant.api_key_revoked", 1;
        /// See [`IdentitySecretSet`].
        IdentitySecretSet = "tenant.identity_secret_set", 1, private;
        /// See [`LimitsChanged`].
        LimitsChanged = "tenant.limits_changed", 1;
        /// See [`DevicePolicyChanged`].
        DevicePolicyChanged = "tenant.device_policy_changed", 1;
        /// See [`ConsumerResumed`].
        ConsumerResumed = "tenant.consumer_resumed", 1;
        /// See [`CannedReplySaved`].
        CannedReplySaved = "tenant.canned_reply_saved", 1, private;
        /// See [`CannedReplyRemoved`].
        CannedReplyRemoved = "tenant.canned_reply_removed", 1;
        /// See [`ChannelConnected`].
        ChannelConnected = "tenant.channel_connected", 1, private;
        /// See [`ChannelSecretSet`].
        ChannelSecretSet = "tenant.channel_secret_set", 1, private;
        /// See [`ChannelDeliveryStopped`].
        ChannelDeliveryStopped = "tenant.channel_delivery_stopped", 1;
        /// See [`ChannelDisconnected`].
        ChannelDisconnected = "tenant.channel_disconnected", 1;
        /// See [`FlowPublished`].
        FlowPublished = "tenant.flow_published", 1, private;
        /// See [`FlowWithdrawn`].
        FlowWithdrawn = "tenant.flow_withdrawn", 1;
        /// See [`AddressesBlocked`].
        AddressesBlocked = "tenant.addresses_blocked", 1, private;
        /// See [`AddressesUnblocked`].
        AddressesUnblocked = "tenant.addresses_unblocked", 1;
        /// See [`RobotConnected`].
        RobotConnected = "tenant.robot_connected", 1, private;
        /// See [`RobotSecretSet`].
        RobotSecretSet = "tenant.robot_secret_set", 1, private;
        /// See [`RobotDisconnected`].
        RobotDisconnected = "tenant.robot_disconnected", 1;
        /// See [`ProviderConnected`].
        ProviderConnected = "tenant.provider_connected", 1, private;
        /// See [`ProviderSecretSet`].
        ProviderSecretSet = "tenant.provider_secret_set", 1, private;
        /// See [`ProviderDisconnected`].
        ProviderDisconnected = "tenant.provider_disconnected", 1;
    }
}
