//! What raw events must keep, whatever the views say. It reads the stored names and the clear JSON itself, so that a mistake in
//! the decoding of events or in a view does not hide itself here.

use application::log::commit::{self, Actor, ChainHash, CommitHeader, InvalidCommit};
use application::log::stream::StreamKey;
use application::ports::event_log::{CommitPosition, StoredCommit};
use application::queries::EventRef;
use hashbrown::HashMap;
use serde::Deserialize;

use super::InvariantReport;
use super::desk::Desks;
use super::outreach::Attempts;
use super::recount::Recount;
use crate::engine::Engine;

/// Violations that are shown; the others are counted.
const SHOWN_MAX: usize = 10;

/// One invariant, as far as it was checked.
pub(super) struct Check {
    name: &'static str,
    checked: u64,
    violated: u64,
    violations: Vec<String>,
}

impl Check {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, checked: 0, violated: 0, violations: Vec::new() }
    }

    /// Notes whether something holds.
    pub(super) fn that(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        self.checked += 1;
        if !holds {
            self.violated += 1;
            if self.violations.len() < SHOWN_MAX {
                self.violations.push(otherwise());
            }
        }
    }

    pub(super) fn report(self) -> InvariantReport {
        InvariantReport { name: self.name, checked: self.checked, violated: self.violated, violations: self.violations }
    }
}

/// One event as the recount reads it.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) header: &'a CommitHeader,
    pub(super) actor: Actor,
    pub(super) at: EventRef,
    pub(super) name: &'a str,
    clear: &'a [u8],
}

impl<'a> Raw<'a> {
    /// The fields that are asked for; `None` when the event has others.
    pub(super) fn fields<T: Deserialize<'a>>(&self) -> Option<T> {
        serde_json::from_slice(self.clear).ok()
    }
}

/// See the file's head.
pub(super) struct Invariants {
    /// By the hash of its name: version and hash of each stream's last commit.
    streams: HashMap<ChainHashKey, (u64, ChainHash)>,
    versions: Check,
    hashes: Check,
    fields: Check,
    desks: Desks,
    attempts: Attempts,
    recount: Recount,
}

type ChainHashKey = [u8; 16];

impl Default for Invariants {
    fn default() -> Self {
        Self {
            streams: HashMap::new(),
            versions: Check::new("versions of a stream are contiguous from 1"),
            hashes: Check::new("every commit names the hash of its stream's commit before"),
            fields: Check::new("every event that is recounted can be read"),
            desks: Desks::default(),
            attempts: Attempts::default(),
            recount: Recount::default(),
        }
    }
}

impl Invariants {
    /// Takes a commit in.
    pub(super) fn commit(&mut self, stored: &StoredCommit) -> Result<(), InvalidCommit> {
        let header = commit::header(&stored.bytes)?;
        let place = |position: CommitPosition| format!("commit {} of {}", position.0, header.stream);
        let stream = ChainHash::of(header.stream.name().as_bytes()).0;
        let (version, hash) = self.streams.get(&stream).copied().unwrap_or_default();
        self.versions.that(header.first_version == version + 1 || header.events == 0, || place(stored.position));
        self.hashes.that(header.previous == hash, || place(stored.position));
        self.streams.insert(stream, (version + u64::from(header.events), ChainHash::of(&stored.bytes)));
        for (index, raw) in (0..).zip(commit::events(&stored.bytes)?) {
            let at = EventRef { commit: stored.position, index };
            let Ok(raw) = raw else {
                self.fields.that(false, || place(stored.position));
                return Ok(());
            };
            let raw = Raw { header: &header, actor: raw.meta.actor, at, name: raw.name, clear: raw.clear };
            let read = match header.stream.key {
                StreamKey::Desk => self.desks.event(&raw),
                StreamKey::Chat(chat) => self.attempts.event(chat, &raw).and_then(|()| self.recount.event(&raw)),
                StreamKey::Conversation(_) | StreamKey::User(_) | StreamKey::Tenant | StreamKey::Campaign(_) | StreamKey::Retrieval => {
                    self.recount.event(&raw)
                }
            };
            self.fields.that(read.is_some(), || format!("{} in {}", raw.name, place(stored.position)));
        }
        Ok(())
    }

    /// Compares the recount with the views, and gives every invariant.
    pub(super) fn report(self, engine: &Engine) -> Vec<InvariantReport> {
        let mut reports = vec![self.versions.report(), self.hashes.report(), self.fields.report()];
        reports.extend(self.desks.report());
        reports.extend(self.attempts.report());
        reports.extend(self.recount.report(engine));
        reports
    }
}
