//! The engine without its threads: decides appends, flushes them, settles doubts, saves the index.
//!
//! Everything here happens in the order in which it is called, so that a test can crash it at any write. It must not know
//! tokio, queues or who waits for an answer.

use std::sync::Arc;

use application::log::stream::StreamId;
use application::ports::event_log::{AppendError, Appended, CommitPosition, NewCommit, StoredCommit};
use hashbrown::HashMap;

use super::acknowledged::Acknowledged;
use super::heads::{Head, Heads};
use super::index::Entry;
use super::record::{RecordBuilder, header_bytes};
use super::sql;
use super::store::{FlushError, Place, Store};
use super::view::{Reader, View};
use super::{Files, Options, checkpoint};

/// A commit to append, or to end its stream with.
#[derive(Clone, Debug)]
pub struct Append {
    /// The commit, already admitted.
    pub commit: NewCommit,
    /// Whether it is a tombstone.
    pub tombstone: bool,
}

/// What becomes of one append of a flush.
enum Decision {
    /// It is in this flush, as its n-th commit.
    Accepted(usize),
    /// It needs no flush.
    Answered(Result<Appended, AppendError>),
}

/// The commits of one flush, with what is known of their streams after it.
#[derive(Default)]
struct Flush {
    /// Index in the appends, and the entry; the place's record and offset are known when the records are built.
    accepted: Vec<(usize, Entry)>,
    heads: HashMap<StreamId, Head>,
}

/// The writing half of the engine.
pub struct Core {
    files: Files,
    options: Options,
    store: Store,
    reader: Reader,
    heads: Heads,
    view: Arc<View>,
    acknowledged: Acknowledged,
    next: u64,
    wal_bytes: u64,
}

impl Core {
    /// Made by recovery only.
    pub(super) fn new(files: Files, options: Options, store: Store, reader: Reader, view: Arc<View>, acknowledged: Acknowledged) -> Self {
        let next = view.head() + 1;
        Self { files, options, store, reader, heads: Heads::default(), view, acknowledged, next, wal_bytes: 0 }
    }

    /// What readers see.
    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// The core's own read connections.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Bytes written to the WAL, roughly, since the last call.
    pub fn take_wal_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.wal_bytes)
    }

    /// Decides the appends in order, stores what is accepted in one transaction, and answers all of them in order.
    pub fn flush(&mut self, appends: &[Append]) -> Vec<Result<Appended, AppendError>> {
        if let Err(reason) = self.settle() {
            return appends.iter().map(|_| Err(AppendError::Unavailable { reason: reason.clone() })).collect();
        }
        self.load_heads(appends);
        let mut flush = Flush::default();
        let decisions: Vec<Decision> = (0..appends.len()).map(|index| self.decide(appends, index, &mut flush)).collect();
        let outcome = if flush.accepted.is_empty() { Ok(()) } else { self.store(appends, &mut flush) };
        decisions
            .into_iter()
            .map(|decision| match decision {
                Decision::Answered(answer) => answer,
                Decision::Accepted(nth) => match &outcome {
                    Ok(()) => Ok(Appended { position: CommitPosition(flush.accepted[nth].1.place.position) }),
                    Err(FlushError::NotStored { reason }) => Err(AppendError::Unavailable { reason: reason.clone() }),
                    Err(FlushError::InDoubt { .. }) => Err(AppendError::InDoubt),
                },
            })
            .collect()
    }

    fn decide(&mut self, appends: &[Append], index: usize, flush: &mut Flush) -> Decision {
        let Append { commit: new, tombstone } = &appends[index];
        let head = match flush.heads.get(&new.stream) {
            Some(head) => *head,
            None => match self.head(&new.stream) {
                Ok(head) => head,
                Err(error) => return Decision::Answered(Err(error)),
            },
        };
        if new.first_version == head.version + 1 && !head.gone {
            let position = self.next + flush.accepted.len() as u64;
            let bytes = u32::try_from(new.bytes.len()).expect("a commit is far below 4 GiB");
            let place = Place { position, record: position, offset: 0, bytes };
            let entry = Entry { first_version: new.first_version, events: new.events, place };
            flush.heads.insert(new.stream, Head { version: entry.last_version(), gone: *tombstone });
            flush.accepted.push((index, entry));
            return Decision::Accepted(flush.accepted.len() - 1);
        }
        if head.gone && !tombstone {
            return Decision::Answered(Err(AppendError::Gone));
        }
        self.recognise(appends, index, flush, head)
    }

    /// A commit that does not fit may be a retry of one that did.
    fn recognise(&self, appends: &[Append], index: usize, flush: &Flush, head: Head) -> Decision {
        let new = &appends[index].commit;
        let same_place = |(other, _): &(usize, Entry)| {
            appends[*other].commit.stream == new.stream && appends[*other].commit.first_version == new.first_version
        };
        if let Some(nth) = flush.accepted.iter().position(same_place)
            && appends[flush.accepted[nth].0].commit.id == new.id
        {
            return Decision::Accepted(nth);
        }
        Decision::Answered(match self.stored_before(new) {
            Err(error) => Err(error),
            Ok(Some(position)) => Ok(Appended { position }),
            Ok(None) if head.gone => Err(AppendError::Gone),
            Ok(None) => Err(AppendError::Conflict { current: head.version }),
        })
    }

    fn stored_before(&self, new: &NewCommit) -> Result<Option<CommitPosition>, AppendError> {
        let entries = self.reader.entries(&self.view, &new.stream, new.first_version, 1)?;
        let Some(entry) = entries.first().filter(|entry| entry.first_version == new.first_version) else { return Ok(None) };
        let stored = self.reader.commits(&self.view, &new.stream, &entries[..1])?;
        let same = stored.first().and_then(|stored| stored.header().ok()).is_some_and(|header| header.id == new.id);
        Ok(same.then_some(CommitPosition(entry.place.position)))
    }

    /// Looks the heads of all streams of a flush up together, where they are not known. A failure is met again, and answered,
    /// when the stream's turn comes.
    fn load_heads(&mut self, appends: &[Append]) {
        let unknown: Vec<StreamId> =
            appends.iter().map(|append| append.commit.stream).filter(|stream| self.heads.get(stream).is_none()).collect();
        if unknown.len() < 2 {
            return;
        }
        if let Ok(last) = self.reader.last_entries(&self.view, &unknown) {
            for (stream, last) in unknown.iter().zip(last) {
                self.heads.insert(*stream, head_after(last));
            }
        }
    }

    fn head(&mut self, stream: &StreamId) -> Result<Head, AppendError> {
        if let Some(head) = self.heads.get(stream) {
            return Ok(head);
        }
        let head = head_after(self.reader.last_entry(&self.view, stream)?);
        self.heads.insert(*stream, head);
        Ok(head)
    }

    fn store(&mut self, appends: &[Append], flush: &mut Flush) -> Result<(), FlushError> {
        let records = build_records(appends, &mut flush.accepted, self.options.record_bytes);
        if let Err(error) = self.store.append(&records) {
            if let FlushError::InDoubt { reason } = &error {
                tracing::error!(reason, commits = flush.accepted.len(), "outcome of a flush is unknown");
                self.view.set_unsettled(true);
            }
            return Err(error);
        }
        self.wal_bytes += records.iter().map(|(_, bytes)| bytes.len() as u64 + u64::from(self.options.page_bytes)).sum::<u64>();
        self.next += flush.accepted.len() as u64;
        self.acknowledged.advance(self.next - 1);
        for (stream, head) in flush.heads.drain() {
            self.heads.insert(stream, head);
        }
        let shown = flush.accepted.iter().map(|(index, entry)| {
            let commit = &appends[*index].commit;
            let position = CommitPosition(entry.place.position);
            let stored = StoredCommit { position, bytes: commit.bytes.clone(), decided: commit.decided.clone() };
            (commit.stream, *entry, stored)
        });
        self.view.publish(shown);
        Ok(())
    }

    /// After a flush in doubt: opens the file anew and writes a small transaction over the doubtful frames. When that is
    /// synced, the flush is certainly not stored and cannot come back; the checkpoint then gives the WAL a new generation.
    ///
    /// # Errors
    /// Why that is not possible now; the doubt remains.
    pub fn settle(&mut self) -> Result<(), String> {
        if !self.view.is_unsettled() {
            return Ok(());
        }
        let unsettled = |error: &dyn std::fmt::Display| format!("the outcome of an earlier flush is still unknown: {error}");
        self.store = Store::connect(&self.files.log, self.options.page_bytes).map_err(|error| unsettled(&error))?;
        self.store.settle().map_err(|(FlushError::NotStored { reason } | FlushError::InDoubt { reason })| unsettled(&reason))?;
        self.checkpoint();
        let head = self.store.head().map_err(|error| unsettled(&error))?;
        if head + 1 != self.next {
            return Err(unsettled(&"it reached the log after all; opening it again takes it in"));
        }
        self.view.set_unsettled(false);
        tracing::warn!(head, "the flush in doubt was not stored");
        Ok(())
    }

    /// Copies the WAL to the database file, as far as readers allow.
    pub fn checkpoint(&self) {
        // Whatever went wrong was logged, and the WAL has everything.
        let _done = checkpoint::copy(&self.store, &self.view);
    }

    /// For a clean end: everything in one file, so that the next opening has nothing to do.
    pub fn checkpoint_all(&self) {
        if self.view.must_keep_wal() {
            return;
        }
        if let Err(error) = sql::checkpoint_truncate(self.store.connection()) {
            tracing::warn!(%error, "last checkpoint of the log failed");
        }
    }
}

fn head_after(last: Option<Entry>) -> Head {
    last.map_or(Head::default(), |last| Head { version: last.last_version(), gone: last.is_tombstone() })
}

/// Cuts a flush into records of about `record_bytes` and writes the places into the entries.
fn build_records(appends: &[Append], accepted: &mut [(usize, Entry)], record_bytes: usize) -> Vec<(u64, Vec<u8>)> {
    let mut records = Vec::new();
    let mut builder = RecordBuilder::default();
    let mut from = 0;
    for at in 0..accepted.len() {
        let bytes = &appends[accepted[at].0].commit.bytes;
        if !builder.is_empty() && builder.body_bytes() + bytes.len() > record_bytes {
            records.push(end_record(&mut builder, &mut accepted[from..at]));
            from = at;
        }
        builder.push(bytes);
    }
    records.push(end_record(&mut builder, &mut accepted[from..]));
    records
}

fn end_record(builder: &mut RecordBuilder, entries: &mut [(usize, Entry)]) -> (u64, Vec<u8>) {
    let first = entries[0].1.place.position;
    let mut offset = u32::try_from(header_bytes(entries.len())).expect("a flush has few commits");
    for (_, entry) in entries {
        entry.place.record = first;
        entry.place.offset = offset;
        offset += entry.place.bytes;
    }
    (first, builder.finish(first))
}
