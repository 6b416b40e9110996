//! How facts change a desk, its derived queues and rosters included.

use imbl::OrdSet;

use super::event::{AgentUpdated, DeskEvent, QueueKind, RequeueReason};
use super::lines::Lines;
use super::rules::Rules;
use super::state::{Agent, DeskState, Ticket};
use crate::ids::{ConversationId, UserId};

pub(super) fn evolve(state: &mut DeskState, event: &DeskEvent) {
    state.version += 1;
    match event {
        DeskEvent::AgentUpdated(updated) => update_agent(state, updated),
        DeskEvent::ConversationQueued(queued) => {
            take_away(state, queued.conversation);
            let ticket = Ticket {
                chat: queued.chat,
                group: queued.group,
                priority: queued.priority,
                enqueued_at: queued.enqueued_at,
                left_message: queued.queue == QueueKind::Message,
                shop: queued.shop,
                last_served: queued.last_served,
                language: queued.language.clone(),
                skills: queued.skills.clone(),
                scores: queued.scores.clone(),
                passed: OrdSet::new(),
                owner: None,
            };
            start_waiting(state, queued.conversation, ticket);
        }
        DeskEvent::ConversationAssigned(assigned) => {
            state.last_assignment = state.last_assignment.max(assigned.assignment);
            if let Some(mut ticket) = leave(state, assigned.conversation) {
                forget_passed(state, assigned.conversation, &mut ticket, |_, agent| agent.provider.is_none());
                ticket.owner = Some((assigned.agent, assigned.assignment));
                state.tickets.insert(assigned.conversation, ticket);
                change_agent(state, assigned.agent, |agent| {
                    agent.carries.insert(assigned.conversation);
                    agent.last_given = assigned.assignment;
                });
            }
        }
        DeskEvent::ConversationRequeued(requeued) => {
            if let Some(mut ticket) = leave(state, requeued.conversation) {
                ticket.group = requeued.group;
                // Somebody had taken it up.
                ticket.left_message = requeued.reason == RequeueReason::Overdue;
                ticket.owner = None;
                if requeued.reason.is_timeout() {
                    ticket.passed.insert(requeued.agent);
                    change_agent(state, requeued.agent, |agent| {
                        agent.passed.insert(requeued.conversation);
                    });
                } else {
                    forget_passed(state, requeued.conversation, &mut ticket, |_, _| true);
                }
                start_waiting(state, requeued.conversation, ticket);
            }
        }
        DeskEvent::ConversationReleased(released) => {
            take_away(state, released.conversation);
        }
        DeskEvent::FlowAdopted(adopted) => change_rules(state, |rules| rules.adopt(adopted)),
        DeskEvent::FlowDropped(dropped) => change_rules(state, |rules| rules.drop_flow(dropped.flow.shop)),
    }
}

/// Whoever comes again is given again what they had let time out.
fn update_agent(state: &mut DeskState, updated: &AgentUpdated) {
    let was_there = state.agents.get(&updated.agent).is_some_and(|agent| agent.on_service && agent.online);
    change_agent(state, updated.agent, |agent| {
        agent.on_service = updated.on_service;
        agent.online = updated.online;
        agent.capacity = updated.capacity;
        agent.groups = updated.groups.iter().copied().collect();
        agent.abilities.clone_from(&updated.abilities);
        agent.provider = updated.provider;
    });
    if was_there || !updated.on_service || !updated.online {
        return;
    }
    let passed = state.agents.get(&updated.agent).map(|agent| agent.passed.clone()).unwrap_or_default();
    for conversation in passed {
        let Some(mut ticket) = state.tickets.get(&conversation).cloned() else { continue };
        if ticket.owner.is_none() {
            state.lines.leave(&state.rules.line_of(&ticket), conversation, &ticket);
        }
        forget_passed(state, conversation, &mut ticket, |id, _| id == updated.agent);
        if ticket.owner.is_none() {
            state.lines.enter(state.rules.line_of(&ticket), conversation, &ticket);
        }
        state.tickets.insert(conversation, ticket);
    }
}

/// Whoever waits insists on what their flow says now.
fn change_rules(state: &mut DeskState, change: impl FnOnce(&mut Rules)) {
    change(&mut state.rules);
    state.lines = Lines::default();
    for (conversation, ticket) in state.tickets.iter().filter(|(_, ticket)| ticket.owner.is_none()) {
        state.lines.enter(state.rules.line_of(ticket), *conversation, ticket);
    }
}

fn start_waiting(state: &mut DeskState, conversation: ConversationId, ticket: Ticket) {
    state.lines.enter(state.rules.line_of(&ticket), conversation, &ticket);
    state.tickets.insert(conversation, ticket);
}

/// Removes a conversation from wherever it is. Who let it time out is forgotten.
fn take_away(state: &mut DeskState, conversation: ConversationId) -> Option<Ticket> {
    let mut ticket = leave(state, conversation)?;
    forget_passed(state, conversation, &mut ticket, |_, _| true);
    Some(ticket)
}

/// Removes a conversation from wherever it is: its queue, or its owner's hands.
fn leave(state: &mut DeskState, conversation: ConversationId) -> Option<Ticket> {
    let ticket = state.tickets.remove(&conversation)?;
    match ticket.owner {
        Some((owner, _)) => change_agent(state, owner, |agent| {
            agent.carries.remove(&conversation);
        }),
        None => state.lines.leave(&state.rules.line_of(&ticket), conversation, &ticket),
    }
    Some(ticket)
}

/// Forgets that some agents let a conversation time out that is in no line now.
fn forget_passed(state: &mut DeskState, conversation: ConversationId, ticket: &mut Ticket, whom: impl Fn(UserId, &Agent) -> bool) {
    for id in ticket.passed.clone() {
        if state.agents.get(&id).is_none_or(|agent| whom(id, agent)) {
            ticket.passed.remove(&id);
            change_agent(state, id, |agent| {
                agent.passed.remove(&conversation);
            });
        }
    }
}

/// Changes an agent and keeps the rosters in step.
fn change_agent(state: &mut DeskState, id: UserId, change: impl FnOnce(&mut Agent)) {
    let mut agent = match state.agents.get(&id).cloned() {
        Some(known) => {
            leave_rosters(state, id, &known);
            known
        }
        None => Agent::default(),
    };
    change(&mut agent);
    state.agents_by_load.insert((agent.load(), id));
    for group in &agent.groups {
        state.rosters.entry(*group).or_default().enter(id, &agent);
    }
    state.agents.insert(id, agent);
}

/// An empty roster goes with its last agent, so that equal desks are equal in what is derived, too.
fn leave_rosters(state: &mut DeskState, id: UserId, agent: &Agent) {
    state.agents_by_load.remove(&(agent.load(), id));
    for group in &agent.groups {
        let emptied = state.rosters.get_mut(group).is_some_and(|roster| {
            roster.leave(id, agent);
            roster.members() == 0
        });
        if emptied {
            state.rosters.remove(group);
        }
    }
}
