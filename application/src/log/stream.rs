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

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            StreamKey::Chat(id) => write!(f, "chat-{}.{id}", self.tenant),
            StreamKey::Conversation(id) => write!(f, "conversation-{}.{id}", self.tenant),
            StreamKey::User(id) => write!(f, "user-{}.{id}", self.tenant),
            StreamKey::Desk => write!(f, "desk-{}.{ONLY_ONE}", self.tenant),
            StreamKey::Tenant => write!(f, "tenant-{}.{ONLY_ONE}", self.tenant),
            StreamKey::Campaign(id) => write!(f, "campaign-{}.{id}", self.tenant),
            StreamKey::Retrieval => write!(f, "retrieval-{}.{ONLY_ONE}", self.tenant),
        }
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
        if stream.to_string() == name { Ok(stream) } else { Err(invalid()) }
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
