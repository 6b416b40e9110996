//! Who and what there is: tenants with their shops, groups, keys and limits; users with their accounts, sign-ins and service.
//!
//! Rows say where a private text lies in the log, never what it says.

mod tenant;
mod user;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use application::log::stream::StreamKey;
use application::queries::{AccountStage, CannedReplyRow, ChannelCustomerRow, DescriptionRow, EventRef, TenantRow, UserRow};
use domain::event::Event;
use domain::ids::{TenantId, UserId};
use domain::tenant::event::TenantEvent;
use domain::user::event::{KeyedDigest, UserEvent};
use serde::{Deserialize, Serialize};

use crate::keys::Key;
use crate::projection::{ApplyError, Fact, Projection, Streams, ViewInfo};
use crate::rows::{Row, Rows, each_stored, encode, unreadable};
use crate::store::{ViewStore, WriteBatch};

/// What is fixed about this view.
pub const INFO: ViewInfo = ViewInfo {
    name: "directory",
    version: 9,
    streams: Streams::USER.and(Streams::TENANT),
    tables: &["tenants", "users", "accounts", "online", "canned_replies", "channel_customers", "descriptions", "blocked"],
};

/// Longest chain of merges that is followed: a merged account is anonymous and merges once, so a longer one is a circle.
const MERGES_FOLLOWED: usize = 8;

/// Who is known under an account.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Account(UserId);

/// A user as stored; shared with whoever asked, because every request asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct User(Arc<UserRow>);

/// The canned replies that a user keeps for themself. Apart from the user, who is read at every request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct OwnCannedReplies(Vec<CannedReplyRow>);

impl Row for OwnCannedReplies {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The channel by which a customer comes. Apart from the user, because it changes with every few items that are delivered.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct ChannelCustomer(ChannelCustomerRow);

/// What a tenant knows of a customer. Apart from the user, because few are described.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Described(DescriptionRow);

/// Where it says that a customer is blocked, while they are: those whom a tenant sees among its blocked ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Blocked(Option<EventRef>);

impl Row for Blocked {
    fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl Row for Described {}
impl Row for ChannelCustomer {}
impl Row for Account {}
impl Row for User {}
impl Row for TenantRow {}

/// See the file's head.
pub struct Directory {
    /// Every tenant: a few kilobytes each, asked for at every request.
    tenants: BTreeMap<TenantId, Arc<TenantRow>>,
    tenants_table: Arc<str>,
    tenants_changed: BTreeSet<TenantId>,
    users: Rows<User>,
    users_changed: Arc<AtomicU64>,
    accounts: Rows<Account>,
    canned_replies: Rows<OwnCannedReplies>,
    channel_customers: Rows<ChannelCustomer>,
    descriptions: Rows<Described>,
    blocked: Rows<Blocked>,
    online: BTreeSet<(TenantId, UserId)>,
    online_table: Arc<str>,
    online_changed: BTreeSet<(TenantId, UserId)>,
}

impl Directory {
    /// The view over a store.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn open(store: &Arc<dyn ViewStore>) -> Result<Self, ApplyError> {
        let tenants_table = INFO.table("tenants");
        let online_table = INFO.table("online");
        let mut online = BTreeSet::new();
        each_stored(&**store, &online_table, |key, _| {
            let (key, _) = Key::read(key).ok_or_else(|| unreadable(&online_table, key))?;
            online.insert((key.tenant, UserId::from_u128(u128::from_be_bytes(key.id))));
            Ok(())
        })?;
        let tenants = Rows::<TenantRow>::stored(&**store, &tenants_table)?;
        Ok(Self {
            tenants: tenants.into_iter().map(|(key, row)| (key.tenant, Arc::new(row))).collect(),
            tenants_table,
            tenants_changed: BTreeSet::new(),
            users: Rows::new(Arc::clone(store), INFO.table("users")),
            users_changed: Arc::default(),
            accounts: Rows::new(Arc::clone(store), INFO.table("accounts")),
            canned_replies: Rows::new(Arc::clone(store), INFO.table("canned_replies")),
            channel_customers: Rows::new(Arc::clone(store), INFO.table("channel_customers")),
            descriptions: Rows::new(Arc::clone(store), INFO.table("descriptions")),
            blocked: Rows::new(Arc::clone(store), INFO.table("blocked")),
            online,
            online_table,
            online_changed: BTreeSet::new(),
        })
    }

    /// All tenants.
    #[must_use]
    pub fn tenants(&self) -> Vec<TenantId> {
        self.tenants.keys().copied().collect()
    }

    /// A tenant.
    #[must_use]
    pub fn tenant(&self, tenant: TenantId) -> Option<Arc<TenantRow>> {
        self.tenants.get(&tenant).cloned()
    }

    /// How often any user changed since the view was opened: counts while the view is locked, and can be asked without a lock.
    #[must_use]
    pub fn users_changed(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.users_changed)
    }

    /// A user.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn user(&self, tenant: TenantId, user: UserId) -> Result<Option<Arc<UserRow>>, ApplyError> {
        self.users.read_with(user_key(tenant, user), |row| Arc::clone(&row.0))
    }

    /// Users in the order of their ids, after one of them.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn users(&self, tenant: TenantId, after: Option<UserId>, limit: usize) -> Result<Vec<Arc<UserRow>>, ApplyError> {
        let rows = self.users.page(tenant, after.map(|user| *user.as_bytes()), limit)?;
        Ok(rows.into_iter().map(|(_, row)| row.0).collect())
    }

    /// Who is known elsewhere under this account; after merges, the account it was merged into.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn user_by_account(&self, tenant: TenantId, account: KeyedDigest) -> Result<Option<UserId>, ApplyError> {
        let Some(Account(user)) = self.accounts.read(Key::new(tenant, *account.as_bytes()))? else { return Ok(None) };
        Ok(Some(self.user_now(tenant, user)?.map_or(user, |row| row.user)))
    }

    /// The user that somebody is after all merges.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn user_now(&self, tenant: TenantId, user: UserId) -> Result<Option<Arc<UserRow>>, ApplyError> {
        let mut row = self.user(tenant, user)?;
        for _ in 0..MERGES_FOLLOWED {
            let Some(AccountStage::Merged { into }) = row.as_ref().map(|row| row.stage) else { break };
            row = self.user(tenant, into)?;
        }
        Ok(row)
    }

    /// The canned replies that a user keeps for themself.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn own_canned_replies(&self, tenant: TenantId, user: UserId) -> Result<Vec<CannedReplyRow>, ApplyError> {
        Ok(self.canned_replies.read(user_key(tenant, user))?.unwrap_or_default().0)
    }

    /// What a tenant knows of a customer.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn description(&self, tenant: TenantId, user: UserId) -> Result<Option<DescriptionRow>, ApplyError> {
        Ok(self.descriptions.read(user_key(tenant, user))?.map(|row| row.0))
    }

    /// The channel by which a customer comes.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn channel_customer(&self, tenant: TenantId, user: UserId) -> Result<Option<ChannelCustomerRow>, ApplyError> {
        Ok(self.channel_customers.read(user_key(tenant, user))?.map(|row| row.0))
    }

    /// Customers who come by channels in the order of their ids, after one of them.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn channel_customers(&self, tenant: TenantId, after: Option<UserId>, limit: usize) -> Result<Vec<ChannelCustomerRow>, ApplyError> {
        let rows = self.channel_customers.page(tenant, after.map(|user| *user.as_bytes()), limit)?;
        Ok(rows.into_iter().map(|(_, row)| row.0).collect())
    }

    /// Blocked customers in the order of their ids, after one of them, each with where it says so.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn blocked_customers(&self, tenant: TenantId, after: Option<UserId>, limit: usize) -> Result<Vec<(UserId, EventRef)>, ApplyError> {
        let rows = self.blocked.page(tenant, after.map(|user| *user.as_bytes()), limit)?;
        let said = |(key, row): (Key, Blocked)| Some((UserId::from_u128(u128::from_be_bytes(key.id)), row.0?));
        Ok(rows.into_iter().filter_map(said).collect())
    }

    /// Users who are online now.
    #[must_use]
    pub fn online_users(&self) -> Vec<(TenantId, UserId)> {
        self.online.iter().copied().collect()
    }

    fn tenant_event(&mut self, fact: &Fact<'_>, event: &TenantEvent) -> Result<(), ApplyError> {
        if let TenantEvent::TenantCreated(created) = event {
            if self.tenants.contains_key(&fact.tenant) {
                return Err(ApplyError::OpenedTwice);
            }
            self.tenants.insert(fact.tenant, Arc::new(tenant::created(created, fact)));
            self.tenants_changed.insert(fact.tenant);
            return Ok(());
        }
        let row = Arc::make_mut(self.tenants.get_mut(&fact.tenant).ok_or(ApplyError::NotOpened)?);
        tenant::evolve(row, event, fact);
        self.tenants_changed.insert(fact.tenant);
        Ok(())
    }

    fn user_event(&mut self, fact: &Fact<'_>, user: UserId, event: &UserEvent) -> Result<(), ApplyError> {
        let key = user_key(fact.tenant, user);
        self.users_changed.fetch_add(1, Ordering::Release);
        if let UserEvent::UserRegistered(registered) = event {
            if fact.version != 1 {
                return Err(ApplyError::OpenedTwice);
            }
            self.users.insert_new(key, User(Arc::new(user::registered(user, registered, fact))));
            return Ok(());
        }
        let row = Arc::make_mut(&mut self.users.change_if_there(key)?.ok_or(ApplyError::NotOpened)?.0);
        let (was_online, was_blocked) = (row.online, in_force(row));
        user::evolve(row, event, fact);
        let (online, blocked) = (row.online, in_force(row));
        if blocked != was_blocked {
            *self.blocked.change(key)?.get_or_insert_default() = blocked;
        }
        if let UserEvent::ExternalAccountMapped(mapped) = event {
            *self.accounts.change(Key::new(fact.tenant, *mapped.account.as_bytes()))? = Some(Account(user));
        }
        self.canned_reply(key, event, fact.at)?;
        if let UserEvent::ChannelReceived(received) = event {
            let row = ChannelCustomerRow { user, channel: received.channel, up_to: received.up_to };
            *self.channel_customers.change(key)? = Some(ChannelCustomer(row));
        }
        if let UserEvent::CustomerDescribed(described) = event {
            user::describe(&mut self.descriptions.change(key)?.get_or_insert_default().0, described, fact.at);
        }
        if online != was_online {
            if online {
                self.online.insert((fact.tenant, user));
            } else {
                self.online.remove(&(fact.tenant, user));
            }
            self.online_changed.insert((fact.tenant, user));
        }
        Ok(())
    }

    fn canned_reply(&mut self, user: Key, event: &UserEvent, at: EventRef) -> Result<(), ApplyError> {
        match event {
            UserEvent::CannedReplySaved(saved) => {
                let own = self.canned_replies.change(user)?.get_or_insert_default();
                save(&mut own.0, CannedReplyRow { reply: saved.reply, shortcut: saved.shortcut.clone(), group: None, content: at });
            }
            UserEvent::CannedReplyRemoved(removed) => {
                if let Some(own) = self.canned_replies.change_if_there(user)? {
                    own.0.retain(|known| known.reply != removed.reply);
                }
            }
            // A closed account serves nobody any more.
            UserEvent::UserDeactivated(_) | UserEvent::CustomerMerged(_) => {
                if let Some(own) = self.canned_replies.change_if_there(user)? {
                    own.0.clear();
                }
            }
            UserEvent::UserRegistered(_)
            | UserEvent::ProfileChanged(_)
            | UserEvent::ExternalAccountMapped(_)
            | UserEvent::PasswordSet(_)
            | UserEvent::SessionStarted(_)
            | UserEvent::SessionRefreshed(_)
            | UserEvent::SessionEnded(_)
            | UserEvent::GroupsChanged(_)
            | UserEvent::CapacityChanged(_)
            | UserEvent::AbilitiesChanged(_)
            | UserEvent::ServiceStarted(_)
            | UserEvent::ServicePaused(_)
            | UserEvent::ServiceStopped(_)
            | UserEvent::CameOnline(_)
            | UserEvent::WentOffline(_)
            | UserEvent::ChannelReceived(_)
            | UserEvent::CustomerBlocked(_)
            | UserEvent::CustomerUnblocked(_)
            | UserEvent::CustomerDescribed(_) => {}
        }
        Ok(())
    }
}

/// Puts a canned reply in, or in the place of what it was.
fn save(replies: &mut Vec<CannedReplyRow>, saved: CannedReplyRow) {
    match replies.iter_mut().find(|known| known.reply == saved.reply) {
        Some(known) => *known = saved,
        None => replies.push(saved),
    }
}

/// The block of an account that is still one.
fn in_force(row: &UserRow) -> Blocked {
    Blocked(row.blocked.filter(|_| row.stage == AccountStage::Active))
}

fn user_key(tenant: TenantId, user: UserId) -> Key {
    Key::new(tenant, *user.as_bytes())
}

impl Projection for Directory {
    fn apply(&mut self, fact: &Fact<'_>) -> Result<(), ApplyError> {
        match (fact.event, fact.stream) {
            (Event::Tenant(event), StreamKey::Tenant) => self.tenant_event(fact, event),
            (Event::User(event), StreamKey::User(user)) => self.user_event(fact, user, event),
            (Event::Chat(_) | Event::Conversation(_) | Event::Desk(_) | Event::Campaign(_) | Event::Retrieval(_), _) => Ok(()),
            (Event::Tenant(_) | Event::User(_), _) => Err(ApplyError::WrongStream),
        }
    }

    fn flush(&mut self, batch: &mut WriteBatch) {
        for tenant in std::mem::take(&mut self.tenants_changed) {
            if let Some(row) = self.tenants.get(&tenant) {
                let key = Key::new(tenant, [0; 16]);
                batch.table(&self.tenants_table).put_with(|out| key.write(out), |out| encode(&**row, out));
            }
        }
        self.users.flush(batch, |_, _, _| {});
        self.accounts.flush(batch, |_, _, _| {});
        self.canned_replies.flush(batch, |_, _, _| {});
        self.channel_customers.flush(batch, |_, _, _| {});
        self.descriptions.flush(batch, |_, _, _| {});
        self.blocked.flush(batch, |_, _, _| {});
        for (tenant, user) in std::mem::take(&mut self.online_changed) {
            let writes = batch.table(&self.online_table);
            if self.online.contains(&(tenant, user)) {
                writes.put_with(|out| user_key(tenant, user).write(out), |_| ());
            } else {
                writes.delete_with(|out| user_key(tenant, user).write(out));
            }
        }
    }

    fn wrote(&mut self, flushes: usize) {
        self.users.wrote(flushes);
        self.accounts.wrote(flushes);
        self.canned_replies.wrote(flushes);
        self.channel_customers.wrote(flushes);
        self.descriptions.wrote(flushes);
        self.blocked.wrote(flushes);
    }

    fn pending(&self) -> usize {
        self.tenants_changed.len()
            + self.users.pending()
            + self.accounts.pending()
            + self.canned_replies.pending()
            + self.channel_customers.pending()
            + self.descriptions.pending()
            + self.blocked.pending()
            + self.online_changed.len()
    }
}
