//! The desk's absolute rules, checked on raw events: one owner at a time, and no assignment made above the capacity in force.

use domain::ids::{ConversationId, TenantId, UserId};
use domain::user::state::CAPACITY_DEFAULT;
use hashbrown::HashMap;
use serde::Deserialize;

use super::InvariantReport;
use super::invariants::{Check, Raw};

#[derive(Deserialize)]
struct Updated {
    agent: UserId,
    capacity: u32,
}

#[derive(Deserialize)]
struct Queued {
    conversation: ConversationId,
}

#[derive(Deserialize)]
struct Assigned {
    conversation: ConversationId,
    agent: UserId,
    assignment: u64,
    #[serde(default)]
    previous: Option<UserId>,
}

#[derive(Deserialize)]
struct Requeued {
    conversation: ConversationId,
    agent: UserId,
}

#[derive(Deserialize)]
struct Released {
    conversation: ConversationId,
    #[serde(default)]
    agent: Option<UserId>,
}

#[derive(Default)]
struct Desk {
    last_assignment: u64,
    capacity: HashMap<UserId, u32>,
    load: HashMap<UserId, u32>,
    /// Everything at the desk, and who owns it.
    owners: HashMap<ConversationId, Option<UserId>>,
}

impl Desk {
    /// Sets the owner, and gives who owned it; `None` when it was not at the desk.
    fn set(&mut self, conversation: ConversationId, owner: Option<Option<UserId>>) -> Option<Option<UserId>> {
        let before = match owner {
            Some(owner) => self.owners.insert(conversation, owner),
            None => self.owners.remove(&conversation),
        };
        if let Some(Some(before)) = before {
            *self.load.entry(before).or_default() -= 1;
        }
        if let Some(Some(owner)) = owner {
            *self.load.entry(owner).or_default() += 1;
        }
        before
    }
}

/// See the file's head.
pub(super) struct Desks {
    desks: HashMap<TenantId, Desk>,
    owners: Check,
    capacities: Check,
    numbers: Check,
}

impl Default for Desks {
    fn default() -> Self {
        Self {
            desks: HashMap::new(),
            owners: Check::new("a conversation has one owner at a time"),
            capacities: Check::new("no assignment is made above the capacity in force"),
            numbers: Check::new("assignment numbers only grow"),
        }
    }
}

impl Desks {
    /// Takes an event of a desk in; `None` when its fields are others.
    pub(super) fn event(&mut self, raw: &Raw<'_>) -> Option<()> {
        let desk = self.desks.entry(raw.header.stream.tenant).or_default();
        let place = || format!("commit {} event {}", raw.at.commit.0, raw.at.index);
        match raw.name {
            "desk.agent_updated" => {
                let updated: Updated = raw.fields()?;
                desk.capacity.insert(updated.agent, updated.capacity);
            }
            "desk.conversation_queued" => {
                let queued: Queued = raw.fields()?;
                let before = desk.set(queued.conversation, Some(None));
                self.owners.that(before.flatten().is_none(), || format!("{}: queued while somebody owns it", place()));
            }
            "desk.conversation_assigned" => {
                let assigned: Assigned = raw.fields()?;
                let before = desk.set(assigned.conversation, Some(Some(assigned.agent)));
                self.owners.that(before == Some(assigned.previous), || format!("{}: taken from {before:?}", place()));
                let capacity = desk.capacity.get(&assigned.agent).copied().unwrap_or(CAPACITY_DEFAULT);
                let load = desk.load.get(&assigned.agent).copied().unwrap_or(0);
                self.capacities.that(load <= capacity, || format!("{}: {load} of {capacity}", place()));
                self.numbers.that(assigned.assignment > desk.last_assignment, || format!("{}: {}", place(), assigned.assignment));
                desk.last_assignment = desk.last_assignment.max(assigned.assignment);
            }
            "desk.conversation_requeued" => {
                let requeued: Requeued = raw.fields()?;
                let before = desk.set(requeued.conversation, Some(None));
                self.owners.that(before == Some(Some(requeued.agent)), || format!("{}: given back by {before:?}", place()));
            }
            "desk.conversation_released" => {
                let released: Released = raw.fields()?;
                let before = desk.set(released.conversation, None);
                self.owners.that(before == Some(released.agent), || format!("{}: released by {before:?}", place()));
            }
            _ => {}
        }
        Some(())
    }

    pub(super) fn report(self) -> [InvariantReport; 3] {
        [self.owners.report(), self.capacities.report(), self.numbers.report()]
    }
}
