//! Makes a call until it is heard, and notes what it came to.
//!
//! It is made again after a while when the provider is down, as long as the conversation is still its own. One that fails time after
//! time rests: then it is offered no new session, but for one try when the rest is over. What it has it is still told.

use std::time::Duration;

use application::policies::provider::{Session, come_again};
use application::queries::ProviderRow;
use domain::ids::TenantId;

use super::calls::{ANSWER_BYTES_MAX, CallError};
use super::courier::{Courier, look_up};
use super::told::Told;
use crate::breaker::Breaker;
use crate::http::error::Causes;
use crate::outgoing::{Call, Proof};

/// How often a call is made: with the waits between them a quarter of a minute, and the provider's own time on top.
const ATTEMPTS_MAX: u32 = 6;

/// What a call is about. What it came to tells something of the provider where a session hangs on it.
#[derive(Clone, Copy)]
pub(super) enum About {
    /// A session that is offered to the provider.
    New(Session),
    /// A session that it has.
    Its(Session),
    /// What is over.
    WhatIsOver,
}

impl About {
    const fn session(self) -> Option<Session> {
        match self {
            Self::New(session) | Self::Its(session) => Some(session),
            Self::WhatIsOver => None,
        }
    }
}

impl Courier {
    /// What was answered, as `read` reads it; `None` when the session is over before it was heard.
    pub(super) async fn until_heard<T>(
        &self,
        told: &Told,
        provider: &ProviderRow,
        body: &str,
        about: About,
        read: impl Fn(&[u8]) -> Result<T, CallError> + Send,
    ) -> Result<Option<T>, CallError> {
        let tenant = told.stream.tenant;
        let is_over = || about.session().is_some_and(|session| !self.is_its(tenant, session));
        // Before the one try after a rest is used up for it.
        if is_over() {
            return Ok(None);
        }
        let is_new = matches!(about, About::New(_));
        let attempts_max = if is_new { self.attempts_max(tenant, provider)? } else { ATTEMPTS_MAX };
        let mut wait = self.retry;
        for attempt in 1.. {
            if is_over() {
                return Ok(None);
            }
            if is_new && attempt > 1 && self.breaker(tenant, provider, |breaker| breaker.rests(self.clock.now())) {
                return Err(CallError::Resting);
            }
            let answered = self.call(tenant, provider, told, body).await.and_then(|bytes| read(&bytes));
            match answered {
                Ok(answer) => {
                    if about.session().is_some() {
                        self.works(told, provider).await?;
                    }
                    return Ok(Some(answer));
                }
                Err(error) if error.may_pass() && attempt < attempts_max => {
                    tracing::info!(tenant.id = %tenant, provider = %provider.provider, attempt, error = %Causes(&error), "a provider is called again");
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                Err(error) => {
                    if about.session().is_some() {
                        self.fails(tenant, provider, &error);
                    }
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    /// How often a new session may be offered; a try after a rest is one call.
    fn attempts_max(&self, tenant: TenantId, provider: &ProviderRow) -> Result<u32, CallError> {
        let now = self.clock.now();
        self.breaker(tenant, provider, |breaker| match breaker.may_ask(now) {
            true if breaker.is_left_alone() => Ok(1),
            true => Ok(ATTEMPTS_MAX),
            false => Err(CallError::Resting),
        })
    }

    fn is_its(&self, tenant: TenantId, session: Session) -> bool {
        let row = self.views.conversation(tenant, session.conversation);
        row.and_then(|row| self.session(tenant, row)).is_some_and(|(now, ..)| now == session)
    }

    async fn call(&self, tenant: TenantId, provider: &ProviderRow, told: &Told, body: &str) -> Result<Vec<u8>, CallError> {
        let connection = self.connections.of(tenant, provider).await.map_err(look_up)?;
        let id = told.id();
        let call = Call {
            url: &connection.settings.url,
            body,
            proof: Proof::Signed { id: &id, key: &connection.key, now: self.clock.now() },
            time_out: Duration::from_millis(u64::try_from(provider.time_out.0).unwrap_or(0)),
            bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = self.outgoing.ask(call).await?;
        if !answer.status().is_success() {
            return Err(CallError::Status(answer.status()));
        }
        Ok(answer.whole().await?)
    }

    fn breaker<T>(&self, tenant: TenantId, provider: &ProviderRow, act: impl FnOnce(&mut Breaker) -> T) -> T {
        self.breakers.with((tenant, provider.agent, provider.settings), act)
    }

    /// Whoever was left alone and works again is offered what it let pass meanwhile.
    async fn works(&self, told: &Told, provider: &ProviderRow) -> Result<(), CallError> {
        let tenant = told.stream.tenant;
        if self.breaker(tenant, provider, |breaker| breaker.is_left_alone()) {
            tracing::info!(tenant.id = %tenant, provider = %provider.provider, "a provider that rested works again");
            for request in come_again(&told.fact(), provider.agent) {
                self.order(told, request).await?;
            }
        }
        self.breaker(tenant, provider, Breaker::worked);
        Ok(())
    }

    fn fails(&self, tenant: TenantId, provider: &ProviderRow, error: &CallError) {
        let now = self.clock.now();
        if error.is_its_fault() && self.breaker(tenant, provider, |breaker| breaker.failed(now)) {
            tracing::warn!(tenant.id = %tenant, provider = %provider.provider, "a provider failed too often; it rests");
        }
    }
}
