//! What a chat answers.

use super::command::{ChatCommand, PostMessage};
use super::error::ChatError;
use super::event::{
    ChatEvent, ChatOpened, ConversationEnded, ConversationIdled, ConversationResumed, ConversationStarted, CustomerReplaced, MemberJoined,
    MemberLeft, MessageHidden, MessagePosted, MessageRecalled, MessagesRead,
};
use super::state::{CLIENT_IDS_KEPT_FOR, ChatState, HIDDEN_MAX, MEMBERS_MAX, Member, OpenChat, Session, minted_at};
use crate::conversation::event::Entry;
use crate::ids::{ConversationId, MessageId, ShopId, UserId};
use crate::message::{ChatRole, Visibility};
use crate::private::Private;
use crate::time::{Millis, Timestamp};

type Decided = Result<Vec<ChatEvent>, ChatError>;

pub(super) fn decide(command: &ChatCommand, state: &ChatState, at: Timestamp) -> Decided {
    if let ChatCommand::Open { shop, customer } = command {
        return open(*shop, *customer, state);
    }
    let chat = state.open().ok_or(ChatError::NotOpen)?;
    match command {
        ChatCommand::Open { .. } => Ok(vec![]),
        ChatCommand::Join { user, role } => join(chat, *user, *role),
        ChatCommand::Leave { user } => leave(chat, *user),
        ChatCommand::Post(post) => self::post(chat, post, at),
        ChatCommand::Recall { by, message, window } => recall(chat, *by, *message, *window, at),
        ChatCommand::Hide { reader, message, seq } => hide(chat, *reader, *message, *seq),
        ChatCommand::MarkRead { reader, up_to_seq } => mark_read(chat, *reader, *up_to_seq),
        ChatCommand::StartConversation { conversation, entry } => start_conversation(chat, *conversation, entry),
        ChatCommand::EndConversation { conversation, seen_seq } => end_conversation(chat, *conversation, *seen_seq),
        ChatCommand::ExpireIdle { conversation, idle_expiry, unanswered_expiry } => {
            expire_idle(chat, *conversation, *idle_expiry, *unanswered_expiry, at)
        }
        ChatCommand::FollowAssignment { conversation, agent, assignment } => follow_assignment(chat, *conversation, *agent, *assignment),
        ChatCommand::FollowRelease { assignment } => follow_release(chat, *assignment),
        ChatCommand::ReplaceCustomer { from, into } => replace_customer(chat, *from, *into),
    }
}

fn open(shop: ShopId, customer: UserId, state: &ChatState) -> Decided {
    match state {
        ChatState::Unopened => Ok(vec![ChatOpened { shop, customer }.into()]),
        ChatState::Open(chat) if chat.shop == shop && chat.customer == customer => Ok(vec![]),
        ChatState::Open(_) => Err(ChatError::BelongsToAnother),
    }
}

fn join(chat: &OpenChat, user: UserId, role: ChatRole) -> Decided {
    match role {
        ChatRole::Customer | ChatRole::Agent => return Err(ChatError::NotJoinable { role }),
        ChatRole::Supervisor | ChatRole::Robot | ChatRole::Provider => {}
    }
    if chat.members.contains_key(&user) {
        return Ok(vec![]);
    }
    if chat.members.len() >= MEMBERS_MAX {
        return Err(ChatError::TooManyMembers { limit: MEMBERS_MAX });
    }
    Ok(vec![MemberJoined { user, role, assignment: None }.into()])
}

fn leave(chat: &OpenChat, user: UserId) -> Decided {
    if user == chat.customer {
        return Err(ChatError::CustomerStays);
    }
    if chat.serving.is_some_and(|(agent, _)| agent == user) {
        return Err(ChatError::ServingAgentStays);
    }
    match chat.members.get(&user) {
        None => Ok(vec![]),
        Some(_) => Ok(vec![MemberLeft { user }.into()]),
    }
}

fn member(chat: &OpenChat, user: UserId) -> Result<&Member, ChatError> {
    chat.members.get(&user).ok_or(ChatError::NotAMember { user })
}

fn post(chat: &OpenChat, post: &PostMessage, at: Timestamp) -> Decided {
    // A retry is answered before any other rule: the message is there, whatever changed since.
    if let Some(sent) = chat.sent_message(post.sender, post.client_message) {
        return if sent.digest == post.digest { Ok(vec![]) } else { Err(ChatError::ClientIdReused) };
    }
    check_client_id(chat, post, at)?;
    let role = match chat.members.get(&post.sender) {
        Some(member) => member.role,
        // An agent whom the desk replaced is no member any more, but deserves to hear why.
        None if post.assignment.is_some() => return Err(ChatError::NotYoursAnyMore { current: chat.serving.map(|(_, number)| number) }),
        None => return Err(ChatError::NotAMember { user: post.sender }),
    };
    post.content.check()?;
    let assignment = check_speaker(chat, post, role)?;
    let (mut events, conversation) = conversation_for(chat, post, role, at);
    events.push(
        MessagePosted {
            message: post.message,
            seq: chat.last_seq + 1,
            client_message: post.client_message,
            digest: post.digest,
            sender: post.sender,
            category: role.category(),
            origin: post.origin,
            persona: post.persona,
            visibility: post.visibility,
            style: post.style,
            kind: post.kind,
            conversation,
            assignment,
            quote: post.quote,
            body_bytes: u32::try_from(post.content.bytes()).unwrap_or(u32::MAX),
            private: Private::Known(post.content.clone()),
        }
        .into(),
    );
    Ok(events)
}

fn check_client_id(chat: &OpenChat, post: &PostMessage, at: Timestamp) -> Result<(), ChatError> {
    if post.client_message.minted_at_ms().is_none() {
        return Err(ChatError::ClientIdInvalid);
    }
    let floor = chat.sent.get(&post.sender).map_or(at - CLIENT_IDS_KEPT_FOR, |sent| sent.floor_at(at));
    if minted_at(post.client_message) <= floor { Err(ChatError::ClientIdTooOld { floor }) } else { Ok(()) }
}

/// Whether this member may say this now; answers the assignment an agent speaks under.
fn check_speaker(chat: &OpenChat, post: &PostMessage, role: ChatRole) -> Result<Option<u64>, ChatError> {
    match (role, post.visibility) {
        (ChatRole::Customer, Visibility::Staff) => Err(ChatError::StaffOnly),
        (ChatRole::Customer, Visibility::All) => Ok(None),
        (ChatRole::Agent | ChatRole::Supervisor | ChatRole::Robot | ChatRole::Provider, Visibility::Staff) => Ok(None),
        (ChatRole::Robot | ChatRole::Provider, Visibility::All) => Ok(None),
        (ChatRole::Agent | ChatRole::Supervisor, Visibility::All) => match chat.serving {
            Some((agent, current)) if agent == post.sender && post.assignment.is_none_or(|claimed| claimed == current) => Ok(Some(current)),
            Some((_, current)) => Err(ChatError::NotYoursAnyMore { current: Some(current) }),
            None => Err(ChatError::NotYoursAnyMore { current: None }),
        },
    }
}

/// The conversation the message belongs to, and the events that open or resume one.
fn conversation_for(chat: &OpenChat, post: &PostMessage, role: ChatRole, at: Timestamp) -> (Vec<ChatEvent>, Option<ConversationId>) {
    match chat.session {
        Session::Open { conversation, .. } => (vec![], Some(conversation)),
        Session::None | Session::Ended { .. } if role.is_staff() => (vec![], None),
        Session::Ended { conversation, at: ended } if at - ended <= post.reopen_window => {
            (vec![ConversationResumed { conversation, overlooked_seq: None }.into()], Some(conversation))
        }
        Session::None | Session::Ended { .. } => {
            let conversation = post.fresh_conversation;
            (vec![started(chat, conversation, Entry::default())], Some(conversation))
        }
    }
}

fn recall(chat: &OpenChat, by: UserId, message: MessageId, window: Millis, at: Timestamp) -> Decided {
    let sent = chat
        .sent
        .get(&by)
        .and_then(|sent| sent.by_client_id.values().find(|sent| sent.message == message))
        .ok_or(ChatError::NotRecallable { message })?;
    if sent.recalled {
        return Ok(vec![]);
    }
    if at - sent.at > window {
        return Err(ChatError::RecallWindowOver);
    }
    Ok(vec![MessageRecalled { message, seq: sent.seq, by }.into()])
}

fn hide(chat: &OpenChat, reader: UserId, message: MessageId, seq: u64) -> Decided {
    let member = member(chat, reader)?;
    if seq == 0 || seq > chat.last_seq {
        return Err(ChatError::BeyondEnd { last_seq: chat.last_seq });
    }
    if member.hidden.contains(&seq) {
        return Ok(vec![]);
    }
    if member.hidden.len() >= HIDDEN_MAX {
        return Err(ChatError::TooManyHidden { limit: HIDDEN_MAX });
    }
    Ok(vec![MessageHidden { message, seq, reader }.into()])
}

fn mark_read(chat: &OpenChat, reader: UserId, up_to_seq: u64) -> Decided {
    let member = member(chat, reader)?;
    if up_to_seq > chat.last_seq {
        return Err(ChatError::BeyondEnd { last_seq: chat.last_seq });
    }
    if up_to_seq <= member.read_seq { Ok(vec![]) } else { Ok(vec![MessagesRead { reader, up_to_seq }.into()]) }
}

fn started(chat: &OpenChat, conversation: ConversationId, entry: Entry) -> ChatEvent {
    ConversationStarted { conversation, shop: chat.shop, customer: chat.customer, entry }.into()
}

fn start_conversation(chat: &OpenChat, conversation: ConversationId, entry: &Entry) -> Decided {
    match chat.session {
        Session::Open { .. } => Ok(vec![]),
        Session::None | Session::Ended { .. } => Ok(vec![started(chat, conversation, entry.clone())]),
    }
}

fn end_conversation(chat: &OpenChat, conversation: ConversationId, seen_seq: u64) -> Decided {
    let Session::Open { conversation: open, last_customer_seq, .. } = chat.session else {
        return Ok(vec![]);
    };
    if open != conversation {
        return Ok(vec![]);
    }
    let mut events = vec![ConversationEnded { conversation }.into()];
    events.extend(chat.serving.map(|(user, _)| ChatEvent::from(MemberLeft { user })));
    // What the customer wrote before they could know of the end is not lost: the conversation goes on.
    if last_customer_seq > seen_seq {
        events.push(ConversationResumed { conversation, overlooked_seq: Some(last_customer_seq) }.into());
    }
    Ok(events)
}

fn expire_idle(chat: &OpenChat, expected: ConversationId, idle: Millis, unanswered: Millis, at: Timestamp) -> Decided {
    let Session::Open { conversation, unanswered_since, last_activity, .. } = chat.session else {
        return Ok(vec![]);
    };
    if conversation != expected {
        return Ok(vec![]);
    }
    let (since, limit) = match unanswered_since {
        Some(since) => (since, unanswered),
        None => (last_activity, idle),
    };
    if at - since < limit {
        Ok(vec![])
    } else {
        Ok(vec![ConversationIdled { conversation, unanswered: unanswered_since.is_some(), last_seq: chat.last_seq }.into()])
    }
}

fn follow_assignment(chat: &OpenChat, conversation: ConversationId, agent: UserId, assignment: u64) -> Decided {
    if chat.session.conversation() != Some(conversation) || assignment <= chat.last_assignment {
        return Ok(vec![]);
    }
    let mut events = Vec::with_capacity(2);
    if let Some((previous, _)) = chat.serving.filter(|(previous, _)| *previous != agent) {
        events.push(MemberLeft { user: previous }.into());
    }
    events.push(MemberJoined { user: agent, role: ChatRole::Agent, assignment: Some(assignment) }.into());
    Ok(events)
}

fn follow_release(chat: &OpenChat, assignment: u64) -> Decided {
    match chat.serving {
        Some((user, current)) if current == assignment => Ok(vec![MemberLeft { user }.into()]),
        Some(_) | None => Ok(vec![]),
    }
}

fn replace_customer(chat: &OpenChat, from: UserId, into: UserId) -> Decided {
    if chat.customer == into {
        return Ok(vec![]);
    }
    if chat.customer != from {
        return Err(ChatError::BelongsToAnother);
    }
    let conversation = match chat.session {
        Session::None => None,
        Session::Open { conversation, .. } | Session::Ended { conversation, .. } => Some(conversation),
    };
    Ok(vec![CustomerReplaced { from, into, conversation }.into()])
}
