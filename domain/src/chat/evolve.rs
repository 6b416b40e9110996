//! How facts change what a chat remembers.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{ChatEvent, MessagePosted};
use super::state::{ChatState, Member, OpenChat, SentMessage, Session};
use crate::message::{Category, ChatRole, Visibility};
use crate::time::Timestamp;

pub(super) fn evolve(state: &mut ChatState, event: &ChatEvent, at: Timestamp) {
    if let ChatEvent::ChatOpened(opened) = event {
        let customer = Member { role: ChatRole::Customer, read_seq: 0, hidden: BTreeSet::new() };
        *state = ChatState::Open(Box::new(OpenChat {
            shop: opened.shop,
            customer: opened.customer,
            last_seq: 0,
            members: BTreeMap::from([(opened.customer, customer)]),
            session: Session::None,
            serving: None,
            last_assignment: 0,
            sent: BTreeMap::new(),
        }));
        return;
    }
    let ChatState::Open(chat) = state else {
        return;
    };
    match event {
        ChatEvent::ChatOpened(_) | ChatEvent::ConversationIdled(_) => {}
        ChatEvent::MemberJoined(joined) => {
            let member = Member { role: joined.role, read_seq: 0, hidden: BTreeSet::new() };
            chat.members.entry(joined.user).or_insert(member).role = joined.role;
            if let Some(assignment) = joined.assignment {
                chat.serving = Some((joined.user, assignment));
                chat.last_assignment = chat.last_assignment.max(assignment);
            }
        }
        ChatEvent::MemberLeft(left) => {
            chat.members.remove(&left.user);
            if chat.serving.is_some_and(|(agent, _)| agent == left.user) {
                chat.serving = None;
            }
        }
        ChatEvent::CustomerReplaced(replaced) => {
            if let Some(member) = chat.members.remove(&replaced.from) {
                chat.members.insert(replaced.into, member);
            }
            if let Some(sent) = chat.sent.remove(&replaced.from) {
                chat.sent.entry(replaced.into).or_default().absorb(sent, at);
            }
            chat.customer = replaced.into;
        }
        ChatEvent::MessagePosted(posted) => message_posted(chat, posted, at),
        ChatEvent::MessageRecalled(recalled) => {
            if let Some(sent) = chat.sent.get_mut(&recalled.by)
                && let Some(message) = sent.by_client_id.values_mut().find(|sent| sent.message == recalled.message)
            {
                message.recalled = true;
            }
        }
        ChatEvent::MessageHidden(hidden) => {
            if let Some(member) = chat.members.get_mut(&hidden.reader) {
                member.hidden.insert(hidden.seq);
            }
        }
        ChatEvent::MessagesRead(read) => {
            if let Some(member) = chat.members.get_mut(&read.reader) {
                member.read_seq = member.read_seq.max(read.up_to_seq);
            }
        }
        ChatEvent::ConversationStarted(started) => {
            chat.session =
                Session::Open { conversation: started.conversation, last_customer_seq: 0, unanswered_since: None, last_activity: at };
        }
        ChatEvent::ConversationResumed(resumed) => {
            chat.session = Session::Open {
                conversation: resumed.conversation,
                last_customer_seq: resumed.overlooked_seq.unwrap_or(0),
                unanswered_since: resumed.overlooked_seq.map(|_| at),
                last_activity: at,
            };
        }
        ChatEvent::ConversationEnded(ended) => {
            chat.session = Session::Ended { conversation: ended.conversation, at };
        }
    }
}

fn message_posted(chat: &mut OpenChat, posted: &MessagePosted, at: Timestamp) {
    chat.last_seq = posted.seq;
    let sent = SentMessage { message: posted.message, seq: posted.seq, digest: posted.digest, at, recalled: false };
    chat.sent.entry(posted.sender).or_default().remember(posted.client_message, sent);
    // Otherwise a chat would remember every agent who ever answered in it.
    chat.sent.retain(|_, sent| !sent.is_forgotten(at));
    if let Session::Open { last_customer_seq, unanswered_since, last_activity, .. } = &mut chat.session {
        *last_activity = at;
        match (posted.category, posted.visibility) {
            (Category::Customer, _) => {
                *last_customer_seq = posted.seq;
                unanswered_since.get_or_insert(at);
            }
            (Category::Agent, Visibility::All) => *unanswered_since = None,
            (Category::Agent, Visibility::Staff) | (Category::System | Category::Robot, _) => {}
        }
    }
}
