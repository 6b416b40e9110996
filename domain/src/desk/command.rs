//! What may be asked of a desk.

use std::sync::Arc;

use super::event::{LastServed, RequeueReason, Scores};
use crate::flow::FlowVersion;
use crate::flow::assignment::AssignmentFlow;
use crate::ids::{ChatId, ConversationId, GroupId, ShopId, UserId};
use crate::labels::{Label, Language};
use crate::time::{Millis, Timestamp};
use crate::user::abilities::Abilities;

/// Whether an agent takes conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Yes.
    Started,
    /// They keep what they have and take no more.
    Paused,
    /// Their shift is over: they give back what they have.
    Stopped,
}

/// One thing that changed about an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentChange {
    /// Service started, paused or stopped.
    Service(Service),
    /// A device is connected, or all are gone beyond grace.
    Online(bool),
    /// Most conversations at a time.
    Capacity(u32),
    /// The groups they serve.
    Groups(Vec<GroupId>),
    /// What they are able to do.
    Abilities(Abilities),
    /// They are a provider, which has so long to accept.
    Provider(Millis),
}

/// Where a transfer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferTarget {
    /// To this agent.
    Agent(UserId),
    /// To whoever of this group is next.
    Group(GroupId),
}

/// An order to a desk.
#[derive(Clone, Debug, PartialEq)]
pub enum DeskCommand {
    /// Follow a change of an agent.
    UpdateAgent {
        /// Who.
        agent: UserId,
        /// What changed.
        change: AgentChange,
    },
    /// Put a conversation into the queue of a group.
    Enqueue {
        /// Which.
        conversation: ConversationId,
        /// Its chat.
        chat: ChatId,
        /// For whom.
        group: GroupId,
        /// Smaller is served first.
        priority: u8,
        /// Since when it waits.
        enqueued_at: Timestamp,
        /// Whether the customer left a message, which is taken up after everybody who waits.
        left_message: bool,
        /// The shop whose flow it follows, where one is published.
        shop: Option<ShopId>,
        /// Who served the customer last, where a flow may ask for it.
        last_served: Option<LastServed>,
        /// The customer's language, where a flow may ask for it.
        language: Option<Language>,
        /// What whoever answers should know.
        skills: Vec<Label>,
        /// How a service of the tenant's scored the agents, where a flow asks for it and it answered in time.
        scores: Scores,
    },
    /// Choose by a flow from here on. One that is older than the flow it would replace is nothing.
    AdoptFlow {
        /// Which.
        flow: FlowVersion,
        /// What it says.
        rules: Arc<AssignmentFlow>,
    },
    /// Choose by a flow no longer. One that is not followed is nothing.
    DropFlow {
        /// Which.
        flow: FlowVersion,
    },
    /// The conversation ended: free its slot, or its place in the queue.
    Release {
        /// Which.
        conversation: ConversationId,
    },
    /// Hand a conversation over.
    Transfer {
        /// Which.
        conversation: ConversationId,
        /// The agent who hands over; `None` for a supervisor, who may hand over anybody's.
        by: Option<UserId>,
        /// To whom.
        to: TransferTarget,
    },
    /// An agent takes a waiting conversation from a queue of which they pick.
    Pick {
        /// Which.
        conversation: ConversationId,
        /// Who takes it.
        by: UserId,
    },
    /// The agent let time pass: the conversation goes to the next one. Nothing, if they do not have it under this assignment.
    TimeOut {
        /// Which.
        conversation: ConversationId,
        /// Under which assignment.
        assignment: u64,
        /// What they did not do.
        reason: RequeueReason,
    },
    /// The customer waited too long: it is answered like a left message from here on, whoever has it.
    LeaveMessage {
        /// Which.
        conversation: ConversationId,
    },
    /// The customer waited too long for this group. Nothing, if they wait for another one, or the flow says nothing of it any more.
    Overflow {
        /// Which.
        conversation: ConversationId,
        /// For which group.
        group: GroupId,
    },
    /// A supervisor takes a conversation, waiting or served.
    TakeOver {
        /// Which.
        conversation: ConversationId,
        /// Who takes it.
        by: UserId,
    },
    /// Give a waiting conversation to its recorded holder (import of history).
    AssignRecorded {
        /// Which.
        conversation: ConversationId,
        /// The holder.
        agent: UserId,
    },
}
