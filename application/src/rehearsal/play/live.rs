//! A visit as it goes on in a rehearsal: what is to come of it, as long as nothing else does first.

use domain::desk::event::RequeueReason;
use domain::ids::GroupId;
use domain::time::{Millis, Timestamp};

use super::super::chance::Experience;
use super::super::plan::Plan;
use super::super::recording::Carried;
use super::super::visit::{Arrival, Deed, Order, Patience, Service, ServiceEnd, Stretch, UNRECORDED, Visit};
use super::{omission, unrecorded};

/// What comes when its time comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Somebody does something.
    Deed(Deed),
    /// The stretch of service is over, and somebody does something.
    Stretch(Deed),
    /// The customer leaves, unless they have left a message by then.
    GivesUp,
    /// It goes on to another group than this.
    Overflow(GroupId),
    /// The agent under this assignment loses it.
    TimeOut(u64, RequeueReason),
}

/// Something to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub at: Timestamp,
    pub order: Order,
    pub due: Due,
}

/// Limits of an agent: to accept, and to answer.
type Limits = (Option<Millis>, Option<Millis>);

/// See the file's head.
pub(super) struct Live<'a> {
    pub visit: &'a Visit,
    /// What was planned for another generation is void.
    pub generation: u64,
    /// Since when it waits, or is served.
    pub since: Timestamp,
    stretches: Vec<Stretch>,
    /// What was done beyond the last of them.
    unfinished: Millis,
    leave_message_at: Option<Timestamp>,
    left_message: bool,
    waiting: bool,
    /// Whether the service that is under way gets anything done.
    working: bool,
    waits: usize,
    services: usize,
    over: usize,
    done: Millis,
    overflows: usize,
}

impl<'a> Live<'a> {
    pub fn new(visit: &'a Visit, arrival: &Arrival) -> Self {
        let (stretches, unfinished) = visit.stretches();
        Self {
            visit,
            generation: 0,
            since: arrival.at,
            stretches,
            unfinished,
            leave_message_at: arrival.leave_message_after.map(|after| arrival.enqueued_at + after),
            left_message: arrival.left_message,
            waiting: false,
            working: false,
            waits: 0,
            services: 0,
            over: 0,
            done: Millis(0),
            overflows: 0,
        }
    }

    /// One that was under way when the period began.
    pub fn carried(visit: &'a Visit, carried: &Carried, left_message: bool) -> Self {
        let Carried { waits, services, stretches, done, overflows, since, .. } = *carried;
        let mut live = Self::new(visit, &visit.arrival);
        (live.since, live.over, live.done, live.overflows) = (since, stretches, done, overflows);
        (live.waits, live.services, live.left_message) = (waits, services, left_message);
        live
    }

    /// It waits from here on, or it waits otherwise.
    pub fn queued(&mut self, experience: &Experience, plan: &Plan, overflow: Option<(Timestamp, GroupId)>, at: Timestamp) -> Vec<Planned> {
        if self.waiting {
            return self.overflow(overflow).into_iter().collect();
        }
        self.since = at;
        self.wait(experience, plan, overflow, false)
    }

    /// Plans a wait; one that is `under_way` is not a further one.
    pub fn wait(&mut self, experience: &Experience, plan: &Plan, overflow: Option<(Timestamp, GroupId)>, under_way: bool) -> Vec<Planned> {
        if !under_way {
            self.generation += 1;
            self.waits += 1;
        }
        self.waiting = true;
        let is_first = self.waits == 1;
        let since = self.since;
        let mut planned: Vec<Planned> = self.overflow(overflow).into_iter().collect();
        let recorded = self.visit.waits.get(self.waits - 1);
        let draws = is_first && !self.left_message;
        let mut survived = Millis(0);
        match recorded.map_or(Patience::AtLeast(Millis(0)), |wait| wait.patience) {
            Patience::Left { after, order } => {
                survived = after;
                planned.push(Planned { at: since + after, order, due: Due::Deed(Deed::End) });
            }
            Patience::AtLeast(waited) => {
                survived = waited;
                let leaves = experience.patience(self.visit, waited).filter(|_| draws);
                planned.extend(leaves.map(|after| unrecorded(since + after, Due::GivesUp)));
            }
            Patience::Endless => {}
        }
        let deeds = recorded.map_or(&[][..], |wait| &wait.deeds);
        let done = deeds.iter().filter(|done| plan.is_as_recorded() || !matches!(done.deed, Deed::Recorded(_)));
        planned.extend(done.map(|done| Planned { at: since + done.after, order: done.order, due: Due::Deed(done.deed) }));
        let left_one = deeds.iter().any(|done| done.deed == Deed::LeaveMessage);
        if let Some(due) = self.leave_message_at.filter(|_| is_first && !left_one && !self.left_message) {
            // What was not so early in the recording is not so early now.
            let seen = since + survived;
            let at = if due <= seen && recorded.is_some() { seen + Millis(1) } else { due.max(since) };
            planned.push(unrecorded(at, Due::Deed(Deed::LeaveMessage)));
        }
        planned
    }

    fn overflow(&mut self, overflow: Option<(Timestamp, GroupId)>) -> Option<Planned> {
        let (at, group) = overflow?;
        let late = self.visit.overflows.get(self.overflows).copied().unwrap_or_default();
        self.overflows += 1;
        Some(Planned { at: at + late.by, order: late.order.unwrap_or(UNRECORDED), due: Due::Overflow(group) })
    }

    /// Plans a service; without limits, it is one that is under way.
    pub fn serve(&mut self, experience: &Experience, assignment: u64, limits: Option<Limits>) -> Vec<Planned> {
        if limits.is_some() {
            self.generation += 1;
            self.services += 1;
        }
        self.waiting = false;
        self.left_message = false;
        let recorded = self.services.checked_sub(1).and_then(|nth| self.visit.services.get(nth));
        let limits = limits.or_else(|| recorded.map(|recorded| recorded.limits)).unwrap_or_default();
        let since = self.since;
        let fails = recorded.and_then(|recorded| failure(recorded, limits, assignment).map(|(after, due)| (after, recorded.order, due)));
        self.working = fails.is_none();
        if let Some((after, order, due)) = fails {
            return vec![Planned { at: since + after, order, due }];
        }
        let mut planned: Vec<Planned> = self.next_stretch(experience).into_iter().collect();
        let impatient = recorded.and_then(|recorded| runs_out(recorded, limits));
        planned.extend(impatient.map(|(after, reason)| unrecorded(since + after, Due::TimeOut(assignment, reason))));
        planned
    }

    /// The end of the stretch that is under way, if it is known or can be guessed.
    pub fn next_stretch(&self, experience: &Experience) -> Option<Planned> {
        let rest = |length: Millis| Millis((length.0 - self.done.0).max(0));
        match self.stretches.get(self.over) {
            Some(Stretch { length: Some(length), deed, order }) => {
                Some(Planned { at: self.since + rest(*length), order: *order, due: Due::Stretch(*deed) })
            }
            Some(Stretch { length: None, .. }) => None,
            None => {
                // It was not over when it was interrupted for good.
                let more = experience.work(self.visit)?.max(Millis(1));
                Some(unrecorded(self.since + rest(Millis(self.unfinished.0 + more.0)), Due::Stretch(Deed::End)))
            }
        }
    }

    pub fn finish_stretch(&mut self, at: Timestamp) {
        (self.over, self.done, self.since) = (self.over + 1, Millis(0), at);
    }

    /// It comes back: what was done is done.
    pub fn stop_serving(&mut self, at: Timestamp) {
        if self.working {
            self.done = Millis(self.done.0 + (at - self.since).0);
        }
        self.since = at;
    }
}

/// When a service that failed in the recording fails again, if the limits still are such that it can.
fn failure(recorded: &Service, (accept, answer): Limits, assignment: u64) -> Option<(Millis, Due)> {
    let late = |limit: Option<Millis>, from: Millis| Millis((recorded.length.0 - from.0 - limit.map_or(0, |limit| limit.0)).max(0));
    match recorded.end {
        ServiceEnd::NotAccepted => {
            let after = Millis(accept?.0 + late(recorded.limits.0, Millis(0)).0);
            Some((after, Due::TimeOut(assignment, omission(true))))
        }
        ServiceEnd::NotAnswered => {
            let asked = recorded.asked_after.unwrap_or_default();
            let after = Millis(asked.0 + answer?.0 + late(recorded.limits.1, asked).0);
            Some((after, Due::TimeOut(assignment, omission(false))))
        }
        ServiceEnd::Overdue => Some((recorded.length, Due::Deed(Deed::LeaveMessage))),
        ServiceEnd::Deed(_) | ServiceEnd::Interrupted | ServiceEnd::Open => None,
    }
}

/// When limits run out that were longer in the recording, or were not there.
fn runs_out(recorded: &Service, (accept, answer): Limits) -> Option<(Millis, RequeueReason)> {
    // What became of it later, had the agent stayed, nobody knows.
    let cut = recorded.end == ServiceEnd::Interrupted;
    let runs_out = |limit: Millis, was: Option<Millis>, from: Millis, done: Option<Millis>| {
        let seen = done.unwrap_or(recorded.length);
        // It did not run out under its own limit, however late that was looked at.
        let late = was.map_or(0, |was| (seen.0 - from.0 - was.0 + 1).max(0));
        let after = Millis(from.0 + limit.0 + late);
        let in_time = done.is_some_and(|done| done <= after) || (cut && done.is_none() && recorded.length < after);
        (!in_time).then_some(after)
    };
    let accepted = recorded.accepted_after.or(recorded.answered_after);
    let accepting = accept.and_then(|limit| runs_out(limit, recorded.limits.0, Millis(0), accepted)).map(|after| (after, omission(true)));
    let answering = answer.zip(recorded.asked_after).and_then(|(limit, asked)| {
        runs_out(limit, recorded.limits.1, asked, recorded.answered_after).map(|after| (after, omission(false)))
    });
    accepting.into_iter().chain(answering).min_by_key(|(after, _)| *after)
}
