//! Who is online: the first device on is announced at once, the last one off only after a grace.
//!
//! For those who serve both are facts (the desk gives conversations back when an agent is lost); for others they are signals.
//! After a restart everybody whom the log says is online gets a new grace. This file must not know a socket.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::command::Request;
use application::error::CommandError;
use application::log::commit::Actor;
use application::log::stream::{StreamId, StreamKey};
use domain::ids::CommandId;
use domain::time::{Millis, Timestamp};
use domain::user::command::UserCommand;
use futures_util::future::join_all;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::hub::Who;
use crate::messaging::limits;
use crate::state::{App, AppState};

/// Pause before a fact that could not be written is tried again.
const RETRY_AFTER: Millis = Millis::seconds(1);
/// Longest sleep: the time of day may jump, and a sleep does not.
const LOOK_AGAIN: Millis = Millis::seconds(1);
/// Users who are taken off at a time: enough for one flush, few enough to leave room for everybody else's commands.
const AT_ONCE: usize = 64;

#[derive(Default)]
struct Grace {
    /// When each user who is gone counts as gone.
    until: HashMap<Who, Timestamp>,
    /// The same in order of time.
    by_time: BTreeMap<(Timestamp, Who), ()>,
}

impl Grace {
    fn set(&mut self, who: Who, until: Timestamp) {
        self.clear(who);
        self.until.insert(who, until);
        self.by_time.insert((until, who), ());
    }

    fn clear(&mut self, who: Who) {
        if let Some(before) = self.until.remove(&who) {
            self.by_time.remove(&(before, who));
        }
    }

    fn take_over(&mut self, now: Timestamp) -> Option<Who> {
        let ((until, who), ()) = self.by_time.first_key_value()?;
        if *until > now {
            return None;
        }
        let who = *who;
        self.clear(who);
        Some(who)
    }

    fn next(&self) -> Option<Timestamp> {
        self.by_time.first_key_value().map(|((until, _), ())| *until)
    }
}

/// The users who are gone, within their grace.
#[derive(Clone, Default)]
pub struct Presence {
    grace: Arc<Mutex<Grace>>,
    changed: Arc<Notify>,
}

impl Presence {
    fn grace(&self) -> MutexGuard<'_, Grace> {
        self.grace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A user's first device is there: whatever grace they had is over.
    pub fn came(&self, who: Who) {
        self.grace().clear(who);
    }

    /// A user's last device is gone.
    pub fn went(&self, app: &AppState, who: Who) {
        // A server that stops takes nobody off: grace starts anew when it is back.
        if app.shutdown.is_ordered() {
            return;
        }
        self.grace().set(who, app.now() + limits(app, who.0).offline_grace);
        self.changed.notify_one();
    }

    /// Watches over all graces until the order to stop. Begins with those whom the log says are online.
    pub async fn run(&self, app: App) {
        for who in app.ports.views.online_users() {
            if !app.hub.is_connected(who) {
                self.went(&app, who);
            }
        }
        loop {
            let changed = self.changed.notified();
            self.take_off_who_is_over(&app).await;
            let next = self.grace().next();
            tokio::select! {
                () = app.shutdown.ordered() => return,
                () = changed => {}
                () = sleep_until(&app, next) => {}
            }
        }
    }

    async fn take_off_who_is_over(&self, app: &App) {
        loop {
            let now = app.now();
            let over: Vec<Who> = {
                let mut grace = self.grace();
                std::iter::from_fn(|| grace.take_over(now)).take(AT_ONCE).collect()
            };
            if over.is_empty() {
                return;
            }
            join_all(over.into_iter().map(|who| self.take_off(app, who))).await;
        }
    }

    async fn take_off(&self, app: &App, who: Who) {
        if app.hub.is_connected(who) {
            return;
        }
        if !serves(app, who) {
            app.hub.announce(who, false);
            return;
        }
        let gone = app.ports.commands.execute(order(app, who, UserCommand::GoOffline)).await;
        let back = app.hub.is_connected(who);
        let came = if back { Some(app.ports.commands.execute(order(app, who, UserCommand::ComeOnline)).await) } else { None };
        // A device that came while the fact was written must not be left without one.
        if failed(&gone) || came.as_ref().is_some_and(failed) {
            tracing::warn!(tenant.id = %who.0, user.id = %who.1, "presence could not be written; trying again");
            self.grace().set(who, app.now() + RETRY_AFTER);
        }
    }
}

fn failed<T>(outcome: &Result<T, CommandError>) -> bool {
    match outcome {
        // A refusal will not change.
        Ok(_) | Err(CommandError::Refused(_) | CommandError::Gone | CommandError::Erased) => false,
        Err(
            CommandError::IdempotencyMismatch
            | CommandError::WrongStream { .. }
            | CommandError::Busy
            | CommandError::OverQuota
            | CommandError::Contended
            | CommandError::Unavailable { .. }
            | CommandError::KeyMissing
            | CommandError::InDoubt
            | CommandError::Damaged { .. }
            | CommandError::TooLarge
            | CommandError::NotOwner
            | CommandError::ShuttingDown,
        ) => true,
    }
}

async fn sleep_until(app: &AppState, next: Option<Timestamp>) {
    match next {
        None => std::future::pending().await,
        Some(next) => {
            let ms = (next - app.now()).0.clamp(1, LOOK_AGAIN.0);
            tokio::time::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(1))).await;
        }
    }
}

/// Whether a user's presence is a fact: whether they serve customers.
#[must_use]
pub fn serves(app: &AppState, who: Who) -> bool {
    app.ports.views.user(who.0, who.1).is_some_and(|row| row.role.serves())
}

/// Whether a user counts as there: connected here, or within grace after it.
#[must_use]
pub fn is_online(app: &AppState, who: Who) -> bool {
    app.hub.is_connected(who) || app.ports.views.user(who.0, who.1).is_some_and(|row| row.online)
}

/// The command that a user's connection gives on their behalf.
#[must_use]
pub fn order(app: &AppState, (tenant, user): Who, command: UserCommand) -> Request {
    let id = app.new_id();
    Request {
        stream: StreamId::new(tenant, StreamKey::User(user)),
        command: command.into(),
        id: CommandId::from_uuid(id),
        digest: 0,
        actor: Actor::User(user),
        correlation: id,
        causation: Uuid::nil(),
    }
}
