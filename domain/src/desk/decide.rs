//! What a desk answers.
//!
//! Every command is its own facts followed by every assignment they make possible, so that nobody waits beside a free agent.
//! The facts are tried on a copy of the state as they are decided.

use std::collections::BTreeSet;

use imbl::OrdSet;

use super::choose::{decision, decision_by_name};
use super::command::{AgentChange, DeskCommand, Service, TransferTarget};
use super::error::DeskError;
use super::event::{
    AgentUpdated, AssignmentRule, ConversationAssigned, ConversationQueued, ConversationReleased, ConversationRequeued, Decision,
    DeskEvent, FlowAdopted, FlowDropped, QueueKind, RequeueReason,
};
use super::evolve::evolve;
use super::roster::Roster;
use super::state::{DESK_CONVERSATIONS_MAX, DeskState, Ticket};
use crate::flow::FlowVersion;
use crate::flow::assignment::AssignmentFlow;
use crate::ids::{ConversationId, GroupId, UserId};
use crate::time::Timestamp;

/// Facts decided so far, and the desk as they leave it.
struct Draft {
    at: Timestamp,
    state: DeskState,
    events: Vec<DeskEvent>,
}

impl Draft {
    fn emit(&mut self, event: impl Into<DeskEvent>) {
        let event = event.into();
        evolve(&mut self.state, &event);
        self.events.push(event);
    }

    fn assign(&mut self, conversation: ConversationId, ticket: &Ticket, agent: UserId, decision: Decision) {
        let (_, queue) = self.state.rules.of(ticket);
        let (accept_within, answer_within) = match decision.rule {
            AssignmentRule::Recorded => (None, None),
            // Whoever took it has accepted it.
            AssignmentRule::TakeOver | AssignmentRule::Picked => (None, queue.answer_within),
            AssignmentRule::LeastLoaded
            | AssignmentRule::Transfer
            | AssignmentRule::LastAgent
            | AssignmentRule::RoundRobin
            | AssignmentRule::Language
            | AssignmentRule::Skills
            | AssignmentRule::Rank
            | AssignmentRule::Weighted
            | AssignmentRule::Scorer => (queue.accept_within, queue.answer_within),
        };
        // A provider accepts what it is given, however it came to it: only then is anybody there.
        let provider = self.state.agents.get(&agent).and_then(|agent| agent.provider);
        self.emit(ConversationAssigned {
            conversation,
            chat: ticket.chat,
            agent,
            assignment: self.state.last_assignment + 1,
            previous: ticket.owner.map(|(owner, _)| owner),
            accept_within: provider.or(accept_within),
            answer_within,
            provider: provider.is_some(),
            decision,
        });
    }

    /// When somebody who begins to wait goes on to another group.
    fn overflow_at(&self, ticket: &Ticket) -> Option<Timestamp> {
        let (_, queue) = self.state.rules.of(ticket);
        let (after, to) = queue.overflow.filter(|_| !ticket.left_message)?;
        (to != ticket.group).then(|| (ticket.enqueued_at + after).max(self.at))
    }

    /// Makes every assignment that can be made.
    fn drain(&mut self) {
        let mut blocked = BTreeSet::new();
        while let Some((conversation, choice)) = self.state.next_match(&mut blocked) {
            let Some(ticket) = self.state.tickets.get(&conversation).cloned() else {
                return;
            };
            let decision = decision(&self.state, &ticket, &choice);
            self.assign(conversation, &ticket, choice.agent, decision);
        }
    }
}

pub(super) fn decide(command: &DeskCommand, state: &DeskState, at: Timestamp) -> Result<Vec<DeskEvent>, DeskError> {
    let mut draft = Draft { at, state: state.clone(), events: vec![] };
    match command {
        DeskCommand::UpdateAgent { agent, change } => update_agent(&mut draft, *agent, change),
        DeskCommand::Enqueue {
            conversation,
            chat,
            group,
            priority,
            enqueued_at,
            left_message,
            shop,
            last_served,
            language,
            skills,
            scores,
        } => {
            let ticket = Ticket {
                chat: *chat,
                group: *group,
                priority: *priority,
                enqueued_at: *enqueued_at,
                left_message: *left_message,
                shop: *shop,
                last_served: *last_served,
                language: language.clone(),
                skills: skills.clone(),
                scores: scores.clone(),
                passed: OrdSet::new(),
                owner: None,
            };
            enqueue(&mut draft, *conversation, &ticket)?;
        }
        DeskCommand::AdoptFlow { flow, rules } => adopt_flow(&mut draft, *flow, rules),
        DeskCommand::DropFlow { flow } => drop_flow(&mut draft, *flow),
        DeskCommand::Release { conversation } => release(&mut draft, *conversation),
        DeskCommand::Transfer { conversation, by, to } => transfer(&mut draft, *conversation, *by, *to)?,
        DeskCommand::Pick { conversation, by } => pick(&mut draft, *conversation, *by)?,
        DeskCommand::TimeOut { conversation, assignment, reason } => time_out(&mut draft, *conversation, *assignment, *reason),
        DeskCommand::LeaveMessage { conversation } => leave_message(&mut draft, *conversation),
        DeskCommand::Overflow { conversation, group } => overflow(&mut draft, *conversation, *group),
        DeskCommand::TakeOver { conversation, by } => assign_by_name(&mut draft, *conversation, *by, AssignmentRule::TakeOver)?,
        DeskCommand::AssignRecorded { conversation, agent } => {
            assign_by_name(&mut draft, *conversation, *agent, AssignmentRule::Recorded)?;
        }
    }
    draft.drain();
    Ok(draft.events)
}

fn adopt_flow(draft: &mut Draft, flow: FlowVersion, rules: &AssignmentFlow) {
    if draft.state.rules.version(flow.shop).is_none_or(|known| known < flow.version) {
        draft.emit(FlowAdopted { flow, queues: rules.queues.clone(), default: rules.default.clone() });
    }
}

fn drop_flow(draft: &mut Draft, flow: FlowVersion) {
    if draft.state.rules.version(flow.shop) == Some(flow.version) {
        draft.emit(FlowDropped { flow });
    }
}

fn ticket(state: &DeskState, conversation: ConversationId) -> Result<Ticket, DeskError> {
    state.tickets.get(&conversation).cloned().ok_or(DeskError::NotAtTheDesk { conversation })
}

fn update_agent(draft: &mut Draft, agent: UserId, change: &AgentChange) {
    let known = draft.state.agents.get(&agent).cloned().unwrap_or_default();
    let mut next = AgentUpdated {
        agent,
        on_service: known.on_service,
        online: known.online,
        capacity: known.capacity,
        groups: known.groups.iter().copied().collect(),
        abilities: known.abilities.clone(),
        provider: known.provider,
    };
    let before = next.clone();
    let mut gives_back = None;
    match change {
        AgentChange::Service(Service::Started) => next.on_service = true,
        AgentChange::Service(Service::Paused) => next.on_service = false,
        AgentChange::Service(Service::Stopped) => {
            next.on_service = false;
            gives_back = Some(RequeueReason::ServiceStopped);
        }
        AgentChange::Online(online) => {
            next.online = *online;
            gives_back = (!online).then_some(RequeueReason::AgentLost);
        }
        AgentChange::Capacity(capacity) => next.capacity = *capacity,
        AgentChange::Abilities(abilities) => next.abilities.clone_from(abilities),
        AgentChange::Provider(accept_within) => next.provider = Some(*accept_within),
        AgentChange::Groups(groups) => {
            next.groups = groups.clone();
            next.groups.sort_unstable();
            next.groups.dedup();
        }
    }
    if next != before || !draft.state.agents.contains_key(&agent) {
        draft.emit(next);
    }
    if let Some(reason) = gives_back {
        for conversation in &known.carries {
            requeue(draft, *conversation, None, reason);
        }
    }
}

/// Puts a served conversation back, at its original place in time.
fn requeue(draft: &mut Draft, conversation: ConversationId, group: Option<GroupId>, reason: RequeueReason) {
    let Some(ticket) = draft.state.tickets.get(&conversation).cloned() else {
        return;
    };
    if let Some((agent, assignment)) = ticket.owner {
        let group = group.unwrap_or(ticket.group);
        let left_message = reason == RequeueReason::Overdue;
        let overflow_at = draft.overflow_at(&Ticket { group, left_message, ..ticket.clone() });
        draft.emit(ConversationRequeued { conversation, chat: ticket.chat, agent, assignment, group, reason, overflow_at });
    }
}

fn enqueue(draft: &mut Draft, conversation: ConversationId, ticket: &Ticket) -> Result<(), DeskError> {
    if draft.state.tickets.contains_key(&conversation) {
        return Ok(());
    }
    check_room(draft.state.tickets.len())?;
    queue(draft, conversation, ticket, None);
    Ok(())
}

pub(super) fn check_room(conversations: usize) -> Result<(), DeskError> {
    if conversations < DESK_CONVERSATIONS_MAX { Ok(()) } else { Err(DeskError::DeskFull { limit: DESK_CONVERSATIONS_MAX }) }
}

/// Puts a conversation that nobody owns into its group's queue.
fn queue(draft: &mut Draft, conversation: ConversationId, ticket: &Ticket, moved_from: Option<GroupId>) {
    let Ticket { chat, group, priority, enqueued_at, left_message, shop, last_served, .. } = *ticket;
    let on_duty = draft.state.rosters.get(&group).is_some_and(Roster::on_duty);
    let queue = match (left_message, on_duty) {
        (true, _) => QueueKind::Message,
        (false, true) => QueueKind::Online,
        (false, false) => QueueKind::Offline,
    };
    draft.emit(ConversationQueued {
        conversation,
        chat,
        group,
        queue,
        priority,
        enqueued_at,
        shop,
        last_served,
        language: ticket.language.clone(),
        skills: ticket.skills.clone(),
        scores: ticket.scores.clone(),
        moved_from,
        overflow_at: draft.overflow_at(ticket),
    });
}

fn release(draft: &mut Draft, conversation: ConversationId) {
    if let Some(ticket) = draft.state.tickets.get(&conversation).cloned() {
        draft.emit(ConversationReleased {
            conversation,
            chat: ticket.chat,
            agent: ticket.owner.map(|(agent, _)| agent),
            assignment: ticket.owner.map(|(_, assignment)| assignment),
        });
    }
}

fn transfer(draft: &mut Draft, conversation: ConversationId, by: Option<UserId>, to: TransferTarget) -> Result<(), DeskError> {
    let ticket = ticket(&draft.state, conversation)?;
    let owner = ticket.owner.map(|(owner, _)| owner);
    if by.is_some() && by != owner {
        return Err(DeskError::NotYoursAnyMore { current: owner });
    }
    match to {
        TransferTarget::Agent(agent) if owner == Some(agent) => Ok(()),
        TransferTarget::Agent(agent) => {
            let known = draft.state.agents.get(&agent).cloned().unwrap_or_default();
            if !known.on_service || !known.online {
                return Err(DeskError::AgentNotAvailable { agent });
            }
            assign_by_name(draft, conversation, agent, AssignmentRule::Transfer)
        }
        TransferTarget::Group(group) if owner.is_none() => {
            if group != ticket.group {
                let from = ticket.group;
                queue(draft, conversation, &Ticket { group, ..ticket }, Some(from));
            }
            Ok(())
        }
        TransferTarget::Group(group) => {
            requeue(draft, conversation, Some(group), RequeueReason::TransferredToGroup);
            Ok(())
        }
    }
}

fn pick(draft: &mut Draft, conversation: ConversationId, by: UserId) -> Result<(), DeskError> {
    let ticket = ticket(&draft.state, conversation)?;
    match ticket.owner {
        Some((owner, _)) if owner == by => return Ok(()),
        Some((owner, _)) => return Err(DeskError::NotYoursAnyMore { current: Some(owner) }),
        None => {}
    }
    let (group, (_, queue)) = (ticket.group, draft.state.rules.of(&ticket));
    if !queue.picked {
        return Err(DeskError::NotPicked { group });
    }
    let known = draft.state.agents.get(&by).cloned().unwrap_or_default();
    if !known.groups.contains(&group) {
        return Err(DeskError::OtherGroup { agent: by, group });
    }
    if !known.on_service || !known.online {
        return Err(DeskError::AgentNotAvailable { agent: by });
    }
    assign_by_name(draft, conversation, by, AssignmentRule::Picked)
}

fn time_out(draft: &mut Draft, conversation: ConversationId, assignment: u64, reason: RequeueReason) {
    let owner = draft.state.tickets.get(&conversation).and_then(|ticket| ticket.owner);
    if owner.is_some_and(|(_, current)| current == assignment) {
        requeue(draft, conversation, None, reason);
    }
}

fn leave_message(draft: &mut Draft, conversation: ConversationId) {
    let Some(ticket) = draft.state.tickets.get(&conversation).cloned() else { return };
    match ticket.owner {
        Some(_) => requeue(draft, conversation, None, RequeueReason::Overdue),
        None if ticket.left_message => {}
        None => queue(draft, conversation, &Ticket { left_message: true, ..ticket }, None),
    }
}

fn overflow(draft: &mut Draft, conversation: ConversationId, from: GroupId) {
    let Some(ticket) = draft.state.tickets.get(&conversation).filter(|ticket| ticket.owner.is_none() && ticket.group == from).cloned()
    else {
        return;
    };
    let (_, rules) = draft.state.rules.of(&ticket);
    let to = rules.overflow.filter(|(after, _)| draft.at - ticket.enqueued_at >= *after).map(|(_, to)| to);
    if let Some(group) = to.filter(|to| *to != from && !ticket.left_message) {
        queue(draft, conversation, &Ticket { group, ..ticket }, Some(from));
    }
}

/// Gives a conversation, waiting or served, to somebody named; capacity is all that is asked of them.
fn assign_by_name(draft: &mut Draft, conversation: ConversationId, agent: UserId, rule: AssignmentRule) -> Result<(), DeskError> {
    let ticket = ticket(&draft.state, conversation)?;
    if ticket.owner.is_some_and(|(owner, _)| owner == agent) {
        return Ok(());
    }
    check_capacity(draft, agent)?;
    let decision = decision_by_name(&draft.state, &ticket, rule, agent);
    draft.assign(conversation, &ticket, agent, decision);
    Ok(())
}

fn check_capacity(draft: &Draft, agent: UserId) -> Result<(), DeskError> {
    let known = draft.state.agents.get(&agent).cloned().unwrap_or_default();
    if known.load() < known.capacity { Ok(()) } else { Err(DeskError::AgentAtCapacity { agent, limit: known.capacity }) }
}
