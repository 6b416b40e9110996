//! Service as the formulas of queueing theory know it: Poisson arrivals, exponential service, exponential patience or none. A recording
//! made up of it shows what a desk would do under that load, and is held against the formulas (Erlang C and Erlang A).

use domain::desk::command::{AgentChange, Service as OnService};
use domain::desk::event::Scores;
use domain::desk::state::DeskState;
use domain::flow::assignment::PRIORITY_DEFAULT;
use domain::ids::{ChatId, ConversationId, GroupId, UserId};
use domain::time::{Millis, Timestamp};
use hashbrown::HashMap;

use super::chance::{Draw, even};
use super::recording::{Input, Recorded, Recording};
use super::visit::{Arrival, Deed, Patience, Service, ServiceEnd, UNRECORDED, Visit, Wait};

/// What is made up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Model {
    /// Customers an hour.
    pub arrivals_per_hour: f64,
    /// How long a service takes, on average.
    pub handling: Millis,
    /// How long a customer waits, on average; without it, as long as it takes.
    pub patience: Option<Millis>,
    /// How many agents there are.
    pub agents: u32,
    /// How many conversations each takes at a time, each of them as fast as alone.
    pub capacity: u32,
    /// For how long.
    pub length: Millis,
    /// What chance begins with.
    pub seed: u64,
}

/// Why there is no such service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Nobody would come, or too many.
    #[error("arrivals are from 0.001 to 1000000 an hour")]
    Arrivals,
    /// It would take no time, or too much.
    #[error("spans of a model are from a second to a month")]
    Spans,
    /// Nobody would be there.
    #[error("a model has from 1 to 10000 agents, who take from 1 to 1000 conversations at a time")]
    Agents,
    /// More visits than fit into memory.
    #[error("a model has at most {VISITS_MAX} visits; make it shorter")]
    Long,
}

/// Most visits of a model.
pub const VISITS_MAX: u32 = 5_000_000;

/// The group that everybody comes to.
#[must_use]
pub fn group() -> GroupId {
    "model".parse().expect("a name of a group")
}

/// When it begins; nothing depends on it.
const BEGIN: Timestamp = Timestamp(1_700_000_000_000);

impl Model {
    /// Whether there is such a service.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn check(&self) -> Result<(), ModelError> {
        let span = |span: Millis| (Millis::seconds(1)..=Millis::days(31)).contains(&span);
        if !(0.001..=1_000_000.0).contains(&self.arrivals_per_hour) {
            return Err(ModelError::Arrivals);
        }
        if !span(self.handling) || !self.patience.is_none_or(span) || self.length < Millis::seconds(1) {
            return Err(ModelError::Spans);
        }
        if !(1..=10_000).contains(&self.agents) || !(1..=1_000).contains(&self.capacity) {
            return Err(ModelError::Agents);
        }
        if self.arrivals_per_hour * hours(self.length) > f64::from(VISITS_MAX) { Err(ModelError::Long) } else { Ok(()) }
    }

    /// The recording of it. The first tenth is not counted, so that the desk is not empty when counting begins.
    #[must_use]
    pub fn recording(&self) -> Recording {
        let end = BEGIN + self.length;
        let mut inputs = vec![];
        for number in 0..self.agents {
            let agent = UserId::from_u128(u128::from(number) + 1);
            let changes = [
                AgentChange::Groups(vec![group()]),
                AgentChange::Capacity(self.capacity),
                AgentChange::Online(true),
                AgentChange::Service(OnService::Started),
            ];
            inputs.extend(changes.map(|change| Recorded { at: BEGIN, order: 0, input: Input::Agent(agent, change) }));
        }
        let mut visits = vec![];
        let mut at_ms = 0.0;
        loop {
            let number = visits.len();
            let conversation = ConversationId::from_u128(number as u128 + 1);
            let draw = |mean: f64, nth: u32, draw: Draw| -mean * even(self.seed, conversation, nth, draw).ln();
            at_ms += draw(3_600_000.0 / self.arrivals_per_hour, 1, Draw::Answer);
            let at = BEGIN + whole(at_ms);
            if at >= end {
                break;
            }
            let handling = whole(draw(as_ms(self.handling), 0, Draw::Work));
            let patience = self.patience.map(|patience| whole(draw(as_ms(patience), 0, Draw::Patience)));
            visits.push(visit(conversation, at, handling, patience));
            inputs.push(Recorded { at, order: number as u64 + 1, input: Input::Arrive(number) });
        }
        Recording {
            from: BEGIN + Millis(self.length.0 / 10),
            to: end,
            end,
            desk: DeskState::default(),
            flows: vec![],
            carried: vec![],
            inputs,
            visits,
            facts: vec![],
            last_served: HashMap::new(),
        }
    }
}

fn visit(conversation: ConversationId, at: Timestamp, handling: Millis, patience: Option<Millis>) -> Visit {
    let arrival = Arrival {
        at,
        order: 0,
        chat: ChatId::from_uuid(conversation.uuid()),
        group: Some(group()),
        priority: PRIORITY_DEFAULT,
        enqueued_at: at,
        left_message: false,
        shop: None,
        last_served: None,
        language: None,
        skills: vec![],
        scores: Scores::new(),
        leave_message_after: None,
        caller: None,
    };
    let patience = patience.map_or(Patience::Endless, |after| Patience::Left { after, order: UNRECORDED });
    let service = Service { length: handling, end: ServiceEnd::Deed(Deed::End), ..Service::begun() };
    Visit { waits: vec![Wait { patience, deeds: vec![] }], services: vec![service], ..Visit::new(conversation, 0, arrival) }
}

/// Spans of at most months.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn as_ms(span: Millis) -> f64 {
    span.0 as f64
}

fn hours(span: Millis) -> f64 {
    as_ms(span) / 3_600_000.0
}

/// To the nearest millisecond.
#[expect(clippy::cast_possible_truncation, reason = "spans of at most months")]
fn whole(ms: f64) -> Millis {
    Millis(ms.round() as i64)
}
