//! One request on its way through commands: who asks, under which correlation, and how its commands and creations are named,
//! so that a retry under the same idempotency key meets the same streams and is carried out once.

use application::command::{Answer, AnyCommand, Request, command_id};
use application::log::commit::Actor;
use application::log::stream::{StreamId, StreamKey};
use domain::ids::{CommandId, TenantId, UserId};
use domain::user::command::UserCommand;
use uuid::Uuid;

use super::auth::{Caller, Visitor};
use super::error::ApiError;
use super::extract::Order;
use crate::ids;
use crate::state::AppState;

/// See the file's head.
pub struct Journey<'a> {
    app: &'a AppState,
    actor: Actor,
    asker: Uuid,
    correlation: Uuid,
    key: Option<String>,
    digest: u64,
}

impl<'a> Journey<'a> {
    /// A request of somebody.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the key came with another request.
    pub fn of<T>(app: &'a AppState, caller: &Caller, order: &Order<T>) -> Result<Self, ApiError> {
        let asker = caller.asker();
        if let Some(key) = &order.key {
            app.seen_keys.note(asker, key, order.digest)?;
        }
        let digest = if order.key.is_some() { order.digest } else { 0 };
        Ok(Self { app, actor: caller.actor(), asker, correlation: caller.correlation, key: order.key.clone(), digest })
    }

    /// A request of somebody who is signing in, and whom their own proof just named. Their idempotency key is theirs alone.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the key came with another request.
    pub fn of_user<T>(app: &'a AppState, visitor: &Visitor, user: UserId, order: &Order<T>) -> Result<Self, ApiError> {
        if let Some(key) = &order.key {
            app.seen_keys.note(user.uuid(), key, order.digest)?;
        }
        let digest = if order.key.is_some() { order.digest } else { 0 };
        let key = order.key.clone();
        Ok(Self { app, actor: Actor::User(user), asker: user.uuid(), correlation: visitor.correlation, key, digest })
    }

    /// A request that a channel signed on behalf of its customer: the webhook's id is the key, and theirs alone.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the id came with another request.
    pub fn of_channel(app: &'a AppState, user: UserId, webhook_id: String, digest: u64, correlation: Uuid) -> Result<Self, ApiError> {
        app.seen_keys.note(user.uuid(), &webhook_id, digest)?;
        Ok(Self { app, actor: Actor::User(user), asker: user.uuid(), correlation, key: Some(webhook_id), digest })
    }

    /// A request of somebody nobody knows yet. A key proves nothing about them, so it is not looked at: whoever guessed it would
    /// get the account.
    #[must_use]
    pub fn of_stranger(app: &'a AppState, visitor: &Visitor, user: UserId) -> Self {
        Self { app, actor: Actor::User(user), asker: user.uuid(), correlation: visitor.correlation, key: None, digest: 0 }
    }

    /// The id of a thing that the request creates: derived from its key, or new.
    #[must_use]
    pub fn new_id(&self, kind: &str, tenant: TenantId) -> Uuid {
        match &self.key {
            Some(key) => ids::of_idempotency_key(kind, tenant, self.asker, key),
            None => self.app.new_id(),
        }
    }

    /// The id of the command that is this step of the request.
    #[must_use]
    pub fn command_id(&self, stream: &StreamId, step: &str) -> CommandId {
        match &self.key {
            Some(key) => command_id(stream, self.asker, &format!("{step} {key}")),
            None => CommandId::from_uuid(self.app.new_id()),
        }
    }

    /// Carries out one step, and waits until the read models show it: whoever asks next, here or on another connection, sees it.
    /// Should they take too long, the answer's position still tells where to wait for.
    ///
    /// # Errors
    /// [`ApiError::Command`].
    pub async fn execute(&self, step: &str, stream: StreamId, command: impl Into<AnyCommand>) -> Result<Answer, ApiError> {
        let request = Request {
            stream,
            command: command.into(),
            id: self.command_id(&stream, step),
            digest: self.digest,
            actor: self.actor,
            correlation: self.correlation,
            causation: Uuid::nil(),
        };
        let answer = self.app.ports.commands.execute(request).await?;
        if let Err(behind) = self.app.ports.views.at_least(answer.position.commit).await {
            tracing::warn!(%behind, step, "an answer leaves before the read models show it");
        }
        Ok(answer)
    }

    /// Carries out one step on a user's account.
    ///
    /// # Errors
    /// [`ApiError::Command`].
    pub async fn to_user(&self, step: &str, tenant: TenantId, user: UserId, command: UserCommand) -> Result<Answer, ApiError> {
        self.execute(step, StreamId::new(tenant, StreamKey::User(user)), command).await
    }
}
