//! Queues and agents, as the desk decided them.
//!
//! Everything at a desk now is kept in memory: conversations leave it when they end, so it stays small. Facts about the past
//! are not kept here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use application::log::stream::StreamKey;
use application::queries::{AgentRow, BoardRow, QueueRow};
use domain::desk::event::{DeskEvent, QueueKind, RequeueReason};
use domain::event::Event;
use domain::ids::{ChatId, ConversationId, GroupId, TenantId, UserId};
use domain::time::Timestamp;
use domain::user::state::CAPACITY_DEFAULT;
use serde::{Deserialize, Serialize};

use crate::keys::Key;
use crate::projection::{ApplyError, Fact, Projection, Streams, ViewInfo};
use crate::rows::{Row, Rows, encode};
use crate::store::{ViewStore, WriteBatch};

/// What is fixed about this view.
pub const INFO: ViewInfo = ViewInfo { name: "queues", version: 1, streams: Streams::DESK, tables: &["tickets", "agents"] };

/// A conversation at the desk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Ticket {
    chat: ChatId,
    group: GroupId,
    queue: QueueKind,
    priority: u8,
    enqueued_at: Timestamp,
    owner: Option<UserId>,
}

/// An agent; what they carry follows from the tickets.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Agent {
    on_service: bool,
    online: bool,
    capacity: u32,
    groups: Vec<GroupId>,
}

impl Row for Ticket {}
impl Row for Agent {}

impl Default for Agent {
    fn default() -> Self {
        Self { on_service: false, online: false, capacity: CAPACITY_DEFAULT, groups: Vec::new() }
    }
}

/// The order of being served.
type Place = (bool, u8, Timestamp, ConversationId);

/// One tenant's desk.
#[derive(Default)]
struct Desk {
    tickets: BTreeMap<ConversationId, Ticket>,
    agents: BTreeMap<UserId, Agent>,
    waiting: BTreeMap<GroupId, BTreeSet<Place>>,
    carries: BTreeMap<UserId, BTreeSet<ConversationId>>,
}

impl Desk {
    fn put(&mut self, conversation: ConversationId, ticket: Ticket) {
        self.take(conversation);
        match ticket.owner {
            Some(owner) => {
                self.agents.entry(owner).or_default();
                self.carries.entry(owner).or_default().insert(conversation);
            }
            None => {
                self.waiting.entry(ticket.group).or_default().insert(ticket.place(conversation));
            }
        }
        self.tickets.insert(conversation, ticket);
    }

    fn take(&mut self, conversation: ConversationId) -> Option<Ticket> {
        let ticket = self.tickets.remove(&conversation)?;
        match ticket.owner {
            Some(owner) => {
                if let Some(carries) = self.carries.get_mut(&owner) {
                    carries.remove(&conversation);
                }
            }
            None => {
                if let Some(places) = self.waiting.get_mut(&ticket.group) {
                    places.remove(&ticket.place(conversation));
                }
            }
        }
        Some(ticket)
    }
}

/// See the file's head.
pub struct Queues {
    desks: BTreeMap<TenantId, Desk>,
    tickets_table: Arc<str>,
    tickets_changed: BTreeSet<(TenantId, ConversationId)>,
    agents_table: Arc<str>,
    agents_changed: BTreeSet<(TenantId, UserId)>,
}

impl Queues {
    /// The view over a store.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn open(store: &Arc<dyn ViewStore>) -> Result<Self, ApplyError> {
        let tickets_table = INFO.table("tickets");
        let agents_table = INFO.table("agents");
        let mut desks: BTreeMap<TenantId, Desk> = BTreeMap::new();
        for (key, agent) in Rows::<Agent>::stored(&**store, &agents_table)? {
            desks.entry(key.tenant).or_default().agents.insert(UserId::from_u128(u128::from_be_bytes(key.id)), agent);
        }
        for (key, ticket) in Rows::<Ticket>::stored(&**store, &tickets_table)? {
            desks.entry(key.tenant).or_default().put(ConversationId::from_u128(u128::from_be_bytes(key.id)), ticket);
        }
        Ok(Self { desks, tickets_table, tickets_changed: BTreeSet::new(), agents_table, agents_changed: BTreeSet::new() })
    }

    /// Who waits for a group (or all), in the order of being served.
    #[must_use]
    pub fn queue(&self, tenant: TenantId, group: Option<GroupId>) -> Vec<QueueRow> {
        let Some(desk) = self.desks.get(&tenant) else { return Vec::new() };
        let groups = desk.waiting.iter().filter(|(of, _)| group.is_none_or(|wanted| wanted == **of));
        let mut places: Vec<&Place> = groups.flat_map(|(_, places)| places).collect();
        places.sort_unstable();
        let row = |(.., conversation): &Place| desk.tickets.get(conversation).map(|ticket| ticket.shown(*conversation));
        places.into_iter().filter_map(row).collect()
    }

    /// Place of a conversation in its queue, from 1.
    #[must_use]
    pub fn queue_position(&self, tenant: TenantId, conversation: ConversationId) -> Option<usize> {
        let desk = self.desks.get(&tenant)?;
        let ticket = desk.tickets.get(&conversation)?;
        let place = ticket.place(conversation);
        desk.waiting.get(&ticket.group)?.iter().position(|other| *other == place).map(|ahead| ahead + 1)
    }

    /// The agents as the desk sees them, in the order of their ids.
    #[must_use]
    pub fn agents(&self, tenant: TenantId) -> Vec<AgentRow> {
        let Some(desk) = self.desks.get(&tenant) else { return Vec::new() };
        let row = |(id, agent): (&UserId, &Agent)| AgentRow {
            agent: *id,
            on_service: agent.on_service,
            online: agent.online,
            capacity: agent.capacity,
            carries: desk.carries.get(id).into_iter().flatten().copied().collect(),
            groups: agent.groups.clone(),
        };
        desk.agents.iter().map(row).collect()
    }

    /// How each of these groups stands, in the order of their ids. All of them cost one look over the desk.
    #[must_use]
    pub fn boards(&self, tenant: TenantId, groups: &[GroupId]) -> Vec<BoardRow> {
        let mut boards: BTreeMap<GroupId, BoardRow> = groups.iter().map(|group| (*group, BoardRow::empty(*group))).collect();
        let Some(desk) = self.desks.get(&tenant) else { return boards.into_values().collect() };
        for ticket in desk.tickets.values() {
            let Some(board) = boards.get_mut(&ticket.group) else { continue };
            if ticket.owner.is_some() {
                board.in_service += 1;
            } else if ticket.queue == QueueKind::Message {
                board.left_messages += 1;
            } else {
                board.waiting += 1;
                board.oldest_at = Some(board.oldest_at.map_or(ticket.enqueued_at, |oldest| oldest.min(ticket.enqueued_at)));
            }
        }
        for (id, agent) in &desk.agents {
            let carried = desk.carries.get(id).map_or(0, BTreeSet::len) as u64;
            for group in &agent.groups {
                let Some(board) = boards.get_mut(group) else { continue };
                board.agents += 1;
                if agent.on_service && agent.online {
                    board.on_service += 1;
                    board.free_slots += u64::from(agent.capacity).saturating_sub(carried);
                }
            }
        }
        boards.into_values().collect()
    }

    fn desk_event(&mut self, tenant: TenantId, event: &DeskEvent) -> Result<(), ApplyError> {
        let desk = self.desks.entry(tenant).or_default();
        let changed = match event {
            DeskEvent::AgentUpdated(updated) => {
                let mut groups = updated.groups.clone();
                groups.sort_unstable();
                groups.dedup();
                let agent = Agent { on_service: updated.on_service, online: updated.online, capacity: updated.capacity, groups };
                desk.agents.insert(updated.agent, agent);
                self.agents_changed.insert((tenant, updated.agent));
                return Ok(());
            }
            DeskEvent::ConversationQueued(queued) => {
                let ticket = Ticket {
                    chat: queued.chat,
                    group: queued.group,
                    queue: queued.queue,
                    priority: queued.priority,
                    enqueued_at: queued.enqueued_at,
                    owner: None,
                };
                desk.put(queued.conversation, ticket);
                queued.conversation
            }
            DeskEvent::ConversationAssigned(assigned) => {
                let mut ticket = *desk.tickets.get(&assigned.conversation).ok_or(ApplyError::NotAtTheDesk)?;
                ticket.owner = Some(assigned.agent);
                if !desk.agents.contains_key(&assigned.agent) {
                    self.agents_changed.insert((tenant, assigned.agent));
                }
                desk.put(assigned.conversation, ticket);
                assigned.conversation
            }
            DeskEvent::ConversationRequeued(requeued) => {
                let mut ticket = *desk.tickets.get(&requeued.conversation).ok_or(ApplyError::NotAtTheDesk)?;
                ticket.owner = None;
                ticket.group = requeued.group;
                if requeued.reason == RequeueReason::Overdue {
                    ticket.queue = QueueKind::Message;
                } else if ticket.queue == QueueKind::Message {
                    // Somebody had taken it up.
                    ticket.queue = QueueKind::Online;
                }
                desk.put(requeued.conversation, ticket);
                requeued.conversation
            }
            // How the desk chooses is its own.
            DeskEvent::FlowAdopted(_) | DeskEvent::FlowDropped(_) => return Ok(()),
            DeskEvent::ConversationReleased(released) => {
                desk.take(released.conversation).ok_or(ApplyError::NotAtTheDesk)?;
                released.conversation
            }
        };
        self.tickets_changed.insert((tenant, changed));
        Ok(())
    }
}

impl Ticket {
    /// Left messages come after everybody who waits.
    fn place(&self, conversation: ConversationId) -> Place {
        (self.queue == QueueKind::Message, self.priority, self.enqueued_at, conversation)
    }

    fn shown(&self, conversation: ConversationId) -> QueueRow {
        QueueRow {
            conversation,
            chat: self.chat,
            group: self.group,
            queue: self.queue,
            priority: self.priority,
            enqueued_at: self.enqueued_at,
        }
    }
}

impl Projection for Queues {
    fn apply(&mut self, fact: &Fact<'_>) -> Result<(), ApplyError> {
        match (fact.event, fact.stream) {
            (Event::Desk(event), StreamKey::Desk) => self.desk_event(fact.tenant, event),
            (
                Event::Desk(_),
                StreamKey::Chat(_)
                | StreamKey::Conversation(_)
                | StreamKey::User(_)
                | StreamKey::Tenant
                | StreamKey::Campaign(_)
                | StreamKey::Retrieval,
            ) => Err(ApplyError::WrongStream),
            (Event::Chat(_) | Event::Conversation(_) | Event::User(_) | Event::Tenant(_) | Event::Campaign(_) | Event::Retrieval(_), _) => {
                Ok(())
            }
        }
    }

    fn flush(&mut self, batch: &mut WriteBatch) {
        for (tenant, conversation) in std::mem::take(&mut self.tickets_changed) {
            let writes = batch.table(&self.tickets_table);
            let key = Key::new(tenant, *conversation.as_bytes());
            match self.desks.get(&tenant).and_then(|desk| desk.tickets.get(&conversation)) {
                Some(ticket) => writes.put_with(|out| key.write(out), |out| encode(ticket, out)),
                None => writes.delete_with(|out| key.write(out)),
            }
        }
        for (tenant, agent) in std::mem::take(&mut self.agents_changed) {
            if let Some(row) = self.desks.get(&tenant).and_then(|desk| desk.agents.get(&agent)) {
                let key = Key::new(tenant, *agent.as_bytes());
                batch.table(&self.agents_table).put_with(|out| key.write(out), |out| encode(row, out));
            }
        }
    }

    /// Nothing to do: what is asked for is in memory, written or not.
    fn wrote(&mut self, _flushes: usize) {}

    fn pending(&self) -> usize {
        self.tickets_changed.len() + self.agents_changed.len()
    }
}
