//! Reads facts of a desk back as what was asked of it.

use domain::desk::command::{AgentChange, Service};
use domain::desk::event::{AgentUpdated, DeskEvent, RequeueReason};
use domain::desk::state::DeskState;
use domain::ids::UserId;

/// What happened to an agent, from the first facts of one command; `None` when the command was about something else.
///
/// `stopped` says whether the agent's last word on service was that they stop: of somebody who carries nothing, pausing and stopping
/// look alike.
pub(super) fn agent_change(state: &DeskState, facts: &[DeskEvent], stopped: impl Fn(UserId) -> bool) -> Option<(UserId, AgentChange)> {
    match facts.first()? {
        DeskEvent::AgentUpdated(updated) => Some((updated.agent, change(state, updated, facts, stopped(updated.agent)))),
        DeskEvent::ConversationRequeued(requeued) => match requeued.reason {
            RequeueReason::AgentLost => Some((requeued.agent, AgentChange::Online(false))),
            RequeueReason::ServiceStopped => Some((requeued.agent, AgentChange::Service(Service::Stopped))),
            RequeueReason::TransferredToGroup | RequeueReason::NotAccepted | RequeueReason::NotAnswered | RequeueReason::Overdue => None,
        },
        DeskEvent::ConversationQueued(_)
        | DeskEvent::ConversationAssigned(_)
        | DeskEvent::ConversationReleased(_)
        | DeskEvent::FlowAdopted(_)
        | DeskEvent::FlowDropped(_) => None,
    }
}

fn change(state: &DeskState, updated: &AgentUpdated, facts: &[DeskEvent], stopped: bool) -> AgentChange {
    let known = state.agents.get(&updated.agent).cloned().unwrap_or_default();
    let gave_back =
        |fact: &DeskEvent| matches!(fact, DeskEvent::ConversationRequeued(requeued) if requeued.reason == RequeueReason::ServiceStopped);
    if updated.on_service != known.on_service {
        return AgentChange::Service(if updated.on_service {
            Service::Started
        } else if facts.iter().any(gave_back) || (stopped && known.carries.is_empty()) {
            Service::Stopped
        } else {
            Service::Paused
        });
    }
    if updated.online != known.online {
        return AgentChange::Online(updated.online);
    }
    if let Some(accept_within) = updated.provider.filter(|_| updated.provider != known.provider) {
        return AgentChange::Provider(accept_within);
    }
    if updated.abilities != known.abilities {
        return AgentChange::Abilities(updated.abilities.clone());
    }
    let groups: Vec<_> = known.groups.iter().copied().collect();
    if updated.groups != groups {
        return AgentChange::Groups(updated.groups.clone());
    }
    // Somebody of whom the desk had not heard, and who is as everybody is at first.
    AgentChange::Capacity(updated.capacity)
}
