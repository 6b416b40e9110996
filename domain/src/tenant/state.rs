//! What deciding about a tenant needs of its past, and the maxima of what it may have.
//!
//! It is saved as a clear snapshot, so it holds ids and digests, never a title or a secret.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::devices::DevicePolicy;
use crate::ids::{ApiKeyId, CannedReplyId, ChannelId, GroupId, ShopId};
use crate::labels::Label;
use crate::tenant::event::{Limits, Scope};
use crate::tenant::flows::FlowStand;
use crate::tenant::providers::Provider;
use crate::tenant::robots::Robot;
use crate::time::{Millis, Timestamp};
use crate::user::event::{KeyedDigest, Role};

/// Most stores of one tenant, because all their ids stay in the state.
pub const SHOPS_MAX: usize = 10_000;
/// Most reception groups of one tenant, because all their ids stay in the state.
pub const GROUPS_MAX: usize = 10_000;
/// Most live API keys of one tenant: one per integration, with room to rotate.
pub const API_KEYS_MAX: usize = 1_000;
/// Largest recall window: after a day a message has been read and answered.
pub const RECALL_WINDOW_MAX: Millis = Millis::days(1);
/// Largest idle expiry: a conversation that waits longer is closed as unanswered anyway.
pub const IDLE_EXPIRY_MAX: Millis = Millis::days(7);
/// Largest reopen window: later, it is another problem.
pub const REOPEN_WINDOW_MAX: Millis = Millis::days(7);
/// Largest offline grace: customers would wait that long for somebody who is gone.
pub const OFFLINE_GRACE_MAX: Millis = Millis::hours(1);
/// Latest time at which the ticket of a left message is due: later, nobody remembers it.
pub const TICKET_DUE_MAX: Millis = Millis::days(90);
/// Largest attachment that a tenant may allow, in bytes: some minutes of film. A larger one is not sent by chat.
pub const ATTACHMENT_BYTES_MAX: u64 = 200 * 1024 * 1024;
/// Most canned replies of a tenant and its groups together: more than anybody finds again, few enough to keep in the state.
pub const CANNED_REPLIES_MAX: usize = 500;
/// Most connected channels of a tenant: every place where customers are met, several times over.
pub const CHANNELS_MAX: usize = 100;

/// Where a tenant is in its life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TenantState {
    /// Nobody made it.
    #[default]
    NotCreated,
    /// In use.
    Created(Box<CreatedTenant>),
}

/// A tenant in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedTenant {
    /// IANA name of the time zone its days are counted in.
    pub time_zone: String,
    /// Its stores.
    pub shops: BTreeSet<ShopId>,
    /// Its reception groups.
    pub groups: BTreeSet<GroupId>,
    /// Its live keys.
    pub api_keys: BTreeMap<ApiKeyId, ApiKey>,
    /// Its limits.
    pub limits: Limits,
    /// What holds for the devices of a role, where it was changed.
    pub device_policies: BTreeMap<Role, DevicePolicy>,
    /// Its canned replies and those of its groups.
    pub canned_replies: BTreeMap<CannedReplyId, CannedReply>,
    /// Its connected channels.
    pub channels: BTreeMap<ChannelId, Channel>,
    /// Its flows.
    pub flows: Vec<FlowStand>,
    /// Digests of the ranges of addresses from which it wants to hear nothing.
    pub blocked_ranges: BTreeSet<KeyedDigest>,
    /// The robots that it has elsewhere.
    pub robots: BTreeMap<Label, Robot>,
    /// The providers that answer for it.
    pub providers: BTreeMap<Label, Provider>,
}

/// A connected channel, without its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// When it was last connected.
    pub connected_at: Timestamp,
    /// Whether its customers' items are delivered.
    pub delivers: bool,
}

/// A canned reply, without what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CannedReply {
    /// What is typed to find it.
    pub shortcut: Label,
    /// The group whose agents have it; without one, everybody who serves.
    pub group: Option<GroupId>,
}

/// A live API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Keyed digest of its secret part.
    pub secret: KeyedDigest,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
}

impl TenantState {
    /// The tenant, once it is created.
    #[must_use]
    pub const fn created(&self) -> Option<&CreatedTenant> {
        match self {
            Self::NotCreated => None,
            Self::Created(tenant) => Some(tenant),
        }
    }
}

impl CreatedTenant {
    /// A tenant as it is on its first day.
    #[must_use]
    pub fn new(time_zone: String) -> Self {
        Self {
            time_zone,
            shops: BTreeSet::new(),
            groups: BTreeSet::new(),
            api_keys: BTreeMap::new(),
            limits: Limits::default(),
            device_policies: BTreeMap::new(),
            canned_replies: BTreeMap::new(),
            channels: BTreeMap::new(),
            flows: Vec::new(),
            blocked_ranges: BTreeSet::new(),
            robots: BTreeMap::new(),
            providers: BTreeMap::new(),
        }
    }
}
