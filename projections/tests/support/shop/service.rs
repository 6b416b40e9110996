//! The second half of a conversation: it is served, it ends, and what comes after the end.

use application::log::stream::StreamKey;
use domain::chat::event as chat;
use domain::conversation::event as conversation;
use domain::desk::event as desk;
use domain::event::Event;
use domain::ids::{MessageId, UserId};
use domain::message::{Category, ChatRole, Party, Visibility};
use domain::private::Private;
use domain::user::event as user;

use super::{Chat, Shop, Stage};

impl Shop {
    pub(super) fn assign(&mut self, index: usize) {
        let Some(agent) = (0..self.agents.len()).filter(|agent| self.agents[*agent].on).min_by_key(|agent| self.agents[*agent].carries)
        else {
            return;
        };
        if self.agents[agent].carries >= self.agents[agent].capacity {
            return;
        }
        self.agents[agent].carries += 1;
        self.assignment += 1;
        let assignment = self.assignment;
        let chat = &mut self.chats[index];
        chat.stage = Stage::Serving { agent, assignment };
        let (id, conversation, agent) = (chat.id, chat.conversation, self.agents[agent].id);
        let decision = desk::Decision {
            rule: desk::AssignmentRule::LeastLoaded,
            flow_version: 0,
            flow_shop: None,
            desk_version: 1,
            losing: vec![(desk::LosingReason::MoreLoaded, 3)],
            candidates: vec![desk::Candidate { agent, load: 0, capacity: 5, lost: None, score: None }],
        };
        let assigned = desk::ConversationAssigned {
            conversation,
            chat: id,
            agent,
            assignment,
            previous: None,
            accept_within: None,
            answer_within: None,
            provider: false,
            decision,
        };
        self.commit(StreamKey::Desk, [Event::Desk(assigned.into())]);
        let followed = Event::Conversation(conversation::AgentAssigned { chat: id, agent, assignment, provider: false }.into());
        self.commit(StreamKey::Conversation(conversation), [followed]);
        let joined = chat::MemberJoined {
            user: agent,
            role: ChatRole::Agent,
            assignment: Some(assignment),
            accept_within: None,
            answer_within: None,
        };
        self.commit(StreamKey::Chat(id), [Event::Chat(joined.into())]);
    }

    pub(super) fn in_service(&mut self, index: usize, agent: usize, assignment: u64) {
        let (id, customer) = (self.chats[index].id, self.chats[index].customer);
        let agent_id = self.agents[agent].id;
        let last = self.chats[index].seq;
        let may_end = self.chats[index].messages >= self.messages_per_conversation;
        if may_end && self.events_per_chat.is_some() {
            return self.ends(index, agent, assignment);
        }
        let event: Event = match self.chance.below(32) {
            0..=10 => return self.customer_writes(index),
            11..=20 => self.message(index, agent_id, Category::Agent, Visibility::All, Some(assignment)),
            21 => self.message(index, agent_id, Category::Agent, Visibility::Staff, None),
            22..=24 => Event::Chat(chat::MessagesRead { reader: customer, up_to_seq: last, shown_seq: None }.into()),
            25 | 26 => self.agent_reads(index, agent_id),
            27 => match self.chats[index].customer_sent.pop() {
                Some(seq) => Event::Chat(
                    chat::MessageRecalled { message: MessageId::from_u128(1), seq, by: customer, visibility: Visibility::All }.into(),
                ),
                None => return,
            },
            28 => Event::Chat(chat::MessageHidden { message: MessageId::from_u128(1), seq: last, reader: customer }.into()),
            29 => return self.watch(index),
            30 if self.chance.one_in(4) => return self.agent_goes(agent),
            _ => {
                if may_end {
                    self.ends(index, agent, assignment);
                }
                return;
            }
        };
        self.commit(StreamKey::Chat(id), [event]);
    }

    fn agent_reads(&self, index: usize, reader: UserId) -> Event {
        let chat = &self.chats[index];
        let up_to_seq = chat.seq.div_ceil(2).max(1);
        let shown = (1..=up_to_seq).rev().find(|seq| !chat.notes.contains(seq)).unwrap_or(0);
        let shown_seq = Some(shown).filter(|shown| *shown != up_to_seq);
        Event::Chat(chat::MessagesRead { reader, up_to_seq, shown_seq }.into())
    }

    fn watch(&mut self, index: usize) {
        let watcher = self.chats[index].watcher.take();
        let id = self.chats[index].id;
        let event = match watcher {
            Some(user) => chat::ChatEvent::from(chat::MemberLeft { user }),
            None => {
                let user = UserId::from_u128(self.id());
                self.chats[index].watcher = Some(user);
                chat::MemberJoined { user, role: ChatRole::Supervisor, assignment: None, accept_within: None, answer_within: None }.into()
            }
        };
        self.commit(StreamKey::Chat(id), [Event::Chat(event)]);
    }

    /// The agent's shift ends, and another begins.
    fn agent_goes(&mut self, agent: usize) {
        let id = self.agents[agent].id;
        self.commit(
            StreamKey::User(id),
            [Event::User(user::ServiceStopped {}.into()), Event::User(user::WentOffline { serves: true }.into())],
        );
        self.agents[agent].on = false;
        self.agent_updated(agent);
        for index in 0..self.chats.len() {
            let Stage::Serving { agent: owner, assignment } = self.chats[index].stage else { continue };
            if owner != agent {
                continue;
            }
            let (chat, conversation) = (self.chats[index].id, self.chats[index].conversation);
            let requeued = desk::ConversationRequeued {
                conversation,
                chat,
                agent: id,
                assignment,
                group: self.group,
                reason: desk::RequeueReason::ServiceStopped,
                overflow_at: None,
            };
            self.commit(StreamKey::Desk, [Event::Desk(requeued.into())]);
            let released = conversation::AgentReleased { chat, agent: id, assignment, group: None };
            self.commit(StreamKey::Conversation(conversation), [Event::Conversation(released.into())]);
            self.commit(StreamKey::Chat(chat), [Event::Chat(chat::MemberLeft { user: id }.into())]);
            self.chats[index].stage = Stage::Waiting;
        }
        self.agents[agent].carries = 0;
        self.commit(
            StreamKey::User(id),
            [Event::User(user::CameOnline { serves: true }.into()), Event::User(user::ServiceStarted {}.into())],
        );
        self.agents[agent].on = true;
        self.agent_updated(agent);
    }

    fn ends(&mut self, index: usize, agent: usize, assignment: u64) {
        let chat = &mut self.chats[index];
        chat.stage = Stage::Closed;
        let (id, conversation, seen_seq) = (chat.id, chat.conversation, chat.seq);
        let agent_id = self.agents[agent].id;
        let closed = conversation::ConversationClosed {
            chat: id,
            reason: conversation::CloseReason::EndedByAgent,
            by: Party::User(agent_id),
            seen_seq,
            in_reception: false,
            label: None,
        };
        // Some were answered too late, so that there are tickets.
        if seen_seq % 4 == 0 {
            self.commit(StreamKey::Conversation(conversation), [Event::Conversation(conversation::MessageLeft { chat: id }.into())]);
        }
        self.commit(StreamKey::Conversation(conversation), [Event::Conversation(closed.into())]);
        self.commit(
            StreamKey::Chat(id),
            [Event::Chat(chat::ConversationEnded { conversation }.into()), Event::Chat(chat::MemberLeft { user: agent_id }.into())],
        );
        let released = desk::ConversationReleased { conversation, chat: id, agent: Some(agent_id), assignment: Some(assignment) };
        self.commit(StreamKey::Desk, [Event::Desk(released.into())]);
        self.agents[agent].carries -= 1;
        for waiting in 0..self.chats.len() {
            if self.chats[waiting].stage == Stage::Waiting {
                self.assign(waiting);
                break;
            }
        }
    }

    pub(super) fn after_the_end(&mut self, index: usize) {
        match self.chance.below(6) {
            0 => {
                let Chat { id, customer, conversation, .. } = self.chats[index];
                let agent = self.agents[0].id;
                let rated = conversation::ConversationRated {
                    chat: id,
                    by: customer,
                    agent,
                    score: 5,
                    tags: vec![],
                    solved: Some(true),
                    invited: false,
                    private: Private::Closed,
                };
                self.commit(StreamKey::Conversation(conversation), [Event::Conversation(rated.into())]);
            }
            1 => self.conversation_begins(index),
            2 => {
                let Chat { id, conversation, seq, .. } = self.chats[index];
                let customer = self.chats[index].customer;
                let late = self.chance.one_in(2).then_some(seq);
                self.chats[index].stage = Stage::Reception;
                let resumed = Event::Chat(chat::ConversationResumed { conversation, overlooked_seq: late }.into());
                let message = self.message(index, customer, Category::Customer, Visibility::All, None);
                self.commit(StreamKey::Chat(id), [resumed, message]);
                let reopened = conversation::ConversationReopened { chat: id, group: Some(self.group) };
                self.commit(StreamKey::Conversation(conversation), [Event::Conversation(reopened.into())]);
            }
            _ => {
                let chat = self.chats.swap_remove(index);
                self.finished.push(chat);
            }
        }
    }
}
