//! One visit of a conversation to the desk, from where it is queued until it leaves: what of it would have been so whoever had been
//! chosen.

use domain::conversation::event::{CloseReason, EntryPage};
use domain::desk::event::{LastServed, Scores};
use domain::ids::{ChatId, ConversationId, GroupId, ShopId, UserId};
use domain::labels::{Label, Language};
use domain::time::{Millis, Timestamp};

/// Where an act stood among the recorded ones: of two at the same millisecond, the one that was first stays first.
pub type Order = u64;

/// The order of what was not recorded: after all that was.
pub const UNRECORDED: Order = u64::MAX;

/// Whoever came, as far as flows ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The customer.
    pub customer: UserId,
    /// The shop.
    pub shop: ShopId,
    /// The page they came from.
    pub entry: EntryPage,
    /// The group that the page asked for, or that had them before.
    pub asked_for: Option<GroupId>,
    /// Their tier.
    pub tier: Option<Label>,
    /// Their tags.
    pub tags: Vec<Label>,
    /// Their language.
    pub language: Option<Language>,
}

/// How a conversation came to the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Timestamp,
    /// Its place among the recorded facts.
    pub order: Order,
    /// Its chat.
    pub chat: ChatId,
    /// For whom; `None` if it was refused and never came there.
    pub group: Option<GroupId>,
    /// Smaller is served first.
    pub priority: u8,
    /// Since when it waits.
    pub enqueued_at: Timestamp,
    /// Whether the customer left a message.
    pub left_message: bool,
    /// The shop whose flow the desk was told of.
    pub shop: Option<ShopId>,
    /// Who the desk was told served the customer last.
    pub last_served: Option<LastServed>,
    /// The language that the desk was told of.
    pub language: Option<Language>,
    /// What whoever answers should know.
    pub skills: Vec<Label>,
    /// How a service of the tenant's scored the agents.
    pub scores: Scores,
    /// After how long of waiting it becomes a left message.
    pub leave_message_after: Option<Millis>,
    /// Whoever came; `None` in a model.
    pub caller: Option<Caller>,
}

/// Something that somebody did with a conversation which no rule of the desk brings about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It ended.
    End,
    /// It was handed or given to an agent.
    ToAgent(UserId),
    /// It was handed to a group.
    ToGroup(GroupId),
    /// A supervisor took it.
    TakeOver(UserId),
    /// An agent picked it.
    Pick(UserId),
    /// Imported history says who had it.
    Recorded(UserId),
    /// It became a left message.
    LeaveMessage,
}

/// A deed, and how long after the beginning of what it was done in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// After how long.
    pub after: Millis,
    /// Its place among the recorded facts.
    pub order: Order,
    /// What.
    pub deed: Deed,
}

/// How late a timer fired, or what it was not early for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    /// How long after it was due.
    pub by: Millis,
    /// Its place among the recorded facts, if it fired.
    pub order: Option<Order>,
}

/// How long a customer was ready to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// They left after so long.
    Left {
        /// After how long.
        after: Millis,
        /// Its place among the recorded facts.
        order: Order,
    },
    /// They waited so long, and would perhaps have waited longer.
    AtLeast(Millis),
    /// They wait as long as it takes.
    Endless,
}

/// One wait of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// How long the customer was ready to wait.
    pub patience: Patience,
    /// What people did meanwhile.
    pub deeds: Vec<Done>,
}

/// How a service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceEnd {
    /// By a deed.
    Deed(Deed),
    /// The agent was gone: whoever has it next goes on where they were.
    Interrupted,
    /// The agent did not accept.
    NotAccepted,
    /// The agent did not answer.
    NotAnswered,
    /// The customer waited beyond the tenant's limit, and it became a left message.
    Overdue,
    /// The recording ends before it.
    Open,
}

/// One agent's service of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// How long.
    pub length: Millis,
    /// How it ended.
    pub end: ServiceEnd,
    /// The place of its end among the recorded facts.
    pub order: Order,
    /// The limits under which the agent had it: to accept, and to answer.
    pub limits: (Option<Millis>, Option<Millis>),
    /// After how long the agent accepted.
    pub accepted_after: Option<Millis>,
    /// From when on the customer waited for an answer.
    pub asked_after: Option<Millis>,
    /// After how long the agent first answered.
    pub answered_after: Option<Millis>,
}

/// See the file's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The conversation.
    pub conversation: ConversationId,
    /// Which of its visits, from 0.
    pub nth: u32,
    /// How it came.
    pub arrival: Arrival,
    /// Its waits, in order.
    pub waits: Vec<Wait>,
    /// Its services, in order.
    pub services: Vec<Service>,
    /// For each time that it was to go on to another group: how late it did.
    pub overflows: Vec<Lateness>,
    /// Since when the customer has waited for an answer when it came, or from when on they did.
    pub asked_at: Option<Timestamp>,
    /// Rounds after the first one.
    pub later_rounds: u32,
    /// How many of them were answered within the window.
    pub later_replied: u32,
    /// Why it ended, if it did.
    pub closed: Option<CloseReason>,
}

/// A stretch of service until somebody does something, however many agents it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// How long; `None` beyond the end of the recording.
    pub length: Option<Millis>,
    /// What is done then.
    pub deed: Deed,
    /// Its place among the recorded facts.
    pub order: Order,
}

impl Service {
    /// One of which nothing is known yet.
    #[must_use]
    pub const fn begun() -> Self {
        Self {
            length: Millis(0),
            end: ServiceEnd::Open,
            order: UNRECORDED,
            limits: (None, None),
            accepted_after: None,
            asked_after: None,
            answered_after: None,
        }
    }
}

impl Visit {
    /// One that has just come.
    #[must_use]
    pub const fn new(conversation: ConversationId, nth: u32, arrival: Arrival) -> Self {
        Self {
            conversation,
            nth,
            arrival,
            waits: vec![],
            services: vec![],
            overflows: vec![],
            asked_at: None,
            later_rounds: 0,
            later_replied: 0,
            closed: None,
        }
    }

    /// The stretches of its service. Time with an agent who did nothing is none; a service that was interrupted goes on in the next.
    /// The last one may be open at its end, or what was done then is not known.
    #[must_use]
    pub fn stretches(&self) -> (Vec<Stretch>, Millis) {
        let mut stretches = vec![];
        let mut done = Millis(0);
        for service in &self.services {
            match service.end {
                ServiceEnd::Interrupted => done = Millis(done.0 + service.length.0),
                ServiceEnd::NotAccepted | ServiceEnd::NotAnswered | ServiceEnd::Overdue => {}
                ServiceEnd::Open => stretches.push(Stretch { length: None, deed: Deed::End, order: UNRECORDED }),
                ServiceEnd::Deed(deed) => {
                    stretches.push(Stretch { length: Some(Millis(done.0 + service.length.0)), deed, order: service.order });
                    done = Millis(0);
                }
            }
        }
        (stretches, done)
    }

    /// How long it kept agents, if that is known: all its stretches, the last of which ended it.
    #[must_use]
    pub fn work(&self) -> Option<Millis> {
        let (stretches, _) = self.stretches();
        let ended = stretches.last().is_some_and(|last| last.deed == Deed::End && last.length.is_some());
        ended.then(|| Millis(stretches.iter().filter_map(|stretch| stretch.length).map(|length| length.0).sum()))
    }

    /// When the nth service of it was, or would be, answered first, from its beginning. A service that was cut before it would have
    /// been answered is taken to have been as slow as the next one.
    #[must_use]
    pub fn answered_after(&self, nth: usize) -> Option<Millis> {
        let here = self.services.get(nth);
        if let Some(answered) = here.and_then(|service| service.answered_after) {
            return Some(answered);
        }
        let later = self.services.iter().skip(nth).find_map(|service| service.answered_after);
        let before = || self.services.iter().rev().find_map(|service| service.answered_after);
        // It was silent for as long as it lasted.
        later.or_else(|| here.is_none().then(before).flatten()).map(|answered| answered.max(here.map_or(Millis(0), |here| here.length)))
    }
}

/// Whether an end of a conversation that waits is the customer's doing.
#[must_use]
pub const fn is_abandonment(reason: CloseReason) -> bool {
    matches!(reason, CloseReason::Abandoned | CloseReason::EndedByCustomer | CloseReason::Left)
}
