//! The evidence of attempts, as lines of JSON: what was decided, and the stored bytes that prove it.
//!
//! First a head; then each attempt, the newest first, followed by the commits of its chat from the one with the customer's newest message
//! (or from the chat's first) to the last one that tells of the attempt; at the end how many there were and a hash of all lines
//! before. The bytes are those of the log, private halves sealed: whoever has no key reads no message. `docs/OPERATIONS.md` says how it is
//! verified. This file must not know how that is done.

use std::collections::VecDeque;

use application::log::stream::{StreamId, StreamKey};
use application::queries::{EventRef, OutreachRow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::{ChatId, TenantId};
use serde_json::json;

use super::told::{self, AttemptBody, Told};
use crate::http::error::ApiError;
use crate::reading::Reader;
use crate::state::{App, AppState};

/// The number of this form.
pub const FORMAT: u32 = 1;
/// Attempts fetched at a time.
const PAGE_ATTEMPTS: usize = 64;
/// Commits read at a time.
const PAGE_COMMITS: usize = 16;

/// The commits of an attempt that are still to be written.
struct Stretch {
    stream: StreamId,
    next_version: u64,
    last_version: u64,
}

/// Writes the evidence of a tenant, a piece at a time.
pub struct Evidence {
    app: App,
    tenant: TenantId,
    before: Option<EventRef>,
    page: VecDeque<OutreachRow>,
    stretch: Option<Stretch>,
    hasher: blake3::Hasher,
    attempts: u64,
    begun: bool,
    ended: bool,
}

impl Evidence {
    /// All attempts of a tenant.
    #[must_use]
    pub fn of(app: App, tenant: TenantId) -> Self {
        let hasher = blake3::Hasher::new();
        Self { app, tenant, before: None, page: VecDeque::new(), stretch: None, hasher, attempts: 0, begun: false, ended: false }
    }

    /// The next lines; `None` after the last one.
    ///
    /// # Errors
    /// [`ApiError::Read`], [`ApiError::Decode`]: then the evidence breaks off, and is none.
    pub async fn next(&mut self) -> Result<Option<String>, ApiError> {
        if self.ended {
            return Ok(None);
        }
        if !self.begun {
            self.begun = true;
            return Ok(Some(self.line(&json!({ "kefu_outreach_evidence": FORMAT, "tenant": self.tenant }))));
        }
        if let Some(stretch) = self.stretch.take() {
            return self.commits(stretch).await.map(Some);
        }
        if self.page.is_empty() {
            self.page = self.app.ports.views.outreaches(self.tenant, self.before, PAGE_ATTEMPTS).into();
        }
        let Some(row) = self.page.pop_front() else {
            self.ended = true;
            let hash = self.hasher.finalize().to_hex().to_string();
            return Ok(Some(format!("{}\n", json!({ "end": { "attempts": self.attempts, "hash": hash } }))));
        };
        self.before = Some(row.at);
        self.attempts += 1;
        let told = told::read(&self.app, &row).await?;
        self.stretch = Some(stretch(&self.app, self.tenant, &row, &told).await?);
        Ok(Some(self.line(&json!({ "attempt": AttemptBody::from(&told) }))))
    }

    fn line(&mut self, value: &serde_json::Value) -> String {
        let line = format!("{value}\n");
        self.hasher.update(line.as_bytes());
        line
    }

    async fn commits(&mut self, stretch: Stretch) -> Result<String, ApiError> {
        let Stretch { stream, mut next_version, last_version } = stretch;
        let mut lines = String::new();
        for stored in self.app.ports.log.read_stream(stream, next_version, PAGE_COMMITS).await? {
            let header = stored.header().map_err(application::log::codec::DecodeError::Commit)?;
            if header.first_version > last_version {
                break;
            }
            next_version = header.last_version() + 1;
            lines.push_str(&self.line(&json!({ "commit": STANDARD.encode(&stored.bytes) })));
        }
        // An empty page is the end of the stream: what is missing is for the one who verifies to say.
        if next_version <= last_version && !lines.is_empty() {
            self.stretch = Some(Stretch { stream, next_version, last_version });
        }
        Ok(lines)
    }
}

/// From the commit with the customer's newest message to the last one that tells of the attempt.
async fn stretch(app: &AppState, tenant: TenantId, row: &OutreachRow, told: &Told) -> Result<Stretch, ApiError> {
    let mut reader = Reader::new(app);
    let last = row.handed_over.last().copied().unwrap_or(row.at);
    let last_version = reader.open(last).await?.header.last_version();
    let first = told.fact.ruling.qualifying.and_then(|newest| place_of(app, tenant, row.chat, newest.seq));
    let next_version = match first {
        Some(at) => reader.open(at).await?.header.first_version,
        None => 1,
    };
    Ok(Stretch { stream: StreamId::new(tenant, StreamKey::Chat(row.chat)), next_version, last_version })
}

fn place_of(app: &AppState, tenant: TenantId, chat: ChatId, seq: u64) -> Option<EventRef> {
    app.ports.views.messages(tenant, chat, seq, 1).into_iter().find(|(found, _)| *found == seq).map(|(_, at)| at)
}
