//! Why a chat refuses.

use crate::ids::{MessageId, UserId};
use crate::message::{ChatRole, ContentRefused, Permission};
use crate::time::Timestamp;

/// The rule that refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// No such chat.
    #[error("chat is not open")]
    NotOpen,
    /// The chat exists for another customer or shop.
    #[error("chat belongs to another customer or shop")]
    BelongsToAnother,
    /// Only members take part.
    #[error("user {user} is not a member of this chat")]
    NotAMember {
        /// Who asked.
        user: UserId,
    },
    /// The message that is quoted is none of this chat, or not for whoever quotes it.
    #[error("no such quoted message")]
    QuoteNotFound,
    /// What only staff may see is not shown to everybody by quoting it.
    #[error("a note is quoted in notes only")]
    NoteQuoted,
    /// The attachment that the link leads to is none of this chat, or nobody used it in time, or what used it was taken back.
    #[error("no such attachment in this chat any more")]
    AttachmentGone,
    /// A message may still be the first to use the upload.
    #[error("the upload can be used until {}", use_by.0)]
    UploadUsable {
        /// Until when.
        use_by: Timestamp,
    },
    /// Agents become members by assignment, customers by opening.
    #[error("nobody joins a chat as {role:?} by themself")]
    NotJoinable {
        /// The role asked for.
        role: ChatRole,
    },
    /// The customer cannot leave the chat that is theirs.
    #[error("the customer is always a member of their chat")]
    CustomerStays,
    /// Whoever serves leaves when the desk says so: by transfer, release or the end.
    #[error("the agent who serves hands over or ends, and leaves with it")]
    ServingAgentStays,
    /// The desk gave the conversation to somebody else, or took it back.
    #[error("this conversation is not yours any more")]
    NotYoursAnyMore {
        /// The assignment in force, if any.
        current: Option<u64>,
    },
    /// The client id was used for another content.
    #[error("client message id was already used for another message")]
    ClientIdReused,
    /// The client id is older than what is remembered; it may have been posted before.
    #[error("client message id was minted too long ago")]
    ClientIdTooOld {
        /// Ids minted at or before this instant are refused.
        floor: Timestamp,
    },
    /// The client id is no UUIDv7.
    #[error("client message id must be a UUIDv7")]
    ClientIdInvalid,
    /// A customer cannot write to the staff only.
    #[error("only staff may post to staff only")]
    StaffOnly,
    /// See [`ContentRefused`].
    #[error(transparent)]
    Content(#[from] ContentRefused),
    /// No such message of this sender is within reach.
    #[error("message {message} is not yours, or too old to recall")]
    NotRecallable {
        /// Which message.
        message: MessageId,
    },
    /// The tenant's window is over.
    #[error("the recall window is over")]
    RecallWindowOver,
    /// The conversation ended too long ago.
    #[error("the conversation ended too long ago to go on; a new one begins when the customer writes")]
    ReopenWindowOver,
    /// Another one has begun since.
    #[error("another conversation has begun in this chat since")]
    AnotherConversation,
    /// The place does not exist (yet).
    #[error("the chat ends at {last_seq}")]
    BeyondEnd {
        /// The last place.
        last_seq: u64,
    },
    /// Too many messages hidden by one member.
    #[error("no more than {limit} messages can be hidden in a chat")]
    TooManyHidden {
        /// The limit.
        limit: usize,
    },
    /// The chat has this many members already.
    #[error("no more than {limit} members")]
    TooManyMembers {
        /// The limit.
        limit: usize,
    },
    /// A group thread was asked what only a chat with a customer can do, or the other way round.
    #[error("this is another kind of chat")]
    OtherKind,
    /// The thread was dissolved.
    #[error("this thread was dissolved")]
    Dissolved,
    /// The member lacks a permission.
    #[error("this needs the permission {permission:?} in this thread")]
    NotPermitted {
        /// Which.
        permission: Permission,
    },
    /// Nobody gives or takes a permission that they do not have.
    #[error("a permission can be given and taken only by those who have it")]
    NotYoursToGive,
    /// Only the owner passes the thread on or dissolves it.
    #[error("only the owner of the thread can do this")]
    NotTheOwner,
    /// The owner is put out by nobody, and leaves after passing the thread on or dissolving it.
    #[error("the owner passes the thread on or dissolves it, and leaves then")]
    OwnerStays,
    /// What the owner may do cannot be changed.
    #[error("the owner may do everything")]
    OwnerHasAll,
    /// They are in the thread, as something else or with other permissions.
    #[error("user {user} is a member already")]
    AlreadyAMember {
        /// Who.
        user: UserId,
    },
    /// The order is about somebody who is not in the thread.
    #[error("user {user} is not in this thread")]
    NoSuchMember {
        /// Who.
        user: UserId,
    },
    /// The place lies before the member joined.
    #[error("places up to {floor} were said before you joined")]
    BeforeJoining {
        /// The last place that the member does not see.
        floor: u64,
    },
    /// A thread needs a name.
    #[error("the title is empty")]
    TitleEmpty,
    /// The title is over its limit.
    #[error("the title is longer than {bytes_max} bytes")]
    TitleTooLong {
        /// The limit.
        bytes_max: usize,
    },
}
