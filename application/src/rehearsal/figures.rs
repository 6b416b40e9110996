//! What a period comes to: waits, abandonment, replies and load, of what happened and of what would have.

mod replies;

use std::collections::BTreeMap;

use domain::desk::event::DeskEvent;
use domain::ids::{ConversationId, GroupId, UserId};
use domain::time::{Millis, Timestamp};
use hashbrown::HashMap;
use serde::Serialize;

use self::replies::Rounds;
use super::chance::{Experience, quantile};
use super::plan::Plan;
use super::play::Played;
use super::recording::Recording;

/// Waits of a number of visits, in milliseconds. Of those who were served until they were, of those who left until they left.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Waits {
    /// On average.
    pub mean_ms: f64,
    /// Half of them waited no longer.
    pub median_ms: i64,
    /// Nine of ten waited no longer.
    pub p90_ms: i64,
    /// The longest.
    pub longest_ms: i64,
    /// The share of those who came that had to wait at all.
    pub waited: f64,
    /// The share of those who came that were served within 20 seconds.
    pub within_20s: f64,
    /// The share of those who came that were served within 60 seconds.
    pub within_60s: f64,
}

/// Those who came and what became of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Flow {
    /// Those who came to wait for an agent.
    pub came: u64,
    /// Those of them who were served.
    pub served: u64,
    /// Those of them who left before.
    pub left: u64,
    /// `left / came`.
    pub abandonment: f64,
    /// How they waited.
    pub waits: Waits,
    /// How many waited at a time, on average over the period.
    pub mean_queue: f64,
}

/// Rounds of questions, and whether they were answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Replies {
    /// Rounds whose window is over, or that were answered.
    pub rounds: u64,
    /// Those that were answered by a human within 24 hours.
    pub replied: u64,
    /// `replied / rounds`.
    pub rate: f64,
    /// First question to first answer, on average.
    pub first_response_mean_ms: f64,
    /// Nine of ten first answers came no later.
    pub first_response_p90_ms: i64,
}

/// What an agent carried.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Load {
    /// Who.
    pub agent: String,
    /// Conversations that they were given.
    pub given: u64,
    /// On service and connected, in milliseconds.
    pub on_duty_ms: i64,
    /// Conversations at a time, on average while on duty.
    pub mean_load: f64,
    /// Most at a time.
    pub most: u32,
    /// What they carried of what they could have carried while on duty.
    pub occupancy: f64,
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Those who waited, in all groups.
    #[serde(flatten)]
    pub all: Flow,
    /// Those who left a message, or whose wait became one.
    pub left_messages: u64,
    /// Those for whom there was nobody.
    pub refused: u64,
    /// Those who still wait at the end.
    pub still_waiting: u64,
    /// Rounds and answers.
    pub replies: Replies,
    /// By the group they came to.
    pub groups: BTreeMap<String, Flow>,
    /// By agent; whoever was never there and had nothing is left out.
    pub agents: Vec<Load>,
}

/// How a visit went.
struct Went {
    group: GroupId,
    queued_at: Timestamp,
    first_served: Option<Timestamp>,
    left_message: bool,
    released_at: Option<Timestamp>,
    /// Each service: from, until.
    services: Vec<(Timestamp, Option<Timestamp>)>,
}

/// An agent, as time goes by.
#[derive(Default)]
struct Carrying {
    given: u64,
    load: u32,
    most: u32,
    on_duty: bool,
    capacity: u32,
    since: Timestamp,
    on_duty_ms: i64,
    load_ms: i64,
    room_ms: i64,
    load_on_duty_ms: i64,
}

impl Carrying {
    /// Counts what has been so far.
    fn pass(&mut self, now: Timestamp, (from, to): (Timestamp, Timestamp)) {
        let span = (now.min(to) - self.since.max(from)).0.max(0);
        self.since = now;
        let load = i64::from(self.load);
        self.load_ms += span * load;
        if self.on_duty {
            self.on_duty_ms += span;
            self.load_on_duty_ms += span * load;
            self.room_ms += span * i64::from(self.capacity);
        }
    }
}

struct Count<'a> {
    recording: &'a Recording,
    /// Where the visits are that came at an instant, the next one last.
    places: HashMap<(ConversationId, Timestamp), Vec<usize>>,
    at_the_desk: HashMap<ConversationId, Option<usize>>,
    went: BTreeMap<usize, Went>,
    agents: BTreeMap<UserId, Carrying>,
}

/// What the recorded facts come to.
#[must_use]
pub fn recorded(recording: &Recording) -> Figures {
    let refused = recording.visits.iter().enumerate().filter(|(_, visit)| visit.arrival.group.is_none()).map(|(place, _)| place);
    let played = Played { facts: recording.facts.clone(), refused: refused.collect(), still_there: 0 };
    of(recording, &played, &Plan::default())
}

/// What a rehearsal comes to.
#[must_use]
pub fn of(recording: &Recording, played: &Played, plan: &Plan) -> Figures {
    let mut count = Count::new(recording);
    for (at, fact) in &played.facts {
        count.fact(*at, fact);
    }
    count.finish(played, plan)
}

impl<'a> Count<'a> {
    fn new(recording: &'a Recording) -> Self {
        let mut places: HashMap<_, Vec<usize>> = HashMap::new();
        for (place, visit) in recording.visits.iter().enumerate().rev() {
            places.entry((visit.conversation, visit.arrival.at)).or_default().push(place);
        }
        let agents = recording.desk.agents.iter().map(|(id, agent)| {
            let carrying = Carrying {
                load: agent.load(),
                most: agent.load(),
                on_duty: agent.on_service && agent.online,
                capacity: agent.capacity,
                since: recording.from,
                ..Carrying::default()
            };
            (*id, carrying)
        });
        Self {
            recording,
            places,
            at_the_desk: recording.desk.tickets.keys().map(|conversation| (*conversation, None)).collect(),
            went: BTreeMap::new(),
            agents: agents.collect(),
        }
    }

    fn agent(&mut self, agent: UserId, at: Timestamp, change: impl FnOnce(&mut Carrying)) {
        let period = (self.recording.from, self.recording.to.min(self.recording.end));
        let carrying = self.agents.entry(agent).or_insert_with(|| Carrying { since: at, ..Carrying::default() });
        carrying.pass(at, period);
        change(carrying);
        carrying.most = carrying.most.max(carrying.load);
    }

    /// A visit that came within the period.
    fn went(&mut self, conversation: ConversationId) -> Option<&mut Went> {
        self.went.get_mut(&(*self.at_the_desk.get(&conversation)?)?)
    }

    fn fact(&mut self, at: Timestamp, fact: &DeskEvent) {
        let counted = |at: Timestamp, recording: &Recording| at >= recording.from && at < recording.to;
        match fact {
            DeskEvent::AgentUpdated(updated) => self.agent(updated.agent, at, |carrying| {
                carrying.on_duty = updated.on_service && updated.online;
                carrying.capacity = updated.capacity;
            }),
            DeskEvent::ConversationQueued(queued) => {
                let left_message = queued.queue == domain::desk::event::QueueKind::Message;
                if self.at_the_desk.contains_key(&queued.conversation) {
                    self.went(queued.conversation).into_iter().for_each(|went| went.left_message |= left_message);
                    return;
                }
                let places = self.places.get_mut(&(queued.conversation, at));
                let place = places.and_then(Vec::pop).filter(|_| counted(at, self.recording));
                self.at_the_desk.insert(queued.conversation, place);
                if let Some(place) = place {
                    let went =
                        Went { group: queued.group, queued_at: at, first_served: None, left_message, released_at: None, services: vec![] };
                    self.went.insert(place, went);
                }
            }
            DeskEvent::ConversationAssigned(assigned) => {
                if let Some(previous) = assigned.previous {
                    self.agent(previous, at, |carrying| carrying.load = carrying.load.saturating_sub(1));
                }
                let counts = u64::from(counted(at, self.recording));
                self.agent(assigned.agent, at, |carrying| {
                    carrying.load += 1;
                    carrying.given += counts;
                });
                if let Some(went) = self.went(assigned.conversation) {
                    went.first_served.get_or_insert(at);
                    end_service(went, at);
                    went.services.push((at, None));
                }
            }
            DeskEvent::ConversationRequeued(requeued) => {
                self.agent(requeued.agent, at, |carrying| carrying.load = carrying.load.saturating_sub(1));
                self.went(requeued.conversation).into_iter().for_each(|went| end_service(went, at));
            }
            DeskEvent::ConversationReleased(released) => {
                if let Some(agent) = released.agent {
                    self.agent(agent, at, |carrying| carrying.load = carrying.load.saturating_sub(1));
                }
                if let Some(went) = self.went(released.conversation) {
                    end_service(went, at);
                    went.released_at = Some(at);
                }
                self.at_the_desk.remove(&released.conversation);
            }
            DeskEvent::FlowAdopted(_) | DeskEvent::FlowDropped(_) => {}
        }
    }

    fn finish(mut self, played: &Played, plan: &Plan) -> Figures {
        let recording = self.recording;
        let end = recording.to.min(recording.end);
        let period = (end - recording.from).0.max(1);
        for agent in self.agents.keys().copied().collect::<Vec<_>>() {
            self.agent(agent, end, |_| {});
        }
        let experience = Experience::of(&recording.visits, plan.seed);
        let in_period = |place: &&usize| (recording.from..recording.to).contains(&recording.visits[**place].arrival.at);
        let refused: Vec<usize> = played.refused.iter().filter(in_period).copied().collect();
        let mut replies = Rounds::default();
        for (place, went) in &self.went {
            replies.visit(&recording.visits[*place], went, &experience, recording.end);
        }
        refused.iter().for_each(|place| replies.refused(&recording.visits[*place], recording.end));
        let waiting: Vec<&Went> = self.went.values().filter(|went| !went.left_message).collect();
        let mut by_group: BTreeMap<String, Vec<&Went>> = BTreeMap::new();
        for went in &waiting {
            by_group.entry(went.group.to_string()).or_default().push(went);
        }
        let names: HashMap<UserId, String> = plan
            .roster
            .iter()
            .flat_map(|roster| roster.agents().map(|(id, line, number)| (id, format!("{} {number}", line.name.as_str()))))
            .collect();
        let agents = self.agents.iter().filter(|(_, carrying)| carrying.on_duty_ms > 0 || carrying.load_ms > 0 || carrying.given > 0);
        Figures {
            all: flow(&waiting, recording.end, period),
            left_messages: count(self.went.values().filter(|went| went.left_message)),
            refused: count(refused.iter()),
            still_waiting: count(waiting.iter().filter(|went| went.first_served.is_none() && went.released_at.is_none())),
            replies: replies.finish(),
            groups: by_group.into_iter().map(|(group, went)| (group, flow(&went, recording.end, period))).collect(),
            agents: agents.map(|(id, carrying)| load(names.get(id).cloned().unwrap_or_else(|| id.to_string()), carrying)).collect(),
        }
    }
}

fn end_service(went: &mut Went, at: Timestamp) {
    if let Some((_, until @ None)) = went.services.last_mut() {
        *until = Some(at);
    }
}

fn count<T>(things: impl Iterator<Item = T>) -> u64 {
    things.fold(0, |count, _| count + 1)
}

/// Counts and milliseconds far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn ratio(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn flow(went: &[&Went], end: Timestamp, period: i64) -> Flow {
    let wait = |went: &Went| went.first_served.or(went.released_at).unwrap_or(end) - went.queued_at;
    let mut waits: Vec<Millis> = went.iter().map(|went| wait(went)).collect();
    waits.sort_unstable();
    let total: i64 = waits.iter().map(|wait| wait.0).sum();
    let came = number(count(went.iter()));
    let served_within = |limit: Option<Millis>| {
        let within = |went: &&&Went| went.first_served.is_some_and(|at| limit.is_none_or(|limit| at - went.queued_at <= limit));
        number(count(went.iter().filter(within)))
    };
    let served = served_within(None);
    let left = number(count(went.iter().filter(|went| went.first_served.is_none() && went.released_at.is_some())));
    let at = |share: f64| quantile(&waits, share).unwrap_or_default().0;
    Flow {
        came: came.unsigned_abs(),
        served: served.unsigned_abs(),
        left: left.unsigned_abs(),
        abandonment: ratio(left, came),
        waits: Waits {
            mean_ms: ratio(total, came),
            median_ms: at(0.5),
            p90_ms: at(0.9),
            longest_ms: at(1.0),
            waited: ratio(number(count(waits.iter().filter(|wait| wait.0 > 0))), came),
            within_20s: ratio(served_within(Some(Millis::seconds(20))), came),
            within_60s: ratio(served_within(Some(Millis::seconds(60))), came),
        },
        mean_queue: ratio(total, period),
    }
}

fn load(agent: String, carrying: &Carrying) -> Load {
    Load {
        agent,
        given: carrying.given,
        on_duty_ms: carrying.on_duty_ms,
        mean_load: ratio(carrying.load_on_duty_ms, carrying.on_duty_ms),
        most: carrying.most,
        occupancy: ratio(carrying.load_on_duty_ms, carrying.room_ms),
    }
}
