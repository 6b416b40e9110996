//! What flows say: messages of the shop whose ids follow from the fact that calls for them, so that each is said once.

use domain::chat::command::{ChatCommand, FlowNotice, Speaker};
use domain::ids::{ClientMessageId, ConversationId, MessageId, UserId};
use domain::message::{ContentDigest, MessageContent};
use domain::time::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::{Fact, derived};

/// What is said.
pub(super) struct Said<'a> {
    /// Tells the notices of one fact apart.
    pub what: &'a str,
    /// In these words.
    pub words: &'a str,
    /// What a page shows beside them, as JSON.
    pub ext: Option<String>,
    /// Whether it is said also once the conversation is over.
    pub after_end: bool,
    /// Who says it.
    pub speaker: Speaker,
}

/// A notice to a conversation's customer.
pub(super) fn of(fact: &Fact<'_>, conversation: ConversationId, sender: UserId, said: &Said<'_>) -> ChatCommand {
    let Said { what, words, ref ext, after_end, speaker } = *said;
    let digest = derived(fact.meta.id, &format!("digest of {what}")).as_u64_pair().0;
    ChatCommand::Notify(Box::new(FlowNotice {
        conversation,
        sender,
        client_message: client_id(fact, what),
        message: MessageId::from_uuid(of_time(fact.at, derived(fact.meta.id, &format!("message of {what}")))),
        digest: ContentDigest(digest),
        content: MessageContent { ext: ext.clone(), ..MessageContent::text(words) },
        after_end,
        speaker,
    }))
}

/// The id under which something is said because of a fact.
pub(super) fn client_id(fact: &Fact<'_>, what: &str) -> ClientMessageId {
    ClientMessageId::from_uuid(of_time(fact.at, derived(fact.meta.id, what)))
}

/// Questions to be asked by a touch.
pub(super) fn hints(hints: &[String]) -> Option<String> {
    (!hints.is_empty()).then(|| json!({ "hints": hints }).to_string())
}

/// A `UUIDv7` of a time, with the rest of another id in place of chance.
fn of_time(at: Timestamp, id: Uuid) -> Uuid {
    let (high, low) = id.as_u64_pair();
    let ms = u64::try_from(at.0).unwrap_or(0) & 0xffff_ffff_ffff;
    Uuid::from_u64_pair((ms << 16) | (7 << 12) | (high & 0xfff), (low >> 2) | (1 << 63))
}
