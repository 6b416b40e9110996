//! How providers took a conversation, as its own facts tell.

use application::log::codec::{self, Reading};
use application::log::commit;
use application::log::stream::StreamId;
use application::ports::event_log::EventLog;
use domain::conversation::event::{ConversationEvent, ProviderAnswered};
use domain::event::Event;
use domain::time::Timestamp;
use hashbrown::HashMap;

use crate::http::error::ApiError;

/// The stored name of what tells how a provider took a conversation.
const PROVIDER_ANSWERED: &str = "conversation.provider_answered";
/// Commits read at a time.
const PAGE: usize = 512;

/// The last answer to each assignment, and when it was given.
///
/// # Errors
/// [`ApiError::Read`], [`ApiError::Decode`].
pub async fn answers(
    log: &dyn EventLog,
    conversation: StreamId,
    reading: Reading<'_>,
) -> Result<HashMap<u64, (Timestamp, ProviderAnswered)>, ApiError> {
    let (mut answers, mut next) = (HashMap::new(), 1);
    loop {
        let page = log.read_stream(conversation, next, PAGE).await?;
        if page.is_empty() {
            return Ok(answers);
        }
        for stored in &page {
            let header = stored.header().map_err(codec::DecodeError::Commit)?;
            for raw in commit::events(&stored.bytes).map_err(codec::DecodeError::Commit)? {
                let raw = raw.map_err(codec::DecodeError::Commit)?;
                if raw.name == PROVIDER_ANSWERED
                    && let Event::Conversation(ConversationEvent::ProviderAnswered(answered)) =
                        codec::decode(&header.stream, &raw, reading)?
                {
                    answers.insert(answered.assignment, (header.time, answered));
                }
            }
            next = header.last_version() + 1;
        }
    }
}
