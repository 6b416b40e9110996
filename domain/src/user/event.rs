//! What happens to users, as it is stored.

mod block;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::devices::DeviceKind;
use crate::ids::{CannedReplyId, ChannelId, GroupId, SessionId, UserId};
use crate::labels::{Label, Language};
use crate::message::CannedText;
use crate::private::Private;
use crate::stored_events;
use crate::time::Timestamp;
use crate::user::abilities::Abilities;

/// What a user is to the tenant; decides what they may do (`application::access`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the platform, across tenants.
    PlatformOperator,
    /// Assesses shops and checks the outreach rule, across tenants.
    Governance,
    /// Sets up one tenant.
    TenantAdmin,
    /// Watches, takes over, assesses.
    Supervisor,
    /// Answers customers.
    Agent,
    /// Reads conversations to judge their quality.
    QualityReviewer,
    /// A machine with an API key.
    Integration,
    /// A buyer.
    Customer,
}

/// A keyed digest of a secret or of an identifier that may be a person's data.
///
/// Written like an id: 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyedDigest(pub crate::ids::DigestHex);

impl KeyedDigest {
    /// Wraps the sixteen bytes of a keyed hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(crate::ids::DigestHex::from_u128(u128::from_be_bytes(bytes)))
    }

    /// The sixteen bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

/// Names and pictures: the private half of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Shown to others.
    pub display_name: String,
    /// Where the picture is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
}

/// The user exists from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRegistered {
    /// What they are.
    pub role: Role,
    /// Whether nobody vouches for who they are (customers only).
    pub anonymous: bool,
    /// Name and picture.
    #[serde(skip)]
    pub private: Private<Profile>,
}

/// Name or picture changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileChanged {
    /// The new ones.
    #[serde(skip)]
    pub private: Private<Profile>,
}

/// An account elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalAccount {
    /// Whose account id it is: a marketplace, an identity provider, `local` for a sign-in name here.
    pub provider: String,
    /// The account id there.
    pub account: String,
}

/// The user is known elsewhere under this account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalAccountMapped {
    /// Keyed digest of provider and account id; what the directory looks up.
    pub account: KeyedDigest,
    /// The account itself.
    #[serde(skip)]
    pub private: Private<ExternalAccount>,
}

/// An argon2 hash in PHC form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash {
    /// `$argon2id$...`
    pub phc: String,
}

/// The user may sign in with a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordSet {
    /// Its hash.
    #[serde(skip)]
    pub private: Private<PasswordHash>,
}

/// What is known of the device of a sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The device as it names itself.
    pub label: String,
    /// The network address it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// The user signed in on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionStarted {
    /// The sign-in.
    pub session: SessionId,
    /// Keyed digest of the refresh secret.
    pub refresh: KeyedDigest,
    /// When it ends unless refreshed.
    pub expires_at: Timestamp,
    /// What the device is.
    #[serde(default, skip_serializing_if = "DeviceKind::is_other")]
    pub kind: DeviceKind,
    /// The device.
    #[serde(skip)]
    pub private: Private<Device>,
}

/// The refresh secret was used and replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRefreshed {
    /// The sign-in.
    pub session: SessionId,
    /// Keyed digest of the next secret.
    pub refresh: KeyedDigest,
    /// When it now ends unless refreshed.
    pub expires_at: Timestamp,
}

/// Why a sign-in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// The user signed out.
    SignedOut,
    /// Somebody with the right revoked it.
    Revoked,
    /// Too many sign-ins: the oldest went.
    Superseded,
    /// An old refresh secret was presented: somebody copied it.
    RefreshReused,
    /// The account was deactivated.
    Deactivated,
    /// The account was merged into another.
    Merged,
}

/// A sign-in ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnded {
    /// The sign-in.
    pub session: SessionId,
    /// Why.
    pub reason: SessionEnd,
}

/// The account may not be used any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDeactivated {}

/// This anonymous customer is the other, identified one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerMerged {
    /// The identified account.
    pub into: UserId,
    /// Whether they were blocked, and so are from here on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocked: bool,
}

/// The agent's groups changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupsChanged {
    /// All groups the agent now serves.
    pub groups: Vec<GroupId>,
}

/// The agent's capacity changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapacityChanged {
    /// Most conversations at a time.
    pub capacity: u32,
}

/// What the agent is able to do changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbilitiesChanged {
    /// All of it from here on.
    pub abilities: Abilities,
}

/// The agent takes conversations from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStarted {}

/// The agent keeps their conversations and takes no further ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePaused {
    /// From the tenant's own list: `meal`, `training`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// The agent's shift is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStopped {}

/// The first device of the user is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameOnline {
    /// Whether they serve customers: then the desk follows.
    pub serves: bool,
}

/// The last device of the user has been gone for longer than the grace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WentOffline {
    /// Whether they serve customers: then the desk follows.
    pub serves: bool,
}

/// A canned reply of one's own is there, or says something else from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CannedReplySaved {
    /// Which.
    pub reply: CannedReplyId,
    /// What is typed to find it.
    pub shortcut: Label,
    /// What it says.
    #[serde(skip)]
    pub private: Private<CannedText>,
}

/// A canned reply of one's own is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CannedReplyRemoved {
    /// Which.
    pub reply: CannedReplyId,
}

/// A channel has everything of the user's feed up to an index. The first of them, with 0, says that the customer comes by this
/// channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelReceived {
    /// Which.
    pub channel: ChannelId,
    /// The last index that it has.
    pub up_to: u64,
}

/// Values of a customer's attributes, by name: the private half of what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeValues {
    /// Those that the fact sets.
    pub values: BTreeMap<Label, String>,
}

/// What the tenant knows of a customer in words of its own changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerDescribed {
    /// The tier they are of now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Label>,
    /// The language they speak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// All tags that they have now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Label>,
    /// The names of the attributes that this fact sets; the others stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_attributes: Vec<Label>,
    /// The names of the attributes that are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_attributes: Vec<Label>,
    /// The values of those that are set.
    #[serde(skip)]
    pub private: Private<AttributeValues>,
}

pub use self::block::{BlockReason, CustomerBlocked, CustomerUnblocked};

stored_events! {
    /// Everything that happens to a user.
    pub enum UserEvent {
        /// See [`UserRegistered`].
        UserRegistered = "user.registered", 1, private;
        /// See [`ProfileChanged`].
        ProfileChanged = "user.profile_changed", 1, private;
        /// See [`ExternalAccountMapped`].
        ExternalAccountMapped = "user.external_account_mapped", 1, private;
        /// See [`PasswordSet`].
        PasswordSet = "user.password_set", 1, private;
        /// See [`SessionStarted`].
        SessionStarted = "user.session_started", 1, private;
        /// See [`SessionRefreshed`].
        SessionRefreshed = "user.session_refreshed", 1;
        /// See [`SessionEnded`].
        SessionEnded = "user.session_ended", 1;
        /// See [`UserDeactivated`].
        UserDeactivated = "user.deactivated", 1;
        /// See [`CustomerMerged`].
        CustomerMerged = "user.merged", 1;
        /// See [`GroupsChanged`].
        GroupsChanged = "user.groups_changed", 1;
        /// See [`CapacityChanged`].
        CapacityChanged = "user.capacity_changed", 1;
        /// See [`AbilitiesChanged`].
        AbilitiesChanged = "user.abilities_changed", 1;
        /// See [`ServiceStarted`].
        ServiceStarted = "user.service_started", 1;
        /// See [`ServicePaused`].
        ServicePaused = "user.service_paused", 1;
        /// See [`ServiceStopped`].
        ServiceStopped = "user.service_stopped", 1;
        /// See [`CameOnline`].
        CameOnline = "user.came_online", 1;
        /// See [`WentOffline`].
        WentOffline = "user.went_offline", 1;
        /// See [`CannedReplySaved`].
        CannedReplySaved = "user.canned_reply_saved", 1, private;
        /// See [`CannedReplyRemoved`].
        CannedReplyRemoved = "user.canned_reply_removed", 1;
        /// See [`ChannelReceived`].
        ChannelReceived = "user.channel_received", 1;
        /// See [`CustomerDescribed`].
        CustomerDescribed = "user.customer_described", 1, private;
        /// See [`CustomerBlocked`].
        CustomerBlocked = "user.customer_blocked", 1, private;
        /// See [`CustomerUnblocked`].
        CustomerUnblocked = "user.customer_unblocked", 1;
    }
}
