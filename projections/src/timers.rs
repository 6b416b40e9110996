//! The timers: for each chat with an open conversation, what the passing of time may bring, and when.
//!
//! Silence is due after the limit of the shop's flow, or of the tenant; an answer is overdue after the tenant's limit, and given up
//! seven days after the customer began to wait. What is asked of agents, and what becomes of whoever waits, stands in the facts
//! themselves. A changed limit holds from the next fact of a conversation on.
//!
//! A timer that has fired is gone because of the fact that it led to.

mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use application::log::stream::StreamKey;
use application::queries::TimerRow;
use domain::chat::event::ChatEvent;
use domain::conversation::event::ConversationEvent;
use domain::desk::event::DeskEvent;
use domain::event::Event;
use domain::ids::{ChatId, ConversationId, TenantId};
use domain::tenant::event::{Limits, TenantEvent};
use domain::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

use self::watch::{Kind, Watch};
use crate::keys::{Key, ascending, instant};
use crate::projection::{ApplyError, Fact, Projection, Streams, ViewInfo};
use crate::rows::{Row, Rows, unreadable};
use crate::store::{ViewStore, WriteBatch};

/// What is fixed about this view.
pub const INFO: ViewInfo = ViewInfo {
    name: "timers",
    version: 6,
    streams: Streams::CHAT.and(Streams::TENANT).and(Streams::CONVERSATION).and(Streams::DESK),
    tables: &["chats", "due", "limits"],
};

/// How long a customer waits before their conversation closes as unanswered.
pub const UNANSWERED_EXPIRY: Millis = Millis::days(7);

/// Timers read from the store at a time.
const PAGE: usize = 64;

/// A timer's place in the order of being due.
type Place = (Timestamp, Key, Kind);

/// See the file's head.
pub struct Timers {
    store: Arc<dyn ViewStore>,
    watches: Rows<Watch>,
    due_table: Arc<str>,
    /// Timers whose place in the store's list may be out of date. Small: what changed since the last flush but one.
    unlisted: BTreeSet<Place>,
    limits: BTreeMap<TenantId, Limits>,
    limits_table: Arc<str>,
    limits_changed: BTreeSet<TenantId>,
}

impl Timers {
    /// The view over a store.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn open(store: &Arc<dyn ViewStore>) -> Result<Self, ApplyError> {
        let limits_table = INFO.table("limits");
        let stored = Rows::<StoredLimits>::stored(&**store, &limits_table)?;
        Ok(Self {
            store: Arc::clone(store),
            watches: Rows::new(Arc::clone(store), INFO.table("chats")),
            due_table: INFO.table("due"),
            unlisted: BTreeSet::new(),
            limits: stored.into_iter().map(|(key, limits)| (key.tenant, limits.0)).collect(),
            limits_table,
            limits_changed: BTreeSet::new(),
        })
    }

    /// Timers that are due, the most overdue first.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<(TenantId, TimerRow)>, ApplyError> {
        self.earliest(Some(now), limit)
    }

    /// When the next timer is due.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn next(&self) -> Result<Option<Timestamp>, ApplyError> {
        Ok(self.earliest(None, 1)?.first().map(|(_, timer)| timer.due_at))
    }

    /// The first timers in the order of being due: the store's list, less what changed since, and what changed since.
    fn earliest(&self, until: Option<Timestamp>, limit: usize) -> Result<Vec<(TenantId, TimerRow)>, ApplyError> {
        let mut found: BTreeMap<Place, TimerRow> = BTreeMap::new();
        let mut from = Vec::new();
        let to = until.map_or_else(|| vec![u8::MAX; 128], |until| ascending(Timestamp(until.0.saturating_add(1))).to_vec());
        while found.len() < limit {
            let page = self.store.scan(&self.due_table, &from, &to, PAGE)?;
            for (listed, _) in &page {
                let place = read_due_key(listed).ok_or_else(|| unreadable(&self.due_table, listed))?;
                // The list may be older than the row, which then stands among the unlisted ones.
                if let Some(timer) = self.timer(place)? {
                    found.insert(place, timer);
                }
            }
            match page.last() {
                Some((last, _)) if page.len() == PAGE => {
                    from.clone_from(last);
                    from.push(0);
                }
                Some(_) | None => break,
            }
        }
        for place in &self.unlisted {
            if until.is_some_and(|until| place.0 > until)
                || found.len() >= limit && found.last_key_value().is_some_and(|(last, _)| last < place)
            {
                break;
            }
            if let Some(timer) = self.timer(*place)? {
                found.insert(*place, timer);
                if found.len() > limit {
                    found.pop_last();
                }
            }
        }
        Ok(found.into_iter().take(limit).map(|((_, key, _), timer)| (key.tenant, timer)).collect())
    }

    /// The timer at a place, if it still runs.
    fn timer(&self, (at, key, kind): Place) -> Result<Option<TimerRow>, ApplyError> {
        let chat = ChatId::from_u128(u128::from_be_bytes(key.id));
        let found = self.watches.read_with(key, |watch| {
            let timer = watch.timers.iter().find(|timer| (timer.kind, timer.due_at) == (kind, at))?;
            Some(TimerRow { due_at: at, cause: timer.cause, name: watch.name(chat, kind)? })
        })?;
        Ok(found.flatten())
    }

    fn chat_event(&mut self, fact: &Fact<'_>, chat: ChatId, event: &ChatEvent) -> Result<(), ApplyError> {
        let Some(begun) = Watch::begun(event, fact.time) else {
            let change = |watch: &mut Watch| watch.chat_event(event, fact.time);
            return if matters(event) { self.change(fact, chat, change) } else { Ok(()) };
        };
        let key = Key::new(fact.tenant, *chat.as_bytes());
        let row = self.watches.change(key)?;
        let before = row.take();
        let watch = row.insert(begun);
        watch.listed = before.as_ref().map(|before| before.listed.clone()).unwrap_or_default();
        let _ = watch.set(limit(&self.limits, fact.tenant), fact.meta.id);
        let after = watch.list();
        self.relist(key, &before.map(|before| before.list()).unwrap_or_default(), &after);
        Ok(())
    }

    /// What happened to a conversation of a chat; nothing, if another one is open there now.
    fn of_conversation(
        &mut self,
        fact: &Fact<'_>,
        (chat, conversation): (ChatId, ConversationId),
        change: impl FnOnce(&mut Watch),
    ) -> Result<(), ApplyError> {
        self.change(fact, chat, |watch| {
            if watch.is(conversation) {
                change(watch);
            }
        })
    }

    fn change(&mut self, fact: &Fact<'_>, chat: ChatId, change: impl FnOnce(&mut Watch)) -> Result<(), ApplyError> {
        let key = Key::new(fact.tenant, *chat.as_bytes());
        let Some(watch) = self.watches.change_if_there(key)?.filter(|watch| !watch.ended) else { return Ok(()) };
        change(watch);
        if let Some(before) = watch.set(limit(&self.limits, fact.tenant), fact.meta.id) {
            let after = watch.list();
            self.relist(key, &before, &after);
        }
        Ok(())
    }

    fn relist(&mut self, key: Key, before: &[(Timestamp, Kind)], after: &[(Timestamp, Kind)]) {
        if before == after {
            return;
        }
        for (at, kind) in before {
            self.unlisted.remove(&(*at, key, *kind));
        }
        self.unlisted.extend(after.iter().map(|(at, kind)| (*at, key, *kind)));
    }
}

fn limit(limits: &BTreeMap<TenantId, Limits>, tenant: TenantId) -> Millis {
    limits.get(&tenant).copied().unwrap_or_default().idle_expiry
}

/// Whether a timer may change with it. What matters nothing, such as a read, is not looked up.
fn matters(event: &ChatEvent) -> bool {
    match event {
        ChatEvent::MessagePosted(posted) => !posted.origin.is_nobodys(),
        ChatEvent::ConversationStarted(_)
        | ChatEvent::ConversationResumed(_)
        | ChatEvent::ConversationEnded(_)
        | ChatEvent::ConversationIdled(_)
        | ChatEvent::IdleLimitsSet(_)
        | ChatEvent::IdleReminded(_)
        | ChatEvent::AnswerOverdue(_)
        | ChatEvent::AssignmentAccepted(_)
        | ChatEvent::AssignmentTimedOut(_)
        | ChatEvent::RobotEngaged(_)
        | ChatEvent::RobotDismissed(_)
        | ChatEvent::MemberLeft(_) => true,
        ChatEvent::MemberJoined(joined) => joined.assignment.is_some(),
        ChatEvent::ChatOpened(_)
        | ChatEvent::CustomerReplaced(_)
        | ChatEvent::QuestionAsked(_)
        | ChatEvent::OutreachAttempted(_)
        | ChatEvent::OutreachHandedOver(_)
        | ChatEvent::MessageRecalled(_)
        | ChatEvent::MessageHidden(_)
        | ChatEvent::MessagesRead(_)
        | ChatEvent::UploadExpired(_)
        | ChatEvent::GroupCreated(_)
        | ChatEvent::MemberInvited(_)
        | ChatEvent::PermissionsChanged(_)
        | ChatEvent::OwnershipPassed(_)
        | ChatEvent::GroupRenamed(_)
        | ChatEvent::ThreadMuted(_)
        | ChatEvent::ThreadUnmuted(_)
        | ChatEvent::ThreadArchived(_)
        | ChatEvent::ThreadUnarchived(_)
        | ChatEvent::GroupDissolved(_) => false,
    }
}

/// Where a conversation runs, if the fact may set or end a timer.
fn place_of(event: &ConversationEvent) -> Option<ChatId> {
    match event {
        ConversationEvent::HandedOff(handed) => Some(handed.chat),
        ConversationEvent::StillWaiting(waiting) => Some(waiting.chat),
        ConversationEvent::MessageLeft(left) => Some(left.chat),
        ConversationEvent::AgentAssigned(assigned) => Some(assigned.chat),
        ConversationEvent::ConversationClosed(closed) => Some(closed.chat),
        ConversationEvent::ConversationOpened(_)
        | ConversationEvent::HandOffRefused(_)
        | ConversationEvent::RobotEngaged(_)
        | ConversationEvent::RobotAnswered(_)
        | ConversationEvent::AnswerRated(_)
        | ConversationEvent::TicketChanged(_)
        | ConversationEvent::HumanWanted(_)
        | ConversationEvent::ConversationMoved(_)
        | ConversationEvent::AgentReleased(_)
        | ConversationEvent::ProviderAnswered(_)
        | ConversationEvent::RatingInvited(_)
        | ConversationEvent::ConversationRated(_)
        | ConversationEvent::ConversationReopened(_)
        | ConversationEvent::CustomerReplaced(_) => None,
    }
}

fn ticket_of(event: &DeskEvent) -> Option<(ChatId, ConversationId)> {
    match event {
        DeskEvent::ConversationQueued(queued) => Some((queued.chat, queued.conversation)),
        DeskEvent::ConversationRequeued(requeued) => Some((requeued.chat, requeued.conversation)),
        DeskEvent::ConversationAssigned(assigned) => Some((assigned.chat, assigned.conversation)),
        DeskEvent::ConversationReleased(released) => Some((released.chat, released.conversation)),
        DeskEvent::AgentUpdated(_) | DeskEvent::FlowAdopted(_) | DeskEvent::FlowDropped(_) => None,
    }
}

fn write_due_key(out: &mut Vec<u8>, at: Timestamp, key: Key, kind: Kind) {
    out.extend_from_slice(&ascending(at));
    key.write(out);
    out.push(kind as u8);
}

fn read_due_key(stored: &[u8]) -> Option<Place> {
    let (at, rest) = stored.split_first_chunk::<8>()?;
    let (key, rest) = Key::read(rest)?;
    let [kind] = rest else { return None };
    Some((instant(*at), key, Kind::from_byte(*kind)?))
}

/// The limits of a tenant, as they are stored.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct StoredLimits(Limits);

impl Row for StoredLimits {}

impl Projection for Timers {
    fn apply(&mut self, fact: &Fact<'_>) -> Result<(), ApplyError> {
        match (fact.event, fact.stream) {
            (Event::Chat(event), StreamKey::Chat(chat)) => self.chat_event(fact, chat, event),
            (Event::Conversation(event), StreamKey::Conversation(conversation)) => match place_of(event) {
                Some(chat) => self.of_conversation(fact, (chat, conversation), |watch| watch.conversation_event(event, fact.time)),
                None => Ok(()),
            },
            (Event::Desk(event), _) => match ticket_of(event) {
                Some(ticket) => self.of_conversation(fact, ticket, |watch| watch.desk_event(event)),
                None => Ok(()),
            },
            (
                Event::Chat(_),
                StreamKey::Conversation(_)
                | StreamKey::User(_)
                | StreamKey::Desk
                | StreamKey::Tenant
                | StreamKey::Campaign(_)
                | StreamKey::Retrieval,
            ) => Err(ApplyError::WrongStream),
            (Event::Tenant(TenantEvent::LimitsChanged(changed)), _) => {
                self.limits.insert(fact.tenant, changed.limits);
                self.limits_changed.insert(fact.tenant);
                Ok(())
            }
            (
                Event::Tenant(
                    TenantEvent::TenantCreated(_)
                    | TenantEvent::ShopOpened(_)
                    | TenantEvent::GroupFormed(_)
                    | TenantEvent::ApiKeyIssued(_)
                    | TenantEvent::ApiKeyRevoked(_)
                    | TenantEvent::IdentitySecretSet(_)
                    | TenantEvent::ConsumerResumed(_)
                    | TenantEvent::DevicePolicyChanged(_)
                    | TenantEvent::CannedReplySaved(_)
                    | TenantEvent::CannedReplyRemoved(_)
                    | TenantEvent::ChannelConnected(_)
                    | TenantEvent::ChannelSecretSet(_)
                    | TenantEvent::ChannelDeliveryStopped(_)
                    | TenantEvent::ChannelDisconnected(_)
                    | TenantEvent::RobotConnected(_)
                    | TenantEvent::RobotSecretSet(_)
                    | TenantEvent::RobotDisconnected(_)
                    | TenantEvent::ProviderConnected(_)
                    | TenantEvent::ProviderSecretSet(_)
                    | TenantEvent::ProviderDisconnected(_)
                    | TenantEvent::FlowPublished(_)
                    | TenantEvent::FlowWithdrawn(_)
                    | TenantEvent::AddressesBlocked(_)
                    | TenantEvent::AddressesUnblocked(_),
                )
                | Event::Conversation(_)
                | Event::User(_)
                | Event::Campaign(_)
                | Event::Retrieval(_),
                _,
            ) => Ok(()),
        }
    }

    fn flush(&mut self, batch: &mut WriteBatch) {
        let due_table = &self.due_table;
        self.watches.flush(batch, |key, watch, batch| {
            let Some(watch) = watch else { return };
            let list = watch.list();
            if watch.listed == list {
                return;
            }
            let writes = batch.table(due_table);
            for (at, kind) in watch.listed.iter().filter(|listed| !list.contains(listed)) {
                writes.delete_with(|out| write_due_key(out, *at, key, *kind));
            }
            for (at, kind) in list.iter().filter(|timer| !watch.listed.contains(timer)) {
                writes.put_with(|out| write_due_key(out, *at, key, *kind), |_| ());
            }
            watch.listed = list;
        });
        for tenant in std::mem::take(&mut self.limits_changed) {
            if let Some(limits) = self.limits.get(&tenant) {
                let writes = batch.table(&self.limits_table);
                writes.put_with(|out| Key::new(tenant, [0; 16]).write(out), |out| crate::rows::encode(&StoredLimits(*limits), out));
            }
        }
    }

    fn wrote(&mut self, flushes: usize) {
        self.watches.wrote(flushes);
        self.unlisted.clear();
        for (key, watch) in self.watches.unwritten() {
            for timer in watch.into_iter().flat_map(|watch| &watch.timers) {
                self.unlisted.insert((timer.due_at, *key, timer.kind));
            }
        }
    }

    fn pending(&self) -> usize {
        self.watches.pending() + self.limits_changed.len()
    }
}
