//! What the passing of time may bring to one open conversation, as its facts tell it.

use application::queries::TimerName;
use domain::chat::event::{ChatEvent, MemberJoined, MessagePosted};
use domain::conversation::event::{ConversationEvent, Patience};
use domain::desk::event::DeskEvent;
use domain::ids::{ChatId, ConversationId, EventId, GroupId, UserId};
use domain::message::{Category, Visibility};
use domain::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

use super::UNANSWERED_EXPIRY;
use crate::rows::Row;

/// What a timer is for. Each conversation has at most one of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub(super) enum Kind {
    Silence = 0,
    Reminder = 1,
    Assignment = 2,
    Busy = 3,
    LeaveMessage = 4,
    Overflow = 5,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Silence, Self::Reminder, Self::Assignment, Self::Busy, Self::LeaveMessage, Self::Overflow];

    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// A timer that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Timer {
    pub kind: Kind,
    pub due_at: Timestamp,
    /// What set it.
    pub cause: EventId,
}

/// An agent who has the conversation, and what is asked of them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Serving {
    agent: UserId,
    assignment: u64,
    since: Timestamp,
    accept_within: Option<Millis>,
    answer_within: Option<Millis>,
}

/// A customer who waits, and what becomes of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    since: Timestamp,
    busy_after: Vec<Millis>,
    told: u32,
    leave_message_after: Option<Millis>,
}

/// The open conversation of a chat.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Watch {
    conversation: ConversationId,
    unanswered_since: Option<Timestamp>,
    last_activity: Timestamp,
    remind_after: Option<Millis>,
    close_after: Option<Millis>,
    reminded: bool,
    overdue: bool,
    ran_out: bool,
    robot: bool,
    robot_spoke: bool,
    serving: Option<Serving>,
    waiting: Option<Waiting>,
    overflow: Option<(Timestamp, GroupId)>,
    /// What runs, by kind.
    pub timers: Vec<Timer>,
    /// Under which instants the store lists them.
    #[serde(skip)]
    pub listed: Vec<(Timestamp, Kind)>,
    /// The conversation ended; the row is gone as soon as the store knows.
    #[serde(skip)]
    pub ended: bool,
}

impl Row for Watch {
    fn is_empty(&self) -> bool {
        self.ended
    }

    fn loaded(&mut self) {
        self.listed = self.list();
    }
}

impl Watch {
    /// A conversation that begins or goes on with this event.
    pub fn begun(event: &ChatEvent, at: Timestamp) -> Option<Self> {
        if let ChatEvent::ConversationStarted(started) = event {
            return Some(Self::begin(started.conversation, None, at));
        }
        let ChatEvent::ConversationResumed(resumed) = event else { return None };
        Some(Self::begin(resumed.conversation, resumed.overlooked_seq.map(|_| at), at))
    }

    fn begin(conversation: ConversationId, unanswered_since: Option<Timestamp>, at: Timestamp) -> Self {
        Self {
            conversation,
            unanswered_since,
            last_activity: at,
            remind_after: None,
            close_after: None,
            reminded: false,
            overdue: false,
            ran_out: false,
            robot: false,
            robot_spoke: false,
            serving: None,
            waiting: None,
            overflow: None,
            timers: vec![],
            listed: vec![],
            ended: false,
        }
    }

    pub fn list(&self) -> Vec<(Timestamp, Kind)> {
        self.timers.iter().map(|timer| (timer.due_at, timer.kind)).collect()
    }

    /// Whether a fact of a conversation is about this one.
    pub fn is(&self, conversation: ConversationId) -> bool {
        self.conversation == conversation && !self.ended
    }

    /// Takes in what happened in the chat; what begins a conversation is not here.
    pub fn chat_event(&mut self, event: &ChatEvent, at: Timestamp) {
        match event {
            ChatEvent::MessagePosted(posted) => self.posted(posted, at),
            ChatEvent::MemberJoined(joined) => self.joined(joined, at),
            ChatEvent::MemberLeft(left) => self.serving = self.serving.filter(|serving| serving.agent != left.user),
            ChatEvent::ConversationEnded(_) => self.ended = true,
            ChatEvent::ConversationIdled(_) => self.ran_out = true,
            ChatEvent::IdleLimitsSet(limits) => (self.remind_after, self.close_after) = (limits.remind_after, limits.close_after),
            ChatEvent::IdleReminded(_) => self.reminded = true,
            ChatEvent::AnswerOverdue(_) => self.overdue = true,
            ChatEvent::RobotEngaged(_) => self.robot = true,
            ChatEvent::RobotDismissed(_) => self.robot = false,
            ChatEvent::AssignmentAccepted(_) => self.ask(|serving| serving.accept_within = None),
            ChatEvent::AssignmentTimedOut(_) => {
                self.ask(|serving| (serving.accept_within, serving.answer_within) = (None, None));
            }
            ChatEvent::ChatOpened(_)
            | ChatEvent::CustomerReplaced(_)
            | ChatEvent::QuestionAsked(_)
            | ChatEvent::OutreachAttempted(_)
            | ChatEvent::OutreachHandedOver(_)
            | ChatEvent::MessageRecalled(_)
            | ChatEvent::MessageHidden(_)
            | ChatEvent::MessagesRead(_)
            | ChatEvent::UploadExpired(_)
            | ChatEvent::ConversationStarted(_)
            | ChatEvent::ConversationResumed(_)
            // A group thread has no conversation that could run out.
            | ChatEvent::GroupCreated(_)
            | ChatEvent::MemberInvited(_)
            | ChatEvent::PermissionsChanged(_)
            | ChatEvent::OwnershipPassed(_)
            | ChatEvent::GroupRenamed(_)
            | ChatEvent::ThreadMuted(_)
            | ChatEvent::ThreadUnmuted(_)
            | ChatEvent::ThreadArchived(_)
            | ChatEvent::ThreadUnarchived(_)
            | ChatEvent::GroupDissolved(_) => {}
        }
    }

    fn posted(&mut self, posted: &MessagePosted, at: Timestamp) {
        if posted.origin.is_nobodys() {
            return;
        }
        self.last_activity = at;
        (self.reminded, self.ran_out) = (false, false);
        match (posted.category, posted.visibility) {
            (Category::Customer, _) => {
                self.robot_spoke = false;
                self.unanswered_since.get_or_insert(at);
            }
            (Category::Agent, Visibility::All) => {
                self.unanswered_since = None;
                self.overdue = false;
                self.ask(|serving| serving.accept_within = None);
            }
            (Category::Robot, Visibility::All) => self.robot_spoke = true,
            (Category::Agent | Category::Robot, Visibility::Staff) | (Category::System, _) => {}
        }
    }

    fn joined(&mut self, joined: &MemberJoined, at: Timestamp) {
        if let Some(assignment) = joined.assignment {
            let MemberJoined { user: agent, accept_within, answer_within, .. } = *joined;
            self.serving = Some(Serving { agent, assignment, since: at, accept_within, answer_within });
        }
    }

    fn ask(&mut self, change: impl FnOnce(&mut Serving)) {
        if let Some(serving) = &mut self.serving {
            change(serving);
        }
    }

    pub fn conversation_event(&mut self, event: &ConversationEvent, at: Timestamp) {
        match event {
            ConversationEvent::HandedOff(handed) => {
                let Patience { busy_after, leave_message_after } = handed.patience.clone();
                self.waiting = Some(Waiting { since: at, busy_after, told: 0, leave_message_after });
            }
            ConversationEvent::StillWaiting(still) => {
                if let Some(waiting) = &mut self.waiting {
                    waiting.told = waiting.told.max(still.notice.saturating_add(1));
                }
            }
            ConversationEvent::MessageLeft(_) | ConversationEvent::AgentAssigned(_) | ConversationEvent::ConversationClosed(_) => {
                self.waiting = None;
            }
            ConversationEvent::ConversationOpened(_)
            | ConversationEvent::HandOffRefused(_)
            | ConversationEvent::RobotEngaged(_)
            | ConversationEvent::RobotAnswered(_)
            | ConversationEvent::AnswerRated(_)
            | ConversationEvent::TicketChanged(_)
            | ConversationEvent::HumanWanted(_)
            | ConversationEvent::ConversationMoved(_)
            | ConversationEvent::AgentReleased(_)
            | ConversationEvent::ProviderAnswered(_)
            | ConversationEvent::RatingInvited(_)
            | ConversationEvent::ConversationRated(_)
            | ConversationEvent::ConversationReopened(_)
            | ConversationEvent::CustomerReplaced(_) => {}
        }
    }

    pub fn desk_event(&mut self, event: &DeskEvent) {
        self.overflow = match event {
            DeskEvent::ConversationQueued(queued) => queued.overflow_at.map(|at| (at, queued.group)),
            DeskEvent::ConversationRequeued(requeued) => requeued.overflow_at.map(|at| (at, requeued.group)),
            DeskEvent::ConversationAssigned(_) | DeskEvent::ConversationReleased(_) => None,
            DeskEvent::AgentUpdated(_) | DeskEvent::FlowAdopted(_) | DeskEvent::FlowDropped(_) => return,
        };
    }

    /// Sets the timers anew after a fact; answers those that were, if any is another now. One whose time is the same stays as it is.
    pub fn set(&mut self, idle_expiry: Millis, cause: EventId) -> Option<Vec<(Timestamp, Kind)>> {
        let due = Kind::ALL.map(|kind| (kind, self.due_at(kind, idle_expiry)));
        let due = || due.iter().filter_map(|(kind, due_at)| Some((*kind, (*due_at)?)));
        // Most facts change nothing here.
        if due().eq(self.timers.iter().map(|timer| (timer.kind, timer.due_at))) {
            return None;
        }
        let before = self.list();
        let known = |kind, due_at| self.timers.iter().find(|timer| (timer.kind, timer.due_at) == (kind, due_at)).copied();
        let timers = due().map(|(kind, due_at)| known(kind, due_at).unwrap_or(Timer { kind, due_at, cause })).collect();
        self.timers = timers;
        Some(before)
    }

    fn due_at(&self, kind: Kind, idle_expiry: Millis) -> Option<Timestamp> {
        if self.ended {
            return None;
        }
        match kind {
            Kind::Silence => self.silent_until(idle_expiry),
            Kind::Reminder => {
                let is_asked = self.owed_since().is_none() && !self.reminded && !self.ran_out;
                self.remind_after.filter(|_| is_asked).map(|after| self.last_activity + after)
            }
            Kind::Assignment => {
                let serving = self.serving?;
                let accept = serving.accept_within.map(|within| serving.since + within);
                let waits_since = self.unanswered_since.map(|since| since.max(serving.since));
                let answer = waits_since.zip(serving.answer_within).map(|(since, within)| since + within);
                accept.into_iter().chain(answer).min()
            }
            Kind::Busy => {
                let waiting = self.waiting.as_ref()?;
                let after = waiting.busy_after.get(usize::try_from(waiting.told).ok()?)?;
                Some(waiting.since + *after)
            }
            Kind::LeaveMessage => {
                let waiting = self.waiting.as_ref()?;
                Some(waiting.since + waiting.leave_message_after?)
            }
            Kind::Overflow => self.overflow.map(|(at, _)| at),
        }
    }

    /// Since when an answer is owed: what a robot answered is answered, as long as the robot has the conversation.
    fn owed_since(&self) -> Option<Timestamp> {
        self.unanswered_since.filter(|_| !(self.robot && self.robot_spoke))
    }

    fn silent_until(&self, idle_expiry: Millis) -> Option<Timestamp> {
        if self.ran_out {
            return None;
        }
        Some(match self.owed_since() {
            Some(since) if self.overdue => since + UNANSWERED_EXPIRY,
            Some(since) => since + idle_expiry.min(UNANSWERED_EXPIRY),
            None => self.last_activity + self.close_after.unwrap_or(idle_expiry),
        })
    }

    /// What a timer asks for.
    pub fn name(&self, chat: ChatId, kind: Kind) -> Option<TimerName> {
        let conversation = self.conversation;
        Some(match kind {
            Kind::Silence => TimerName::IdleExpiry { chat, conversation },
            Kind::Reminder => TimerName::IdleReminder { chat, conversation },
            Kind::Assignment => TimerName::Assignment { chat, assignment: self.serving?.assignment },
            Kind::Busy => TimerName::Busy { conversation, notice: self.waiting.as_ref()?.told },
            Kind::LeaveMessage => TimerName::LeaveMessage { conversation },
            Kind::Overflow => TimerName::Overflow { conversation, group: self.overflow?.1 },
        })
    }
}
