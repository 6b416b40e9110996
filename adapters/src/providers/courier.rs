//! Carries one thing to a provider: looks up what there is to say, has it said (`caller`), and orders what follows.
//!
//! What cannot be told to it in the end goes back to the desk, so that the customer has somebody else.

use std::sync::Arc;
use std::time::Duration;

use application::command::Request;
use application::error::CommandError;
use application::log::codec::Reading;
use application::policies::Fact;
use application::policies::provider::{Session, hand_back, note};
use application::ports::clock::Clock;
use application::ports::command_bus::CommandBus;
use application::ports::event_log::{CommitPosition, EventLog};
use application::ports::key_store::KeyStore;
use application::queries::{ConversationRow, ConversationStatus, EventRef, ProviderRow, ReadModels};
use domain::chat::event::ChatEvent;
use domain::conversation::event::{AgentAssigned, ConversationEvent, ProviderAnswer, ProviderWords};
use domain::desk::event::{ConversationAssigned, DeskEvent, RequeueReason};
use domain::event::Event;
use domain::ids::{ChatId, ConversationId, TenantId, UserId};

use super::answers::answers;
use super::caller::About;
use super::calls::{CallBody, CallError, EndReason, Says, TurnBody, Whom, read};
use super::connections::Connections;
use super::told::Told;
use crate::breaker::Breakers;
use crate::follower::Halt;
use crate::http::error::{ApiError, Causes};
use crate::outgoing::Outgoing;
use crate::reading::{Reader, caught_up};
use crate::robots::remote::history::{self, Where};

/// Messages after an assignment that are passed over to find what was said before it.
const LOOKED_AT: u64 = 512;

/// See the file's head.
pub struct Courier {
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// The keys.
    pub keys: Arc<dyn KeyStore>,
    /// What can be asked.
    pub views: Arc<dyn ReadModels>,
    /// Where commands go.
    pub commands: Arc<dyn CommandBus>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// The way out.
    pub outgoing: Arc<Outgoing>,
    /// Where providers are called.
    pub connections: Arc<Connections>,
    /// The first wait before a call is made again.
    pub retry: Duration,
    /// Which of them rest, each as it is connected.
    pub breakers: Breakers<(TenantId, UserId, EventRef)>,
}

impl Courier {
    /// Tells what is to be told, and carries out what follows from how it was taken.
    pub(super) async fn carry_out(&self, told: &Told, commit: CommitPosition) -> Result<(), Halt> {
        caught_up(&*self.views, commit, "providers").await;
        match &told.event {
            Event::Conversation(ConversationEvent::AgentAssigned(assigned)) => self.assigned(told, assigned).await,
            Event::Conversation(ConversationEvent::AgentReleased(released)) => {
                let Some(row) = self.provider(told.stream.tenant, released.agent) else { return Ok(()) };
                self.end(told, &row, released.assignment, EndReason::TakenBack).await;
                Ok(())
            }
            Event::Conversation(ConversationEvent::ConversationClosed(_)) => self.closed(told).await,
            Event::Conversation(ConversationEvent::ConversationRated(rated)) => {
                if let Some(row) = self.provider(told.stream.tenant, rated.agent) {
                    self.rated(told, &row).await;
                }
                Ok(())
            }
            Event::Chat(ChatEvent::MessagePosted(posted)) => match posted.conversation {
                Some(conversation) => self.message(told, conversation).await,
                None => Ok(()),
            },
            Event::Chat(_)
            | Event::Conversation(_)
            | Event::User(_)
            | Event::Desk(_)
            | Event::Tenant(_)
            | Event::Campaign(_)
            | Event::Retrieval(_) => Ok(()),
        }
    }

    /// More waits than is kept: whoever waits for the provider has somebody else.
    pub(super) async fn hand_back(&self, told: &Told, commit: CommitPosition) -> Result<(), Halt> {
        caught_up(&*self.views, commit, "providers").await;
        let conversation =
            if let Event::Chat(ChatEvent::MessagePosted(posted)) = &told.event { posted.conversation } else { told.conversation() };
        let tenant = told.stream.tenant;
        let row = conversation.and_then(|conversation| self.views.conversation(tenant, conversation));
        let Some((session, _, provider)) = row.and_then(|row| self.session(tenant, row)) else { return Ok(()) };
        self.failed(told, session, &provider, &CallError::TooMuch, RequeueReason::NotAnswered).await
    }

    async fn assigned(&self, told: &Told, assigned: &AgentAssigned) -> Result<(), Halt> {
        let (tenant, Some(conversation)) = (told.stream.tenant, told.conversation()) else { return Ok(()) };
        let Some(row) = self.views.conversation(tenant, conversation) else { return Ok(()) };
        self.end_previous(told, &row, assigned.assignment).await;
        if !assigned.provider {
            return Ok(());
        }
        let Some((session, decided, provider)) = self.session(tenant, row.clone()) else { return Ok(()) };
        if session.assignment != assigned.assignment {
            return Ok(());
        }
        let Says { answer, reason } = match self.create(told, &row, session, decided, &provider).await {
            Ok(Some(says)) => says,
            Ok(None) => return Ok(()),
            Err(CallError::Halt(halt)) => return Err(halt),
            Err(CallError::Resting) => Says { answer: ProviderAnswer::Resting, reason: None },
            Err(error) => {
                warn(told, &provider, &error);
                Says { answer: ProviderAnswer::Failed, reason: None }
            }
        };
        if !answer.keeps_it() {
            tracing::info!(tenant.id = %tenant, conversation.id = %conversation, provider = %provider.provider, ?answer, "a session goes to the next seat");
        }
        let name = self.connections.of(tenant, &provider).await.ok().and_then(|connection| connection.name());
        self.order(told, note(&told.fact(), session, answer, ProviderWords { name, reason })).await
    }

    /// How the provider takes the session; `None` when it says so later, or has it no more.
    async fn create(
        &self,
        told: &Told,
        row: &ConversationRow,
        session: Session,
        decided: EventRef,
        provider: &ProviderRow,
    ) -> Result<Option<Says>, CallError> {
        let of = Where { tenant: told.stream.tenant, chat: row.chat, conversation: session.conversation };
        let last_seq = self.last_before(of.tenant, of.chat, decided);
        let history = history::until(&*self.log, &*self.keys, &*self.views, of, last_seq).await.map_err(look_up)?;
        let body = CallBody::Create {
            conversation: session.conversation,
            assignment: session.assignment,
            chat: row.chat,
            shop: row.shop,
            customer: row.customer,
            accept_within_ms: provider.accept_within.0,
            history: history.iter().map(|turn| TurnBody::of(turn, Whom { tenant: of.tenant, provider: &provider.provider })).collect(),
        };
        Ok(self.until_heard(told, provider, &body.to_json(), About::New(session), read).await?.flatten())
    }

    /// The place of the last message before a decision of the desk: what comes after it is delivered by itself.
    fn last_before(&self, tenant: TenantId, chat: ChatId, decided: EventRef) -> u64 {
        let last = self.views.chat(tenant, chat).map_or(0, |row| row.last_seq);
        let from = last.saturating_sub(LOOKED_AT) + 1;
        let places = self.views.messages(tenant, chat, from, usize::try_from(LOOKED_AT).unwrap_or(0));
        let before = places.iter().rev().find(|(_, at)| at.commit < decided.commit);
        before.map_or(from - 1, |(seq, _)| *seq)
    }

    async fn message(&self, told: &Told, conversation: ConversationId) -> Result<(), Halt> {
        let tenant = told.stream.tenant;
        let Some(row) = self.views.conversation(tenant, conversation) else { return Ok(()) };
        let Some((session, decided, provider)) = self.session(tenant, row) else { return Ok(()) };
        // What was said before is part of the history.
        if told.at_ref.commit < decided.commit {
            return Ok(());
        }
        let opened = match Reader::over(&*self.log, &*self.keys).open(told.at_ref).await {
            Ok(opened) => opened.event,
            Err(error) => return self.failed(told, session, &provider, &look_up(error), RequeueReason::NotAnswered).await,
        };
        let Event::Chat(ChatEvent::MessagePosted(posted)) = &opened else { return Ok(()) };
        let Some(body) = CallBody::message(Whom { tenant, provider: &provider.provider }, session, told.at, posted) else { return Ok(()) };
        match self.until_heard(told, &provider, &body.to_json(), About::Its(session), |_| Ok(())).await {
            Ok(_) => Ok(()),
            Err(CallError::Halt(halt)) => Err(halt),
            Err(error) => self.failed(told, session, &provider, &error, RequeueReason::NotAnswered).await,
        }
    }

    async fn rated(&self, told: &Told, provider: &ProviderRow) {
        let Some(conversation) = told.conversation() else { return };
        let heard = async {
            let opened = Reader::over(&*self.log, &*self.keys).open(told.at_ref).await.map_err(look_up)?;
            if let Event::Conversation(ConversationEvent::ConversationRated(rated)) = &opened.event {
                let body = CallBody::rating(conversation, rated).to_json();
                self.until_heard(told, provider, &body, About::WhatIsOver, |_| Ok(())).await?;
            }
            Ok(())
        };
        if let Err(error) = heard.await {
            warn(told, provider, &error);
        }
    }

    async fn end(&self, told: &Told, provider: &ProviderRow, assignment: u64, reason: EndReason) {
        let Some(conversation) = told.conversation() else { return };
        // Of what was never offered to it, because it rested, there is no end either. When in doubt, it is told.
        let answers = answers(&*self.log, told.stream, Reading::Closed).await.unwrap_or_default();
        if answers.get(&assignment).is_some_and(|(_, answered)| answered.answer == ProviderAnswer::Resting) {
            return;
        }
        let body = CallBody::End { conversation, assignment, reason }.to_json();
        if let Err(error) = self.until_heard(told, provider, &body, About::WhatIsOver, |_| Ok(())).await {
            warn(told, provider, &error);
        }
    }

    /// Whoever had it until this assignment, and was not asked to give it back, hears that it is over.
    async fn end_previous(&self, told: &Told, row: &ConversationRow, assignment: u64) {
        let decisions = self.decisions(row).await;
        let Some(nth) = decisions.iter().position(|decided| decided.assignment == assignment) else { return };
        let (Some(previous), Some(before)) = (decisions[nth].previous, nth.checked_sub(1).map(|nth| &decisions[nth])) else { return };
        let provider = self.provider(told.stream.tenant, previous).filter(|_| before.agent == previous);
        if let Some(provider) = provider {
            self.end(told, &provider, before.assignment, EndReason::TakenBack).await;
        }
    }

    async fn closed(&self, told: &Told) -> Result<(), Halt> {
        let row = told.conversation().and_then(|conversation| self.views.conversation(told.stream.tenant, conversation));
        let Some(row) = row else { return Ok(()) };
        // The last decision that this end could know of.
        let decisions = self.decisions(&row).await;
        let last = decisions.iter().zip(&row.decisions).rfind(|(_, at)| at.commit < told.at_ref.commit).map(|(decided, _)| decided);
        if let Some(decided) = last
            && let Some(provider) = self.provider(told.stream.tenant, decided.agent)
        {
            self.end(told, &provider, decided.assignment, EndReason::Closed).await;
        }
        Ok(())
    }

    async fn decisions(&self, row: &ConversationRow) -> Vec<ConversationAssigned> {
        let mut reader = Reader::over(&*self.log, &*self.keys);
        let mut decisions = Vec::with_capacity(row.decisions.len());
        for at in &row.decisions {
            if let Ok(opened) = reader.open(*at).await
                && let Event::Desk(DeskEvent::ConversationAssigned(assigned)) = opened.event
            {
                decisions.push(assigned);
            }
        }
        decisions
    }

    fn provider(&self, tenant: TenantId, agent: UserId) -> Option<ProviderRow> {
        self.views.tenant(tenant)?.provider_at_the_desk(agent).cloned()
    }

    /// The session that a provider has in a conversation now, and the decision that gave it to it.
    pub(super) fn session(&self, tenant: TenantId, row: ConversationRow) -> Option<(Session, EventRef, ProviderRow)> {
        let (agent, assignment, decided) = (row.agent?, row.assignment?, *row.decisions.last()?);
        let provider = self.provider(tenant, agent).filter(|_| row.status == ConversationStatus::Serving)?;
        Some((Session { conversation: row.conversation, agent, assignment }, decided, provider))
    }

    async fn failed(
        &self,
        told: &Told,
        session: Session,
        provider: &ProviderRow,
        error: &CallError,
        reason: RequeueReason,
    ) -> Result<(), Halt> {
        warn(told, provider, error);
        self.order(told, hand_back(&told.fact(), session, reason)).await
    }

    pub(super) async fn order(&self, told: &Told, request: Request) -> Result<(), Halt> {
        match self.commands.execute(request).await {
            // A refusal is an answer: somebody else has it by now.
            Ok(_) | Err(CommandError::Refused(_) | CommandError::Erased | CommandError::Gone) => Ok(()),
            Err(error) if error.may_pass() => Err(error.into()),
            Err(error) => {
                tracing::error!(tenant.id = %told.stream.tenant, %error, "what a provider said cannot be stored; it is passed over");
                Ok(())
            }
        }
    }
}

pub(super) fn look_up(error: impl Into<ApiError>) -> CallError {
    CallError::LookUp(Box::new(error.into()))
}

fn warn(told: &Told, provider: &ProviderRow, error: &CallError) {
    let Fact { stream, .. } = told.fact();
    tracing::warn!(tenant.id = %stream.tenant, provider = %provider.provider, error = %Causes(error), "a provider was called in vain");
}
