//! What happens in a conversation, as it is stored.

mod provider;
mod ticket;

use serde::{Deserialize, Serialize};

use crate::flow::{FlowVersion, RouteTaken};
use crate::ids::{ChatId, GroupId, ShopId, TaskId, UserId};
use crate::labels::{Label, Reference};
use crate::message::Party;
use crate::private::Private;
use crate::stored_events;
use crate::time::{Millis, Timestamp};

/// The page from which a customer came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryPage {
    /// A product page (pre-sale).
    Product,
    /// The shop's page.
    #[default]
    Shop,
    /// An order page (after-sale).
    Order,
    /// A logistics page (in-sale).
    Logistics,
}

impl EntryPage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Product, Self::Shop, Self::Order, Self::Logistics];
}

/// How a conversation was entered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The page.
    pub page: EntryPage,
    /// What the tenant's own systems call the product or order shown there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Reference>,
    /// The group the customer asked for, if the page named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
}

/// Why a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The customer ended it.
    EndedByCustomer,
    /// The serving agent ended it.
    EndedByAgent,
    /// A supervisor or administrator ended it.
    EndedBySupervisor,
    /// The customer left before anybody answered.
    Abandoned,
    /// Nobody wrote for the tenant's limit, and no answer was due.
    Expired,
    /// The customer waited seven days for an answer; it counts against the shop.
    Unanswered,
    /// The customer left while a robot had it, or nobody yet.
    Left,
    /// The tenant blocked the customer.
    Blocked,
}

/// The conversation exists from here on and is received by the tenant's reception flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationOpened {
    /// The chat it runs in.
    pub chat: ChatId,
    /// The shop.
    pub shop: ShopId,
    /// The customer.
    pub customer: UserId,
    /// How it was entered.
    pub entry: Entry,
}

/// The conversation was handed to the humans: it waits for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOff {
    /// The chat it runs in.
    pub chat: ChatId,
    /// The problem; kept through repeated hand-offs.
    pub task: TaskId,
    /// The group that shall answer.
    pub group: GroupId,
    /// Whether the customer leaves a message, to be answered when there is time for it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub left_message: bool,
    /// How it came to this group, where a published flow says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteTaken>,
    /// What whoever answers should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<Label>,
    /// What becomes of it while it waits.
    #[serde(default, skip_serializing_if = "Patience::is_endless")]
    pub patience: Patience,
    /// The robot that had it until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robot: Option<Label>,
}

/// What becomes of a conversation while it waits, as its flow says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patience {
    /// After how long the customer is told that it takes longer, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub busy_after: Vec<Millis>,
    /// After how long it becomes a left message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave_message_after: Option<Millis>,
}

impl Patience {
    /// Whether nothing becomes of it.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A robot receives the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotEngaged {
    /// The chat it runs in.
    pub chat: ChatId,
    /// Its name among the tenant's seats.
    pub robot: Label,
    /// By which version of the flow.
    pub flow: FlowVersion,
    /// Whether the customer cannot ask for a human by the button.
    #[serde(default, skip_serializing_if = "is_false")]
    pub without_button: bool,
}

/// The robot did what it could with what the customer wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotAnswered {
    /// The chat it runs in.
    pub chat: ChatId,
    /// The place of what the customer wrote.
    pub seq: u64,
    /// Whether it knew an answer.
    pub known: bool,
    /// How sure it was, in percent.
    pub confidence: u8,
    /// The article that it answered from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<Reference>,
}

/// Why somebody is to have a human.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HumanReason {
    /// They asked for one by the button.
    Button,
    /// They wrote one of the flow's words for it.
    Keyword,
    /// They sent a picture, which a robot cannot look at.
    Picture,
    /// The robot did not know so many answers on end.
    UnknownAnswers,
    /// The robot cannot go on.
    RobotFailed,
    /// They rated an answer of the robot badly.
    BadRating,
    /// The robot said that a human should have them.
    RobotGaveWay,
}

/// The customer rated one answer of the robot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerRated {
    /// The chat it runs in.
    pub chat: ChatId,
    /// The place of the answer.
    pub seq: u64,
    /// The customer.
    pub by: UserId,
    /// 1 to 5.
    pub score: u8,
}

/// The customer is to have a human.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HumanWanted {
    /// The chat it runs in.
    pub chat: ChatId,
    /// Why.
    pub reason: HumanReason,
}

/// No human could be asked; the customer was told so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOffRefused {
    /// The chat it runs in.
    pub chat: ChatId,
    /// What was tried.
    pub route: RouteTaken,
    /// When the flow's hours begin again, if they are over and do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
}

/// It still waits, and the customer shall be told that it takes longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillWaiting {
    /// The chat it runs in.
    pub chat: ChatId,
    /// Which of the flow's notices is due, from 0.
    pub notice: u32,
    /// By which version of the flow.
    pub flow: FlowVersion,
}

/// It waited too long for an answer now: it is answered like a left message from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageLeft {
    /// The chat it runs in.
    pub chat: ChatId,
}

/// It waits for another group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationMoved {
    /// The chat it runs in.
    pub chat: ChatId,
    /// Which.
    pub group: GroupId,
}

/// The desk gave the conversation to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentAssigned {
    /// The chat it runs in.
    pub chat: ChatId,
    /// The agent.
    pub agent: UserId,
    /// The desk's number of this decision; it only grows.
    pub assignment: u64,
    /// Whether it is a provider, which has yet to say that somebody is there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub provider: bool,
}

/// The desk took the conversation back: it waits again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentReleased {
    /// The chat it runs in.
    pub chat: ChatId,
    /// The agent who had it.
    pub agent: UserId,
    /// Under which assignment.
    pub assignment: u64,
    /// The group it waits for now, when it is another one than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
}

/// The customer was asked to rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingInvited {
    /// The chat it runs in.
    pub chat: ChatId,
    /// Who asked.
    pub by: Party,
}

/// The customer's own words beside a score.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingComment {
    /// Free text.
    pub comment: String,
}

/// The customer rated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationRated {
    /// The chat it runs in.
    pub chat: ChatId,
    /// The customer.
    pub by: UserId,
    /// The agent who is rated: the last one who served.
    pub agent: UserId,
    /// 1 to 5.
    pub score: u8,
    /// Chosen from the tenant's own list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Label>,
    /// Whether the problem is solved, if the customer said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solved: Option<bool>,
    /// Whether it answers an invitation.
    pub invited: bool,
    /// The comment.
    #[serde(skip)]
    pub private: Private<RatingComment>,
}

/// The conversation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationClosed {
    /// The chat it runs in.
    pub chat: ChatId,
    /// Why.
    pub reason: CloseReason,
    /// Who ended it.
    pub by: Party,
    /// The chat's last place that whoever ended it had seen; a later customer message reopens.
    pub seen_seq: u64,
    /// Whether it ended in the reception: it was not at the desk, so there is nothing to release.
    #[serde(default, skip_serializing_if = "is_false")]
    pub in_reception: bool,
    /// What staff say of the end, in a word of the tenant's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
}

/// A customer's message came soon after the end: it goes on, waiting for a human.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationReopened {
    /// The chat it runs in.
    pub chat: ChatId,
    /// The group that answered last, or was asked first.
    pub group: Option<GroupId>,
}

/// The anonymous customer turned out to be this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerReplaced {
    /// The chat it runs in.
    pub chat: ChatId,
    /// The identified account.
    pub into: UserId,
}

pub use self::provider::{ProviderAnswer, ProviderAnswered, ProviderWords};
pub use self::ticket::{TicketChanged, TicketRemark, TicketState};

stored_events! {
    /// Everything that happens in a conversation.
    pub enum ConversationEvent {
        /// See [`ConversationOpened`].
        ConversationOpened = "conversation.opened", 1;
        /// See [`HandedOff`].
        HandedOff = "conversation.handed_off", 1;
        /// See [`RobotEngaged`].
        RobotEngaged = "conversation.robot_engaged", 1;
        /// See [`RobotAnswered`].
        RobotAnswered = "conversation.robot_answered", 1;
        /// See [`AnswerRated`].
        AnswerRated = "conversation.answer_rated", 1;
        /// See [`HumanWanted`].
        HumanWanted = "conversation.human_wanted", 1;
        /// See [`HandOffRefused`].
        HandOffRefused = "conversation.hand_off_refused", 1;
        /// See [`StillWaiting`].
        StillWaiting = "conversation.still_waiting", 1;
        /// See [`MessageLeft`].
        MessageLeft = "conversation.message_left", 1;
        /// See [`ConversationMoved`].
        ConversationMoved = "conversation.moved", 1;
        /// See [`AgentAssigned`].
        AgentAssigned = "conversation.agent_assigned", 1;
        /// See [`AgentReleased`].
        AgentReleased = "conversation.agent_released", 1;
        /// See [`ProviderAnswered`].
        ProviderAnswered = "conversation.provider_answered", 1, private;
        /// See [`RatingInvited`].
        RatingInvited = "conversation.rating_invited", 1;
        /// See [`ConversationRated`].
        ConversationRated = "conversation.rated", 1, private;
        /// See [`TicketChanged`].
        TicketChanged = "conversation.ticket_changed", 1, private;
        /// See [`ConversationClosed`].
        ConversationClosed = "conversation.closed", 1;
        /// See [`ConversationReopened`].
        ConversationReopened = "conversation.reopened", 1;
        /// See [`CustomerReplaced`].
        CustomerReplaced = "conversation.customer_replaced", 1;
    }
}
