//! Who is next: tenants take turns, so that one tenant's storm does not starve another.

use std::collections::VecDeque;

use domain::ids::TenantId;
use hashbrown::HashMap;

use crate::log::stream::StreamId;

/// Whether a command may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Admitted,
    /// Too many wait already.
    Full,
}

#[derive(Default)]
struct Line {
    streams: VecDeque<StreamId>,
    waiting: usize,
    /// Whether the tenant has its place in the round.
    in_round: bool,
}

/// The round of tenants, each with its line of streams that have something to decide.
pub struct Queue {
    per_tenant_max: usize,
    max: usize,
    waiting: usize,
    lines: HashMap<TenantId, Line>,
    round: VecDeque<TenantId>,
}

impl Queue {
    pub fn new(per_tenant_max: usize, max: usize) -> Self {
        Self { per_tenant_max, max, waiting: 0, lines: HashMap::new(), round: VecDeque::new() }
    }

    /// Counts a command in, unless too many wait.
    pub fn admit(&mut self, tenant: TenantId) -> Admission {
        let line = self.lines.entry(tenant).or_default();
        if self.waiting >= self.max || line.waiting >= self.per_tenant_max {
            return Admission::Full;
        }
        self.waiting += 1;
        line.waiting += 1;
        Admission::Admitted
    }

    /// Counts a command in whatever waits: one of a policy or a timer, of which the sender keeps a bounded number open.
    pub fn admit_always(&mut self, tenant: TenantId) {
        self.waiting += 1;
        self.lines.entry(tenant).or_default().waiting += 1;
    }

    /// Counts answered commands out.
    pub fn finished(&mut self, tenant: TenantId, commands: usize) {
        self.waiting -= commands;
        if let Some(line) = self.lines.get_mut(&tenant) {
            line.waiting -= commands;
            if line.waiting == 0 && line.streams.is_empty() && !line.in_round {
                self.lines.remove(&tenant);
            }
        }
    }

    /// Puts a stream into its tenant's line, unless `queued` says that it is there.
    pub fn runnable(&mut self, stream: StreamId, queued: &mut bool) {
        if std::mem::replace(queued, true) {
            return;
        }
        let line = self.lines.entry(stream.tenant).or_default();
        line.streams.push_back(stream);
        if !std::mem::replace(&mut line.in_round, true) {
            self.round.push_back(stream.tenant);
        }
    }

    /// The next stream: one of the next tenant, who then goes to the end of the round.
    pub fn next(&mut self) -> Option<StreamId> {
        let tenant = self.round.pop_front()?;
        let line = self.lines.get_mut(&tenant)?;
        let stream = line.streams.pop_front();
        if line.streams.is_empty() {
            line.in_round = false;
        } else {
            self.round.push_back(tenant);
        }
        stream
    }

    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    pub fn waiting(&self) -> usize {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::stream::StreamKey;

    fn stream(tenant: &str, chat: u128) -> StreamId {
        StreamId::new(tenant.parse().expect("valid"), StreamKey::Chat(domain::ids::ChatId::from_u128(chat)))
    }

    #[test]
    fn tenants_take_turns_whatever_one_of_them_piles_up() {
        let mut queue = Queue::new(100, 100);
        for (tenant, chat) in [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2)] {
            assert_eq!(queue.admit(tenant.parse().expect("valid")), Admission::Admitted);
            queue.runnable(stream(tenant, chat), &mut false);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.next()).map(|stream| stream.tenant.to_string()).collect();
        assert_eq!(order, ["a", "b", "a", "b", "a"]);
    }

    #[test]
    fn a_full_line_refuses_its_own_tenant_only_until_something_is_answered() {
        let mut queue = Queue::new(1, 10);
        let (a, b): (TenantId, TenantId) = ("a".parse().expect("valid"), "b".parse().expect("valid"));
        assert_eq!(queue.admit(a), Admission::Admitted);
        assert_eq!(queue.admit(a), Admission::Full);
        assert_eq!(queue.admit(b), Admission::Admitted);
        queue.finished(a, 1);
        assert_eq!(queue.admit(a), Admission::Admitted);
    }

    #[test]
    fn a_full_house_refuses_everybody() {
        let mut queue = Queue::new(5, 1);
        assert_eq!(queue.admit("a".parse().expect("valid")), Admission::Admitted);
        assert_eq!(queue.admit("b".parse().expect("valid")), Admission::Full);
    }
}
