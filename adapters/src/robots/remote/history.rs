//! What was said before a question, for a robot elsewhere: no more than its customer can see, and only of the conversation at hand.

use application::ports::event_log::EventLog;
use application::ports::key_store::KeyStore;
use application::queries::ReadModels;
use domain::chat::event::{ChatEvent, MessagePosted};
use domain::event::Event;
use domain::ids::{ChatId, ConversationId, TenantId};
use domain::message::Visibility;

use super::asking::Turn;
use crate::http::error::ApiError;
use crate::reading::Reader;

/// Messages that a robot is told, the last ones.
pub const TURNS_MAX: usize = 20;
/// Their text together, in bytes; what is older is left out.
pub const TURNS_BYTES_MAX: usize = 32 * 1024;
/// Places that are looked at: notes, and messages that were taken back, are passed over.
const LOOKED_AT: u64 = 60;

/// Where something was said.
#[derive(Clone, Copy, Debug)]
pub struct Where {
    /// The tenant.
    pub tenant: TenantId,
    /// The chat.
    pub chat: ChatId,
    /// The conversation.
    pub conversation: ConversationId,
}

/// The last messages of a conversation up to a place of its chat, oldest first.
///
/// # Errors
/// [`ApiError::Read`], [`ApiError::Decode`], [`ApiError::Keys`] when one cannot be read.
pub async fn until(
    log: &dyn EventLog,
    keys: &dyn KeyStore,
    views: &dyn ReadModels,
    of: Where,
    last_seq: u64,
) -> Result<Vec<Turn>, ApiError> {
    let from = last_seq.saturating_sub(LOOKED_AT) + 1;
    let mut places = views.messages(of.tenant, of.chat, from, usize::try_from(LOOKED_AT).unwrap_or(0));
    let customer = views.conversation(of.tenant, of.conversation).map(|row| row.customer);
    let is_hidden = |seq| customer.is_some_and(|customer| views.is_hidden(of.tenant, of.chat, seq, customer));
    places.retain(|(seq, _)| *seq <= last_seq && !views.is_recalled(of.tenant, of.chat, *seq) && !is_hidden(*seq));
    let mut reader = Reader::over(log, keys);
    let (mut turns, mut bytes) = (Vec::new(), 0);
    for (seq, at) in places.into_iter().rev() {
        let Event::Chat(ChatEvent::MessagePosted(posted)) = reader.open(at).await?.event else { continue };
        let Some(text) = visible(&posted, of.conversation) else { continue };
        bytes += text.len();
        if turns.len() == TURNS_MAX || bytes > TURNS_BYTES_MAX {
            break;
        }
        turns.push(Turn { seq, from: posted.category, kind: posted.kind, text: text.to_owned(), attachment: posted.attachment });
    }
    turns.reverse();
    Ok(turns)
}

/// The words of a message of the conversation that its customer can see, if anything is left of it.
fn visible(posted: &MessagePosted, conversation: ConversationId) -> Option<&str> {
    let is_theirs = posted.visibility == Visibility::All && posted.conversation == Some(conversation);
    posted.private.known().filter(|_| is_theirs).map(|content| content.content.as_str())
}
