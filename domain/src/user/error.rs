//! Which rule of the user refused.

use crate::ids::{CannedReplyId, ChannelId, SessionId, UserId};
use crate::labels::Label;
use crate::message::ContentRefused;
use crate::user::event::Role;

/// Why a command to a user was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// Nobody registered this user.
    #[error("the user is not registered")]
    NotRegistered,
    /// The user is registered as something else.
    #[error("the user is already registered as {role:?}, anonymous: {anonymous}")]
    RegisteredOtherwise {
        /// What they are.
        role: Role,
        /// Whether they are anonymous.
        anonymous: bool,
    },
    /// Somebody must vouch for everyone but customers.
    #[error("only a customer may be anonymous, not a {role:?}")]
    OnlyCustomersAreAnonymous {
        /// The role that was asked for.
        role: Role,
    },
    /// Only of customers does a tenant keep a description.
    #[error("only a customer is described, not a {role:?}")]
    OnlyCustomersAreDescribed {
        /// What the user is.
        role: Role,
    },
    /// Only customers are blocked.
    #[error("only a customer is blocked, not a {role:?}")]
    OnlyCustomersAreBlocked {
        /// What the user is.
        role: Role,
    },
    /// The tenant wants to hear nothing of the customer.
    #[error("the shop has blocked this customer")]
    Blocked,
    /// Too many tags.
    #[error("a customer has at most {tags_max} tags")]
    TooManyTags {
        /// The limit.
        tags_max: usize,
    },
    /// Too many attributes.
    #[error("a customer has at most {attributes_max} attributes")]
    TooManyAttributes {
        /// The limit.
        attributes_max: usize,
    },
    /// The account is closed.
    #[error("the account is deactivated")]
    Deactivated,
    /// The account is another one now.
    #[error("the customer was merged into {into}")]
    Merged {
        /// The identified account.
        into: UserId,
    },
    /// Only an anonymous customer is merged.
    #[error("only an anonymous customer can be merged into another account")]
    NotAnonymous,
    /// A user cannot be merged into themself.
    #[error("a customer cannot be merged into themself")]
    MergedIntoItself,
    /// Only agents and supervisors have a shift, groups and a capacity.
    #[error("a {role:?} does not serve customers")]
    DoesNotServe {
        /// What the user is.
        role: Role,
    },
    /// Only a running shift can be paused.
    #[error("the user is not on service")]
    NotOnService,
    /// A live session has this id already.
    #[error("session {session} is taken")]
    SessionTaken {
        /// The sign-in.
        session: SessionId,
    },
    /// No such session: it ended, or never was.
    #[error("session {session} is not live")]
    SessionNotLive {
        /// The sign-in.
        session: SessionId,
    },
    /// The session was not refreshed in time.
    #[error("session {session} has expired")]
    SessionExpired {
        /// The sign-in.
        session: SessionId,
    },
    /// A session must end in the future.
    #[error("the session would have expired already")]
    ExpiryNotAhead,
    /// The capacity is above the limit.
    #[error("a capacity of {capacity} is above the limit of {capacity_max}")]
    CapacityTooLarge {
        /// What was asked for, in conversations.
        capacity: u32,
        /// The limit.
        capacity_max: u32,
    },
    /// Too many skills or languages for one agent.
    #[error("more than {limit} {what}")]
    TooManyAbilities {
        /// Which of them.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The weight is above the limit.
    #[error("a weight of {weight} is above the limit of {weight_max}")]
    WeightTooLarge {
        /// What was asked for.
        weight: u16,
        /// The limit.
        weight_max: u16,
    },
    /// Too many groups for one agent.
    #[error("{groups} groups are more than the limit of {groups_max}")]
    TooManyGroups {
        /// How many were asked for.
        groups: usize,
        /// The limit.
        groups_max: usize,
    },
    /// Too many external accounts for one user.
    #[error("the user has {accounts_max} external accounts already")]
    TooManyAccounts {
        /// The limit.
        accounts_max: usize,
    },
    /// Too many canned replies of one's own.
    #[error("the user has {replies_max} canned replies already")]
    TooManyCannedReplies {
        /// The limit.
        replies_max: usize,
    },
    /// Another canned reply of the user is found by it.
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
    /// A canned reply says nothing or too much.
    #[error("canned reply: {0}")]
    CannedText(ContentRefused),
    /// Only customers come by a channel.
    #[error("only a customer comes by a channel, not a {role:?}")]
    OnlyCustomersComeByChannels {
        /// What the user is.
        role: Role,
    },
    /// The customer comes by another channel: nobody else speaks for them.
    #[error("the customer comes by the channel {channel}")]
    OfAnotherChannel {
        /// By which.
        channel: ChannelId,
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
