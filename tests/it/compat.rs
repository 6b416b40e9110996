//! What was ever stored is read by today's code: every event type, every word in an event, every format of a commit.
//!
//! The fixtures are never edited. A new type, version or format adds files; nothing takes one away.

mod commits;
mod damaged;
mod events;

use std::collections::HashMap;
use std::path::PathBuf;

use application::log::commit::{Actor, EventMeta};
use application::log::stream::{StreamId, StreamKey};
use application::ports::key_store::{KeyState, KeyStore, KeyStoreError, SubjectId, SubjectKey};
use async_trait::async_trait;
use domain::ids::{CampaignId, ChatId, CommandId, ConversationId, EventId, TenantId, UserId};
use uuid::Uuid;

/// The customer whose key seals the fixtures.
const SUBJECT: SubjectId = SubjectId(Uuid::from_u128(0x0190_a3c0_b800_7000_8003_0000_0000_0001));
/// Their key: 0, 1, 2, .. 31.
const KEY: SubjectKey =
    SubjectKey([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);

/// A key store that holds what a test puts there. It has no derivation of its own, so that the fixtures depend on nothing.
struct FixedKeys(HashMap<SubjectId, KeyState>);

impl FixedKeys {
    fn with_the_key() -> Self {
        Self(HashMap::from([(SUBJECT, KeyState::Present(KEY))]))
    }

    fn after_destroying_it() -> Self {
        Self(HashMap::from([(SUBJECT, KeyState::Destroyed)]))
    }

    fn empty() -> Self {
        Self(HashMap::new())
    }
}

#[async_trait]
impl KeyStore for FixedKeys {
    fn get(&self, _tenant: TenantId, subject: SubjectId) -> Result<KeyState, KeyStoreError> {
        Ok(self.0.get(&subject).copied().unwrap_or(KeyState::Unknown))
    }

    async fn ensure(&self, _tenant: TenantId, _subject: SubjectId) -> Result<SubjectKey, KeyStoreError> {
        Err(KeyStoreError::Unavailable { reason: "the keys of this test are fixed".to_owned() })
    }

    async fn destroy(&self, _tenant: TenantId, _subject: SubjectId) -> Result<(), KeyStoreError> {
        Err(KeyStoreError::Unavailable { reason: "the keys of this test are fixed".to_owned() })
    }
}

fn tenant() -> TenantId {
    "acme".parse().expect("a slug")
}

/// A stream of the aggregate that a stored name belongs to.
fn stream_of(stored_name: &str) -> StreamId {
    let number = 0x0190_a3c0_b800_7000_8001_0000_0000_0001;
    let key = match stored_name.split_once('.').map(|(aggregate, _)| aggregate) {
        Some("chat") => StreamKey::Chat(ChatId::from_u128(number)),
        Some("conversation") => StreamKey::Conversation(ConversationId::from_u128(number)),
        Some("user") => StreamKey::User(UserId::from_u128(number)),
        Some("desk") => StreamKey::Desk,
        Some("campaign") => StreamKey::Campaign(CampaignId::from_u128(number)),
        Some("retrieval") => StreamKey::Retrieval,
        _ => StreamKey::Tenant,
    };
    StreamId::new(tenant(), key)
}

/// What surrounds the n-th event of a fixture.
fn meta(n: u128) -> EventMeta {
    const BASE: u128 = 0x0190_a3c0_b800_7000_8000_0000_0000_0000;
    EventMeta {
        id: EventId::from_u128(BASE + 0x100 + n),
        command: CommandId::from_u128(BASE + 0x200 + n),
        command_digest: 0x0123_4567_89ab_cdef,
        correlation: Uuid::from_u128(BASE + 0x300),
        causation: Uuid::nil(),
        actor: Actor::User(UserId::from_uuid(SUBJECT.0)),
    }
}

/// A file or folder under `tests/fixtures`.
fn fixtures(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}
