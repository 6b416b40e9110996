//! How somebody comes under a plan: to which group, before whom, and what is known of them.

use domain::desk::event::LastServed;
use domain::flow::condition::{QueueStand, ServiceTime};
use domain::flow::hours::ServiceHours;
use domain::flow::reception::Arrival as Reaches;
use domain::flow::words::Span;
use domain::ids::{GroupId, UserId};
use domain::time::{Millis, Timestamp};

use super::super::visit::{Arrival, Caller};
use super::Player;
use crate::policies::following::Case;

impl Player<'_> {
    /// How somebody comes under the plan; `None` if they are refused.
    pub(super) fn arrival(&self, recorded: &Arrival) -> Option<Arrival> {
        let mut arrival = recorded.clone();
        let plan = self.plan;
        let Some(caller) = recorded.caller.as_ref().filter(|caller| !plan.is_as_recorded() && plan.is_for(Some(caller.shop))) else {
            return recorded.group.is_some().then_some(arrival);
        };
        let known_last = self.last_served.get(&(caller.customer, caller.shop)).copied();
        if recorded.last_served.is_some() {
            arrival.last_served = known_last;
        }
        if let Some(flow) = &plan.reception {
            let case = self.case(caller, known_last, flow.hours.as_ref(), &flow.asked().queues, recorded.enqueued_at);
            let destination = flow.routed(&case)?.destination?;
            arrival.group = destination.group;
            arrival.left_message = match destination.then {
                Reaches::Queue => false,
                Reaches::LeaveMessage => true,
                Reaches::Refuse => return None,
            };
            arrival.skills.clone_from(&destination.skills);
            arrival.leave_message_after = flow.waiting.leave_message_after.map(Span::millis);
        }
        arrival.group?;
        if let Some(flow) = &plan.assignment {
            let case = self.case(caller, known_last, flow.hours.as_ref(), &flow.asked().queues, recorded.enqueued_at);
            arrival.priority = flow.priority(&case);
            arrival.shop = Some(caller.shop);
            arrival.language.clone_from(&caller.language);
            arrival.last_served = known_last;
        }
        Some(arrival)
    }

    fn case<'q>(
        &self,
        caller: &Caller,
        last_served: Option<LastServed>,
        hours: Option<&ServiceHours>,
        queues: impl IntoIterator<Item = &'q GroupId>,
        at: Timestamp,
    ) -> Case {
        Case {
            shop: caller.shop,
            // Nobody speaks in a rehearsal.
            shop_account: UserId::from_u128(0),
            entry: caller.entry,
            asked_for: caller.asked_for,
            tier: caller.tier.clone(),
            tags: caller.tags.clone(),
            language: caller.language.clone(),
            service: if hours.is_none_or(|hours| hours.is_open(at)) { ServiceTime::Open } else { ServiceTime::Closed },
            last_served,
            text: None,
            queues: queues.into_iter().map(|group| (*group, self.stand(*group, at))).collect(),
            // Whoever comes here has been with them.
            robots: vec![],
        }
    }

    fn stand(&self, group: GroupId, at: Timestamp) -> QueueStand {
        let queue = self.desk.queue(group);
        let oldest = queue.iter().map(|(_, _, enqueued_at, _)| *enqueued_at).min();
        QueueStand {
            waiting: u32::try_from(queue.len()).unwrap_or(u32::MAX),
            longest_wait: oldest.map_or(Millis(0), |oldest| at - oldest),
            staffed: self.desk.agents.values().any(|agent| agent.on_service && agent.online && agent.groups.contains(&group)),
        }
    }
}
