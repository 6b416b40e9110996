//! The lists: which conversations there are for a tenant, an agent, a customer, newest activity first.
//!
//! A key is (tenant, owner of the list, status, descending time, descending id); the value is the shop. A list without a status
//! is the merge of the four with one. Rows that changed since the last write are looked at one by one: they are few.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use application::queries::{ConversationFilter, ConversationRow, ConversationStatus};
use domain::ids::{ConversationId, TenantId, UserId};
use domain::time::Timestamp;
use hashbrown::HashSet;

use super::state::{Conversation, Listed};
use crate::keys::{Key, ascending, inverted, prefix_end, write_tenant};
use crate::projection::ApplyError;
use crate::rows::{Rows, unreadable};
use crate::store::{ViewStore, WriteBatch};

/// Entries read from a list at a time.
const PAGE: usize = 128;

const STATUSES: [ConversationStatus; 5] = [
    ConversationStatus::Reception,
    ConversationStatus::Waiting,
    ConversationStatus::Serving,
    ConversationStatus::Closed,
    ConversationStatus::LeftMessage,
];

/// The place of a conversation in the order: newest first.
type Place = Reverse<(Timestamp, ConversationId)>;

pub(super) struct Lists {
    store: Arc<dyn ViewStore>,
    by_tenant: Arc<str>,
    by_agent: Arc<str>,
    by_customer: Arc<str>,
    tickets: Arc<str>,
}

const fn status_byte(status: ConversationStatus) -> u8 {
    match status {
        ConversationStatus::Reception => 0,
        ConversationStatus::Waiting => 1,
        ConversationStatus::Serving => 2,
        ConversationStatus::Closed => 3,
        ConversationStatus::LeftMessage => 4,
    }
}

fn write_list(out: &mut Vec<u8>, tenant: TenantId, owner: Option<UserId>, status: ConversationStatus) {
    write_tenant(out, tenant);
    if let Some(owner) = owner {
        out.extend_from_slice(owner.as_bytes());
    }
    out.push(status_byte(status));
}

fn write_place(out: &mut Vec<u8>, at: Timestamp, conversation: &[u8; 16]) {
    out.extend_from_slice(&inverted(ascending(at)));
    out.extend_from_slice(&inverted(*conversation));
}

impl Lists {
    pub(super) fn open(store: &Arc<dyn ViewStore>) -> Self {
        Self {
            store: Arc::clone(store),
            by_tenant: super::INFO.table("by_tenant"),
            by_agent: super::INFO.table("by_agent"),
            by_customer: super::INFO.table("by_customer"),
            tickets: super::INFO.table("tickets"),
        }
    }

    /// Writes the places of a conversation that is being written.
    pub(super) fn follow(&self, key: Key, conversation: &mut Conversation, batch: &mut WriteBatch) {
        let now = conversation.places();
        if conversation.listed == Some(now) {
            return;
        }
        let shop = conversation.shop;
        let entry = |table: &Arc<str>, owner: Option<UserId>, places: &Listed, put: bool, batch: &mut WriteBatch| {
            let writes = batch.table(table);
            let write_key = |out: &mut Vec<u8>| {
                write_list(out, key.tenant, owner, places.status);
                write_place(out, places.last_activity, &key.id);
            };
            if put {
                writes.put_with(write_key, |out| out.extend_from_slice(shop.as_str().as_bytes()));
            } else {
                writes.delete_with(write_key);
            }
        };
        for (places, put) in [(conversation.listed, false), (Some(now), true)] {
            let Some(places) = places else { continue };
            entry(&self.by_tenant, None, &places, put, batch);
            entry(&self.by_customer, Some(places.customer), &places, put, batch);
            if places.ticket {
                entry(&self.tickets, None, &places, put, batch);
            }
            for agent in conversation.served_by.iter().take(places.served_by) {
                entry(&self.by_agent, Some(*agent), &places, put, batch);
            }
        }
        conversation.listed = Some(now);
    }

    /// See [`super::ConversationList::conversations`].
    pub(super) fn page(
        &self,
        rows: &Rows<Conversation>,
        tenant: TenantId,
        filter: ConversationFilter,
        after: Option<(Timestamp, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<ConversationRow>, ApplyError> {
        let mut unwritten = HashSet::new();
        let mut found: BTreeMap<Place, ConversationRow> = BTreeMap::new();
        for (key, conversation) in rows.unwritten() {
            if key.tenant == tenant
                && let Some(conversation) = conversation
            {
                unwritten.insert(key.id);
                let place = (conversation.last_activity, conversation_id(key.id));
                if after.is_none_or(|after| place < after) && matches(conversation, filter) {
                    found.insert(Reverse(place), conversation.shown(place.1));
                }
            }
        }
        for status in STATUSES {
            if filter.status.is_none_or(|wanted| wanted == status) {
                self.listed(rows, tenant, filter, status, after, limit, &unwritten, &mut found)?;
            }
        }
        Ok(found.into_values().take(limit).collect())
    }

    /// Adds the first `limit` of one stored list.
    #[expect(clippy::too_many_arguments, reason = "one step of `page`, apart only to be read")]
    fn listed(
        &self,
        rows: &Rows<Conversation>,
        tenant: TenantId,
        filter: ConversationFilter,
        status: ConversationStatus,
        after: Option<(Timestamp, ConversationId)>,
        limit: usize,
        unwritten: &HashSet<[u8; 16]>,
        found: &mut BTreeMap<Place, ConversationRow>,
    ) -> Result<(), ApplyError> {
        let (table, owner) = match (filter.customer, filter.agent) {
            (Some(customer), _) => (&self.by_customer, Some(customer)),
            (None, Some(agent)) => (&self.by_agent, Some(agent)),
            // Few conversations have a ticket.
            (None, None) if filter.ticket.is_some() => (&self.tickets, None),
            (None, None) => (&self.by_tenant, None),
        };
        let mut from = Vec::with_capacity(80);
        write_list(&mut from, tenant, owner, status);
        let to = prefix_end(&from);
        let prefix_bytes = from.len();
        if let Some((at, conversation)) = after {
            write_place(&mut from, at, conversation.as_bytes());
            from.push(0);
        }
        let mut added = 0;
        while added < limit {
            let page = self.store.scan(table, &from, &to, PAGE.min(limit))?;
            for (listed, shop) in &page {
                let id = listed.get(prefix_bytes + 8..).and_then(|id| <[u8; 16]>::try_from(id).ok());
                let id = inverted(id.ok_or_else(|| unreadable(table, listed))?);
                let other_shop = filter.shop.is_some_and(|wanted| wanted.as_str().as_bytes() != shop.as_slice());
                if other_shop || unwritten.contains(&id) {
                    continue;
                }
                let row =
                    rows.read_with(Key::new(tenant, id), |row| matches(row, filter).then(|| row.shown(conversation_id(id))))?.flatten();
                if let Some(row) = row {
                    found.insert(Reverse((row.last_activity, row.conversation)), row);
                    added += 1;
                }
                if added == limit {
                    return Ok(());
                }
            }
            match page.last() {
                Some((last, _)) if page.len() == PAGE.min(limit) => {
                    from.clone_from(last);
                    from.push(0);
                }
                Some(_) | None => return Ok(()),
            }
        }
        Ok(())
    }
}

const fn conversation_id(id: [u8; 16]) -> ConversationId {
    ConversationId::from_u128(u128::from_be_bytes(id))
}

fn matches(row: &Conversation, filter: ConversationFilter) -> bool {
    filter.agent.is_none_or(|agent| row.served_by.contains(&agent))
        && filter.customer.is_none_or(|customer| customer == row.customer)
        && filter.shop.is_none_or(|shop| shop == row.shop)
        && filter.status.is_none_or(|status| status == row.status)
        && filter.ticket.is_none_or(|wanted| row.ticket.as_ref().is_some_and(|ticket| wanted.shows(ticket)))
}
