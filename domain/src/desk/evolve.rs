//! How facts change a desk, its derived queues and free lists included.

use imbl::OrdSet;

use super::event::DeskEvent;
use super::state::{Agent, DeskState, Ticket};
use crate::ids::{ConversationId, UserId};

pub(super) fn evolve(state: &mut DeskState, event: &DeskEvent) {
    state.version += 1;
    match event {
        DeskEvent::AgentUpdated(updated) => change_agent(state, updated.agent, |agent| {
            agent.on_service = updated.on_service;
            agent.online = updated.online;
            agent.capacity = updated.capacity;
            agent.groups = updated.groups.iter().copied().collect();
        }),
        DeskEvent::ConversationQueued(queued) => {
            let ticket = Ticket {
                chat: queued.chat,
                group: queued.group,
                priority: queued.priority,
                enqueued_at: queued.enqueued_at,
                owner: None,
            };
            start_waiting(state, queued.conversation, ticket);
        }
        DeskEvent::ConversationAssigned(assigned) => {
            state.last_assignment = state.last_assignment.max(assigned.assignment);
            if let Some(mut ticket) = take_away(state, assigned.conversation) {
                ticket.owner = Some((assigned.agent, assigned.assignment));
                state.tickets.insert(assigned.conversation, ticket);
                change_agent(state, assigned.agent, |agent| {
                    agent.carries.insert(assigned.conversation);
                });
            }
        }
        DeskEvent::ConversationRequeued(requeued) => {
            if let Some(mut ticket) = take_away(state, requeued.conversation) {
                ticket.group = requeued.group;
                ticket.owner = None;
                start_waiting(state, requeued.conversation, ticket);
            }
        }
        DeskEvent::ConversationReleased(released) => {
            take_away(state, released.conversation);
        }
    }
}

fn start_waiting(state: &mut DeskState, conversation: ConversationId, ticket: Ticket) {
    let place = (ticket.priority, ticket.enqueued_at, conversation);
    state.waiting.entry(ticket.group).or_default().insert(place);
    state.tickets.insert(conversation, ticket);
}

/// Removes a conversation from wherever it is: its queue, or its owner's hands.
fn take_away(state: &mut DeskState, conversation: ConversationId) -> Option<Ticket> {
    let ticket = state.tickets.remove(&conversation)?;
    match ticket.owner {
        Some((owner, _)) => change_agent(state, owner, |agent| {
            agent.carries.remove(&conversation);
        }),
        None => {
            let emptied = state.waiting.get_mut(&ticket.group).is_some_and(|places| {
                places.remove(&(ticket.priority, ticket.enqueued_at, conversation));
                places.is_empty()
            });
            if emptied {
                state.waiting.remove(&ticket.group);
            }
        }
    }
    Some(ticket)
}

/// Changes an agent and keeps the free lists in step.
fn change_agent(state: &mut DeskState, id: UserId, change: impl FnOnce(&mut Agent)) {
    let mut agent = state.agents.get(&id).cloned().unwrap_or_default();
    if agent.has_free_slot() {
        for group in &agent.groups {
            if let Some(free) = state.free.get_mut(group) {
                free.remove(&(agent.load(), id));
            }
        }
    }
    change(&mut agent);
    if agent.has_free_slot() {
        for group in &agent.groups {
            state.free.entry(*group).or_insert_with(OrdSet::new).insert((agent.load(), id));
        }
    }
    state.agents.insert(id, agent);
}
