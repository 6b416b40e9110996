//! What may be asked of a tenant.
//!
//! Private halves travel as plain structs. Who may ask is not decided here but in `application::access`.

use crate::devices::DevicePolicy;
use crate::flow::{Flow, FlowKind};
use crate::ids::{ApiKeyId, CannedReplyId, ChannelId, GroupId, ShopId, UserId};
use crate::labels::Label;
use crate::message::CannedText;
use crate::tenant::event::{
    BlockedAddresses, ChannelSettings, FlowText, Limits, PoisonVerdict, ProviderSettings, RobotProtocol, RobotSettings, RobotUse, Scope,
    SharedSecret, Title,
};
use crate::time::{Millis, Timestamp};
use crate::user::event::{KeyedDigest, Role};

/// How a tenant wants a robot that it has elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotConnection {
    /// How it is talked with.
    pub protocol: RobotProtocol,
    /// What it is there for, in any order; repeated ones count once.
    pub uses: Vec<RobotUse>,
    /// How long it may take for an answer, at most [`super::robots::ROBOT_TIME_OUT_MAX`].
    pub time_out: Millis,
    /// Its address, and what a language model is told.
    pub settings: RobotSettings,
    /// Its secret: taken when it has none of this protocol yet, and when it is to be rotated.
    pub secret: Option<SharedSecret>,
    /// Whether another secret takes the place of the one it has.
    pub rotate: bool,
}

/// How a tenant wants a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderConnection {
    /// Who it is at the desk: derived from tenant and name, so that a name is always the same one.
    pub agent: UserId,
    /// The groups it serves, in any order; repeated ones count once.
    pub groups: Vec<GroupId>,
    /// Most conversations at a time, at most [`super::providers::PROVIDER_CAPACITY_MAX`].
    pub capacity: u32,
    /// How long the answer to a call may take, at most [`super::providers::PROVIDER_TIME_OUT_MAX`].
    pub time_out: Millis,
    /// How long it may take to accept, at most [`super::providers::PROVIDER_ACCEPT_MAX`].
    pub accept_within: Millis,
    /// Its name for customers, and its address.
    pub settings: ProviderSettings,
    /// Its secret: taken when it is not connected yet, and when it is to be rotated.
    pub secret: SharedSecret,
    /// Whether another secret takes the place of the one it has.
    pub rotate: bool,
}

/// An order to one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantCommand {
    /// Make the tenant. Again with the same zone is nothing, with another is refused.
    Create {
        /// IANA name of the time zone its days are counted in. That it exists is the caller's to check: no table of zones here.
        time_zone: String,
        /// Its name.
        title: Title,
    },
    /// Open a store. One that is open already is nothing, whatever its title.
    OpenShop {
        /// The store.
        shop: ShopId,
        /// Its name.
        title: Title,
    },
    /// Form a reception group. One that is formed already is nothing, whatever its title.
    FormGroup {
        /// The group.
        group: GroupId,
        /// Its name.
        title: Title,
    },
    /// Give an integration a key. The same key again is nothing.
    IssueApiKey {
        /// Its public part, new for every key.
        key: ApiKeyId,
        /// Keyed digest of its secret part.
        secret: KeyedDigest,
        /// What it may do, in any order; repeated ones count once. Not empty, and never [`Scope::MintIdentities`] together with
        /// [`Scope::Reception`], [`Scope::Robot`] or [`Scope::Provider`].
        scopes: Vec<Scope>,
        /// What it is for.
        title: Title,
    },
    /// Void a key. One that is not live is nothing.
    RevokeApiKey {
        /// Which.
        key: ApiKeyId,
    },
    /// Check customers' identity tokens with this secret from here on. Always recorded, because the state holds no secret to
    /// compare with.
    SetIdentitySecret {
        /// The secret: at least 32 bytes, as base64 of either alphabet, padded or not.
        secret: SharedSecret,
    },
    /// Replace all limits. The same is nothing.
    ChangeLimits {
        /// All of them, each number positive and at most its maximum in [`super::state`].
        limits: Limits,
    },
    /// Replace what holds for the devices of a role. The same is nothing.
    ChangeDevicePolicy {
        /// The role.
        role: Role,
        /// All of it.
        policy: DevicePolicy,
    },
    /// An operator decides how a stopped consumer goes on. Always recorded: the same event may fail and be retried many times.
    ResumeConsumer {
        /// Name of the view or policy.
        consumer: String,
        /// The commit at which it stands.
        commit: u64,
        /// The event in that commit.
        index: u32,
        /// Retry or skip.
        verdict: PoisonVerdict,
    },
    /// Keep a text for everybody who serves, or for those of one group. The same id again is nothing, whatever it says.
    AddCannedReply {
        /// Its id, new for every reply.
        reply: CannedReplyId,
        /// The group whose agents have it; without one, everybody who serves.
        group: Option<GroupId>,
        /// What is typed to find it: no other reply of the group (or of the tenant) has it.
        shortcut: Label,
        /// What it says.
        content: CannedText,
    },
    /// Replace shortcut and text; the group stays. Always recorded, because the state holds no text to compare with.
    ChangeCannedReply {
        /// Which.
        reply: CannedReplyId,
        /// What is typed to find it.
        shortcut: Label,
        /// What it says.
        content: CannedText,
    },
    /// Forget a canned reply. One that is not there is refused, so that whoever asked looks elsewhere.
    RemoveCannedReply {
        /// Which.
        reply: CannedReplyId,
    },
    /// Connect a channel, or connect it otherwise. Always recorded, because the state holds no address to compare with.
    ConnectChannel {
        /// Which.
        channel: ChannelId,
        /// The shop that its customers talk with.
        shop: ShopId,
        /// Its name and address.
        settings: ChannelSettings,
        /// Its secret: taken when the channel is not connected yet, and when it is to be rotated.
        secret: SharedSecret,
        /// Whether another secret takes the place of the one it has.
        rotate: bool,
    },
    /// Deliver nothing more to a channel whose address said that it is gone.
    StopChannelDelivery {
        /// Which.
        channel: ChannelId,
        /// The connection that is meant: when the channel was last connected. One that was connected again since is left alone.
        connected_at: Timestamp,
    },
    /// Let nothing in or out of a channel any more. One that is not connected is nothing.
    DisconnectChannel {
        /// Which.
        channel: ChannelId,
    },
    /// Put a flow in force. Always recorded, because the state holds no document to compare with.
    PublishFlow {
        /// What the document says. That it is what the text says is the caller's to see: nobody reads documents here.
        flow: Flow,
        /// The shop that it is for; without one, every shop that has none of its own.
        shop: Option<ShopId>,
        /// The document as its author wrote it.
        text: FlowText,
    },
    /// Take a flow out of force. One that is in force no longer is nothing.
    WithdrawFlow {
        /// Which of the two documents.
        kind: FlowKind,
        /// The shop that it was for.
        shop: Option<ShopId>,
    },
    /// Hear nothing of customers from a range of addresses any more. One that is blocked already stays so for the reason given first.
    BlockAddresses {
        /// Keyed digest of the range.
        range: KeyedDigest,
        /// The range, and why. That it is one is the caller's to check.
        addresses: BlockedAddresses,
    },
    /// Take a block back. A range that is not blocked is nothing.
    UnblockAddresses {
        /// Keyed digest of the range.
        range: KeyedDigest,
    },
    /// Connect a robot, or connect it otherwise. Always recorded, because the state holds no address to compare with.
    ConnectRobot {
        /// Its name among the tenant's seats.
        robot: Label,
        /// How.
        connection: Box<RobotConnection>,
    },
    /// Make a provider a seat, or make it one otherwise. Always recorded, because the state holds no address to compare with.
    ConnectProvider {
        /// Its name among the tenant's seats.
        provider: Label,
        /// How.
        connection: Box<ProviderConnection>,
    },
    /// Give a provider nothing any more; what it has goes back to the desk. One that is not connected is nothing.
    DisconnectProvider {
        /// Which.
        provider: Label,
    },
    /// Ask a robot nothing any more. One that is not connected is nothing. A flow that names it sends to the humans at once.
    DisconnectRobot {
        /// Which.
        robot: Label,
    },
}
