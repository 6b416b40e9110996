//! Who is delivered to next, and whose cursor is written down: a state machine without I/O, driven by [`super::courier`].
//!
//! A customer with undelivered items is a few numbers here, never the items; so an endpoint that is down costs what it has
//! customers, and nothing for what they miss. It must not know HTTP, the feed or a clock: time comes in as a span.
//!
//! **Invariant.** A customer has at most one trip under way, so their items arrive in order.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use domain::ids::{ChannelId, TenantId};
use hashbrown::HashMap;

use crate::hub::Who;

/// Trips of one channel at a time, so that one endpoint that is slow leaves room for the others.
pub const TRIPS_OF_A_CHANNEL: usize = 8;
/// Items after which a cursor is written down at once.
pub const RECORD_ITEMS: u64 = 64;
/// How long a cursor waits to be written down while fewer have been delivered: what a crash repeats.
pub const RECORD_AFTER: Duration = Duration::from_secs(5);
/// Cursors that are written down at a time.
pub const RECORDS_MAX: usize = 64;
/// First pause after a failure; it doubles.
pub const RETRY_FIRST: Duration = Duration::from_secs(1);
/// Longest pause, before it is varied by half.
pub const RETRY_MAX: Duration = Duration::from_secs(60);

/// A channel of a tenant.
pub type Route = (TenantId, ChannelId);

/// An order to deliver to a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// To whom.
    pub who: Who,
    /// By which channel.
    pub channel: ChannelId,
    /// After which index.
    pub after: u64,
}

/// How a trip ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// There is more.
    More,
    /// There was no more.
    CaughtUp,
    /// An item was not received.
    Failed,
    /// Nothing is delivered to this customer any more, until they are woken.
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Home,
    Ready,
    Travelling,
    Waiting { until: Duration },
}

#[derive(Debug)]
struct Customer {
    channel: ChannelId,
    /// The last index that was received.
    reached: u64,
    /// The last index that is written down.
    recorded: u64,
    /// Failures in a row.
    failures: u32,
    phase: Phase,
    /// Whether there is news since the trip began.
    news: bool,
    record_at: Option<Duration>,
    recording: bool,
    /// What its lane's `returns` were when the trip began.
    returns: u64,
}

/// The customers of one channel who are ready, and how it is doing.
#[derive(Debug, Default)]
struct Lane {
    ready: VecDeque<Who>,
    travelling: usize,
    /// Whether the last trip failed: then one at a time finds out when it is over.
    failing: bool,
    has_turn: bool,
    /// How often the endpoint said that it is there again.
    returns: u64,
}

impl Lane {
    fn has_room(&self) -> bool {
        self.travelling < if self.failing { 1 } else { TRIPS_OF_A_CHANNEL }
    }
}

/// See the file's head.
#[derive(Debug)]
pub struct Rounds {
    trips_max: usize,
    travelling: usize,
    customers: HashMap<Who, Customer>,
    lanes: HashMap<Route, Lane>,
    /// Channels that have somebody ready, in turn.
    turns: VecDeque<Route>,
    retries: BTreeSet<(Duration, Who)>,
    records: BTreeSet<(Duration, Who)>,
}

impl Rounds {
    /// Nobody has anything to get; so many trips at a time.
    #[must_use]
    pub fn new(trips_max: usize) -> Self {
        Self {
            trips_max: trips_max.max(1),
            travelling: 0,
            customers: HashMap::new(),
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            retries: BTreeSet::new(),
            records: BTreeSet::new(),
        }
    }

    /// There may be something for a customer, after the index that is written down.
    pub fn wake(&mut self, who: Who, channel: ChannelId, recorded: u64) {
        let customer = self.customers.entry(who).or_insert(Customer {
            channel,
            reached: recorded,
            recorded,
            failures: 0,
            phase: Phase::Home,
            news: false,
            record_at: None,
            recording: false,
            returns: 0,
        });
        match customer.phase {
            Phase::Home => self.ready(who),
            Phase::Travelling => customer.news = true,
            Phase::Ready | Phase::Waiting { .. } => {}
        }
    }

    fn ready(&mut self, who: Who) {
        let Some(customer) = self.customers.get_mut(&who) else { return };
        customer.phase = Phase::Ready;
        let route = (who.0, customer.channel);
        let lane = self.lanes.entry(route).or_default();
        lane.ready.push_back(who);
        if !lane.has_turn {
            lane.has_turn = true;
            self.turns.push_back(route);
        }
    }

    /// Those whose pause is over are ready again.
    pub fn tick(&mut self, now: Duration) {
        while let Some((until, who)) = self.retries.first().copied()
            && until <= now
        {
            self.retries.remove(&(until, who));
            self.ready(who);
        }
    }

    /// The endpoint of a channel is there again: nobody of it waits any longer.
    pub fn hurry(&mut self, route: Route) {
        let is_of_route =
            |(_, who): &(Duration, Who)| who.0 == route.0 && self.customers.get(who).is_some_and(|customer| customer.channel == route.1);
        let waiting: Vec<(Duration, Who)> = self.retries.iter().filter(|entry| is_of_route(entry)).copied().collect();
        for entry in waiting {
            self.retries.remove(&entry);
            self.ready(entry.1);
        }
        if let Some(lane) = self.lanes.get_mut(&route) {
            lane.failing = false;
            lane.returns += 1;
        }
    }

    /// The next trip, if there is room for one. Channels take turns.
    pub fn next_trip(&mut self) -> Option<Trip> {
        if self.travelling >= self.trips_max {
            return None;
        }
        for _ in 0..self.turns.len() {
            let route = self.turns.pop_front()?;
            let Some(lane) = self.lanes.get_mut(&route) else { continue };
            let next = if lane.has_room() { lane.ready.pop_front() } else { None };
            lane.has_turn = !lane.ready.is_empty();
            if lane.has_turn {
                self.turns.push_back(route);
            }
            let Some((who, customer)) = next.and_then(|who| Some((who, self.customers.get_mut(&who)?))) else { continue };
            lane.travelling += 1;
            self.travelling += 1;
            customer.phase = Phase::Travelling;
            customer.news = false;
            customer.returns = lane.returns;
            return Some(Trip { who, channel: customer.channel, after: customer.reached });
        }
        None
    }

    /// A trip ended, having reached an index. `chance` is any number: pauses vary by it.
    pub fn ended(&mut self, who: Who, reached: u64, how: Ended, now: Duration, chance: u32) {
        let Some(customer) = self.customers.get_mut(&who).filter(|customer| customer.phase == Phase::Travelling) else { return };
        self.travelling -= 1;
        if reached > customer.reached {
            customer.reached = reached;
            customer.failures = 0;
        }
        let route = (who.0, customer.channel);
        let mut is_back = false;
        if let Some(lane) = self.lanes.get_mut(&route) {
            lane.travelling -= 1;
            // A failure from before the endpoint was back says nothing about now.
            is_back = lane.returns != customer.returns;
            lane.failing = how == Ended::Failed && !is_back;
        }
        match how {
            Ended::More => self.ready(who),
            Ended::Failed if is_back => self.ready(who),
            // A stop from before the channel was connected again says nothing about now, either.
            Ended::Stopped if customer.news || is_back => self.ready(who),
            Ended::CaughtUp if customer.news => self.ready(who),
            Ended::CaughtUp => (customer.phase, customer.failures) = (Phase::Home, 0),
            Ended::Stopped => customer.phase = Phase::Home,
            Ended::Failed => {
                customer.failures += 1;
                let until = now + pause(customer.failures, chance);
                customer.phase = Phase::Waiting { until };
                self.retries.insert((until, who));
            }
        }
        self.plan_record(who, now);
        self.forget_if_done(who);
        if self.lanes.get(&route).is_some_and(|lane| lane.ready.is_empty() && lane.travelling == 0 && !lane.failing) {
            self.lanes.remove(&route);
        }
    }

    fn plan_record(&mut self, who: Who, now: Duration) {
        let Some(customer) = self.customers.get_mut(&who) else { return };
        if customer.recording || customer.reached <= customer.recorded {
            return;
        }
        let at = if customer.reached - customer.recorded >= RECORD_ITEMS { now } else { now + RECORD_AFTER };
        match customer.record_at {
            Some(before) if before <= at => return,
            Some(before) => self.records.remove(&(before, who)),
            None => false,
        };
        customer.record_at = Some(at);
        self.records.insert((at, who));
    }

    fn forget_if_done(&mut self, who: Who) {
        let is_done = |customer: &Customer| customer.phase == Phase::Home && !customer.recording && customer.record_at.is_none();
        if self.customers.get(&who).is_some_and(is_done) {
            self.customers.remove(&who);
        }
    }

    /// Cursors that are to be written down now; each is answered with [`Self::recorded`].
    pub fn due_records(&mut self, now: Duration) -> Vec<(Who, ChannelId, u64)> {
        let mut due = Vec::new();
        while let Some((at, who)) = self.records.first().copied()
            && at <= now
            && due.len() < RECORDS_MAX
        {
            self.records.remove(&(at, who));
            let Some(customer) = self.customers.get_mut(&who) else { continue };
            (customer.record_at, customer.recording) = (None, true);
            due.push((who, customer.channel, customer.reached));
        }
        due
    }

    /// A cursor was written down, or could not be and is tried again later.
    pub fn recorded(&mut self, who: Who, up_to: Option<u64>, now: Duration) {
        let Some(customer) = self.customers.get_mut(&who) else { return };
        customer.recording = false;
        if let Some(up_to) = up_to {
            customer.recorded = customer.recorded.max(up_to);
            self.plan_record(who, now);
        } else {
            let at = now + RECORD_AFTER;
            customer.record_at = Some(at);
            self.records.insert((at, who));
        }
        self.forget_if_done(who);
    }

    /// Cursors that are not written down yet.
    pub fn unrecorded(&self) -> impl Iterator<Item = (Who, ChannelId, u64)> {
        let behind = self.customers.iter().filter(|(_, customer)| customer.reached > customer.recorded);
        behind.map(|(who, customer)| (*who, customer.channel, customer.reached))
    }

    /// When there is something to do that nobody will tell.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        let firsts = [self.retries.first(), self.records.first()];
        firsts.into_iter().flatten().map(|(at, _)| *at).min()
    }
}

/// The pause after so many failures in a row: doubling, and varied by half, so that those who failed together do not return together.
fn pause(failures: u32, chance: u32) -> Duration {
    let whole = RETRY_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(RETRY_MAX);
    whole / 2 + whole.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests;
