//! Stream names, built and parsed in this one file: `conversation-{tenant}.{id}`.
//!
//! The category comes first and has no dash, because KurrentDB's by-category projection splits at the first one.

use std::fmt;
use std::str::FromStr;

use domain::ids::{CampaignId, ChatId, ConversationId, TenantId, UserId};

/// Which aggregate a stream belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKey {
    /// A chat.
    Chat(ChatId),
    /// A conversation.
    Conversation(ConversationId),
    /// A user.
    User(UserId),
    /// The tenant's one desk.
    Desk,
    /// The tenant itself.
    Tenant,
    /// A campaign.
    Campaign(CampaignId),
    /// The tenant's articles.
    Retrieval,
}

/// The full name of a stream: whose it is, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// The tenant. It comes first: a stream without a tenant cannot be named.
    pub tenant: TenantId,
    /// The aggregate.
    pub key: StreamKey,
}

/// The one desk and the one tenant stream of a tenant have this in the place of an id.
const ONLY_ONE: &str = "main";

impl StreamId {
    /// Names a stream.
    #[must_use]
    pub const fn new(tenant: TenantId, key: StreamKey) -> Self {
        Self { tenant, key }
    }
}

/// The longest name: `conversation`, the longest tenant and an id.
const NAME_BYTES_MAX: usize = 12 + 1 + 32 + 1 + 32;

/// A stream's name as text. It is written for every event that is sealed, opened or hashed, so it lies where it is made.
#[derive(Clone, Copy)]
pub struct StreamName {
    bytes: [u8; NAME_BYTES_MAX],
    len: usize,
}

impl StreamName {
    fn push(&mut self, text: &str) {
        self.bytes[self.len..self.len + text.len()].copy_from_slice(text.as_bytes());
        self.len += text.len();
    }

    /// Its bytes, all ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl StreamId {
    /// Its name: `conversation-{tenant}.{id}`.
    #[must_use]
    pub fn name(&self) -> StreamName {
        let (category, id) = match self.key {
            StreamKey::Chat(id) => ("chat", Some(id.uuid())),
            StreamKey::Conversation(id) => ("conversation", Some(id.uuid())),
            StreamKey::User(id) => ("user", Some(id.uuid())),
            StreamKey::Desk => ("desk", None),
            StreamKey::Tenant => ("tenant", None),
            StreamKey::Campaign(id) => ("campaign", Some(id.uuid())),
            StreamKey::Retrieval => ("retrieval", None),
        };
        let mut name = StreamName { bytes: [0; NAME_BYTES_MAX], len: 0 };
        name.push(category);
        name.push("-");
        name.push(self.tenant.as_str());
        name.push(".");
        match id {
            Some(id) => name.push(id.simple().encode_lower(&mut [0; 32])),
            None => name.push(ONLY_ONE),
        }
        name
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(self.name().as_bytes()).map_err(|_| fmt::Error)?)
    }
}

/// The text is no stream name of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a stream name: {name}")]
pub struct InvalidStreamName {
    /// What was read.
    pub name: String,
}

impl FromStr for StreamId {
    type Err = InvalidStreamName;
    fn from_str(name: &str) -> Result<Self, InvalidStreamName> {
        let invalid = || InvalidStreamName { name: name.to_owned() };
        let (category, rest) = name.split_once('-').ok_or_else(invalid)?;
        let (tenant, id) = rest.split_once('.').ok_or_else(invalid)?;
        let tenant = tenant.parse().map_err(|_| invalid())?;
        let key = match category {
            "chat" => StreamKey::Chat(id.parse().map_err(|_| invalid())?),
            "conversation" => StreamKey::Conversation(id.parse().map_err(|_| invalid())?),
            "user" => StreamKey::User(id.parse().map_err(|_| invalid())?),
            "desk" if id == ONLY_ONE => StreamKey::Desk,
            "tenant" if id == ONLY_ONE => StreamKey::Tenant,
            "retrieval" if id == ONLY_ONE => StreamKey::Retrieval,
            "campaign" => StreamKey::Campaign(id.parse().map_err(|_| invalid())?),
            _ => return Err(invalid()),
        };
        let stream = Self { tenant, key };
        // One spelling per stream: an id in another notation would be another name for the same thing.
        if stream.name().as_bytes() == name.as_bytes() { Ok(stream) } else { Err(invalid()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_name_is_read_back_as_the_stream_that_wrote_it() {
        let tenant: TenantId = "acme".parse().expect("valid");
        for key in [
            StreamKey::Chat(ChatId::from_u128(7)),
            StreamKey::Conversation(ConversationId::from_u128(8)),
            StreamKey::User(UserId::from_u128(9)),
            StreamKey::Desk,
            StreamKey::Tenant,
            StreamKey::Campaign(CampaignId::from_u128(10)),
            StreamKey::Retrieval,
        ] {
            let stream = StreamId::new(tenant, key);
            assert_eq!(stream.to_string().parse(), Ok(stream));
        }
    }

    #[test]
    fn a_name_that_is_not_ours_is_refused() {
        for name in
            ["", "chat", "chat-acme", "chat-acme.x", "chat-ACME.00", "desk-acme.other", "chat-acme.00000000-0000-0000-0000-000000000001"]
        {
            assert!(name.parse::<StreamId>().is_err(), "{name}");
        }
    }
}
