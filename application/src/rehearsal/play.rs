//! Plays a recording: what came from outside comes again, the desk decides, and what follows from its decisions follows.

mod arrivals;
mod live;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use domain::decider::Decider;
use domain::desk::Desk;
use domain::desk::command::{AgentChange, DeskCommand, Service, TransferTarget};
use domain::desk::event::{DeskEvent, LastServed, RequeueReason};
use domain::desk::state::DeskState;
use domain::flow::FlowVersion;
use domain::flow::assignment::AssignmentFlow;
use domain::ids::{ConversationId, ShopId, UserId};
use domain::time::Timestamp;
use hashbrown::HashMap;

use self::live::{Due, Live, Planned};
use super::chance::Experience;
use super::plan::Plan;
use super::recording::{Input, Recording};
use super::visit::{Deed, Order, UNRECORDED};

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// What the desk did.
    pub facts: Vec<(Timestamp, DeskEvent)>,
    /// The visits for which there was nobody.
    pub refused: Vec<usize>,
    /// How many came while they were still there.
    pub still_there: u64,
}

/// What is to happen.
#[derive(Clone, Debug, PartialEq)]
enum Happening {
    Change(UserId, AgentChange),
    Adopt(FlowVersion, Arc<AssignmentFlow>),
    Drop(FlowVersion),
    Arrive(usize),
    Due(ConversationId, u64, Due),
}

/// Everything to come: first what is due first, then what was recorded first, then what was planned first.
#[derive(Default)]
struct Agenda {
    heap: BinaryHeap<Reverse<(Timestamp, Order, u64)>>,
    what: HashMap<u64, Happening>,
    planned: u64,
}

impl Agenda {
    fn plan(&mut self, at: Timestamp, order: Order, what: Happening) {
        self.heap.push(Reverse((at, order, self.planned)));
        self.what.insert(self.planned, what);
        self.planned += 1;
    }

    fn next(&mut self) -> Option<(Timestamp, Happening)> {
        let Reverse((at, _, number)) = self.heap.pop()?;
        Some((at, self.what.remove(&number)?))
    }
}

/// Plays a recording under a plan.
#[must_use]
pub fn play(recording: &Recording, plan: &Plan) -> Played {
    let experience = Experience::of(&recording.visits, plan.seed);
    let mut player = Player {
        recording,
        plan,
        experience,
        desk: recording.desk.clone(),
        agenda: Agenda::default(),
        live: HashMap::new(),
        last_served: recording.last_served.clone(),
        played: Played::default(),
    };
    player.begin();
    player.run();
    player.played
}

struct Player<'a> {
    recording: &'a Recording,
    plan: &'a Plan,
    experience: Experience,
    desk: DeskState,
    agenda: Agenda,
    live: HashMap<ConversationId, Live<'a>>,
    last_served: HashMap<(UserId, ShopId), LastServed>,
    played: Played,
}

impl<'a> Player<'a> {
    fn begin(&mut self) {
        let recording = self.recording;
        for recorded in &recording.inputs {
            let happening = match &recorded.input {
                Input::Agent(..) if self.plan.roster.is_some() => continue,
                Input::Agent(_, AgentChange::Capacity(_)) if self.plan.capacity.is_some() => continue,
                Input::Adopt(flow, _) | Input::Drop(flow) if self.plan.assignment.is_some() && self.plan.is_for(flow.shop) => continue,
                Input::Agent(agent, change) => Happening::Change(*agent, change.clone()),
                Input::Adopt(flow, rules) => Happening::Adopt(*flow, Arc::clone(rules)),
                Input::Drop(flow) => Happening::Drop(*flow),
                Input::Arrive(visit) => Happening::Arrive(*visit),
            };
            self.agenda.plan(recorded.at, recorded.order, happening);
        }
        for carried in &recording.carried {
            let visit = &recording.visits[carried.visit];
            let Some(ticket) = self.desk.tickets.get(&visit.conversation) else { continue };
            let (owner, group) = (ticket.owner, ticket.group);
            let mut live = Live::carried(visit, carried, ticket.left_message);
            let planned = match owner {
                Some((_, assignment)) => live.serve(&self.experience, assignment, None),
                None => live.wait(&self.experience, self.plan, carried.overflow_at.map(|at| (at, group)), true),
            };
            let generation = live.generation;
            self.live.insert(visit.conversation, live);
            self.plan_all(visit.conversation, generation, planned);
        }
        self.begin_otherwise();
    }

    /// What is otherwise from the first instant on.
    fn begin_otherwise(&mut self) {
        let (recording, plan) = (self.recording, self.plan);
        let from = recording.from;
        if let Some(rules) = &plan.assignment {
            for (flow, _) in recording.flows.iter().filter(|(flow, _)| plan.is_for(flow.shop)) {
                self.command(&DeskCommand::DropFlow { flow: *flow }, from);
            }
            let flow = FlowVersion { shop: plan.shop, version: 1 };
            self.command(&DeskCommand::AdoptFlow { flow, rules: Arc::clone(rules) }, from);
        }
        if let Some(roster) = &plan.roster {
            for (agent, _) in recording.desk.agents.iter().filter(|(_, agent)| agent.on_service) {
                self.change(*agent, AgentChange::Service(Service::Paused), from);
            }
            for (at, agent, change) in roster.changes(from, recording.end) {
                self.agenda.plan(at, 0, Happening::Change(agent, change));
            }
        } else if let Some(capacity) = plan.capacity {
            for agent in recording.desk.agents.keys() {
                self.change(*agent, AgentChange::Capacity(capacity), from);
            }
        }
    }

    fn run(&mut self) {
        while let Some((at, happening)) = self.agenda.next().filter(|(at, _)| *at <= self.recording.end) {
            match happening {
                Happening::Change(agent, change) => self.change(agent, change, at),
                Happening::Adopt(flow, rules) => {
                    self.command(&DeskCommand::AdoptFlow { flow, rules }, at);
                }
                Happening::Drop(flow) => {
                    self.command(&DeskCommand::DropFlow { flow }, at);
                }
                Happening::Arrive(visit) => self.arrive(visit, at),
                Happening::Due(conversation, generation, due) => self.due(conversation, generation, due, at),
            }
        }
    }

    fn change(&mut self, agent: UserId, change: AgentChange, at: Timestamp) {
        self.meet(agent, at);
        self.command(&DeskCommand::UpdateAgent { agent, change }, at);
    }

    /// Somebody of whom the desk has not heard takes as many as everybody under the plan.
    fn meet(&mut self, agent: UserId, at: Timestamp) {
        let is_new = !self.desk.agents.contains_key(&agent);
        if let Some(capacity) = self.plan.capacity.filter(|_| is_new) {
            self.command(&DeskCommand::UpdateAgent { agent, change: AgentChange::Capacity(capacity) }, at);
        }
    }

    /// Asks the desk; answers whether it did not refuse.
    fn command(&mut self, command: &DeskCommand, at: Timestamp) -> bool {
        let Ok(facts) = Desk::decide(command, &self.desk, at) else { return false };
        for fact in facts {
            Desk::evolve(&mut self.desk, &fact, at);
            self.follow(&fact, at);
            self.played.facts.push((at, fact));
        }
        true
    }

    fn follow(&mut self, fact: &DeskEvent, at: Timestamp) {
        let (conversation, planned) = match fact {
            DeskEvent::ConversationQueued(queued) => {
                let Some(live) = self.live.get_mut(&queued.conversation) else { return };
                let overflow = queued.overflow_at.map(|at| (at, queued.group));
                (queued.conversation, live.queued(&self.experience, self.plan, overflow, at))
            }
            DeskEvent::ConversationAssigned(assigned) => {
                self.served(assigned.conversation, assigned.agent, at);
                let Some(live) = self.live.get_mut(&assigned.conversation) else { return };
                live.since = at;
                let limits = (assigned.accept_within, assigned.answer_within);
                (assigned.conversation, live.serve(&self.experience, assigned.assignment, Some(limits)))
            }
            DeskEvent::ConversationRequeued(requeued) => {
                let Some(live) = self.live.get_mut(&requeued.conversation) else { return };
                live.stop_serving(at);
                let overflow = requeued.overflow_at.map(|at| (at, requeued.group));
                (requeued.conversation, live.wait(&self.experience, self.plan, overflow, false))
            }
            DeskEvent::ConversationReleased(released) => {
                if let Some(agent) = released.agent {
                    self.served(released.conversation, agent, at);
                }
                self.live.remove(&released.conversation);
                return;
            }
            DeskEvent::AgentUpdated(_) | DeskEvent::FlowAdopted(_) | DeskEvent::FlowDropped(_) => return,
        };
        let generation = self.live.get(&conversation).map_or(0, |live| live.generation);
        self.plan_all(conversation, generation, planned);
    }

    fn plan_all(&mut self, conversation: ConversationId, generation: u64, planned: Vec<Planned>) {
        for Planned { at, order, due } in planned {
            self.agenda.plan(at, order, Happening::Due(conversation, generation, due));
        }
    }

    fn served(&mut self, conversation: ConversationId, agent: UserId, at: Timestamp) {
        let caller = self.live.get(&conversation).and_then(|live| live.visit.arrival.caller.as_ref());
        if let Some(caller) = caller {
            self.last_served.insert((caller.customer, caller.shop), LastServed { agent, at });
        }
    }

    fn due(&mut self, conversation: ConversationId, generation: u64, due: Due, at: Timestamp) {
        let Some(live) = self.live.get_mut(&conversation).filter(|live| live.generation == generation) else { return };
        let deed = match due {
            Due::Deed(deed) => deed,
            Due::Stretch(deed) => {
                live.finish_stretch(at);
                deed
            }
            Due::GivesUp if self.desk.tickets.get(&conversation).is_some_and(|ticket| ticket.left_message) => return,
            Due::GivesUp => Deed::End,
            Due::Overflow(group) => {
                self.command(&DeskCommand::Overflow { conversation, group }, at);
                return;
            }
            Due::TimeOut(assignment, reason) => {
                self.command(&DeskCommand::TimeOut { conversation, assignment, reason }, at);
                return;
            }
        };
        if let Deed::ToAgent(agent) | Deed::TakeOver(agent) | Deed::Pick(agent) | Deed::Recorded(agent) = deed {
            self.meet(agent, at);
        }
        if let Some(command) = self.command_of(conversation, deed) {
            self.command(&command, at);
        }
        // Whoever was to have it could not, or has it already: it stays where it is.
        if let (Due::Stretch(_), Some(live)) = (due, self.live.get(&conversation).filter(|live| live.generation == generation)) {
            let planned = live.next_stretch(&self.experience);
            self.plan_all(conversation, generation, planned.into_iter().collect());
        }
    }

    fn command_of(&self, conversation: ConversationId, deed: Deed) -> Option<DeskCommand> {
        Some(match deed {
            Deed::End => DeskCommand::Release { conversation },
            Deed::ToAgent(agent) => DeskCommand::Transfer { conversation, by: None, to: TransferTarget::Agent(agent) },
            Deed::ToGroup(group) => DeskCommand::Transfer { conversation, by: None, to: TransferTarget::Group(group) },
            Deed::TakeOver(by) => DeskCommand::TakeOver { conversation, by },
            Deed::Pick(by) => DeskCommand::Pick { conversation, by },
            Deed::Recorded(agent) => {
                return self.plan.is_as_recorded().then_some(DeskCommand::AssignRecorded { conversation, agent });
            }
            Deed::LeaveMessage => DeskCommand::LeaveMessage { conversation },
        })
    }

    fn arrive(&mut self, place: usize, at: Timestamp) {
        let visit = &self.recording.visits[place];
        if self.live.contains_key(&visit.conversation) {
            self.played.still_there += 1;
            return;
        }
        let Some(arrival) = self.arrival(&visit.arrival) else {
            self.played.refused.push(place);
            return;
        };
        let Some(group) = arrival.group else {
            self.played.refused.push(place);
            return;
        };
        let conversation = visit.conversation;
        self.live.insert(conversation, Live::new(visit, &arrival));
        let enqueue = DeskCommand::Enqueue {
            conversation,
            chat: arrival.chat,
            group,
            priority: arrival.priority,
            enqueued_at: arrival.enqueued_at,
            left_message: arrival.left_message,
            shop: arrival.shop,
            last_served: arrival.last_served,
            language: arrival.language,
            skills: arrival.skills,
            scores: arrival.scores,
        };
        if !self.command(&enqueue, at) {
            self.live.remove(&conversation);
            self.played.refused.push(place);
        }
    }
}

/// Why an agent lost it, as a time that ran out.
const fn omission(accepting: bool) -> RequeueReason {
    if accepting { RequeueReason::NotAccepted } else { RequeueReason::NotAnswered }
}

/// What comes at an instant that nobody recorded.
const fn unrecorded(at: Timestamp, due: Due) -> Planned {
    Planned { at, order: UNRECORDED, due }
}
