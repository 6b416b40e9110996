//! The rows of the conversation list.

use application::queries::{ChatRow, ChatRowKind, ConversationRow, ConversationStatus, EventRef, MemberRow, TicketRow};
use domain::conversation::event::{CloseReason, ConversationEvent, Entry, EntryPage, HandedOff};
use domain::conversation::ticket::Ticket;
use domain::ids::{ChatId, ConversationId, GroupId, ShopId, TaskId, UserId};
use domain::labels::{Label, Reference};
use domain::message::{ChatRole, Party};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rows::Row;

/// A chat.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Chat {
    pub(super) kind: ChatRowKind,
    pub(super) members: Vec<MemberRow>,
    pub(super) last_seq: u64,
    pub(super) last_shown_seq: u64,
    pub(super) last_message: Option<EventRef>,
    pub(super) last_message_at: Option<Timestamp>,
    pub(super) conversation: Option<ConversationId>,
    pub(super) last_conversation: Option<ConversationId>,
    /// How many conversations there were.
    pub(super) conversations: u32,
}

/// A conversation: what its row shows, and a little more. The entry is taken apart because its optional fields are left out
/// when they are written as JSON, which a format without field names cannot follow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Conversation {
    pub(super) chat: ChatId,
    pub(super) shop: ShopId,
    pub(super) customer: UserId,
    page: EntryPage,
    subject: Option<Reference>,
    asked_group: Option<GroupId>,
    pub(super) status: ConversationStatus,
    pub(super) task: Option<TaskId>,
    pub(super) group: Option<GroupId>,
    /// The robot that receives.
    pub(super) robot: Option<Label>,
    pub(super) agent: Option<UserId>,
    pub(super) assignment: Option<u64>,
    opened_at: Timestamp,
    pub(super) closed_at: Option<Timestamp>,
    pub(super) close_reason: Option<CloseReason>,
    closed_by: Option<Party>,
    close_label: Option<Label>,
    pub(super) score: Option<u8>,
    pub(super) waiting_since: Option<Timestamp>,
    pub(super) last_message: Option<EventRef>,
    pub(super) last_activity: Timestamp,
    pub(super) messages: u64,
    /// Whether it is answered like a left message.
    pub(super) left_message: bool,
    /// When the customer wrote last.
    pub(super) customer_wrote_at: Option<Timestamp>,
    /// Where the desk decided about it.
    pub(super) decisions: Vec<EventRef>,
    /// The ticket of a left message.
    pub(super) ticket: Option<TicketRow>,
    /// Everybody who ever served it, in the order of their first assignment.
    pub(super) served_by: Vec<UserId>,
    /// Where the store lists it.
    #[serde(skip)]
    pub(super) listed: Option<Listed>,
}

/// What the places of a conversation in the lists are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) status: ConversationStatus,
    pub(super) last_activity: Timestamp,
    pub(super) customer: UserId,
    /// How many of `served_by`; the list of them only grows.
    pub(super) served_by: usize,
    /// Whether it has a ticket; once it has one, it keeps it.
    pub(super) ticket: bool,
}

/// The chats of a user, in the order of joining.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct UserChats(pub(super) Vec<ChatId>);

impl Row for Chat {}

impl Row for Conversation {
    fn loaded(&mut self) {
        self.listed = Some(self.places());
    }
}

impl Row for UserChats {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Chat {
    pub(super) fn opened(shop: ShopId, customer: UserId) -> Self {
        let first = MemberRow { user: customer, role: ChatRole::Customer, read_seq: 0, shown_seq: 0, participant: None };
        Self::begun(ChatRowKind::Service { shop, customer }, first)
    }

    pub(super) fn begun(kind: ChatRowKind, first: MemberRow) -> Self {
        Self {
            kind,
            members: vec![first],
            last_seq: 0,
            last_shown_seq: 0,
            last_message: None,
            last_message_at: None,
            conversation: None,
            last_conversation: None,
            conversations: 0,
        }
    }

    pub(super) fn member(&mut self, user: UserId) -> Option<&mut MemberRow> {
        self.members.iter_mut().find(|member| member.user == user)
    }

    pub(super) fn replace_customer(&mut self, from: UserId, into: UserId) {
        if let Some(mut member) = self.member(from).cloned() {
            self.members.retain(|other| other.user != from && other.user != into);
            member.user = into;
            self.members.push(member);
        }
        if let ChatRowKind::Service { customer, .. } = &mut self.kind {
            *customer = into;
        }
    }

    /// Whether it is the chat of this customer with this shop.
    pub(super) fn is_between(&self, shop: ShopId, customer: UserId) -> bool {
        matches!(self.kind, ChatRowKind::Service { shop: of, customer: with, .. } if of == shop && with == customer)
    }

    pub(super) fn shown(self, chat: ChatId) -> ChatRow {
        ChatRow {
            chat,
            kind: self.kind,
            members: self.members,
            last_seq: self.last_seq,
            last_shown_seq: self.last_shown_seq,
            last_message: self.last_message,
            last_message_at: self.last_message_at,
            conversation: self.conversation,
            last_conversation: self.last_conversation,
        }
    }
}

impl Conversation {
    /// Takes in a fact of the conversation; that it opened is known.
    pub(super) fn take_in(&mut self, event: &ConversationEvent, at: Timestamp, place: EventRef) {
        self.last_activity = at;
        self.ticket_event(event, at, place);
        let open = self.closed_at.is_none();
        match event {
            ConversationEvent::ConversationOpened(_)
            | ConversationEvent::HandOffRefused(_)
            | ConversationEvent::RobotAnswered(_)
            | ConversationEvent::AnswerRated(_)
            | ConversationEvent::TicketChanged(_)
            | ConversationEvent::HumanWanted(_)
            | ConversationEvent::StillWaiting(_)
            | ConversationEvent::ProviderAnswered(_)
            | ConversationEvent::RatingInvited(_) => {}
            ConversationEvent::RobotEngaged(engaged) => self.robot = Some(engaged.robot.clone()),
            ConversationEvent::HandedOff(handed) => {
                self.robot = None;
                self.task = Some(handed.task);
                self.group = Some(handed.group);
                if open {
                    self.status = waiting(handed.left_message);
                }
                self.left_message = handed.left_message;
            }
            ConversationEvent::MessageLeft(_) => {
                self.left_message = true;
                // Whoever still has it gives it back first.
                if open && self.status == ConversationStatus::Waiting {
                    self.status = ConversationStatus::LeftMessage;
                }
            }
            ConversationEvent::ConversationMoved(moved) => self.group = Some(moved.group),
            ConversationEvent::AgentAssigned(assigned) => {
                self.agent = Some(assigned.agent);
                self.assignment = Some(assigned.assignment);
                self.robot = None;
                self.left_message = false;
                if open {
                    self.status = ConversationStatus::Serving;
                }
                if !self.served_by.contains(&assigned.agent) {
                    self.served_by.push(assigned.agent);
                }
            }
            ConversationEvent::AgentReleased(released) => {
                self.assignment = None;
                self.group = released.group.or(self.group);
                if open {
                    self.status = if self.group.is_some() { waiting(self.left_message) } else { ConversationStatus::Reception };
                }
            }
            ConversationEvent::ConversationRated(rated) => self.score = Some(rated.score),
            ConversationEvent::ConversationClosed(closed) => {
                self.status = ConversationStatus::Closed;
                self.robot = None;
                self.assignment = None;
                self.closed_at = Some(at);
                self.close_reason = Some(closed.reason);
                self.closed_by = Some(closed.by);
                self.close_label.clone_from(&closed.label);
                self.waiting_since = None;
                if closed.reason == CloseReason::EndedByAgent {
                    self.task = None;
                }
            }
            ConversationEvent::ConversationReopened(_) => {
                self.status = ConversationStatus::Reception;
                self.closed_at = None;
                self.close_reason = None;
                (self.closed_by, self.close_label) = (None, None);
            }
            ConversationEvent::CustomerReplaced(replaced) => self.customer = replaced.into,
        }
    }

    /// The same rules as the decider's.
    fn ticket_event(&mut self, event: &ConversationEvent, at: Timestamp, place: EventRef) {
        if let ConversationEvent::HandedOff(HandedOff { left_message: true, .. }) | ConversationEvent::MessageLeft(_) = event {
            let mut ticket = self.ticket.as_ref().map(|row| row.ticket);
            Ticket::left(&mut ticket);
            let row = self.ticket.get_or_insert_with(|| TicketRow { ticket: Ticket::default(), left_at: at, changes: vec![] });
            row.ticket = ticket.unwrap_or_default();
        }
        let Some(row) = &mut self.ticket else { return };
        if let ConversationEvent::AgentAssigned(assigned) = event {
            row.ticket.given_to(assigned.agent);
        }
        if let ConversationEvent::ConversationClosed(closed) = event {
            row.ticket.ended(closed.reason);
        }
        if let ConversationEvent::TicketChanged(changed) = event {
            row.ticket.changed(changed);
            row.changes.push(place);
        }
    }

    pub(super) fn begun(chat: ChatId, shop: ShopId, customer: UserId, entry: &Entry, at: Timestamp) -> Self {
        Self {
            chat,
            shop,
            customer,
            page: entry.page,
            subject: entry.subject.clone(),
            asked_group: entry.group,
            decisions: vec![],
            status: ConversationStatus::Reception,
            task: None,
            group: entry.group,
            robot: None,
            agent: None,
            assignment: None,
            opened_at: at,
            closed_at: None,
            close_reason: None,
            closed_by: None,
            close_label: None,
            score: None,
            waiting_since: None,
            last_message: None,
            last_activity: at,
            messages: 0,
            left_message: false,
            customer_wrote_at: None,
            ticket: None,
            served_by: Vec::new(),
            listed: None,
        }
    }

    pub(super) fn places(&self) -> Listed {
        Listed {
            status: self.status,
            last_activity: self.last_activity,
            customer: self.customer,
            served_by: self.served_by.len(),
            ticket: self.ticket.is_some(),
        }
    }

    pub(super) fn shown(&self, conversation: ConversationId) -> ConversationRow {
        ConversationRow {
            conversation,
            chat: self.chat,
            shop: self.shop,
            customer: self.customer,
            entry: Entry { page: self.page, subject: self.subject.clone(), group: self.asked_group },
            status: self.status,
            task: self.task,
            group: self.group,
            robot: self.robot.clone(),
            agent: self.agent,
            assignment: self.assignment,
            opened_at: self.opened_at,
            closed_at: self.closed_at,
            close_reason: self.close_reason,
            closed_by: self.closed_by,
            close_label: self.close_label.clone(),
            score: self.score,
            waiting_since: self.waiting_since,
            last_message: self.last_message,
            last_activity: self.last_activity,
            messages: self.messages,
            decisions: self.decisions.clone(),
            ticket: self.ticket.clone(),
        }
    }
}

/// How a conversation waits.
const fn waiting(left_message: bool) -> ConversationStatus {
    if left_message { ConversationStatus::LeftMessage } else { ConversationStatus::Waiting }
}
