//! The visits to the desk, as they go on.

use domain::chat::event::{ChatEvent, MessagePosted};
use domain::conversation::event::CloseReason;
use domain::desk::event::{
    AssignmentRule, ConversationAssigned, ConversationQueued, ConversationRequeued, QueueKind, RequeueReason, Scores,
};
use domain::ids::{ChatId, ConversationId};
use domain::message::{Category, Origin, Visibility};
use domain::time::{Millis, Timestamp};
use hashbrown::{HashMap, HashSet};

use super::super::{Carried, REPLY_WINDOW};
use crate::rehearsal::visit::{Arrival, Caller, Deed, Done, Lateness, Order, Patience, Service, ServiceEnd, Visit, Wait, is_abandonment};

/// When, and its place among the recorded facts.
type Moment = (Timestamp, Order);

/// A visit under way.
struct Open {
    visit: usize,
    since: Timestamp,
    serving: bool,
    left_message: bool,
    /// When it is to go on to another group.
    overflow_at: Option<Timestamp>,
}

/// What a customer waits for in a chat.
#[derive(Default)]
struct Talk {
    conversation: Option<ConversationId>,
    unanswered_since: Option<Timestamp>,
    /// Whether the first round of the visit is over.
    replied: bool,
}

/// See the file's head.
#[derive(Default)]
pub(super) struct Visits {
    /// Those that are over before the period are gone.
    all: Vec<Option<Box<Visit>>>,
    open: HashMap<ConversationId, Open>,
    times: HashMap<ConversationId, u32>,
    talks: HashMap<ChatId, Talk>,
    in_period: bool,
}

/// The visit at a place.
fn at_place(all: &mut [Option<Box<Visit>>], place: usize) -> Option<&mut Visit> {
    all.get_mut(place)?.as_deref_mut()
}

impl Visits {
    /// A conversation is queued, or queued otherwise; answers the visit if it is a new one.
    pub fn queued(
        &mut self,
        queued: &ConversationQueued,
        (at, order): Moment,
        caller: Option<Caller>,
        leave_message_after: Option<Millis>,
        by_a_person: bool,
    ) -> Option<usize> {
        if self.open.contains_key(&queued.conversation) {
            self.queued_otherwise(queued, (at, order), by_a_person);
            return None;
        }
        let left_message = queued.queue == QueueKind::Message;
        let arrival = Arrival {
            at,
            order,
            chat: queued.chat,
            group: Some(queued.group),
            priority: queued.priority,
            enqueued_at: queued.enqueued_at,
            left_message,
            shop: queued.shop,
            last_served: queued.last_served,
            language: queued.language.clone(),
            skills: queued.skills.clone(),
            scores: queued.scores.clone(),
            leave_message_after: leave_message_after.filter(|_| !left_message),
            caller,
        };
        let talk = self.talks.entry(queued.chat).or_default();
        talk.conversation = Some(queued.conversation);
        talk.replied = false;
        let asked_at = talk.unanswered_since;
        let visit = self.add(queued.conversation, arrival, asked_at);
        let open = Open { visit, since: at, serving: false, left_message, overflow_at: queued.overflow_at };
        self.open.insert(queued.conversation, open);
        self.wait(visit);
        Some(visit)
    }

    /// Somebody for whom there was nobody.
    pub fn refused(&mut self, conversation: ConversationId, chat: ChatId, caller: Caller, (at, order): Moment) -> Option<usize> {
        if self.open.contains_key(&conversation) {
            return None;
        }
        let arrival = Arrival {
            at,
            order,
            chat,
            group: None,
            priority: domain::flow::assignment::PRIORITY_DEFAULT,
            enqueued_at: at,
            left_message: false,
            shop: None,
            last_served: None,
            language: caller.language.clone(),
            skills: vec![],
            scores: Scores::new(),
            leave_message_after: None,
            caller: Some(caller),
        };
        Some(self.add(conversation, arrival, Some(at)))
    }

    fn add(&mut self, conversation: ConversationId, arrival: Arrival, asked_at: Option<Timestamp>) -> usize {
        let times = self.times.entry(conversation).or_default();
        let nth = *times;
        *times += 1;
        let visit = Visit { asked_at, ..Visit::new(conversation, nth, arrival) };
        self.all.push(Some(Box::new(visit)));
        self.all.len() - 1
    }

    fn wait(&mut self, visit: usize) {
        if let Some(visit) = at_place(&mut self.all, visit) {
            visit.waits.push(Wait { patience: Patience::AtLeast(Millis(0)), deeds: vec![] });
        }
    }

    fn queued_otherwise(&mut self, queued: &ConversationQueued, (at, order): Moment, by_a_person: bool) {
        let Some(open) = self.open.get_mut(&queued.conversation).filter(|open| !open.serving) else { return };
        let Some(visit) = at_place(&mut self.all, open.visit) else { return };
        let deed = if queued.queue == QueueKind::Message && !open.left_message {
            open.left_message = true;
            Some(Deed::LeaveMessage)
        } else {
            by_a_person.then_some(Deed::ToGroup(queued.group))
        };
        settle_overflow(open, visit, at, deed.is_none().then_some(order));
        open.overflow_at = queued.overflow_at;
        if let (Some(deed), Some(wait)) = (deed, visit.waits.last_mut()) {
            wait.deeds.push(Done { after: at - open.since, order, deed });
        }
    }

    /// It has an owner; the first fact of a command says what was commanded.
    pub fn assigned(&mut self, assigned: &ConversationAssigned, (at, order): Moment, is_first: bool) {
        let waits_for_answer = self.talks.get(&assigned.chat).is_some_and(|talk| talk.unanswered_since.is_some());
        let deed = deed_of(assigned).filter(|_| is_first);
        let Some(open) = self.open.get_mut(&assigned.conversation) else { return };
        let Some(visit) = at_place(&mut self.all, open.visit) else { return };
        let after = at - open.since;
        if open.serving {
            if let (Some(service), Some(deed)) = (visit.services.last_mut(), deed) {
                (service.length, service.end, service.order) = (after, ServiceEnd::Deed(deed), order);
            }
        } else {
            settle_overflow(open, visit, at, None);
            if let Some(wait) = visit.waits.last_mut() {
                wait.patience = Patience::AtLeast(after);
                wait.deeds.extend(deed.map(|deed| Done { after, order, deed }));
            }
        }
        let limits = (assigned.accept_within, assigned.answer_within);
        let asked_after = waits_for_answer.then_some(Millis(0));
        visit.services.push(Service { limits, asked_after, ..Service::begun() });
        (open.serving, open.left_message, open.since) = (true, false, at);
    }

    pub fn requeued(&mut self, requeued: &ConversationRequeued, (at, order): Moment) {
        let Some(open) = self.open.get_mut(&requeued.conversation).filter(|open| open.serving) else { return };
        let Some(visit) = at_place(&mut self.all, open.visit) else { return };
        let end = match requeued.reason {
            RequeueReason::AgentLost | RequeueReason::ServiceStopped => ServiceEnd::Interrupted,
            RequeueReason::TransferredToGroup => ServiceEnd::Deed(Deed::ToGroup(requeued.group)),
            RequeueReason::NotAccepted => ServiceEnd::NotAccepted,
            RequeueReason::NotAnswered => ServiceEnd::NotAnswered,
            RequeueReason::Overdue => ServiceEnd::Overdue,
        };
        if let Some(service) = visit.services.last_mut() {
            (service.length, service.end, service.order) = (at - open.since, end, order);
        }
        (open.serving, open.since, open.overflow_at) = (false, at, requeued.overflow_at);
        open.left_message = requeued.reason == RequeueReason::Overdue;
        let visit = open.visit;
        self.wait(visit);
    }

    pub fn released(&mut self, conversation: ConversationId, (at, order): Moment, closed: Option<CloseReason>) {
        let Some(mut open) = self.open.remove(&conversation) else { return };
        let Some(visit) = at_place(&mut self.all, open.visit) else { return };
        let after = at - open.since;
        visit.closed = closed;
        if open.serving {
            if let Some(service) = visit.services.last_mut() {
                (service.length, service.end, service.order) = (after, ServiceEnd::Deed(Deed::End), order);
            }
        } else {
            settle_overflow(&mut open, visit, at, None);
            if let Some(wait) = visit.waits.last_mut() {
                if closed.is_none_or(is_abandonment) {
                    wait.patience = Patience::Left { after, order };
                } else {
                    // Somebody else ended it; how long the customer would have waited is not known.
                    wait.patience = Patience::AtLeast(after);
                    wait.deeds.push(Done { after, order, deed: Deed::End });
                }
            }
        }
        self.talks.remove(&visit.arrival.chat);
        if !self.in_period
            && let Some(place) = self.all.get_mut(open.visit)
        {
            *place = None;
        }
    }

    /// What is said in a chat, as far as somebody waits for an answer or gives one.
    pub fn chat(&mut self, chat: ChatId, event: &ChatEvent, at: Timestamp) {
        if let ChatEvent::MessagePosted(posted) = event {
            let is_answer = posted.category == Category::Agent && posted.visibility == Visibility::All;
            if posted.category == Category::Customer && posted.origin == Origin::Human {
                self.asked(chat, posted, at);
            } else if is_answer && matches!(posted.origin, Origin::Human | Origin::Assisted { .. }) {
                self.answered(chat, at);
            }
        } else if let ChatEvent::AssignmentAccepted(accepted) = event
            && let Some((service, since)) = self.service(accepted.conversation)
        {
            service.accepted_after.get_or_insert(at - since);
        }
    }

    /// The service of a conversation that is under way, and since when.
    fn service(&mut self, conversation: ConversationId) -> Option<(&mut Service, Timestamp)> {
        let open = self.open.get(&conversation).filter(|open| open.serving)?;
        Some((at_place(&mut self.all, open.visit)?.services.last_mut()?, open.since))
    }

    fn asked(&mut self, chat: ChatId, posted: &MessagePosted, at: Timestamp) {
        let talk = self.talks.entry(chat).or_default();
        if talk.unanswered_since.is_some() {
            return;
        }
        talk.unanswered_since = Some(at);
        let replied = talk.replied;
        let Some(conversation) = posted.conversation.filter(|_| talk.conversation == posted.conversation) else { return };
        if let Some((service, since)) = self.service(conversation) {
            service.asked_after.get_or_insert(at - since);
        }
        let Some(place) = self.open.get(&conversation).map(|open| open.visit) else { return };
        if let Some(visit) = at_place(&mut self.all, place) {
            if replied {
                visit.later_rounds += 1;
            } else {
                visit.asked_at.get_or_insert(at);
            }
        }
    }

    fn answered(&mut self, chat: ChatId, at: Timestamp) {
        let Some(talk) = self.talks.get_mut(&chat) else { return };
        let (asked, conversation, was_later) = (talk.unanswered_since.take(), talk.conversation, talk.replied);
        talk.replied |= asked.is_some();
        let Some(conversation) = conversation else { return };
        if let Some((service, since)) = self.service(conversation) {
            service.accepted_after.get_or_insert(at - since);
            if asked.is_some() {
                service.answered_after.get_or_insert(at - since);
            }
        }
        let Some(place) = self.open.get(&conversation).map(|open| open.visit) else { return };
        if let (Some(visit), Some(asked), true) = (at_place(&mut self.all, place), asked, was_later) {
            visit.later_replied += u32::from(at - asked <= REPLY_WINDOW);
        }
    }

    /// Everything that is under way.
    pub fn carried(&self) -> Vec<Carried> {
        let mut carried: Vec<Carried> = self.open.values().filter_map(|open| self.carry(open)).collect();
        carried.sort_unstable_by_key(|carried| carried.visit);
        carried
    }

    fn carry(&self, open: &Open) -> Option<Carried> {
        let visit = self.all.get(open.visit)?.as_deref()?;
        let mut over = visit.clone();
        if open.serving {
            over.services.pop();
        }
        let (stretches, done) = over.stretches();
        Some(Carried {
            visit: open.visit,
            waits: visit.waits.len(),
            services: visit.services.len(),
            stretches: stretches.len(),
            done,
            overflows: visit.overflows.len(),
            overflow_at: open.overflow_at,
            since: open.since,
        })
    }

    /// What is over from here on stays.
    pub fn keep_from_here(&mut self) {
        self.in_period = true;
        let open: HashSet<usize> = self.open.values().map(|open| open.visit).collect();
        for (_, visit) in self.all.iter_mut().enumerate().filter(|(place, _)| !open.contains(place)) {
            *visit = None;
        }
    }

    /// The visits, and where each of them is now.
    pub fn finish(mut self, end: Timestamp) -> (Vec<Visit>, HashMap<usize, usize>) {
        for (_, mut open) in std::mem::take(&mut self.open) {
            let Some(visit) = at_place(&mut self.all, open.visit) else { continue };
            let so_far = end - open.since;
            if open.serving {
                visit.services.last_mut().into_iter().for_each(|service| service.length = so_far);
            } else {
                settle_overflow(&mut open, visit, end, None);
                visit.waits.last_mut().into_iter().for_each(|wait| wait.patience = Patience::AtLeast(so_far));
            }
        }
        let mut places = HashMap::new();
        let mut visits = vec![];
        for (place, visit) in self.all.into_iter().enumerate() {
            if let Some(visit) = visit {
                places.insert(place, visits.len());
                visits.push(*visit);
            }
        }
        (visits, places)
    }
}

/// What somebody did to bring it to this agent; nothing, if the desk chose.
const fn deed_of(assigned: &ConversationAssigned) -> Option<Deed> {
    match assigned.decision.rule {
        AssignmentRule::Transfer => Some(Deed::ToAgent(assigned.agent)),
        AssignmentRule::TakeOver => Some(Deed::TakeOver(assigned.agent)),
        AssignmentRule::Recorded => Some(Deed::Recorded(assigned.agent)),
        AssignmentRule::Picked => Some(Deed::Pick(assigned.agent)),
        AssignmentRule::LeastLoaded
        | AssignmentRule::LastAgent
        | AssignmentRule::RoundRobin
        | AssignmentRule::Language
        | AssignmentRule::Skills
        | AssignmentRule::Rank
        | AssignmentRule::Weighted
        | AssignmentRule::Scorer => None,
    }
}

/// A time to go on to another group is over: it was gone by, or it was not reached, or it passed and nothing came of it until now.
fn settle_overflow(open: &mut Open, visit: &mut Visit, at: Timestamp, fired: Option<Order>) {
    let Some(due) = open.overflow_at.take() else { return };
    let late = at - due;
    let by = if fired.is_some() || late < Millis(0) { late.max(Millis(0)) } else { Millis(late.0 + 1) };
    visit.overflows.push(Lateness { by, order: fired });
}
