//! What a chat answers. What only a group thread can be asked is in `thread`, what nobody in the chat says in `told`, how contact is
//! started in `outreach`, what follows from the passing of time in `time`.

mod outreach;
mod thread;
mod time;
mod told;

use super::command::{Attached, ChatCommand, PostMessage, ThreadCommand};
use super::error::ChatError;
use super::event::{
    ChatEvent, ChatOpened, ConversationEnded, ConversationResumed, ConversationStarted, CustomerReplaced, MemberJoined, MemberLeft,
    MessageHidden, MessagePosted, MessageRecalled, MessagesRead, QuestionAsked, UploadExpired,
};
use super::state::{
    CLIENT_IDS_AHEAD_MAX, CLIENT_IDS_KEPT_FOR, ChatKind, ChatState, HIDDEN_MAX, MEMBERS_MAX, Member, OpenChat, Part, SentMessages,
    ServiceChat, Session, minted_at,
};
use crate::conversation::event::Entry;
use crate::ids::{AttachmentId, ClientMessageId, ConversationId, MessageId, ShopId, UserId};
use crate::message::{Category, ChatRole, ContentDigest, Persona, Quoted, Visibility};
use crate::private::Private;
use crate::time::{Millis, Timestamp};

type Decided = Result<Vec<ChatEvent>, ChatError>;

pub(super) fn decide(command: &ChatCommand, state: &ChatState, at: Timestamp) -> Decided {
    if let ChatCommand::Open { shop, customer } = command {
        return open(*shop, *customer, state);
    }
    if let ChatCommand::Thread(ThreadCommand::Create { owner, label, title, members }) = command {
        return thread::create(*owner, label, title, members, state);
    }
    if let ChatCommand::Announce(announcement) = command {
        return told::announce(announcement, state, at);
    }
    if let ChatCommand::ReachOut(order) = command {
        return outreach::reach_out(order, state, at);
    }
    let chat = state.open().ok_or(ChatError::NotOpen)?;
    let service = || chat.service().ok_or(ChatError::OtherKind);
    match command {
        ChatCommand::Open { .. } | ChatCommand::Announce(_) | ChatCommand::ReachOut(_) => Ok(vec![]),
        ChatCommand::HandOver(order) => outreach::hand_over(service()?, order, at),
        ChatCommand::Join { user, role } => service().and_then(|_| join(chat, *user, *role)),
        ChatCommand::Leave { user } => match &chat.kind {
            ChatKind::Service(service) => leave(chat, service, *user),
            ChatKind::Group(thread) => thread::leave(chat, *thread, *user),
        },
        ChatCommand::Post(post) => self::post(chat, post, at),
        ChatCommand::Notify(notice) => told::notify(chat, service()?, notice, at),
        ChatCommand::Recall { by, message, window } => recall(chat, *by, *message, *window, at),
        ChatCommand::Hide { reader, message, seq } => hide(chat, *reader, *message, *seq),
        ChatCommand::MarkRead { reader, up_to_seq } => mark_read(chat, *reader, *up_to_seq),
        ChatCommand::StartConversation { conversation, entry } => start_conversation(service()?, *conversation, entry),
        ChatCommand::ResumeConversation { conversation, window } => resume_conversation(service()?, *conversation, *window, at),
        ChatCommand::EndConversation { conversation, seen_seq } => end_conversation(service()?, *conversation, *seen_seq),
        ChatCommand::ExpireIdle { conversation, idle_expiry, unanswered_expiry } => {
            time::expire_idle(chat, service()?, *conversation, (*idle_expiry, *unanswered_expiry), at)
        }
        ChatCommand::SetIdleLimits(limits) => time::set_idle_limits(service()?, limits),
        ChatCommand::EngageRobot { conversation } => time::engage_robot(service()?, *conversation),
        ChatCommand::DismissRobot { conversation } => time::dismiss_robot(service()?, *conversation),
        ChatCommand::RemindIdle { conversation } => time::remind_idle(service()?, *conversation, at),
        ChatCommand::AcceptAssignment { agent } => time::accept_assignment(service()?, *agent),
        ChatCommand::TimeOutAssignment { assignment } => time::time_out_assignment(service()?, *assignment, at),
        ChatCommand::FollowAssignment { conversation, agent, assignment, accept_within, answer_within } => {
            let joined = MemberJoined {
                user: *agent,
                role: ChatRole::Agent,
                assignment: Some(*assignment),
                accept_within: *accept_within,
                answer_within: *answer_within,
            };
            follow_assignment(service()?, *conversation, *assignment, joined)
        }
        ChatCommand::FollowRelease { assignment } => follow_release(service()?, *assignment),
        ChatCommand::ReplaceCustomer { from, into } => replace_customer(service()?, *from, *into),
        ChatCommand::ExpireUpload { attachment, use_by } => expire_upload(*attachment, *use_by, at),
        ChatCommand::Thread(command) => thread::decide(command, chat),
    }
}

fn open(shop: ShopId, customer: UserId, state: &ChatState) -> Decided {
    let ChatState::Open(chat) = state else {
        return Ok(vec![ChatOpened { shop, customer }.into()]);
    };
    let service = chat.service().ok_or(ChatError::OtherKind)?;
    if service.shop == shop && service.customer == customer { Ok(vec![]) } else { Err(ChatError::BelongsToAnother) }
}

fn join(chat: &OpenChat, user: UserId, role: ChatRole) -> Decided {
    match role {
        ChatRole::Customer | ChatRole::Agent | ChatRole::Participant => return Err(ChatError::NotJoinable { role }),
        ChatRole::Supervisor | ChatRole::Robot | ChatRole::Provider => {}
    }
    if chat.members.contains_key(&user) {
        return Ok(vec![]);
    }
    if chat.members.len() >= MEMBERS_MAX {
        return Err(ChatError::TooManyMembers { limit: MEMBERS_MAX });
    }
    Ok(vec![MemberJoined { user, role, assignment: None, accept_within: None, answer_within: None }.into()])
}

fn leave(chat: &OpenChat, service: &ServiceChat, user: UserId) -> Decided {
    if user == service.customer {
        return Err(ChatError::CustomerStays);
    }
    if service.serving.is_some_and(|(agent, _)| agent == user) {
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
    if is_posted(chat, post.sender, post.client_message, post.digest)? {
        return Ok(vec![]);
    }
    check_client_id(chat, post.sender, post.client_message, at)?;
    match &chat.kind {
        ChatKind::Service(service) => post_in_service(chat, service, post, at),
        ChatKind::Group(thread) => thread::post(chat, *thread, post, at),
    }
}

/// Whether a message with this client id is there. A retry is answered before any other rule: the message is there, whatever
/// changed since.
fn is_posted(chat: &OpenChat, sender: UserId, client_message: ClientMessageId, digest: ContentDigest) -> Result<bool, ChatError> {
    match chat.sent_message(sender, client_message) {
        Some(sent) if sent.digest == digest => Ok(true),
        Some(_) => Err(ChatError::ClientIdReused),
        None => Ok(false),
    }
}

fn post_in_service(chat: &OpenChat, service: &ServiceChat, post: &PostMessage, at: Timestamp) -> Decided {
    let role = match chat.members.get(&post.sender).map(|member| &member.part) {
        Some(Part::Seat(role)) => *role,
        // An agent whom the desk replaced is no member any more, but deserves to hear why.
        None if post.assignment.is_some() => return Err(ChatError::NotYoursAnyMore { current: service.serving.map(|(_, number)| number) }),
        Some(Part::Participant(_)) | None => return Err(ChatError::NotAMember { user: post.sender }),
    };
    check_content(post)?;
    let attachment = check_attached(post, at)?;
    let category = role.category().ok_or(ChatError::OtherKind)?;
    let assignment = check_speaker(service, post, role)?;
    let (mut events, conversation) = conversation_for(service, post, role, at);
    let said = MessagePosted { conversation, assignment, attachment, ..message(chat, post, category, post.persona) };
    let seq = said.seq;
    events.push(said.into());
    // A robot is asked whatever the customer writes, as long as it has the conversation.
    if let Session::Open { conversation, silence, .. } = service.session
        && silence.robot
        && category == Category::Customer
    {
        events.push(QuestionAsked { conversation, seq }.into());
    }
    Ok(events)
}

/// The message at the next place, outside of any conversation and without an attachment.
fn message(chat: &OpenChat, post: &PostMessage, category: Category, persona: Persona) -> MessagePosted {
    MessagePosted {
        message: post.message,
        seq: chat.last_seq + 1,
        client_message: post.client_message,
        digest: post.digest,
        sender: post.sender,
        category,
        origin: post.origin,
        persona,
        visibility: post.visibility,
        style: post.style,
        kind: post.kind,
        conversation: None,
        assignment: None,
        quote: post.quoted.message(),
        quote_seq: post.quoted.seq(),
        attachment: None,
        body_bytes: u32::try_from(post.content.bytes()).unwrap_or(u32::MAX),
        private: Private::Known(post.content.clone()),
    }
}

fn check_client_id(chat: &OpenChat, sender: UserId, client_message: ClientMessageId, at: Timestamp) -> Result<(), ChatError> {
    let sent = chat.sent.get(&sender);
    check_minted(client_message, sent.map_or(at - CLIENT_IDS_KEPT_FOR, |sent| sent.floor_at(at)), at)?;
    // What is not remembered could be posted twice.
    match sent.and_then(SentMessages::full_from) {
        Some(oldest) if client_message < oldest => Err(ChatError::ClientIdTooOld { floor: minted_at(oldest) }),
        Some(_) | None => Ok(()),
    }
}

fn check_minted(client_message: ClientMessageId, floor: Timestamp, at: Timestamp) -> Result<(), ChatError> {
    if client_message.minted_at_ms().is_none() || minted_at(client_message) > at + CLIENT_IDS_AHEAD_MAX {
        return Err(ChatError::ClientIdInvalid);
    }
    if minted_at(client_message) <= floor { Err(ChatError::ClientIdTooOld { floor }) } else { Ok(()) }
}

/// Whether this can be said at all.
fn check_content(post: &PostMessage) -> Result<(), ChatError> {
    match post.quoted {
        Quoted::Missing => return Err(ChatError::QuoteNotFound),
        Quoted::Message { visibility: Visibility::Staff, .. } if post.visibility == Visibility::All => return Err(ChatError::NoteQuoted),
        Quoted::Message { .. } | Quoted::Nothing => {}
    }
    post.content.check()?;
    Ok(())
}

/// The attachment that is used from here on. An upload that no message used in time may be gone by now, whatever was found a moment
/// ago.
fn check_attached(post: &PostMessage, at: Timestamp) -> Result<Option<AttachmentId>, ChatError> {
    match post.attached {
        Attached::Nothing => Ok(None),
        Attached::File { attachment, use_by } if use_by.is_none_or(|use_by| at <= use_by) => Ok(Some(attachment)),
        Attached::File { .. } | Attached::Missing => Err(ChatError::AttachmentGone),
    }
}

/// The fact bears a time after the upload's, and no later decision of this chat bears an earlier one: so nothing has to be remembered.
fn expire_upload(attachment: AttachmentId, use_by: Timestamp, at: Timestamp) -> Decided {
    if at <= use_by { Err(ChatError::UploadUsable { use_by }) } else { Ok(vec![UploadExpired { attachment }.into()]) }
}

/// Whether this member may say this now; answers the assignment an agent speaks under.
fn check_speaker(service: &ServiceChat, post: &PostMessage, role: ChatRole) -> Result<Option<u64>, ChatError> {
    match (role, post.visibility) {
        (ChatRole::Customer | ChatRole::Participant, Visibility::Staff) => Err(ChatError::StaffOnly),
        (ChatRole::Customer | ChatRole::Participant, Visibility::All) => Ok(None),
        (ChatRole::Agent | ChatRole::Supervisor | ChatRole::Robot | ChatRole::Provider, Visibility::Staff) => Ok(None),
        (ChatRole::Robot | ChatRole::Provider, Visibility::All) => Ok(None),
        (ChatRole::Agent | ChatRole::Supervisor, Visibility::All) => match service.serving {
            Some((agent, current)) if agent == post.sender && post.assignment.is_none_or(|claimed| claimed == current) => Ok(Some(current)),
            Some((_, current)) => Err(ChatError::NotYoursAnyMore { current: Some(current) }),
            None => Err(ChatError::NotYoursAnyMore { current: None }),
        },
    }
}

/// The conversation the message belongs to, and the events that open or resume one.
fn conversation_for(service: &ServiceChat, post: &PostMessage, role: ChatRole, at: Timestamp) -> (Vec<ChatEvent>, Option<ConversationId>) {
    match service.session {
        Session::Open { conversation, .. } => (vec![], Some(conversation)),
        Session::None | Session::Ended { .. } if role.is_staff() => (vec![], None),
        Session::Ended { conversation, at: ended } if at - ended <= post.reopen_window => {
            (vec![ConversationResumed { conversation, overlooked_seq: None }.into()], Some(conversation))
        }
        Session::None | Session::Ended { .. } => {
            let conversation = post.fresh_conversation;
            (vec![started(service, conversation, Entry::default())], Some(conversation))
        }
    }
}

fn recall(chat: &OpenChat, by: UserId, message: MessageId, window: Millis, at: Timestamp) -> Decided {
    let sent = chat
        .sent
        .get(&by)
        .and_then(|sent| sent.messages().find(|sent| sent.message == message))
        .ok_or(ChatError::NotRecallable { message })?;
    if sent.recalled {
        return Ok(vec![]);
    }
    if at - sent.at > window {
        return Err(ChatError::RecallWindowOver);
    }
    Ok(vec![MessageRecalled { message, seq: sent.seq, by, visibility: sent.visibility }.into()])
}

fn hide(chat: &OpenChat, reader: UserId, message: MessageId, seq: u64) -> Decided {
    let member = member(chat, reader)?;
    if seq == 0 || seq > chat.last_seq {
        return Err(ChatError::BeyondEnd { last_seq: chat.last_seq });
    }
    if seq <= member.floor() {
        return Err(ChatError::BeforeJoining { floor: member.floor() });
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
    let sees_notes = matches!(member.part, Part::Seat(role) if role.is_staff());
    let notes = chat.service().map(|service| &service.notes);
    // Whoever sees no notes has read up to what they see, and is told of no other place.
    let up_to_seq = notes.filter(|_| !sees_notes).map_or(up_to_seq, |notes| notes.last_before(member.read_seq, up_to_seq));
    if up_to_seq <= member.read_seq {
        return Ok(vec![]);
    }
    let shown = notes.filter(|_| sees_notes).map(|notes| notes.shown(member.read_seq, up_to_seq));
    let shown_seq = shown.filter(|shown| *shown != up_to_seq);
    Ok(vec![MessagesRead { reader, up_to_seq, shown_seq }.into()])
}

fn started(service: &ServiceChat, conversation: ConversationId, entry: Entry) -> ChatEvent {
    ConversationStarted { conversation, shop: service.shop, customer: service.customer, entry }.into()
}

fn start_conversation(service: &ServiceChat, conversation: ConversationId, entry: &Entry) -> Decided {
    match service.session {
        Session::Open { .. } => Ok(vec![]),
        Session::None | Session::Ended { .. } => Ok(vec![started(service, conversation, entry.clone())]),
    }
}

fn resume_conversation(service: &ServiceChat, conversation: ConversationId, window: Millis, at: Timestamp) -> Decided {
    match service.session {
        Session::Open { conversation: open, .. } if open == conversation => Ok(vec![]),
        Session::Ended { conversation: last, at: ended } if last == conversation => {
            if at - ended > window {
                return Err(ChatError::ReopenWindowOver);
            }
            Ok(vec![ConversationResumed { conversation, overlooked_seq: None }.into()])
        }
        Session::None | Session::Open { .. } | Session::Ended { .. } => Err(ChatError::AnotherConversation),
    }
}

fn end_conversation(service: &ServiceChat, conversation: ConversationId, seen_seq: u64) -> Decided {
    let Session::Open { conversation: open, last_customer_seq, .. } = service.session else {
        return Ok(vec![]);
    };
    if open != conversation {
        return Ok(vec![]);
    }
    let mut events = vec![ConversationEnded { conversation }.into()];
    events.extend(service.serving.map(|(user, _)| ChatEvent::from(MemberLeft { user })));
    // What the customer wrote before they could know of the end is not lost: the conversation goes on.
    if last_customer_seq > seen_seq {
        events.push(ConversationResumed { conversation, overlooked_seq: Some(last_customer_seq) }.into());
    }
    Ok(events)
}

fn follow_assignment(service: &ServiceChat, conversation: ConversationId, assignment: u64, joined: MemberJoined) -> Decided {
    if service.session.conversation() != Some(conversation) || assignment <= service.last_assignment {
        return Ok(vec![]);
    }
    let mut events = Vec::with_capacity(2);
    if let Some((previous, _)) = service.serving.filter(|(previous, _)| *previous != joined.user) {
        events.push(MemberLeft { user: previous }.into());
    }
    events.push(joined.into());
    Ok(events)
}

fn follow_release(service: &ServiceChat, assignment: u64) -> Decided {
    match service.serving {
        Some((user, current)) if current == assignment => Ok(vec![MemberLeft { user }.into()]),
        Some(_) | None => Ok(vec![]),
    }
}

fn replace_customer(service: &ServiceChat, from: UserId, into: UserId) -> Decided {
    if service.customer == into {
        return Ok(vec![]);
    }
    if service.customer != from {
        return Err(ChatError::BelongsToAnother);
    }
    let conversation = match service.session {
        Session::None => None,
        Session::Open { conversation, .. } | Session::Ended { conversation, .. } => Some(conversation),
    };
    Ok(vec![CustomerReplaced { from, into, conversation }.into()])
}
