//! Removes uploads that no message used in time. docs/adr/0011-an-upload-is-used-in-time-or-removed.md says why no used one can be
//! among them.
//!
//! Every upload is noted in the store before it is there. What is due is decided one by one: first its chat states as a fact that no
//! message can be the first to use it any more; then the chat's own stream is read, and only what it does not name is removed. A note
//! goes when that is done, so whatever breaks off begins anew. What cannot be decided is noted for later, so that it stands in nobody's
//! way.

use std::time::Duration;

use application::command::{Request, command_id};
use application::error::{CommandError, Refusal};
use application::log::commit::Actor;
use application::log::stream::{StreamId, StreamKey};
use application::ports::blob_store::{BlobError, BlobName, BlobNote};
use domain::chat::command::ChatCommand;
use domain::chat::error::ChatError;
use domain::chat::event::ChatEvent;
use domain::event::Event;
use domain::ids::{AttachmentId, CommandId};
use domain::time::{Millis, Timestamp};
use tokio::time::sleep;
use uuid::Uuid;

use super::{Proof, Stored};
use crate::http::error::ApiError;
use crate::reading;
use crate::state::{App, AppState};

/// Between two rounds: what is due waits that long at most, and nobody waits for it.
const PAUSE: Duration = Duration::from_secs(600);
/// Uploads of one round.
const ROUND_UPLOADS: usize = 256;
/// After which what could not be decided is looked at again. Whatever is wrong with it, an hour is soon enough.
const PUT_OFF: Millis = Millis::hours(1);
/// Commits of a chat read at a time.
const PAGE_COMMITS: usize = 256;

/// What became of what was due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Removed.
    pub removed: usize,
    /// Used by a message, gone already, or uploaded anew since.
    pub settled: usize,
    /// Could not be decided, and are due again later.
    pub put_off: usize,
    /// Are as they were; the next round begins with them anew.
    pub later: usize,
}

impl Swept {
    /// Whether there may be more that is due, and a reason not to wait with it: the round was full, and something came of it.
    const fn goes_on(self) -> bool {
        let done = self.removed + self.settled + self.put_off;
        done > 0 && done + self.later >= ROUND_UPLOADS
    }
}

enum Verdict {
    Removed,
    Settled,
    Later,
}

/// Goes round until the order to stop.
pub async fn run(app: App) {
    while !app.shutdown.is_ordered() {
        let pause = match sweep(&app).await {
            Ok(swept) if swept.goes_on() => Duration::ZERO,
            Ok(_) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, "unused uploads cannot be looked for now");
                PAUSE
            }
        };
        tokio::select! {
            () = app.shutdown.ordered() => {}
            () = sleep(pause) => {}
        }
    }
}

/// One round.
///
/// # Errors
/// [`ApiError::Blob`] when the store does not tell what is due.
pub async fn sweep(app: &AppState) -> Result<Swept, ApiError> {
    let mut swept = Swept::default();
    for note in app.ports.blobs.due(app.now(), ROUND_UPLOADS).await? {
        if app.shutdown.is_ordered() {
            break;
        }
        let BlobName { tenant, attachment } = note.name;
        match decide(app, note).await {
            Ok(Verdict::Removed) => {
                tracing::info!(tenant.id = %tenant, attachment.id = %attachment, "unused upload removed");
                swept.removed += 1;
            }
            Ok(Verdict::Settled) => swept.settled += 1,
            Ok(Verdict::Later) => swept.later += 1,
            Err(error) => {
                tracing::warn!(tenant.id = %tenant, attachment.id = %attachment, %error, "it could not be decided whether an upload stays");
                match put_off(app, note).await {
                    Ok(()) => swept.put_off += 1,
                    // It was not told; a store that is down for one is down for all.
                    Err(_) => swept.later += 1,
                }
            }
        }
        tokio::task::yield_now().await;
    }
    Ok(swept)
}

async fn decide(app: &AppState, note: BlobNote) -> Result<Verdict, ApiError> {
    let BlobName { tenant, attachment } = note.name;
    // Nobody uploads it anew meanwhile.
    let Some(_slot) = app.uploads.hold(tenant, attachment) else { return Ok(Verdict::Later) };
    let Some(stored) = Stored::find(app, tenant, attachment).await? else { return settled(app, note).await };
    // What was uploaded anew since is usable for longer, and has a note of its own.
    let Some(use_by) = stored.header.about.use_by.filter(|use_by| *use_by <= note.due) else { return settled(app, note).await };
    // Spares reading the log; that it is used is never wrong.
    if app.ports.views.attachment_uses(tenant, attachment).is_some() {
        return settled(app, note).await;
    }
    // The header says whose chat it is. Nobody reads what was sealed for somebody who was erased.
    match stored.prove(app)? {
        Proof::Proven | Proof::Erased => {}
    }
    let stream = StreamId::new(tenant, StreamKey::Chat(stored.header.about.chat));
    match expire(app, stream, attachment, use_by).await {
        Ok(()) => {
            if is_used(app, stream, attachment).await? {
                return settled(app, note).await;
            }
        }
        Err(CommandError::Refused(Refusal::Chat(ChatError::UploadUsable { .. }))) => return Ok(Verdict::Later),
        // The chat was ended for good with all that was said in it.
        Err(CommandError::Gone) => {}
        Err(error) => return Err(error.into()),
    }
    app.ports.blobs.remove(note.name).await?;
    app.ports.blobs.settle(note).await?;
    Ok(Verdict::Removed)
}

async fn settled(app: &AppState, note: BlobNote) -> Result<Verdict, ApiError> {
    app.ports.blobs.settle(note).await?;
    Ok(Verdict::Settled)
}

/// Notes that an upload is due later; whatever happens, one note of it stays.
async fn put_off(app: &AppState, note: BlobNote) -> Result<(), BlobError> {
    app.ports.blobs.note(BlobNote { due: app.now() + PUT_OFF, ..note }).await?;
    app.ports.blobs.settle(note).await
}

/// Has the chat state that the upload's time is over. The command's id follows from upload and time: it is a fact once, however often
/// it is said.
async fn expire(app: &AppState, stream: StreamId, attachment: AttachmentId, use_by: Timestamp) -> Result<(), CommandError> {
    let id: CommandId = command_id(&stream, attachment.uuid(), &format!("expire upload {}", use_by.0));
    let command = ChatCommand::ExpireUpload { attachment, use_by }.into();
    let request = Request { stream, command, id, digest: 0, actor: Actor::Timer, correlation: app.new_id(), causation: Uuid::nil() };
    app.ports.commands.execute(request).await.map(|_| ())
}

/// Whether a message of the chat names the attachment, by the log itself: views may stand still, or have left something out.
async fn is_used(app: &AppState, stream: StreamId, attachment: AttachmentId) -> Result<bool, ApiError> {
    let mut next = 1;
    loop {
        let page = app.ports.log.read_stream(stream, next, PAGE_COMMITS).await?;
        let Some(last) = page.last() else { return Ok(false) };
        let header = last.header().map_err(application::log::codec::DecodeError::Commit)?;
        next = header.last_version() + 1;
        for stored in &page {
            let names_it =
                |event: &Event| matches!(event, Event::Chat(ChatEvent::MessagePosted(posted)) if posted.attachment == Some(attachment));
            if reading::events(stored)?.iter().any(names_it) {
                return Ok(true);
            }
        }
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_round_is_followed_at_once_unless_nothing_came_of_it() {
        let full = |removed, put_off| Swept { removed, put_off, settled: 0, later: ROUND_UPLOADS - removed - put_off };
        assert!(full(ROUND_UPLOADS, 0).goes_on() && full(0, ROUND_UPLOADS).goes_on());
        assert!(full(ROUND_UPLOADS - 1, 1).goes_on() && full(1, 0).goes_on(), "one that is damaged holds up nobody");
        assert!(!full(0, 0).goes_on(), "the store is down");
        assert!(!Swept { removed: ROUND_UPLOADS - 1, ..Swept::default() }.goes_on(), "there is no more");
    }
}
