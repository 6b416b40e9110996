//! Follows a tenant's facts in the order of the log, and notes what of them a rehearsal needs.

mod people;
mod visits;

use std::sync::Arc;

use domain::conversation::event::ConversationEvent;
use domain::decider::Decider;
use domain::desk::Desk;
use domain::desk::command::{AgentChange, Service};
use domain::desk::event::{DeskEvent, FlowAdopted, LastServed};
use domain::desk::state::DeskState;
use domain::event::Event;
use domain::flow::FlowVersion;
use domain::flow::assignment::{AssignmentFlow, AssignmentMark};
use domain::ids::{ShopId, UserId};
use domain::time::Timestamp;
use domain::user::event::UserEvent;
use hashbrown::HashMap;

use self::people::People;
use self::visits::Visits;
use super::{Carried, Input, Recorded, Recording};
use crate::log::commit::Actor;
use crate::log::stream::StreamKey;
use crate::policies::Fact;
use crate::rehearsal::script::agent_change;
use crate::rehearsal::visit::Order;

/// The facts of one command to the desk.
struct Group {
    order: Order,
    at: Timestamp,
    command: domain::ids::CommandId,
    by_a_person: bool,
    facts: Vec<DeskEvent>,
}

/// What the desk and everything beside it was when the period began.
struct Beginning {
    desk: DeskState,
    flows: Vec<(FlowVersion, Arc<AssignmentFlow>)>,
    carried: Vec<Carried>,
    last_served: HashMap<(UserId, ShopId), LastServed>,
}

/// See the file's head.
pub struct Recorder {
    /// Without one, the first fact is where it begins.
    from: Option<Timestamp>,
    to: Timestamp,
    end: Timestamp,
    next_order: Order,
    desk: DeskState,
    flows: Vec<(FlowVersion, Arc<AssignmentFlow>)>,
    people: People,
    visits: Visits,
    /// The last word of each agent on their service.
    services: HashMap<UserId, Service>,
    /// Orders of agents who stopped when the desk had nothing to say to it, until it has.
    silent_stops: HashMap<UserId, usize>,
    group: Option<Group>,
    beginning: Option<Beginning>,
    inputs: Vec<Recorded>,
    facts: Vec<(Timestamp, DeskEvent)>,
}

impl Recorder {
    /// Visits that come from `from` on and before `to` are counted; without bounds, all.
    #[must_use]
    pub fn new(from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        Self {
            from,
            to: to.unwrap_or(Timestamp(i64::MAX)),
            end: Timestamp(i64::MIN),
            next_order: 0,
            desk: DeskState::default(),
            flows: vec![],
            people: People::default(),
            visits: Visits::default(),
            services: HashMap::new(),
            silent_stops: HashMap::new(),
            group: None,
            beginning: None,
            inputs: vec![],
            facts: vec![],
        }
    }

    /// Takes in the next fact of the tenant. Private halves are not looked at.
    pub fn take(&mut self, fact: &Fact<'_>) {
        let order = self.next_order;
        self.from.get_or_insert(fact.at);
        self.next_order += 1;
        match (fact.event, fact.stream.key) {
            (Event::Desk(event), StreamKey::Desk) => {
                if self.group.as_ref().is_some_and(|group| group.command != fact.meta.command) {
                    self.finish_group();
                }
                self.begin_if_due(fact.at);
                let by_a_person = matches!(fact.meta.actor, Actor::User(_) | Actor::ApiKey(_) | Actor::Operator);
                let command = fact.meta.command;
                let group = self.group.get_or_insert_with(|| Group { order, at: fact.at, command, by_a_person, facts: vec![] });
                group.facts.push(event.clone());
            }
            (event, key) => {
                // The facts of one command lie together.
                self.finish_group();
                self.begin_if_due(fact.at);
                self.take_other(fact, event, key, order);
            }
        }
        self.end = self.end.max(fact.at);
    }

    fn take_other(&mut self, fact: &Fact<'_>, event: &Event, key: StreamKey, order: Order) {
        match (event, key) {
            (Event::Chat(event), StreamKey::Chat(chat)) => self.visits.chat(chat, event, fact.at),
            (Event::Conversation(event), StreamKey::Conversation(conversation)) => {
                if let ConversationEvent::HandOffRefused(refused) = event
                    && let Some(caller) = self.people.caller(conversation)
                    && let Some(visit) = self.visits.refused(conversation, refused.chat, caller, (fact.at, order))
                {
                    self.inputs.push(Recorded { at: fact.at, order, input: Input::Arrive(visit) });
                }
                self.people.conversation(conversation, event);
            }
            (Event::User(event), StreamKey::User(user)) => {
                self.people.user(user, event);
                self.service(user, event, fact.at, order);
            }
            _ => {}
        }
    }

    fn service(&mut self, agent: UserId, event: &UserEvent, at: Timestamp, order: Order) {
        let service = if let UserEvent::ServiceStarted(_) = event {
            Service::Started
        } else if let UserEvent::ServicePaused(_) = event {
            Service::Paused
        } else if let UserEvent::ServiceStopped(_) = event {
            Service::Stopped
        } else {
            return;
        };
        self.services.insert(agent, service);
        let off = self.desk.agents.get(&agent).is_some_and(|known| !known.on_service);
        if service == Service::Stopped && off {
            self.silent_stops.insert(agent, self.inputs.len());
            self.inputs.push(Recorded { at, order, input: Input::Agent(agent, AgentChange::Service(Service::Stopped)) });
        }
    }

    /// Everything from the first fact of the period on belongs to it.
    fn begin_if_due(&mut self, at: Timestamp) {
        if self.beginning.is_some() || self.from.is_some_and(|from| at < from) {
            return;
        }
        self.finish_group();
        self.beginning = Some(Beginning {
            desk: self.desk.clone(),
            flows: self.flows.clone(),
            carried: self.visits.carried(),
            last_served: self.people.last_served().clone(),
        });
        self.visits.keep_from_here();
        self.inputs.clear();
        self.facts.clear();
        self.silent_stops.clear();
    }

    fn finish_group(&mut self) {
        let Some(Group { order, at, by_a_person, facts, .. }) = self.group.take() else { return };
        let stopped = |agent| self.services.get(&agent) == Some(&Service::Stopped);
        if let Some((agent, change)) = agent_change(&self.desk, &facts, stopped) {
            // It was told when the agent said so; the desk heard of it now.
            if change == AgentChange::Service(Service::Stopped)
                && let Some(index) = self.silent_stops.remove(&agent)
            {
                self.inputs.remove(index);
                self.silent_stops.values_mut().filter(|other| **other > index).for_each(|other| *other -= 1);
            }
            self.inputs.push(Recorded { at, order, input: Input::Agent(agent, change) });
        }
        for (nth, fact) in facts.into_iter().enumerate() {
            match &fact {
                DeskEvent::FlowAdopted(adopted) => {
                    let rules = Arc::new(rules(adopted));
                    self.flows.retain(|(flow, _)| flow.shop != adopted.flow.shop);
                    self.flows.push((adopted.flow, Arc::clone(&rules)));
                    self.inputs.push(Recorded { at, order, input: Input::Adopt(adopted.flow, rules) });
                }
                DeskEvent::FlowDropped(dropped) => {
                    self.flows.retain(|(flow, _)| flow.shop != dropped.flow.shop);
                    self.inputs.push(Recorded { at, order, input: Input::Drop(dropped.flow) });
                }
                DeskEvent::ConversationQueued(queued) => {
                    let caller = self.people.caller(queued.conversation);
                    let leave_message_after = self.people.leave_message_after(queued.conversation);
                    if let Some(visit) = self.visits.queued(queued, (at, order), caller, leave_message_after, by_a_person) {
                        self.inputs.push(Recorded { at, order, input: Input::Arrive(visit) });
                    }
                }
                DeskEvent::ConversationAssigned(assigned) => {
                    self.visits.assigned(assigned, (at, order), nth == 0);
                    self.people.served(assigned.conversation, assigned.agent, at);
                }
                DeskEvent::ConversationRequeued(requeued) => self.visits.requeued(requeued, (at, order)),
                DeskEvent::ConversationReleased(released) => {
                    let closed = self.people.closed(released.conversation);
                    if let Some(agent) = released.agent {
                        self.people.served(released.conversation, agent, at);
                    }
                    self.visits.released(released.conversation, (at, order), closed);
                }
                DeskEvent::AgentUpdated(_) => {}
            }
            Desk::evolve(&mut self.desk, &fact, at);
            self.facts.push((at, fact));
        }
    }

    /// What the period was.
    #[must_use]
    pub fn finish(mut self) -> Recording {
        self.finish_group();
        let from = self.from.unwrap_or_default();
        self.begin_if_due(from);
        let end = self.end.max(from);
        let beginning = self.beginning.take().unwrap_or_else(|| Beginning {
            desk: DeskState::default(),
            flows: vec![],
            carried: vec![],
            last_served: HashMap::new(),
        });
        let (visits, places) = self.visits.finish(end);
        let place = |visit: usize| places.get(&visit).copied();
        let carried = beginning.carried.into_iter().filter_map(|carried| Some(Carried { visit: place(carried.visit)?, ..carried }));
        let inputs = self.inputs.into_iter().filter_map(|recorded| {
            let Input::Arrive(visit) = recorded.input else { return Some(recorded) };
            Some(Recorded { input: Input::Arrive(place(visit)?), ..recorded })
        });
        Recording {
            from,
            to: self.to,
            end,
            desk: beginning.desk,
            flows: beginning.flows,
            carried: carried.collect(),
            inputs: inputs.collect(),
            visits,
            facts: self.facts,
            last_served: beginning.last_served,
        }
    }
}

/// The part of a flow that the desk follows.
fn rules(adopted: &FlowAdopted) -> AssignmentFlow {
    AssignmentFlow {
        flow: AssignmentMark::Assignment,
        hours: None,
        priority: vec![],
        queues: adopted.queues.clone(),
        default: adopted.default.clone(),
    }
}
