//! What happens in a chat, as it is stored.

use serde::{Deserialize, Serialize};

use crate::conversation::event::Entry;
use crate::ids::{ClientMessageId, ConversationId, MessageId, ShopId, UserId};
use crate::message::{Category, ChatRole, ContentDigest, Kind, MessageContent, Origin, Persona, Style, Visibility};
use crate::private::Private;
use crate::stored_events;

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
        /// See [`ConversationStarted`].
        ConversationStarted = "chat.conversation_started", 1;
        /// See [`ConversationResumed`].
        ConversationResumed = "chat.conversation_resumed", 1;
        /// See [`ConversationEnded`].
        ConversationEnded = "chat.conversation_ended", 1;
        /// See [`ConversationIdled`].
        ConversationIdled = "chat.conversation_idled", 1;
    }
}
