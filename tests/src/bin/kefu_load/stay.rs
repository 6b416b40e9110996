//! Staying connected: connects again after every loss with a growing pause, and suffers what chaos does to the connection.
//!
//! What a device resumes after and what it repeats is its own affair, see [`Guest`]. It must not know what is said.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use super::chaos::{Chaos, Line};
use super::error::LoadError;
use super::ids::Mint;
use super::link::{self, Hello, Outbox, Reader, Transport};
use super::report::Counts;
use super::stage::{Account, Stage};

/// Pause before connecting again; doubles up to the second one.
const RECONNECT: Duration = Duration::from_millis(10);
const RECONNECT_MAX: Duration = Duration::from_millis(500);

/// A device that stays connected.
pub trait Guest {
    /// Whose it is.
    fn account(&self) -> &Account;
    /// The last index it has; 0: from now on.
    fn after(&self) -> u64;
    /// Hears everything that is here. At a welcome it repeats what was not acknowledged.
    fn hear_all(&self, reader: &mut Reader, outbox: &Outbox) -> Result<(), LoadError>;
    /// The connection is lost; answers whether there had been a welcome.
    fn lost(&self) -> bool;
    /// Where is counted what goes wrong.
    fn counts(&self) -> &RefCell<Counts>;
    /// How long a receipt may wait that is due.
    fn receipt_within(&self) -> Option<Duration> {
        None
    }
    /// Says the receipt that is due.
    fn receipt(&self, _outbox: &Outbox) {}
}

/// See the file's head.
pub struct Stay {
    stage: Rc<Stage>,
    transport: Transport,
    chaos: Rc<Chaos>,
    line: Option<Rc<Line>>,
    device: u128,
}

impl Stay {
    /// One device of a run.
    pub fn new(stage: &Rc<Stage>, transport: Transport, chaos: &Rc<Chaos>) -> Self {
        let device = Mint::seeded().uuid_v7();
        Self { stage: Rc::clone(stage), transport, chaos: Rc::clone(chaos), line: chaos.line(), device }
    }

    /// Its line, if something is done to lines in this run.
    pub fn line(&self) -> Option<&Rc<Line>> {
        self.line.as_ref()
    }

    /// Whether its reader stops now and then.
    pub fn stalls(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.stalls())
    }

    /// Whether its reader stands still now.
    pub fn is_stalled(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.is_stalled())
    }

    /// Connects once.
    pub async fn connect(&self, account: &Account, after: u64) -> Result<(Reader, Outbox), LoadError> {
        let token = self.stage.token(account).await?;
        let hello = Hello { token: &token, after, device: self.device, narrow: self.stalls() };
        link::connect(self.transport, self.stage.api.endpoint(), hello).await
    }

    /// Stays connected until the task is dropped, at first over a connection that there may be.
    pub async fn connected(&self, guest: &impl Guest, mut first: Option<(Reader, Outbox)>) -> Infallible {
        let mut pause = RECONNECT;
        let mut established = first.is_some();
        loop {
            let Err(ended) = self.session(guest, first.take()).await;
            let was_online = guest.lost();
            self.note(guest, &ended, established || was_online).await;
            if let Some(line) = &self.line {
                line.end();
            }
            established |= was_online;
            if was_online {
                pause = RECONNECT;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RECONNECT_MAX);
        }
    }

    /// One connection from hello to its end.
    async fn session(&self, guest: &impl Guest, first: Option<(Reader, Outbox)>) -> Result<Infallible, LoadError> {
        let (mut reader, outbox) = match first {
            Some(connected) => connected,
            None => self.connect(guest.account(), guest.after()).await?,
        };
        if let Some(line) = &self.line {
            line.begin();
        }
        loop {
            guest.hear_all(&mut reader, &outbox)?;
            match guest.receipt_within() {
                None => self.fill(&mut reader).await?,
                Some(within) => {
                    if let Ok(filled) = tokio::time::timeout(within, self.fill(&mut reader)).await {
                        filled?;
                    } else {
                        guest.receipt(&outbox);
                        outbox.flush();
                    }
                }
            }
        }
    }

    async fn fill(&self, reader: &mut Reader) -> Result<(), LoadError> {
        match &self.line {
            None => reader.fill().await,
            Some(line) => line.fill(reader).await,
        }
    }

    /// A lost connection is no error of the server's by itself; being sent away is.
    async fn note(&self, guest: &impl Guest, error: &LoadError, established: bool) {
        let sent_away = if let LoadError::Bye { code } = error { Some(code.as_str()) } else { None };
        if matches!(sent_away, Some("expired" | "revoked" | "unauthorized")) {
            self.stage.renew(guest.account()).await;
        }
        // Where readers stand still and others say the more, whoever has to catch up may be too slow once more.
        let is_slow = sent_away == Some("slow") && self.chaos.stalls_readers();
        let stood_still = self.line.as_ref().is_some_and(|line| line.is_online() && line.was_stalled());
        if stood_still || is_slow {
            self.chaos.stalled_line_ended(is_slow);
        }
        let lost = matches!(error, LoadError::Socket(_) | LoadError::Unreachable { .. } | LoadError::HandshakeRefused { .. });
        let expected = ((established || guest.after() > 0) && lost)
            || matches!(error, LoadError::Cut)
            || matches!(sent_away, Some("expired" | "shutdown" | "close"))
            || is_slow;
        if !expected {
            guest.counts().borrow_mut().error(error.kind());
        }
    }
}
