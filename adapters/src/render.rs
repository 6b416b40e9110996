//! Events as clients read them: feed items and messages as JSON.
//!
//! A live item and one read from the log are written by the same code, so they cannot differ. This file decides how a message is shown
//! to its reader, never whether they may see it.

mod conversation;
mod members;

use application::log::commit::{CommitHeader, EventMeta};
use application::log::stream::StreamKey;
use application::ports::event_log::{Position, ShardId};
use application::queries::{EventRef, FeedKind};
use domain::chat::event::{ChatEvent, MessagePosted};
use domain::desk::event::DeskEvent;
use domain::event::Event;
use domain::ids::{ChatId, ConversationId, UserId};
use domain::message::{Category, Kind, Origin, Persona, Style, Visibility};
use domain::private::Private;
use domain::time::Timestamp;
use domain::user::event::{Role, UserEvent};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::masking::{shown, shown_agent};
use members::{ThreadDetails, customer, participant, role_word, thread_details};

/// For whose eyes something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// A customer's.
    Customer,
    /// Those of somebody who works for the shop.
    Staff,
}

impl View {
    /// The view of somebody in this role.
    #[must_use]
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Customer => Self::Customer,
            Role::PlatformOperator
            | Role::Governance
            | Role::TenantAdmin
            | Role::Supervisor
            | Role::Agent
            | Role::QualityReviewer
            | Role::Integration => Self::Staff,
        }
    }
}

/// What became of a message since it was posted, as its reader sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Taken back by its sender.
    pub recalled: bool,
    /// Removed by the reader from their own sight.
    pub hidden: bool,
    /// Read: by the other side if it is the reader's own, by the reader otherwise.
    pub read: bool,
    /// What it quotes was taken back, or removed by the reader from their own sight.
    pub quote_gone: bool,
}

/// A message as its reader sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageBody<'a> {
    /// Its id everywhere.
    #[schema(value_type = String)]
    id: domain::ids::MessageId,
    /// Its id as the sender minted it.
    #[schema(value_type = String)]
    client_msg_id: domain::ids::ClientMessageId,
    /// Its chat.
    #[schema(value_type = String)]
    chat: ChatId,
    /// The conversation it belongs to.
    #[schema(value_type = Option<String>)]
    conversation: Option<ConversationId>,
    /// Its place in the chat, contiguous from 1.
    seq: u64,
    /// `system`, `customer`, `agent` or `robot`.
    #[schema(value_type = String)]
    category: Category,
    /// `normal`, `card`, `order`, `rating` or `toast`.
    #[schema(value_type = String)]
    style: Style,
    /// `text`, `picture`, `video`, `audio`, `file` or `unknown`.
    #[schema(value_type = String)]
    kind: Kind,
    /// What it says; null when it was recalled, removed or erased.
    content: Option<&'a str>,
    /// Who posted. To a customer, whoever speaks for the shop has the id of the chat.
    #[schema(value_type = String)]
    from: domain::ids::UserId,
    /// The name of whoever speaks for the shop, as it stood then.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_name: Option<&'a str>,
    /// Their picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_avatar: Option<&'a str>,
    /// Where a click leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    /// The quoted message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    quote: Option<domain::ids::MessageId>,
    /// Its text as it stood, unless the reader does not see it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    quote_text: Option<&'a str>,
    /// Further JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    ext: Option<&'a RawValue>,
    /// How it came about.
    #[schema(value_type = serde_json::Value)]
    origin: Origin,
    /// Under which identity the customer sees the sender.
    #[schema(value_type = String)]
    persona: Persona,
    /// `all` or `staff`.
    #[schema(value_type = String)]
    visibility: Visibility,
    /// The assignment under which an agent posted; staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment: Option<u64>,
    /// When it was posted, in milliseconds since 1970.
    created_at: i64,
    /// Taken back by its sender.
    is_recalled: bool,
    /// Removed by the reader from their own sight.
    is_deleted: bool,
    /// Read: by the other side if it is the reader's own, by the reader otherwise.
    is_read: bool,
}

/// A message for a reader.
#[must_use]
pub fn message<'a>(chat: ChatId, posted: &'a MessagePosted, at: Timestamp, marks: Marks, view: View) -> MessageBody<'a> {
    // Notes are in no customer's feed; if one ever were, it would still say nothing.
    let for_others = view == View::Customer && posted.visibility == Visibility::Staff;
    let content = match &posted.private {
        Private::Known(content) if !marks.recalled && !marks.hidden && !for_others => Some(content),
        Private::Known(_) | Private::Erased | Private::Closed => None,
    };
    MessageBody {
        id: posted.message,
        client_msg_id: posted.client_message,
        chat,
        conversation: posted.conversation,
        seq: posted.seq,
        category: posted.category,
        style: posted.style,
        kind: posted.kind,
        content: content.map(|content| content.content.as_str()),
        from: match posted.persona {
            Persona::Shop => shown_agent(posted.sender, chat, view),
            Persona::Oneself => posted.sender,
        },
        sender_name: content.and_then(|content| content.sender_name.as_deref()),
        sender_avatar: content.and_then(|content| content.sender_avatar.as_deref()),
        url: content.and_then(|content| content.url.as_deref()),
        quote: posted.quote,
        quote_text: content.filter(|_| !marks.quote_gone).and_then(|content| content.quote_text.as_deref()),
        ext: content.and_then(|content| serde_json::from_str(content.ext.as_deref()?).ok()),
        origin: match posted.origin {
            // Whose words somebody of the shop made their own is the shop's business.
            Origin::Assisted { .. } if view == View::Customer => Origin::Human,
            Origin::Assisted { .. }
            | Origin::Human
            | Origin::Robot
            | Origin::System
            | Origin::Campaign
            | Origin::Provider
            | Origin::Outreach { .. } => posted.origin,
        },
        persona: posted.persona,
        visibility: posted.visibility,
        assignment: posted.assignment.filter(|_| view == View::Staff),
        created_at: at.0,
        is_recalled: marks.recalled,
        is_deleted: marks.hidden,
        is_read: marks.read,
    }
}

/// Everything of a feed item that is the same for every reader of its kind and view; index and previous index precede it.
pub struct Item<'a> {
    /// Whose shard.
    pub shard: ShardId,
    /// Where the event lies.
    pub at: EventRef,
    /// What it tells this reader.
    pub kind: FeedKind,
    /// Its commit.
    pub header: &'a CommitHeader,
    /// What surrounds it.
    pub meta: &'a EventMeta,
    /// The event.
    pub event: &'a Event,
    /// The customer of the chat, where the event is about a member of whom it does not say what they are there.
    pub customer: Option<UserId>,
}

/// The rest of an item's frame: from `"pos"` to the closing brace.
#[must_use]
pub fn item_body(item: &Item<'_>, marks: Marks, view: View) -> String {
    let position = Position { shard: item.shard, commit: item.at.commit, index: item.at.index };
    let mut body = Vec::with_capacity(640);
    let fields = ItemBody { pos: position, k: item.kind, at: item.header.time.0, details: details(item, marks, view) };
    serde_json::to_writer(&mut body, &fields).expect("writing to memory cannot fail, and every key is text");
    // The brace that opens the object belongs to the header in front.
    body.remove(0);
    String::from_utf8(body).expect("serde_json writes utf-8")
}

/// The header in front of [`item_body`].
pub fn write_item_header(frame: &mut String, index: u64) {
    use std::fmt::Write;
    write!(frame, "{{\"t\":\"item\",\"i\":{index},\"p\":{},", index.saturating_sub(1)).expect("writing to a string cannot fail");
}

/// A whole item frame.
#[must_use]
pub fn item_frame(index: u64, body: &str) -> String {
    // "{"t":"item","i":,"p":," is 22 bytes, and each number has at most 20 digits.
    let mut frame = String::with_capacity(body.len() + 22 + 2 * decimal_digits(index));
    write_item_header(&mut frame, index);
    frame.push_str(body);
    frame
}

const fn decimal_digits(number: u64) -> usize {
    match number.checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    }
}

#[derive(Serialize)]
struct ItemBody<'a> {
    #[serde(serialize_with = "as_text")]
    pos: Position,
    k: FeedKind,
    at: i64,
    #[serde(flatten)]
    details: Details<'a>,
}

fn as_text<S: serde::Serializer>(position: &Position, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(position)
}

#[derive(Serialize)]
#[serde(untagged)]
enum Details<'a> {
    Message {
        chat: ChatId,
        m: Box<MessageBody<'a>>,
    },
    MessageChanged {
        chat: ChatId,
        message: domain::ids::MessageId,
        seq: u64,
        by: domain::ids::UserId,
    },
    Read {
        chat: ChatId,
        reader: domain::ids::UserId,
        up_to_seq: u64,
    },
    Joined {
        chat: ChatId,
        user: domain::ids::UserId,
        role: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        label: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        assignment: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        accept_within_ms: Option<i64>,
    },
    Thread(ThreadDetails<'a>),
    Left {
        chat: ChatId,
        user: domain::ids::UserId,
    },
    Conversation(conversation::ConversationDetails<'a>),
    MergedInto {
        into: domain::ids::UserId,
    },
    /// A fact that this program does not show; its index stays.
    Nothing {},
}

fn details<'a>(item: &Item<'a>, marks: Marks, view: View) -> Details<'a> {
    match (item.event, item.header.stream.key) {
        (Event::Chat(event), StreamKey::Chat(chat)) => chat_details(chat, event, item, marks, view),
        (Event::Conversation(event), StreamKey::Conversation(conversation)) => {
            Details::Conversation(conversation::conversation_details(conversation, event, view))
        }
        (Event::User(event), _) => user_details(event),
        (Event::Desk(event), _) => desk_details(event),
        (Event::Chat(_) | Event::Conversation(_) | Event::Tenant(_) | Event::Campaign(_) | Event::Retrieval(_), _) => Details::Nothing {},
    }
}

fn chat_details<'a>(chat: ChatId, event: &'a ChatEvent, item: &Item<'a>, marks: Marks, view: View) -> Details<'a> {
    let known_as = |user| shown(user, chat, item.customer, view);
    match event {
        ChatEvent::MessagePosted(posted) => Details::Message { chat, m: Box::new(message(chat, posted, item.header.time, marks, view)) },
        ChatEvent::MessageRecalled(event) => {
            Details::MessageChanged { chat, message: event.message, seq: event.seq, by: known_as(event.by) }
        }
        ChatEvent::MessageHidden(event) => Details::MessageChanged { chat, message: event.message, seq: event.seq, by: event.reader },
        ChatEvent::MessagesRead(event) => match event.told_to(view == View::Staff) {
            Some(up_to_seq) => Details::Read { chat, reader: known_as(event.reader), up_to_seq },
            None => Details::Nothing {},
        },
        ChatEvent::ChatOpened(event) => customer(chat, event.customer),
        ChatEvent::CustomerReplaced(event) => customer(chat, event.into),
        ChatEvent::MemberJoined(event) => {
            let assignment = event.assignment.filter(|_| view == View::Staff);
            let accept_within_ms = event.accept_within.filter(|_| assignment.is_some()).map(|within| within.0);
            // Only the customer and participants of threads come otherwise.
            let user = shown_agent(event.user, chat, view);
            Details::Joined { chat, user, role: role_word(event.role), label: None, assignment, accept_within_ms }
        }
        ChatEvent::GroupCreated(event) => participant(chat, event.owner, &event.label),
        ChatEvent::MemberInvited(event) => participant(chat, event.user, &event.label),
        ChatEvent::MemberLeft(event) => Details::Left { chat, user: known_as(event.user) },
        ChatEvent::ConversationStarted(_)
        | ChatEvent::ConversationResumed(_)
        | ChatEvent::ConversationEnded(_)
        | ChatEvent::ConversationIdled(_)
        | ChatEvent::IdleLimitsSet(_)
        | ChatEvent::IdleReminded(_)
        | ChatEvent::AnswerOverdue(_)
        | ChatEvent::AssignmentAccepted(_)
        | ChatEvent::AssignmentTimedOut(_)
        | ChatEvent::RobotEngaged(_)
        | ChatEvent::RobotDismissed(_)
        | ChatEvent::QuestionAsked(_)
        | ChatEvent::OutreachAttempted(_)
        | ChatEvent::OutreachHandedOver(_)
        | ChatEvent::UploadExpired(_) => Details::Nothing {},
        ChatEvent::PermissionsChanged(_)
        | ChatEvent::OwnershipPassed(_)
        | ChatEvent::GroupRenamed(_)
        | ChatEvent::ThreadMuted(_)
        | ChatEvent::ThreadUnmuted(_)
        | ChatEvent::ThreadArchived(_)
        | ChatEvent::ThreadUnarchived(_)
        | ChatEvent::GroupDissolved(_) => thread_details(chat, event),
    }
}

fn user_details(event: &UserEvent) -> Details<'static> {
    match event {
        UserEvent::CustomerMerged(event) => Details::MergedInto { into: event.into },
        UserEvent::UserRegistered(_)
        | UserEvent::ProfileChanged(_)
        | UserEvent::ExternalAccountMapped(_)
        | UserEvent::PasswordSet(_)
        | UserEvent::SessionStarted(_)
        | UserEvent::SessionRefreshed(_)
        | UserEvent::SessionEnded(_)
        | UserEvent::UserDeactivated(_)
        | UserEvent::GroupsChanged(_)
        | UserEvent::CapacityChanged(_)
        | UserEvent::AbilitiesChanged(_)
        | UserEvent::ServiceStarted(_)
        | UserEvent::ServicePaused(_)
        | UserEvent::ServiceStopped(_)
        | UserEvent::CameOnline(_)
        | UserEvent::WentOffline(_)
        | UserEvent::CannedReplySaved(_)
        | UserEvent::CannedReplyRemoved(_)
        | UserEvent::ChannelReceived(_)
        | UserEvent::CustomerBlocked(_)
        | UserEvent::CustomerUnblocked(_)
        | UserEvent::CustomerDescribed(_) => Details::Nothing {},
    }
}

/// Feeds follow the conversation, not the desk; what the desk decided arrives as what happened to the conversation.
fn desk_details(event: &DeskEvent) -> Details<'static> {
    match event {
        DeskEvent::AgentUpdated(_)
        | DeskEvent::ConversationQueued(_)
        | DeskEvent::ConversationAssigned(_)
        | DeskEvent::ConversationRequeued(_)
        | DeskEvent::ConversationReleased(_)
        | DeskEvent::FlowAdopted(_)
        | DeskEvent::FlowDropped(_) => Details::Nothing {},
    }
}
