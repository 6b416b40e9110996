//! What deciding about a user needs of their past.
//!
//! It is saved as a clear snapshot, so it holds ids, digests and times, never a name, an address or a secret.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::devices::DeviceKind;
use crate::ids::{CannedReplyId, ChannelId, GroupId, SessionId, UserId};
use crate::labels::Label;
use crate::time::Timestamp;
use crate::user::abilities::Abilities;
use crate::user::describe::Description;
use crate::user::event::{KeyedDigest, Role};

/// Conversations at a time that an agent serves unless told otherwise.
pub const CAPACITY_DEFAULT: u32 = 8;
/// Largest capacity. Nobody answers more people at a time; a larger number is a slip of the keyboard.
pub const CAPACITY_MAX: u32 = 1_000;
/// Most groups of one agent, because the desk looks at all of them at each assignment.
pub const GROUPS_MAX: usize = 256;
/// Most external accounts of one user, because each stays in the state for good.
pub const ACCOUNTS_MAX: usize = 64;
/// Most canned replies of one's own: more than anybody finds again, few enough to keep in the state.
pub const CANNED_REPLIES_MAX: usize = 200;

/// Where a user's account is in its life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserState {
    /// Nobody registered it.
    #[default]
    Unknown,
    /// In use.
    Active(ActiveUser),
    /// Closed for good.
    Deactivated(Identity),
    /// An anonymous customer who turned out to be somebody.
    Merged {
        /// Who they were.
        identity: Identity,
        /// The identified account.
        into: UserId,
    },
}

/// What stays true of a user for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What they are.
    pub role: Role,
    /// Whether nobody vouches for who they are.
    pub anonymous: bool,
    /// Digests of the external accounts they are known under.
    pub accounts: BTreeSet<KeyedDigest>,
}

/// A user whose account is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveUser {
    /// Who they are.
    pub identity: Identity,
    /// Sign-ins that have not ended. One that has expired stays until the next sign-in; see [`ActiveUser::live_sessions`].
    pub sessions: BTreeMap<SessionId, Session>,
    /// Whether a device is connected, or was within the grace.
    pub online: bool,
    /// Whether the tenant wants to hear nothing of them.
    pub blocked: bool,
    /// The shift, for those who serve.
    pub service: Option<Service>,
    /// The channel by which a customer comes, and the last index of their feed that it has.
    pub channel: Option<(ChannelId, u64)>,
    /// What the tenant knows of a customer in words of its own. Few are described.
    pub description: Option<Box<Description>>,
}

/// One sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Keyed digest of the current refresh secret.
    pub refresh: KeyedDigest,
    /// From this instant on it is not live.
    pub expires_at: Timestamp,
    /// What the device is.
    pub kind: DeviceKind,
}

/// How somebody serves customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Whether they are on service.
    pub status: ServiceStatus,
    /// The groups they serve.
    pub groups: BTreeSet<GroupId>,
    /// Most conversations at a time.
    pub capacity: u32,
    /// What they are able to do.
    pub abilities: Box<Abilities>,
    /// Canned replies of their own, each with its shortcut.
    pub canned_replies: BTreeMap<CannedReplyId, Label>,
}

/// Whether somebody takes conversations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceStatus {
    /// No shift.
    #[default]
    Stopped,
    /// Takes conversations.
    Started,
    /// Keeps the conversations and takes no further ones.
    Paused {
        /// As the tenant names it.
        reason: Option<Label>,
    },
}

impl Role {
    /// Whether somebody in this role serves customers, and so has a shift, groups and a capacity.
    #[must_use]
    pub const fn serves(self) -> bool {
        match self {
            Self::Agent | Self::Supervisor => true,
            Self::PlatformOperator | Self::Governance | Self::TenantAdmin | Self::QualityReviewer | Self::Integration | Self::Customer => {
                false
            }
        }
    }
}

impl UserState {
    /// Who the user is, at any stage after registration.
    #[must_use]
    pub const fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Unknown => None,
            Self::Active(user) => Some(&user.identity),
            Self::Deactivated(identity) | Self::Merged { identity, .. } => Some(identity),
        }
    }

    /// The user, while the account is in use.
    #[must_use]
    pub const fn active(&self) -> Option<&ActiveUser> {
        match self {
            Self::Active(user) => Some(user),
            Self::Unknown | Self::Deactivated(_) | Self::Merged { .. } => None,
        }
    }

    /// The sign-in, if the account is in use and it is live at this time.
    #[must_use]
    pub fn live_session(&self, session: SessionId, at: Timestamp) -> Option<&Session> {
        self.active()?.sessions.get(&session).filter(|session| session.is_live(at))
    }
}

impl Session {
    /// Whether it has not expired.
    #[must_use]
    pub fn is_live(&self, at: Timestamp) -> bool {
        at < self.expires_at
    }
}

impl ActiveUser {
    /// An account as it is on its first day.
    #[must_use]
    pub fn registered(role: Role, anonymous: bool) -> Self {
        Self {
            identity: Identity { role, anonymous, accounts: BTreeSet::new() },
            sessions: BTreeMap::new(),
            online: false,
            blocked: false,
            service: role.serves().then(Service::default),
            channel: None,
            description: None,
        }
    }

    /// The sign-ins that are live at this time, in the order of their ids.
    pub fn live_sessions(&self, at: Timestamp) -> impl Iterator<Item = (SessionId, &Session)> {
        self.sessions.iter().filter(move |(_, session)| session.is_live(at)).map(|(id, session)| (*id, session))
    }
}

impl Default for Service {
    fn default() -> Self {
        Self {
            status: ServiceStatus::Stopped,
            groups: BTreeSet::new(),
            capacity: CAPACITY_DEFAULT,
            abilities: Box::default(),
            canned_replies: BTreeMap::new(),
        }
    }
}
