//! Finds a message of a chat by its id.

use application::queries::{EventRef, MemberRow};
use domain::chat::event::{ChatEvent, MessagePosted};
use domain::event::Event;
use domain::ids::{ChatId, ClientMessageId, MessageId, TenantId};
use domain::message::Visibility;
use domain::time::{Millis, Timestamp};

use crate::http::error::ApiError;
use crate::reading::Reader;
use crate::state::AppState;

/// How long before its commit an id may have been minted: a command waits far less than this in a queue.
const MINTED_AHEAD_MAX: Millis = Millis::minutes(10);
/// Messages that are looked at to find one by its id, beyond the search by time: those posted while it was on its way.
const LOOKED_AT_MAX: usize = 2_048;
/// References fetched at a time while looking.
const LOOK_PAGE: usize = 64;

/// Finds a message of a chat by its id: its place, and what was posted.
///
/// Views know messages by their place only. Ids tell when they were minted, and places are in the order of commit times, so
/// the first place that can hold it is found by halving, and it is not far behind.
///
/// # Errors
/// [`ApiError::Read`], [`ApiError::Decode`].
pub async fn find(app: &AppState, tenant: TenantId, chat: ChatId, message: MessageId) -> Result<Option<(u64, MessagePosted)>, ApiError> {
    let Some(minted) = ClientMessageId::from_uuid(message.uuid()).minted_at_ms().and_then(|ms| i64::try_from(ms).ok()) else {
        return Ok(None);
    };
    let Some(row) = app.ports.views.chat(tenant, chat) else {
        return Ok(None);
    };
    let mut reader = Reader::new(app);
    // The first place whose commit is not older than the id.
    let (mut low, mut high) = (1, row.last_seq + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let Some((_, at)) = at_place(app, tenant, chat, middle) else {
            return Ok(None);
        };
        if reader.open(at).await?.header.time < Timestamp(minted) { low = middle + 1 } else { high = middle }
    }
    let latest = Timestamp(minted) + MINTED_AHEAD_MAX;
    let mut looked_at = 0;
    while looked_at < LOOKED_AT_MAX {
        let page = app.ports.views.messages(tenant, chat, low, LOOK_PAGE);
        if page.is_empty() {
            break;
        }
        looked_at += page.len();
        for (seq, at) in page {
            low = seq + 1;
            let opened = reader.open(at).await?;
            let at = opened.header.time;
            if let Event::Chat(ChatEvent::MessagePosted(posted)) = opened.event
                && posted.message == message
            {
                return Ok(Some((seq, posted)));
            }
            if at > latest {
                return Ok(None);
            }
        }
    }
    Ok(None)
}

/// Finds a message of a chat as a member: what was said before they came is not there for them, nor are notes for whoever sees none.
///
/// # Errors
/// As [`find`].
pub async fn find_seen(
    app: &AppState,
    tenant: TenantId,
    chat: ChatId,
    member: &MemberRow,
    message: MessageId,
) -> Result<Option<(u64, MessagePosted)>, ApiError> {
    Ok(find(app, tenant, chat, message)
        .await?
        .filter(|(seq, posted)| *seq > member.floor() && (member.role.is_staff() || posted.visibility == Visibility::All)))
}

fn at_place(app: &AppState, tenant: TenantId, chat: ChatId, seq: u64) -> Option<(u64, EventRef)> {
    app.ports.views.messages(tenant, chat, seq, 1).into_iter().next()
}
