//! The robots that tenants have elsewhere: each is asked in its own way, within its time, and not at all while it rests.
//!
//! Whoever asks gets an answer or an error within the robot's time, whatever the robot does. What follows from either is not
//! decided here.

pub mod asking;
pub mod chat_completions;
pub mod connections;
pub mod history;
pub mod places;
pub mod scoring;
pub mod signed_http;

use std::sync::Arc;
use std::time::Duration;

use application::ports::clock::Clock;
use application::ports::event_log::EventLog;
use application::ports::key_store::KeyStore;
use application::queries::{EventRef, RobotRow};
use axum::http::header;
use domain::desk::event::Scores;
use domain::ids::TenantId;
use domain::labels::Label;
use domain::tenant::event::RobotProtocol;
use domain::time::Millis;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

use self::asking::{Answered, Asking, RobotError};
use self::chat_completions::Growth;
use self::connections::{Connection, Connections};
use self::places::{Place, Places};
use self::scoring::Scoring;
use crate::breaker::{Breaker, Breakers};
use crate::outgoing::{Answer, Call, Outgoing, Proof, SendError};

/// Is told what there is of an answer so far.
pub type Grows<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// A robot that may be asked now, until its time is over.
struct Turn {
    connection: Arc<Connection>,
    deadline: Instant,
    _place: Place,
    _permit: OwnedSemaphorePermit,
}

/// See the file's head.
pub struct RemoteRobots {
    /// What is known of each.
    pub connections: Connections,
    outgoing: Arc<Outgoing>,
    clock: Arc<dyn Clock>,
    places: Places,
    breakers: Breakers<(TenantId, Label, EventRef)>,
}

impl RemoteRobots {
    /// Asks by this client.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, keys: Arc<dyn KeyStore>, outgoing: Arc<Outgoing>, clock: Arc<dyn Clock>) -> Self {
        let connections = Connections::new(log, keys);
        Self { connections, outgoing, clock, places: Places::default(), breakers: Breakers::default() }
    }

    /// What a robot answers. Its time counts from here, waiting for a turn included.
    ///
    /// # Errors
    /// [`RobotError`].
    pub async fn ask(&self, tenant: TenantId, row: &RobotRow, asking: &Asking, grows: Grows<'_>) -> Result<Answered, RobotError> {
        let time = Duration::from_millis(u64::try_from(row.time_out.0).unwrap_or(0));
        let turn = self.turn(tenant, row, time).await?;
        let answered = timeout_at(turn.deadline, self.call(row.protocol, &turn.connection, asking, time, grows)).await;
        self.ended(tenant, row, time, answered)
    }

    /// How a scorer scores those who may get a conversation.
    ///
    /// # Errors
    /// [`RobotError`].
    pub async fn score(&self, tenant: TenantId, row: &RobotRow, scoring: &Scoring, within: Duration) -> Result<Scores, RobotError> {
        let turn = self.turn(tenant, row, within).await?;
        let scored = timeout_at(turn.deadline, self.call_scorer(&turn.connection, scoring, within)).await;
        self.ended(tenant, row, within, scored)
    }

    /// Waits until a robot may be asked.
    async fn turn(&self, tenant: TenantId, row: &RobotRow, time: Duration) -> Result<Turn, RobotError> {
        let place = self.places.take(tenant).ok_or(RobotError::Busy)?;
        let connection = self.connections.of(tenant, row).await.map_err(|error| RobotError::LookUp(error.into()))?;
        let deadline = Instant::now() + time;
        let permit = timeout_at(deadline, place.turn()).await.ok().flatten().ok_or(RobotError::Busy)?;
        // Not before it is its turn: meanwhile others may have failed.
        if !self.with_breaker(tenant, row, |breaker| breaker.may_ask(self.clock.now())) {
            return Err(RobotError::Resting);
        }
        Ok(Turn { connection, deadline, _place: place, _permit: permit })
    }

    /// What came of it, noted for the next time.
    fn ended<T>(
        &self,
        tenant: TenantId,
        row: &RobotRow,
        time: Duration,
        answered: Result<Result<T, RobotError>, Elapsed>,
    ) -> Result<T, RobotError> {
        let timed_out = || RobotError::TimedOut { time_out: Millis(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)) };
        let answered = match answered {
            Err(_) => Err(timed_out()),
            Ok(Err(RobotError::Send(SendError::NoAnswer { source }))) if source.is_timeout() => Err(timed_out()),
            Ok(answered) => answered,
        };
        self.note(tenant, row, answered.as_ref().err());
        answered
    }

    async fn call_scorer(&self, connection: &Connection, scoring: &Scoring, time_out: Duration) -> Result<Scores, RobotError> {
        let key = connection.signing_key().ok_or(RobotError::WithoutSecret)?;
        let (id, body) = (scoring.id.simple().to_string(), serde_json::to_string(scoring).expect("plain text and numbers"));
        let proof = Proof::Signed { id: &id, key: &key, now: self.clock.now() };
        let call = Call { url: &connection.settings.url, body: &body, proof, time_out, bytes_max: scoring::ANSWER_BYTES_MAX };
        let answer = successful(self.outgoing.ask(call).await?)?;
        scoring::read(&answer.whole().await?, scoring)
    }

    fn with_breaker<T>(&self, tenant: TenantId, row: &RobotRow, act: impl FnOnce(&mut Breaker) -> T) -> T {
        self.breakers.with((tenant, row.robot.clone(), row.settings), act)
    }

    fn note(&self, tenant: TenantId, row: &RobotRow, error: Option<&RobotError>) {
        let now = self.clock.now();
        let rests = self.with_breaker(tenant, row, |breaker| match error {
            Some(error) if error.is_its_fault() => breaker.failed(now),
            Some(_) => false,
            None => {
                breaker.worked();
                false
            }
        });
        if rests {
            tracing::warn!(tenant.id = %tenant, robot = %row.robot, "a robot failed too often; it rests");
        }
    }

    async fn call(
        &self,
        protocol: RobotProtocol,
        connection: &Connection,
        asking: &Asking,
        time_out: Duration,
        grows: Grows<'_>,
    ) -> Result<Answered, RobotError> {
        let url = connection.settings.url.as_str();
        match protocol {
            RobotProtocol::Http => {
                let key = connection.signing_key().ok_or(RobotError::WithoutSecret)?;
                let (id, body) = (asking.id.simple().to_string(), signed_http::body(asking));
                let proof = Proof::Signed { id: &id, key: &key, now: self.clock.now() };
                let call = Call { url, body: &body, proof, time_out, bytes_max: signed_http::ANSWER_BYTES_MAX };
                let answer = successful(self.outgoing.ask(call).await?)?;
                signed_http::read(&answer.whole().await?)
            }
            RobotProtocol::ChatCompletions => {
                if asking.text.trim().is_empty() {
                    // A picture, say: there are no words to be completed.
                    return Ok(Answered::Unknown { hints: vec![] });
                }
                let model = connection.settings.model.as_deref().unwrap_or_default();
                let body = chat_completions::body(model, connection.settings.system.as_deref(), asking);
                let proof = Proof::Bearer(connection.api_key());
                let call = Call { url, body: &body, proof, time_out, bytes_max: chat_completions::ANSWER_BYTES_MAX };
                complete(successful(self.outgoing.ask(call).await?)?, grows).await
            }
        }
    }
}

/// A redirect is followed nowhere, so it is no answer either.
fn successful(answer: Answer) -> Result<Answer, RobotError> {
    if answer.status().is_success() { Ok(answer) } else { Err(RobotError::Status(answer.status())) }
}

async fn complete(mut answer: Answer, grows: Grows<'_>) -> Result<Answered, RobotError> {
    let content_type = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let comes_whole = content_type.starts_with("application/json");
    let mut growth = Growth::default();
    if comes_whole {
        growth.take_completion(&answer.whole().await?)?;
        return growth.answered();
    }
    while !growth.is_done()
        && let Some(bytes) = answer.next().await?
    {
        if growth.take(&bytes)?
            && let Some(shown) = growth.shown()
        {
            grows(shown);
        }
    }
    growth.answered()
}
