//! What happens to a tenant, as it is stored.

use serde::{Deserialize, Serialize};

use crate::ids::{ApiKeyId, GroupId, ShopId};
use crate::private::Private;
use crate::stored_events;
use crate::time::Millis;
use crate::user::event::KeyedDigest;

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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            recall_window: Millis::minutes(2),
            idle_expiry: Millis::minutes(30),
            reopen_window: Millis::minutes(10),
            offline_grace: Millis::seconds(60),
        }
    }
}

/// The limits changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsChanged {
    /// All of them.
    pub limits: Limits,
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
        /// See [`ConsumerResumed`].
        ConsumerResumed = "tenant.consumer_resumed", 1;
    }
}
