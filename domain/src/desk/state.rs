//! What a desk needs to remember in order to decide.
//!
//! The maps are persistent (`imbl`): a decision is tried on a copy of the state, and copying is free.

use std::collections::BTreeSet;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::choose::{Choice, choose};
use super::event::{LastServed, Scores};
use super::lines::{Line, Lines};
use super::roster::{Roster, Seat};
use super::rules::Rules;
use crate::ids::{ChatId, ConversationId, GroupId, ShopId, UserId};
use crate::labels::{Label, Language};
use crate::time::{Millis, Timestamp};
use crate::user::abilities::Abilities;

/// Conversations at one desk, waiting and served.
pub const DESK_CONVERSATIONS_MAX: usize = 1_000_000;

/// A desk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeskState {
    /// How many events it has seen.
    pub version: u64,
    /// The number of its last assignment.
    pub last_assignment: u64,
    /// Every agent it ever heard of.
    pub agents: OrdMap<UserId, Agent>,
    /// Every conversation that waits or is served.
    pub tickets: OrdMap<ConversationId, Ticket>,
    /// The flows by which it chooses.
    pub rules: Rules,
    /// Who waits, in the order of being served. Derived from `tickets` and `rules`.
    pub(super) lines: Lines,
    /// How the agents of each group stand. Derived from `agents`.
    pub(super) rosters: OrdMap<GroupId, Roster>,
    /// Every agent, least loaded first. Derived from `agents`.
    pub(super) agents_by_load: OrdSet<(u32, UserId)>,
}

/// A place in a queue: left messages after everybody who waits, then priority, original enqueue time, and the conversation to break ties.
pub type Place = (bool, u8, Timestamp, ConversationId);

/// What the desk knows of an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Takes conversations.
    pub on_service: bool,
    /// Connected, or gone for less than the grace.
    pub online: bool,
    /// Most conversations at a time.
    pub capacity: u32,
    /// The groups they serve.
    pub groups: OrdSet<GroupId>,
    /// What they carry.
    pub carries: OrdSet<ConversationId>,
    /// The number of the last assignment that they were given; 0 before the first.
    pub last_given: u64,
    /// What they are able to do.
    pub abilities: Abilities,
    /// Of a provider: how long it has to accept.
    pub provider: Option<Millis>,
    /// What they let time out and nobody had since, or, of a provider, no human had since; they are not given it until they come again.
    pub passed: OrdSet<ConversationId>,
}

/// Whether an agent could take one more conversation of their groups, or the first reason why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They could.
    Free,
    /// They carry as many as they may.
    AtCapacity,
    /// On service, but no device is connected.
    Offline,
    /// Not on service.
    NotOnService,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            on_service: false,
            online: false,
            capacity: crate::user::state::CAPACITY_DEFAULT,
            groups: OrdSet::new(),
            carries: OrdSet::new(),
            last_given: 0,
            abilities: Abilities::default(),
            provider: None,
            passed: OrdSet::new(),
        }
    }
}

impl Agent {
    /// How many conversations they carry.
    #[must_use]
    pub fn load(&self) -> u32 {
        u32::try_from(self.carries.len()).unwrap_or(u32::MAX)
    }

    /// What a choice goes by.
    pub(super) fn seat(&self) -> Seat {
        let Abilities { rank, weight, .. } = self.abilities;
        Seat { load: self.load(), last_given: self.last_given, rank, weight }
    }

    /// Whether they could take one more.
    #[must_use]
    pub fn has_free_slot(&self) -> bool {
        self.standing() == Standing::Free
    }

    /// Whether they could take one more, or why not.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if !self.on_service {
            Standing::NotOnService
        } else if !self.online {
            Standing::Offline
        } else if self.load() >= self.capacity {
            Standing::AtCapacity
        } else {
            Standing::Free
        }
    }
}

/// A conversation at the desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its chat.
    pub chat: ChatId,
    /// The group it is for.
    pub group: GroupId,
    /// Smaller is served first.
    pub priority: u8,
    /// Since when it waits, or waited.
    pub enqueued_at: Timestamp,
    /// Whether the customer left a message.
    pub left_message: bool,
    /// The shop whose flow it follows, where one is published.
    pub shop: Option<ShopId>,
    /// Who served the customer last, where a flow may ask for it.
    pub last_served: Option<LastServed>,
    /// The customer's language, where a flow may ask for it.
    pub language: Option<Language>,
    /// What whoever answers should know.
    pub skills: Vec<Label>,
    /// How a service of the tenant's scored the agents.
    pub scores: Scores,
    /// Who let it time out: whoever had it last, and the providers that had it before them. A provider answers without looking, so
    /// that two of them would hand it to and fro as fast as the desk decides.
    pub passed: OrdSet<UserId>,
    /// Who owns it, under which assignment; `None` while it waits.
    pub owner: Option<(UserId, u64)>,
}

impl Ticket {
    /// Where it waits.
    #[must_use]
    pub const fn place(&self, conversation: ConversationId) -> Place {
        (self.left_message, self.priority, self.enqueued_at, conversation)
    }
}

impl DeskState {
    /// The queue of a group, in the order of being served.
    #[must_use]
    pub fn queue(&self, group: GroupId) -> Vec<Place> {
        self.lines.of_group(group)
    }

    pub(super) fn line_of(&self, ticket: &Ticket) -> Line {
        self.rules.line_of(ticket)
    }

    /// The next assignment that must be made: the first in line of all for whom somebody is free, and that agent. Lines for whose
    /// first nobody was found are noted; as long as nobody becomes free, they need not be looked at again.
    pub(super) fn next_match(&self, blocked: &mut BTreeSet<Line>) -> Option<(ConversationId, Choice)> {
        let staffed = |line: &Line| !line.picked && self.rosters.get(&line.group).is_some_and(|roster| !roster.free.is_empty());
        let mut heads: Vec<(Place, &Line)> =
            self.lines.heads().filter(|(line, _)| staffed(line) && !blocked.contains(line)).map(|(line, place)| (*place, line)).collect();
        heads.sort_unstable();
        for ((.., conversation), line) in heads {
            if let Some(choice) = choose(self, conversation, self.tickets.get(&conversation)?) {
                return Some((conversation, choice));
            }
            blocked.insert(line.clone());
        }
        None
    }
}
