//! The rules of a chat, each where it holds and where it stops.

mod announcements;
mod client_ids;
mod conversations;
mod members;
mod messages;
mod notices;
mod outreach;
mod properties;
mod threads;
mod time;

use crate::chat::Chat;
use crate::chat::command::{Attached, ChatCommand, PostMessage};
use crate::chat::error::ChatError;
use crate::chat::event::{
    AnswerOverdue, AssignmentAccepted, AssignmentTimedOut, ChatEvent, ChatOpened, ConversationEnded, ConversationIdled,
    ConversationResumed, ConversationStarted, CustomerReplaced, IdleLimitsSet, IdleReminded, MemberJoined, MemberLeft, MessageHidden,
    MessagePosted, MessageRecalled, MessagesRead, Omission, QuestionAsked, RobotDismissed, RobotEngaged,
};
use crate::conversation::event::Entry;
use crate::ids::{ClientMessageId, ConversationId, MessageId, ShopId, UserId};
use crate::message::{Category, ChatRole, ContentDigest, Kind, MessageContent, Origin, Persona, Quoted, Style, Visibility};
use crate::private::Private;
use crate::testing::{self, Given, NOW};
use crate::time::{Millis, Timestamp};

const BUYER: UserId = UserId::from_u128(1);
const ALICE: UserId = UserId::from_u128(2);
const BOB: UserId = UserId::from_u128(3);
const SUPERVISOR: UserId = UserId::from_u128(4);
const ROBOT: UserId = UserId::from_u128(5);
const PROVIDER: UserId = UserId::from_u128(6);
const SIGNED_IN_BUYER: UserId = UserId::from_u128(7);
const STRANGER: UserId = UserId::from_u128(9);
const FIRST: ConversationId = ConversationId::from_u128(100);
const SECOND: ConversationId = ConversationId::from_u128(200);
const REOPEN_WINDOW: Millis = Millis::minutes(10);
const ONE_MS: Millis = Millis(1);

fn given(history: impl IntoIterator<Item = ChatEvent>) -> Given<Chat> {
    testing::given(history)
}

fn shop(name: &str) -> ShopId {
    name.parse().unwrap()
}

fn opened() -> ChatEvent {
    ChatOpened { shop: shop("flowers"), customer: BUYER }.into()
}

fn joined(user: UserId, role: ChatRole) -> ChatEvent {
    MemberJoined { user, role, assignment: None, accept_within: None, answer_within: None }.into()
}

fn assigned_to(agent: UserId, assignment: u64) -> ChatEvent {
    MemberJoined { user: agent, role: ChatRole::Agent, assignment: Some(assignment), accept_within: None, answer_within: None }.into()
}

fn left(user: UserId) -> ChatEvent {
    MemberLeft { user }.into()
}

fn replaced(from: UserId, into: UserId, conversation: Option<ConversationId>) -> ChatEvent {
    CustomerReplaced { from, into, conversation }.into()
}

fn started(conversation: ConversationId) -> ChatEvent {
    started_for(BUYER, conversation)
}

fn started_for(customer: UserId, conversation: ConversationId) -> ChatEvent {
    ConversationStarted { conversation, shop: shop("flowers"), customer, entry: Entry::default() }.into()
}

fn resumed(conversation: ConversationId) -> ChatEvent {
    ConversationResumed { conversation, overlooked_seq: None }.into()
}

fn resumed_for(conversation: ConversationId, overlooked: u64) -> ChatEvent {
    ConversationResumed { conversation, overlooked_seq: Some(overlooked) }.into()
}

fn ended(conversation: ConversationId) -> ChatEvent {
    ConversationEnded { conversation }.into()
}

fn ran_out(conversation: ConversationId, unanswered: bool, last_seq: u64) -> ChatEvent {
    ConversationIdled { conversation, unanswered, last_seq }.into()
}

fn read_up_to(reader: UserId, up_to_seq: u64) -> ChatEvent {
    MessagesRead { reader, up_to_seq, shown_seq: None }.into()
}

fn hidden(reader: UserId, seq: u64) -> ChatEvent {
    MessageHidden { message: message_id(seq), seq, reader }.into()
}

fn recalled(by: UserId, seq: u64) -> ChatEvent {
    MessageRecalled { message: message_id(seq), seq, by, visibility: Visibility::All }.into()
}

/// In these stories message number 5 is also the one at place 5, unless a test says otherwise.
fn message_id(number: u64) -> MessageId {
    MessageId::from_u128(1_000 + u128::from(number))
}

fn client_id(minted_at: Timestamp, number: u64) -> ClientMessageId {
    let ms = u128::try_from(minted_at.0).unwrap();
    ClientMessageId::from_u128((ms << 80) | (7 << 76) | (2 << 62) | u128::from(number))
}

/// The message with this number, whose client id was minted at [`NOW`].
fn message(sender: UserId, number: u64) -> PostMessage {
    PostMessage {
        sender,
        client_message: client_id(NOW, number),
        message: message_id(number),
        fresh_conversation: SECOND,
        digest: ContentDigest(number),
        content: MessageContent::text("hello"),
        origin: Origin::Human,
        persona: Persona::Oneself,
        visibility: Visibility::All,
        style: Style::Normal,
        kind: Kind::Text,
        quoted: Quoted::Nothing,
        attached: Attached::Nothing,
        assignment: None,
        reopen_window: REOPEN_WINDOW,
        as_participant: Category::Agent,
    }
}

fn minted(minted_at: Timestamp, post: PostMessage) -> PostMessage {
    let number = post.digest.0;
    PostMessage { client_message: client_id(minted_at, number), ..post }
}

fn under(assignment: u64, post: PostMessage) -> PostMessage {
    PostMessage { assignment: Some(assignment), ..post }
}

fn staff_only(post: PostMessage) -> PostMessage {
    PostMessage { visibility: Visibility::Staff, ..post }
}

fn post(post: PostMessage) -> ChatCommand {
    ChatCommand::Post(Box::new(post))
}

/// What becomes of [`message`] when it is the one at the place of its number in this conversation.
fn posted(sender: UserId, number: u64, conversation: impl Into<Option<ConversationId>>) -> MessagePosted {
    fact_of(&message(sender, number), number, conversation.into(), None)
}

fn posted_under(assignment: u64, agent: UserId, number: u64, conversation: ConversationId) -> ChatEvent {
    MessagePosted { assignment: Some(assignment), ..posted(agent, number, conversation) }.into()
}

fn fact_of(post: &PostMessage, seq: u64, conversation: Option<ConversationId>, assignment: Option<u64>) -> MessagePosted {
    let category = match post.sender {
        BUYER | SIGNED_IN_BUYER => Category::Customer,
        ROBOT => Category::Robot,
        _ => Category::Agent,
    };
    MessagePosted {
        message: post.message,
        seq,
        client_message: post.client_message,
        digest: post.digest,
        sender: post.sender,
        category,
        origin: post.origin,
        persona: post.persona,
        visibility: post.visibility,
        style: post.style,
        kind: post.kind,
        conversation,
        assignment,
        quote: post.quoted.message(),
        quote_seq: post.quoted.seq(),
        attachment: None,
        body_bytes: u32::try_from(post.content.bytes()).unwrap(),
        private: Private::Known(post.content.clone()),
    }
}
