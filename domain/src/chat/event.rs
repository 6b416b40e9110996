//! What happens in a chat, as it is stored.

mod outreach;
mod time;

use serde::{Deserialize, Serialize};

pub use self::outreach::{OutreachAttempted, OutreachHandedOver};
pub use self::time::{
    AnswerOverdue, AssignmentAccepted, AssignmentTimedOut, IdleLimitsSet, IdleReminded, Omission, QuestionAsked, RobotDismissed,
    RobotEngaged,
};
use super::permissions::Permissions;
use crate::conversation::event::Entry;
use crate::ids::{AttachmentId, ClientMessageId, ConversationId, MessageId, ShopId, UserId};
use crate::labels::Label;
use crate::message::{Category, ChatRole, ContentDigest, Kind, MessageContent, Origin, Persona, Style, Visibility};
use crate::private::Private;
use crate::stored_events;
use crate::time::Millis;

/// The chat between a customer and a shop exists from here on; the customer is its first member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatOpened {
    /// The shop.
    pub shop: ShopId,
    /// The customer; every private half in this chat is sealed under their key.
    pub customer: UserId,
}

/// Somebody became a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberJoined {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: ChatRole,
    /// The desk's assignment that brought them, for agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<u64>,
    /// How long an agent has to accept; whoever answers has accepted. Without it, they need not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_within: Option<Millis>,
    /// How long an agent may let the customer wait for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_within: Option<Millis>,
}

/// Somebody is no member any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberLeft {
    /// Who.
    pub user: UserId,
}

/// The anonymous customer turned out to be this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerReplaced {
    /// The anonymous account.
    pub from: UserId,
    /// The identified account.
    pub into: UserId,
    /// The conversation that is open, or ended last: it changes hands, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
}

/// A message took its place in the chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePosted {
    /// Its id everywhere.
    pub message: MessageId,
    /// Its place in the chat, contiguous from 1.
    pub seq: u64,
    /// Its id as the sender minted it.
    pub client_message: ClientMessageId,
    /// Keyed digest of the content, to tell a retry from another message.
    pub digest: ContentDigest,
    /// Who posted.
    pub sender: UserId,
    /// Whose message it is.
    pub category: Category,
    /// How it came about.
    pub origin: Origin,
    /// Under which identity the customer sees the sender.
    pub persona: Persona,
    /// Who may see it.
    pub visibility: Visibility,
    /// How it is shown.
    pub style: Style,
    /// What it carries.
    pub kind: Kind,
    /// The conversation it belongs to, if one was open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// The desk's assignment under which an agent posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<u64>,
    /// The quoted message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<MessageId>,
    /// Its place, so that whoever may not see it any more does not read it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_seq: Option<u64>,
    /// The attachment of this chat that its link leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<AttachmentId>,
    /// Size of the content in bytes.
    pub body_bytes: u32,
    /// What it says.
    #[serde(skip)]
    pub private: Private<MessageContent>,
}

/// A message was taken back by its sender; its place stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecalled {
    /// Which message.
    pub message: MessageId,
    /// Its place.
    pub seq: u64,
    /// Who took it back.
    pub by: UserId,
    /// Who could see it: nobody else learns that it was there.
    #[serde(default, skip_serializing_if = "Visibility::is_all")]
    pub visibility: Visibility,
}

/// A member removed a message from their own sight ("delete for me").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageHidden {
    /// Which message.
    pub message: MessageId,
    /// Its place.
    pub seq: u64,
    /// For whom.
    pub reader: UserId,
}

/// A member has read up to a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagesRead {
    /// Who.
    pub reader: UserId,
    /// The last place read.
    pub up_to_seq: u64,
    /// What those learn of it who see no notes: the last place that they see and that is newly read, 0 when there is none. Left out
    /// where that is `up_to_seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_seq: Option<u64>,
}

impl MessagesRead {
    /// The place that a member hears of, if they hear of it.
    #[must_use]
    pub fn told_to(&self, sees_notes: bool) -> Option<u64> {
        match self.shown_seq {
            Some(shown) if !sees_notes => (shown > 0).then_some(shown),
            Some(_) | None => Some(self.up_to_seq),
        }
    }
}

/// The time in which a message could be the first to use an upload is over. Whatever had been posted before may have used it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadExpired {
    /// Which.
    pub attachment: AttachmentId,
}

/// A conversation began in this chat. A chat has at most one at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationStarted {
    /// The new conversation.
    pub conversation: ConversationId,
    /// The chat's shop.
    pub shop: ShopId,
    /// The chat's customer.
    pub customer: UserId,
    /// From which page it was entered.
    pub entry: Entry,
}

/// A customer wrote again soon after the end: the same conversation goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationResumed {
    /// The conversation that goes on.
    pub conversation: ConversationId,
    /// Place of a customer's message that the end had overlooked and that is still to be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlooked_seq: Option<u64>,
}

/// The chat has no open conversation any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationEnded {
    /// The conversation that ended.
    pub conversation: ConversationId,
}

/// Nobody wrote for so long that the open conversation has run out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationIdled {
    /// The conversation that ran out.
    pub conversation: ConversationId,
    /// Whether the customer was still waiting for an answer: then it closes as unanswered.
    pub unanswered: bool,
    /// The chat's last place at that moment; a later message of the customer reopens.
    pub last_seq: u64,
}

/// What a group thread is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadTitle {
    /// The title.
    pub title: String,
}

/// A group thread exists from here on; whoever made it owns it and is its first member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCreated {
    /// Who made it, and owns it until they pass it on; their key seals the title.
    pub owner: UserId,
    /// What they are to the others, in the tenant's own word: `merchant`.
    pub label: Label,
    /// What it is called.
    #[serde(skip)]
    pub private: Private<ThreadTitle>,
}

/// Somebody became a member of a group thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberInvited {
    /// Who.
    pub user: UserId,
    /// What they are to the others, in the tenant's own word: `influencer`.
    pub label: Label,
    /// What they may do.
    pub permissions: Permissions,
    /// The last place that was said before they came: they read what lies after it.
    pub floor: u64,
}

/// A member of a group thread may do other things than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionsChanged {
    /// Who.
    pub user: UserId,
    /// All that they may do now.
    pub permissions: Permissions,
}

/// A group thread has another owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnershipPassed {
    /// Who owned it.
    pub from: UserId,
    /// Who owns it now, and may do everything.
    pub to: UserId,
}

/// A group thread is called something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRenamed {
    /// Who named it; their key seals the title.
    pub by: UserId,
    /// What it is called now.
    #[serde(skip)]
    pub private: Private<ThreadTitle>,
}

/// A member does not want to be notified of what is said in a group thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadMuted {
    /// Who.
    pub user: UserId,
}

/// A member wants to be notified again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadUnmuted {
    /// Who.
    pub user: UserId,
}

/// A member put a group thread aside, in their own list only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadArchived {
    /// Who.
    pub user: UserId,
}

/// A member took a group thread back into their list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadUnarchived {
    /// Who.
    pub user: UserId,
}

/// Nobody posts in this group thread any more; its members still read what they could.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDissolved {
    /// Who ended it.
    pub by: UserId,
}

stored_events! {
    /// Everything that happens in a chat.
    pub enum ChatEvent {
        /// See [`ChatOpened`].
        ChatOpened = "chat.opened", 1;
        /// See [`MemberJoined`].
        MemberJoined = "chat.member_joined", 1;
        /// See [`MemberLeft`].
        MemberLeft = "chat.member_left", 1;
        /// See [`CustomerReplaced`].
        CustomerReplaced = "chat.customer_replaced", 1;
        /// See [`MessagePosted`].
        MessagePosted = "chat.message_posted", 1, private;
        /// See [`MessageRecalled`].
        MessageRecalled = "chat.message_recalled", 1;
        /// See [`MessageHidden`].
        MessageHidden = "chat.message_hidden", 1;
        /// See [`MessagesRead`].
        MessagesRead = "chat.messages_read", 1;
        /// See [`UploadExpired`].
        UploadExpired = "chat.upload_expired", 1;
        /// See [`ConversationStarted`].
        ConversationStarted = "chat.conversation_started", 1;
        /// See [`ConversationResumed`].
        ConversationResumed = "chat.conversation_resumed", 1;
        /// See [`ConversationEnded`].
        ConversationEnded = "chat.conversation_ended", 1;
        /// See [`ConversationIdled`].
        ConversationIdled = "chat.conversation_idled", 1;
        /// See [`IdleLimitsSet`].
        IdleLimitsSet = "chat.idle_limits_set", 1;
        /// See [`IdleReminded`].
        IdleReminded = "chat.idle_reminded", 1;
        /// See [`AnswerOverdue`].
        AnswerOverdue = "chat.answer_overdue", 1;
        /// See [`AssignmentAccepted`].
        AssignmentAccepted = "chat.assignment_accepted", 1;
        /// See [`AssignmentTimedOut`].
        AssignmentTimedOut = "chat.assignment_timed_out", 1;
        /// See [`RobotEngaged`].
        RobotEngaged = "chat.robot_engaged", 1;
        /// See [`RobotDismissed`].
        RobotDismissed = "chat.robot_dismissed", 1;
        /// See [`QuestionAsked`].
        QuestionAsked = "chat.question_asked", 1;
        /// See [`OutreachAttempted`].
        OutreachAttempted = "chat.outreach_attempted", 1;
        /// See [`OutreachHandedOver`].
        OutreachHandedOver = "chat.outreach_handed_over", 1;
        /// See [`GroupCreated`].
        GroupCreated = "chat.group_created", 1, private;
        /// See [`MemberInvited`].
        MemberInvited = "chat.member_invited", 1;
        /// See [`PermissionsChanged`].
        PermissionsChanged = "chat.permissions_changed", 1;
        /// See [`OwnershipPassed`].
        OwnershipPassed = "chat.ownership_passed", 1;
        /// See [`GroupRenamed`].
        GroupRenamed = "chat.group_renamed", 1, private;
        /// See [`ThreadMuted`].
        ThreadMuted = "chat.muted", 1;
        /// See [`ThreadUnmuted`].
        ThreadUnmuted = "chat.unmuted", 1;
        /// See [`ThreadArchived`].
        ThreadArchived = "chat.archived", 1;
        /// See [`ThreadUnarchived`].
        ThreadUnarchived = "chat.unarchived", 1;
        /// See [`GroupDissolved`].
        GroupDissolved = "chat.dissolved", 1;
    }
}
