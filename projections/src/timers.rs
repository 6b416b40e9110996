//! The timers: for each chat with an open conversation, when its silence has lasted too long.
//!
//! A conversation whose customer waits for an answer is due seven days after they began to wait; another one after the
//! tenant's limit of silence. A changed limit holds for activity after the change: timers that run keep what they were set
//! to, because nothing that happened set them anew.
//!
//! A timer that has fired (`ConversationIdled`) is gone until something happens in the conversation again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use application::log::stream::StreamKey;
use application::queries::{TimerName, TimerRow};
use domain::chat::event::ChatEvent;
use domain::event::Event;
use domain::ids::{ChatId, ConversationId, EventId, TenantId};
use domain::message::{Category, Visibility};
use domain::tenant::event::{Limits, TenantEvent};
use domain::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

use crate::keys::{Key, ascending, instant};
use crate::projection::{ApplyError, Fact, Projection, Streams, ViewInfo};
use crate::rows::{Row, Rows, unreadable};
use crate::store::{ViewStore, WriteBatch};

/// What is fixed about this view.
pub const INFO: ViewInfo =
    ViewInfo { name: "timers", version: 3, streams: Streams::CHAT.and(Streams::TENANT), tables: &["chats", "due", "limits"] };

/// How long a customer waits before their conversation closes as unanswered.
pub const UNANSWERED_EXPIRY: Millis = Millis::days(7);

/// Timers read from the store at a time.
const PAGE: usize = 64;

/// The open conversation of a chat.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Session {
    conversation: ConversationId,
    unanswered_since: Option<Timestamp>,
    last_activity: Timestamp,
    /// When it is due, and what set it.
    due: Option<(Timestamp, EventId)>,
    /// Under which instant the store lists it.
    #[serde(skip)]
    listed: Option<Timestamp>,
    /// The conversation ended; the row is gone as soon as the store knows.
    #[serde(skip)]
    ended: bool,
}

impl Row for Session {
    fn is_empty(&self) -> bool {
        self.ended
    }

    fn loaded(&mut self) {
        self.listed = self.due.map(|(at, _)| at);
    }
}

impl Session {
    fn set(&mut self, idle_expiry: Millis, cause: EventId) {
        let due_at = match self.unanswered_since {
            Some(since) => since + UNANSWERED_EXPIRY,
            None => self.last_activity + idle_expiry,
        };
        if self.due.is_none_or(|(at, _)| at != due_at) {
            self.due = Some((due_at, cause));
        }
    }
}

/// See the file's head.
pub struct Timers {
    store: Arc<dyn ViewStore>,
    sessions: Rows<Session>,
    due_table: Arc<str>,
    /// Timers whose place in the store's list may be out of date. Small: what changed since the last flush but one.
    unlisted: BTreeSet<(Timestamp, Key)>,
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
            sessions: Rows::new(Arc::clone(store), INFO.table("chats")),
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
        let mut found: BTreeMap<(Timestamp, Key), TimerRow> = BTreeMap::new();
        let mut from = Vec::new();
        let to = until.map_or_else(|| vec![u8::MAX; 128], |until| ascending(Timestamp(until.0.saturating_add(1))).to_vec());
        while found.len() < limit {
            let page = self.store.scan(&self.due_table, &from, &to, PAGE)?;
            for (listed, _) in &page {
                let (at, key) = read_due_key(listed).ok_or_else(|| unreadable(&self.due_table, listed))?;
                let timer = self.sessions.read_with(key, |session| timer(key, session))?.flatten();
                // The list may be older than the row, which then stands among the unlisted ones.
                if let Some(timer) = timer.filter(|timer| timer.due_at == at) {
                    found.insert((at, key), timer);
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
        for (at, key) in &self.unlisted {
            if until.is_some_and(|until| *at > until)
                || found.len() >= limit && found.last_key_value().is_some_and(|(last, _)| last < &(*at, *key))
            {
                break;
            }
            let timer = self.sessions.read_with(*key, |session| timer(*key, session))?.flatten();
            if let Some(timer) = timer.filter(|timer| timer.due_at == *at) {
                found.insert((*at, *key), timer);
                if found.len() > limit {
                    found.pop_last();
                }
            }
        }
        Ok(found.into_iter().take(limit).map(|((_, key), timer)| (key.tenant, timer)).collect())
    }

    fn chat_event(&mut self, fact: &Fact<'_>, chat: ChatId, event: &ChatEvent) -> Result<(), ApplyError> {
        let key = Key::new(fact.tenant, *chat.as_bytes());
        let idle_expiry = self.limits.get(&fact.tenant).copied().unwrap_or_default().idle_expiry;
        let before;
        let after = match event {
            ChatEvent::ConversationStarted(started) => {
                let row = self.sessions.change(key)?;
                before = row.and_then(|session| session.due);
                let session = begin(row, started.conversation, None, fact.time);
                session.set(idle_expiry, fact.meta.id);
                session.due
            }
            ChatEvent::ConversationResumed(resumed) => {
                let row = self.sessions.change(key)?;
                before = row.and_then(|session| session.due);
                let session = begin(row, resumed.conversation, resumed.overlooked_seq.map(|_| fact.time), fact.time);
                session.set(idle_expiry, fact.meta.id);
                session.due
            }
            ChatEvent::ConversationEnded(_) => {
                let Some(session) = self.sessions.change_if_there(key)? else { return Ok(()) };
                before = session.due.take();
                session.ended = true;
                None
            }
            ChatEvent::ConversationIdled(_) => {
                let Some(session) = self.sessions.change_if_there(key)? else { return Ok(()) };
                before = session.due.take();
                None
            }
            ChatEvent::MessagePosted(posted) if posted.origin.is_nobodys() => return Ok(()),
            ChatEvent::MessagePosted(posted) => {
                let Some(session) = self.sessions.change_if_there(key)?.filter(|session| !session.ended) else { return Ok(()) };
                before = session.due;
                session.last_activity = fact.time;
                match (posted.category, posted.visibility) {
                    (Category::Customer, _) => {
                        session.unanswered_since.get_or_insert(fact.time);
                    }
                    (Category::Agent, Visibility::All) => session.unanswered_since = None,
                    (Category::Agent, Visibility::Staff) | (Category::System | Category::Robot, _) => {}
                }
                session.set(idle_expiry, fact.meta.id);
                session.due
            }
            ChatEvent::ChatOpened(_)
            | ChatEvent::MemberJoined(_)
            | ChatEvent::MemberLeft(_)
            | ChatEvent::CustomerReplaced(_)
            | ChatEvent::MessageRecalled(_)
            | ChatEvent::MessageHidden(_)
            | ChatEvent::MessagesRead(_)
            | ChatEvent::UploadExpired(_)
            // A group thread has no conversation that could run out.
            | ChatEvent::GroupCreated(_)
            | ChatEvent::MemberInvited(_)
            | ChatEvent::PermissionsChanged(_)
            | ChatEvent::OwnershipPassed(_)
            | ChatEvent::GroupRenamed(_)
            | ChatEvent::ThreadMuted(_)
            | ChatEvent::ThreadUnmuted(_)
            | ChatEvent::ThreadArchived(_)
            | ChatEvent::ThreadUnarchived(_)
            | ChatEvent::GroupDissolved(_) => return Ok(()),
        };
        if before != after {
            if let Some((at, _)) = before {
                self.unlisted.remove(&(at, key));
            }
            if let Some((at, _)) = after {
                self.unlisted.insert((at, key));
            }
        }
        Ok(())
    }
}

fn begin(row: &mut Option<Session>, conversation: ConversationId, unanswered_since: Option<Timestamp>, at: Timestamp) -> &mut Session {
    let listed = row.and_then(|session| session.listed);
    row.insert(Session { conversation, unanswered_since, last_activity: at, due: None, listed, ended: false })
}

fn timer(key: Key, session: &Session) -> Option<TimerRow> {
    let (due_at, cause) = session.due?;
    let chat = ChatId::from_u128(u128::from_be_bytes(key.id));
    Some(TimerRow { due_at, cause, name: TimerName::IdleExpiry { chat, conversation: session.conversation } })
}

fn write_due_key(out: &mut Vec<u8>, at: Timestamp, key: Key) {
    out.extend_from_slice(&ascending(at));
    key.write(out);
}

fn read_due_key(stored: &[u8]) -> Option<(Timestamp, Key)> {
    let (at, rest) = stored.split_first_chunk::<8>()?;
    let (key, rest) = Key::read(rest)?;
    rest.is_empty().then_some((instant(*at), key))
}

/// The limits of a tenant, as they are stored.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct StoredLimits(Limits);

impl Row for StoredLimits {}

impl Projection for Timers {
    fn apply(&mut self, fact: &Fact<'_>) -> Result<(), ApplyError> {
        match (fact.event, fact.stream) {
            (Event::Chat(event), StreamKey::Chat(chat)) => self.chat_event(fact, chat, event),
            (
                Event::Chat(_),
                StreamKey::Conversation(_) | StreamKey::User(_) | StreamKey::Desk | StreamKey::Tenant | StreamKey::Campaign(_),
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
                    | TenantEvent::FlowPublished(_)
                    | TenantEvent::FlowWithdrawn(_),
                )
                | Event::Conversation(_)
                | Event::User(_)
                | Event::Desk(_)
                | Event::Campaign(_),
                _,
            ) => Ok(()),
        }
    }

    fn flush(&mut self, batch: &mut WriteBatch) {
        let due_table = &self.due_table;
        self.sessions.flush(batch, |key, session, batch| {
            let Some(session) = session else { return };
            let listed = session.due.map(|(at, _)| at);
            if session.listed == listed {
                return;
            }
            let writes = batch.table(due_table);
            if let Some(at) = session.listed {
                writes.delete_with(|out| write_due_key(out, at, key));
            }
            if let Some(at) = listed {
                writes.put_with(|out| write_due_key(out, at, key), |_| ());
            }
            session.listed = listed;
        });
        for tenant in std::mem::take(&mut self.limits_changed) {
            if let Some(limits) = self.limits.get(&tenant) {
                let writes = batch.table(&self.limits_table);
                writes.put_with(|out| Key::new(tenant, [0; 16]).write(out), |out| crate::rows::encode(&StoredLimits(*limits), out));
            }
        }
    }

    fn wrote(&mut self, flushes: usize) {
        self.sessions.wrote(flushes);
        self.unlisted.clear();
        for (key, session) in self.sessions.unwritten() {
            if let Some((at, _)) = session.and_then(|session| session.due) {
                self.unlisted.insert((at, *key));
            }
        }
    }

    fn pending(&self) -> usize {
        self.sessions.pending() + self.limits_changed.len()
    }
}
