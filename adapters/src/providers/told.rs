//! Facts of which a provider may have to be told, as they lie in the log.

use application::log::commit::EventMeta;
use application::log::stream::{StreamId, StreamKey};
use application::policies::Fact;
use application::ports::event_log::StoredCommit;
use application::queries::EventRef;
use domain::chat::event::ChatEvent;
use domain::conversation::event::ConversationEvent;
use domain::event::Event;
use domain::ids::{ChatId, ConversationId, TenantId};
use domain::message::{Category, Visibility};
use domain::time::Timestamp;
use hashbrown::HashSet;

/// The stored names of these facts; nothing else is read.
const NAMES: [&str; 5] =
    ["chat.message_posted", "conversation.agent_assigned", "conversation.agent_released", "conversation.rated", "conversation.closed"];
/// The stored name of the fact by which a tenant has a provider.
const CONNECTED: &str = "tenant.provider_connected";

/// A fact.
pub(crate) struct Told {
    pub(super) stream: StreamId,
    pub(super) meta: EventMeta,
    pub(super) at: Timestamp,
    pub(super) at_ref: EventRef,
    pub(super) event: Event,
    /// The chat whose order it keeps.
    pub(super) chat: ChatId,
}

impl Told {
    pub(super) fn fact(&self) -> Fact<'_> {
        Fact { stream: self.stream, meta: self.meta, at: self.at, event: &self.event }
    }

    /// The conversation in whose stream it is.
    pub(super) const fn conversation(&self) -> Option<ConversationId> {
        if let StreamKey::Conversation(conversation) = self.stream.key { Some(conversation) } else { None }
    }

    /// The id of the call: the same at each attempt.
    pub(super) fn id(&self) -> String {
        self.meta.id.uuid().simple().to_string()
    }
}

/// What a commit tells, of tenants that have providers. What cannot be read stops the policies, which say so; here it is passed over.
pub(super) fn told(stored: &StoredCommit, tenants: &mut HashSet<TenantId>) -> Vec<Told> {
    let Ok(header) = stored.header() else { return vec![] };
    let tenant = header.stream.tenant;
    let names: &[&str] = match header.stream.key {
        StreamKey::Tenant if !tenants.contains(&tenant) => &[CONNECTED],
        StreamKey::Chat(_) | StreamKey::Conversation(_) if tenants.contains(&tenant) => &NAMES,
        StreamKey::Chat(_)
        | StreamKey::Conversation(_)
        | StreamKey::User(_)
        | StreamKey::Desk
        | StreamKey::Tenant
        | StreamKey::Campaign(_)
        | StreamKey::Retrieval => return vec![],
    };
    let mut told = vec![];
    for (index, meta, event) in stored.events_named(names) {
        if matches!(event, Event::Tenant(_)) {
            tenants.insert(tenant);
        } else if let Some(chat) = chat_of(header.stream.key, &event) {
            let at_ref = EventRef { commit: stored.position, index };
            told.push(Told { stream: header.stream, meta, at: header.time, at_ref, event, chat });
        }
    }
    told
}

/// The chat of a fact that may be one for a provider.
fn chat_of(key: StreamKey, event: &Event) -> Option<ChatId> {
    match (key, event) {
        (StreamKey::Chat(chat), Event::Chat(ChatEvent::MessagePosted(posted))) => {
            (posted.category == Category::Customer && posted.visibility == Visibility::All).then_some(chat)
        }
        (_, Event::Conversation(ConversationEvent::AgentAssigned(event))) => Some(event.chat),
        (_, Event::Conversation(ConversationEvent::AgentReleased(event))) => Some(event.chat),
        (_, Event::Conversation(ConversationEvent::ConversationRated(event))) => Some(event.chat),
        (_, Event::Conversation(ConversationEvent::ConversationClosed(event))) => (!event.in_reception).then_some(event.chat),
        _ => None,
    }
}
