//! Which rule of the tenant refused.

use crate::flow::check::Fault;
use crate::ids::{ApiKeyId, CannedReplyId, GroupId, ShopId};
use crate::labels::Label;
use crate::message::ContentRefused;
use crate::tenant::event::Scope;
use crate::time::Millis;

/// Why a command to a tenant was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TenantError {
    /// There is no such tenant.
    #[error("the tenant is not created")]
    NotCreated,
    /// The tenant counts its days in another zone; its past numbers are dated in it.
    #[error("the tenant is already created with the time zone {time_zone}")]
    CreatedOtherwise {
        /// Its time zone.
        time_zone: String,
    },
    /// Not the name of a time zone.
    #[error("a time zone is 1 to {bytes_max} bytes of printable ascii")]
    InvalidTimeZone {
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// Too many stores.
    #[error("the tenant has {shops_max} shops already")]
    TooManyShops {
        /// The limit.
        shops_max: usize,
    },
    /// Too many reception groups.
    #[error("the tenant has {groups_max} groups already")]
    TooManyGroups {
        /// The limit.
        groups_max: usize,
    },
    /// Too many live keys.
    #[error("the tenant has {keys_max} live api keys already")]
    TooManyApiKeys {
        /// The limit.
        keys_max: usize,
    },
    /// A live key with this id has another secret or other scopes.
    #[error("api key {key} is taken")]
    ApiKeyTaken {
        /// Its public part.
        key: ApiKeyId,
    },
    /// A key must be good for something.
    #[error("an api key needs at least one scope")]
    NoScopes,
    /// Who vouches for customers must not also talk with them, or one stolen key could invent both sides of a conversation.
    #[error("one api key cannot both mint identities and have the scope {scope:?}")]
    MintIdentitiesTogetherWith {
        /// The first scope that does not go with it.
        scope: Scope,
    },
    /// The secret could be guessed.
    #[error("an identity secret is at least {characters_min} characters of base64, not counting padding")]
    IdentitySecretTooShort {
        /// The least number of characters.
        characters_min: usize,
    },
    /// The secret is no text that an adapter could decode.
    #[error("an identity secret is base64")]
    IdentitySecretNotBase64,
    /// A limit is zero, negative or above its maximum.
    #[error("{limit} must be between 1 and {} ms, not {} ms", max.0, value.0)]
    LimitOutOfRange {
        /// The field of [`crate::tenant::event::Limits`].
        limit: &'static str,
        /// What was asked for.
        value: Millis,
        /// The largest allowed.
        max: Millis,
    },
    /// A device policy allows nobody or too many, or mentions a kind twice.
    #[error("a device policy allows 1 to {devices_max} devices and mentions each kind once")]
    DevicePolicyUnsound {
        /// The largest number.
        devices_max: u8,
    },
    /// The largest attachment is zero or above its maximum.
    #[error("attachment_bytes_max must be between 1 and {bytes_max}, not {bytes}")]
    AttachmentBytesOutOfRange {
        /// What was asked for.
        bytes: u64,
        /// The largest allowed.
        bytes_max: u64,
    },
    /// Too many canned replies.
    #[error("the tenant and its groups have {replies_max} canned replies already")]
    TooManyCannedReplies {
        /// The limit.
        replies_max: usize,
    },
    /// Another canned reply of the same group, or of the tenant, is found by it.
    #[error("the shortcut {shortcut} is taken")]
    ShortcutTaken {
        /// The shortcut.
        shortcut: Label,
    },
    /// There is no such canned reply.
    #[error("there is no canned reply {reply}")]
    NoSuchCannedReply {
        /// Which.
        reply: CannedReplyId,
    },
    /// The tenant has no such group.
    #[error("there is no group {group}")]
    NoSuchGroup {
        /// Which.
        group: GroupId,
    },
    /// A canned reply says nothing or too much.
    #[error("canned reply: {0}")]
    CannedText(ContentRefused),
    /// The document would not do what it says.
    #[error("the flow has a fault at `{}`: {}; {}", fault.path, fault.problem, fault.problem.remedy())]
    FlowFaulty {
        /// The first of its faults.
        fault: Box<Fault>,
    },
    /// Too many blocked ranges.
    #[error("the tenant has blocked {ranges_max} ranges of addresses already")]
    TooManyBlockedRanges {
        /// The limit.
        ranges_max: usize,
    },
    /// Too many connected channels.
    #[error("the tenant has {channels_max} connected channels already")]
    TooManyChannels {
        /// The limit.
        channels_max: usize,
    },
    /// The tenant has no such store.
    #[error("there is no shop {shop}")]
    NoSuchShop {
        /// Which.
        shop: ShopId,
    },
    /// A channel delivers somewhere.
    #[error("a channel needs an address to deliver to")]
    ChannelAddressEmpty,
    /// Too many connected providers.
    #[error("the tenant has {providers_max} providers already")]
    TooManyProviders {
        /// The limit.
        providers_max: usize,
    },
    /// A seat serves a group.
    #[error("a provider serves at least one group")]
    ProviderWithoutGroup,
    /// A provider is called somewhere.
    #[error("a provider needs an address where it is called")]
    ProviderAddressEmpty,
    /// No capacity for a provider.
    #[error("a provider takes 1 to {max} conversations, not {capacity}")]
    ProviderCapacityOutOfRange {
        /// What was given.
        capacity: u32,
        /// The limit.
        max: u32,
    },
    /// Too many connected robots.
    #[error("the tenant has {robots_max} robots already")]
    TooManyRobots {
        /// The limit.
        robots_max: usize,
    },
    /// The name stands for something else in flows.
    #[error("{robot} is no name for a robot of one's own")]
    RobotNameTaken {
        /// The name.
        robot: Label,
    },
    /// A robot is there for something.
    #[error("a robot is there for something: a seat, or assist")]
    RobotWithoutUse,
    /// Only an http robot scores agents.
    #[error("a language model scores no agents; a scorer is an http robot")]
    RobotCannotScore,
    /// A robot is asked somewhere.
    #[error("a robot needs an address where it is asked")]
    RobotAddressEmpty,
    /// Chat completions are those of a language model.
    #[error("chat completions need the name of a model")]
    RobotWithoutModel,
    /// What only language models have.
    #[error("a robot that is asked by http has neither model nor system prompt")]
    RobotTakesNoModel,
    /// Not a key that fits a header.
    #[error("a robot's key is 1 to {bytes_max} bytes of printable ascii")]
    InvalidRobotKey {
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// Not the name of a consumer.
    #[error("a consumer's name is 1 to {bytes_max} bytes of printable ascii")]
    InvalidConsumer {
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// A text is longer than allowed.
    #[error("{field} is longer than {bytes_max} bytes")]
    TextTooLong {
        /// The field of the command.
        field: &'static str,
        /// The limit in bytes of UTF-8.
        bytes_max: usize,
    },
}
