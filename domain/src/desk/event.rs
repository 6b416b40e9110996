//! What the desk of a tenant decides, as it is stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rules::QueueBook;
use crate::flow::FlowVersion;
use crate::flow::assignment::QueueRules;
use crate::ids::{ChatId, ConversationId, GroupId, ShopId, UserId};
use crate::labels::{Label, Language};
use crate::stored_events;
use crate::time::{Millis, Timestamp};
use crate::user::abilities::Abilities;

/// Which queue a conversation waits in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueKind {
    /// Waiting for a seat now.
    #[default]
    Online,
    /// Nobody is on duty; taken up when somebody comes.
    Offline,
    /// The customer left a message to be answered later.
    Message,
}

/// By which rule an agent was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentRule {
    /// The eligible agent with the fewest conversations; ties go to the smaller agent id.
    LeastLoaded,
    /// Somebody handed it over by name.
    Transfer,
    /// A supervisor took it.
    TakeOver,
    /// The recorded holder of imported history.
    Recorded,
    /// The agent who served the customer last.
    LastAgent,
    /// Whoever was given none for the longest time; ties go to the smaller agent id.
    RoundRobin,
    /// Of those who could, the one who speaks the customer's language.
    Language,
    /// Of those who could, the one with the skills that are asked for.
    Skills,
    /// The one of the highest rank.
    Rank,
    /// By chance, in proportion to weights.
    Weighted,
    /// The agent picked it.
    Picked,
    /// A service of the tenant's scored them highest.
    Scorer,
}

impl RequeueReason {
    /// Whether the agent let it time out.
    #[must_use]
    pub const fn is_timeout(self) -> bool {
        match self {
            Self::NotAccepted | Self::NotAnswered | Self::Overdue => true,
            Self::AgentLost | Self::ServiceStopped | Self::TransferredToGroup => false,
        }
    }
}

impl AssignmentRule {
    /// Whether the desk chose; otherwise somebody said who.
    #[must_use]
    pub const fn is_chosen(self) -> bool {
        match self {
            Self::LeastLoaded
            | Self::LastAgent
            | Self::RoundRobin
            | Self::Language
            | Self::Skills
            | Self::Rank
            | Self::Weighted
            | Self::Scorer => true,
            Self::Transfer | Self::TakeOver | Self::Recorded | Self::Picked => false,
        }
    }
}

/// Why an agent did not get a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LosingReason {
    /// Eligible, but another carries less.
    MoreLoaded,
    /// Eligible and as free, but with a larger id.
    TieBroken,
    /// Carries as many conversations as they may.
    AtCapacity,
    /// Not on service.
    NotOnService,
    /// No device connected, beyond grace.
    Offline,
    /// Serves other groups.
    OtherGroup,
    /// Eligible, but another one served the customer last.
    NotLastAgent,
    /// Eligible, but another was given none for longer.
    GivenLater,
    /// Does not speak the customer's language, and another does, or one who does is waited for.
    OtherLanguage,
    /// Lacks a skill that is asked for, and another does not, or one who does not is waited for.
    LacksSkill,
    /// Eligible, but another is of a higher rank.
    LowerRank,
    /// Eligible, but chance fell on another.
    NotDrawn,
    /// Had it and let it time out.
    LetItTimeOut,
    /// Eligible, but another has a higher score, or any.
    LowerScore,
}

/// Scores of agents for one conversation, by a service of the tenant's: the highest is preferred.
pub type Scores = BTreeMap<UserId, i32>;

/// One agent who was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub agent: UserId,
    /// Conversations at that moment.
    pub load: u32,
    /// Most at a time.
    pub capacity: u32,
    /// Why not; `None` for the winner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<LosingReason>,
    /// Their score, if they were scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<i32>,
}

/// Why this agent: enough to explain it in words; the full table is recomputed from the desk at `desk_version`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// By which rule.
    pub rule: AssignmentRule,
    /// Version of the tenant's assignment flow; 0 is the built-in default.
    pub flow_version: u32,
    /// The shop whose own flow it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_shop: Option<ShopId>,
    /// Events of this desk that the decision had seen.
    pub desk_version: u64,
    /// How many agents lost for each reason.
    pub losing: Vec<(LosingReason, u32)>,
    /// The first 16 candidates, the winner first, then by load and id.
    pub candidates: Vec<Candidate>,
}

/// What the desk knows of an agent changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentUpdated {
    /// Who.
    pub agent: UserId,
    /// Takes conversations.
    pub on_service: bool,
    /// Connected, or gone for less than the grace.
    pub online: bool,
    /// Most conversations at a time.
    pub capacity: u32,
    /// The groups they serve.
    pub groups: Vec<GroupId>,
    /// What they are able to do, if anything was ever said of it.
    #[serde(default, skip_serializing_if = "Abilities::is_default")]
    pub abilities: Abilities,
    /// Of a provider, whose own desk takes what it is given: how long it has to accept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Millis>,
}

/// Who served a customer last, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastServed {
    /// Who.
    pub agent: UserId,
    /// Until when.
    pub at: Timestamp,
}

/// The desk chooses by this flow from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowAdopted {
    /// Which.
    pub flow: FlowVersion,
    /// What holds for the queue of a group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub queues: QueueBook,
    /// What holds for every other queue.
    pub default: QueueRules,
}

/// The desk chooses by this flow no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowDropped {
    /// Which.
    pub flow: FlowVersion,
}

/// A conversation waits; told again when it is moved to another group while it waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationQueued {
    /// Which.
    pub conversation: ConversationId,
    /// Its chat.
    pub chat: ChatId,
    /// For which group.
    pub group: GroupId,
    /// In which queue.
    pub queue: QueueKind,
    /// Smaller is served first.
    pub priority: u8,
    /// Since when; kept when it is moved or comes back.
    pub enqueued_at: Timestamp,
    /// The shop whose flow it follows, where one is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopId>,
    /// Who served the customer last, where a flow may ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_served: Option<LastServed>,
    /// The customer's language, where a flow may ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// What whoever answers should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<Label>,
    /// How a service of the tenant's scored the agents, where a flow asks for it and it answered in time.
    #[serde(default, skip_serializing_if = "Scores::is_empty")]
    pub scores: Scores,
    /// The group for which it waited until now, when it is moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<GroupId>,
    /// When it goes on to another group, if it still waits then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow_at: Option<Timestamp>,
}

/// A conversation has an owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationAssigned {
    /// Which.
    pub conversation: ConversationId,
    /// Its chat.
    pub chat: ChatId,
    /// The owner.
    pub agent: UserId,
    /// Number of this decision, counted over the whole desk: a later one always has a larger number.
    pub assignment: u64,
    /// Who owned it until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<UserId>,
    /// How long the agent has to accept; without it, they need not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_within: Option<Millis>,
    /// How long the agent may let the customer wait for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_within: Option<Millis>,
    /// Whether the owner is a provider: its customer has somebody only once it has accepted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub provider: bool,
    /// Why.
    pub decision: Decision,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Why a conversation came back to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequeueReason {
    /// The agent was gone beyond grace.
    AgentLost,
    /// The agent's shift ended.
    ServiceStopped,
    /// It was handed to a group.
    TransferredToGroup,
    /// The agent did not accept it in time.
    NotAccepted,
    /// The agent did not answer a waiting customer in time.
    NotAnswered,
    /// The customer waited for an answer beyond every limit; it is answered like a left message.
    Overdue,
}

/// A conversation waits again, at its original place in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationRequeued {
    /// Which.
    pub conversation: ConversationId,
    /// Its chat.
    pub chat: ChatId,
    /// Who had it.
    pub agent: UserId,
    /// Under which assignment.
    pub assignment: u64,
    /// The group it now waits for.
    pub group: GroupId,
    /// Why.
    pub reason: RequeueReason,
    /// When it goes on to another group, if it still waits then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow_at: Option<Timestamp>,
}

/// A conversation left the desk: it ended, or its customer went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationReleased {
    /// Which.
    pub conversation: ConversationId,
    /// Its chat.
    pub chat: ChatId,
    /// Who had it; `None` when it still waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<UserId>,
    /// Under which assignment they had it: it is over now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<u64>,
}

stored_events! {
    /// Everything a desk decides.
    pub enum DeskEvent {
        /// See [`AgentUpdated`].
        AgentUpdated = "desk.agent_updated", 1;
        /// See [`ConversationQueued`].
        ConversationQueued = "desk.conversation_queued", 1;
        /// See [`ConversationAssigned`].
        ConversationAssigned = "desk.conversation_assigned", 1;
        /// See [`ConversationRequeued`].
        ConversationRequeued = "desk.conversation_requeued", 1;
        /// See [`ConversationReleased`].
        ConversationReleased = "desk.conversation_released", 1;
        /// See [`FlowAdopted`].
        FlowAdopted = "desk.flow_adopted", 1;
        /// See [`FlowDropped`].
        FlowDropped = "desk.flow_dropped", 1;
    }
}
