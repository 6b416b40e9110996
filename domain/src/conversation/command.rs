//! What may be asked of a conversation.

use super::event::{Entry, HumanReason, Patience, ProviderAnswer, ProviderWords};
use super::ticket::TicketChange;
use crate::flow::{FlowVersion, RouteTaken};
use crate::ids::{ChatId, GroupId, ShopId, TaskId, UserId};
use crate::labels::{Label, Reference};
use crate::message::Party;
use crate::time::Timestamp;

/// Who ends a conversation, in which capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closer {
    /// The customer.
    Customer(UserId),
    /// The customer, who leaves the page: what a robot has, or nobody yet, ends; whoever waits or is served may come back.
    Leaving(UserId),
    /// An agent; only the one who serves may.
    Agent(UserId),
    /// A supervisor or administrator.
    Supervisor(UserId),
    /// The idle timer; no answer was due.
    Expiry,
    /// The timer of a customer who was never answered.
    Unanswered,
    /// The tenant, which blocked the customer.
    Block,
}

/// What a customer says of the agent who served last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    /// The customer.
    pub by: UserId,
    /// 1 to 5.
    pub score: u8,
    /// Chosen tags.
    pub tags: Vec<Label>,
    /// The tags that the shop's flow offers; where it offers none, any may be chosen.
    pub choices: Vec<Label>,
    /// Whether the problem is solved.
    pub solved: Option<bool>,
    /// Free text; may be empty.
    pub comment: String,
}

/// An order to a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum ConversationCommand {
    /// Open it.
    Open {
        /// The chat it runs in.
        chat: ChatId,
        /// The shop.
        shop: ShopId,
        /// The customer.
        customer: UserId,
        /// How it was entered.
        entry: Entry,
    },
    /// Hand it to the humans.
    HandOff {
        /// Id of the problem, if this is its first hand-off.
        task: TaskId,
        /// The group that shall answer.
        group: GroupId,
        /// Whether the customer leaves a message.
        left_message: bool,
        /// How it came to this group, where a published flow says so.
        route: Option<RouteTaken>,
        /// What whoever answers should know.
        skills: Vec<Label>,
        /// What becomes of it while it waits.
        patience: Patience,
    },
    /// The time of a notice has come: nothing, if it does not wait any more.
    TellToWait {
        /// Which of the flow's notices, from 0.
        notice: u32,
    },
    /// It waited too long for an answer now.
    LeaveMessage,
    /// Follow the desk: it waits for this group now.
    FollowMove {
        /// Which.
        group: GroupId,
    },
    /// Let a robot receive the customer.
    EngageRobot {
        /// Its name among the tenant's seats.
        robot: Label,
        /// By which version of the flow.
        flow: FlowVersion,
        /// Whether the customer cannot ask for a human by the button.
        without_button: bool,
    },
    /// Note what the robot did with what the customer wrote. Nothing, if it was noted, or a human has it by now.
    NoteRobotAnswer {
        /// The place of what the customer wrote.
        seq: u64,
        /// How sure it was, in percent.
        confidence: u8,
        /// Whether it knew an answer.
        known: bool,
        /// The article that it answered from.
        article: Option<Reference>,
        /// After how many answers on end that it did not know the customer is to have a human.
        unknown_max: Option<u32>,
    },
    /// The customer is to have a human. Nothing, if one has it, or it waits for one.
    WantHuman {
        /// Why.
        reason: HumanReason,
    },
    /// Note that there is no human to hand it to.
    RefuseHandOff {
        /// What was tried.
        route: RouteTaken,
        /// When somebody is there again, if it is known.
        opens_at: Option<Timestamp>,
    },
    /// Follow the desk: this agent has it now.
    FollowAssignment {
        /// The agent.
        agent: UserId,
        /// The number of the desk's decision.
        assignment: u64,
        /// Whether it is a provider.
        provider: bool,
    },
    /// Note how a conversation stands at the provider that was given it. Nothing, if that is known.
    NoteProvider {
        /// The provider.
        agent: UserId,
        /// The assignment that it speaks of.
        assignment: u64,
        /// How the conversation stands there.
        answer: ProviderAnswer,
        /// Under which name, and why.
        words: ProviderWords,
    },
    /// Follow the desk: it waits again.
    FollowRelease {
        /// The number of the assignment that is over.
        assignment: u64,
        /// The group it waits for now, when the desk says so.
        group: Option<GroupId>,
    },
    /// Ask the customer to rate.
    InviteRating {
        /// Who asks.
        by: Party,
    },
    /// Rate.
    Rate(Rating),
    /// Rate one answer of the robot.
    RateAnswer {
        /// The customer.
        by: UserId,
        /// The place of the answer; without one, what was looked up is no answer of this conversation's robot.
        seq: Option<u64>,
        /// 1 to 5.
        score: u8,
        /// The score from which down the customer is to have a human, where the flow says so.
        bad_at_most: Option<u8>,
    },
    /// Say how far its ticket is.
    ChangeTicket(TicketChange),
    /// End it.
    Close {
        /// Who, in which capacity.
        by: Closer,
        /// The chat's last place that they had seen.
        seen_seq: u64,
        /// What staff say of the end, in a word of the tenant's own.
        label: Option<Label>,
    },
    /// Go on after the end.
    Reopen,
    /// Follow the chat: the anonymous customer is this identified one.
    ReplaceCustomer {
        /// The anonymous account.
        from: UserId,
        /// The identified account.
        into: UserId,
    },
}
