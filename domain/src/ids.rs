//! Typed ids with checked constructors.
//!
//! Two families: *slugs* (`[a-z0-9]{1,32}`, chosen by people: tenants, shops, groups) and *uuids* (minted by the system or a
//! client). Both are written without dot, dash, star, `>` or space, so that they are valid inside KurrentDB categories and
//! NATS subjects. This file must not know how ids are generated.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

use crate::schema::text_schema;

/// Longest slug in bytes.
pub const SLUG_BYTES_MAX: usize = 32;

/// Why a text is not a valid id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The text is empty or longer than [`SLUG_BYTES_MAX`], or holds a character outside `[a-z0-9]`.
    #[error("a {kind} id is 1 to 32 characters of a-z and 0-9")]
    Slug {
        /// Which id was expected.
        kind: &'static str,
    },
    /// The text is not a UUID.
    #[error("a {kind} id is a uuid, written as 32 hexadecimal digits")]
    Uuid {
        /// Which id was expected.
        kind: &'static str,
    },
}

/// A checked `[a-z0-9]{1,32}` text that fits in a register pair and is copied freely.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Slug {
    bytes: [u8; SLUG_BYTES_MAX],
    len: u8,
}

impl Slug {
    fn parse(text: &str) -> Option<Self> {
        let source = text.as_bytes();
        let valid = !source.is_empty()
            && source.len() <= SLUG_BYTES_MAX
            && source.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !valid {
            return None;
        }
        let mut bytes = [0; SLUG_BYTES_MAX];
        bytes[..source.len()].copy_from_slice(source);
        Some(Self { bytes, len: u8::try_from(source.len()).ok()? })
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("a slug is ascii by construction")
    }
}

macro_rules! slug_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Slug);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Slug::parse(text).map(Self).ok_or(InvalidId::Slug { kind: $kind })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a ", $kind, " id"))
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
    };
}

text_schema!(GroupId, "^[a-z0-9]{1,32}$", "The id of a reception group.");

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a uuid that the caller minted or read.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// A small id for fixtures and tests: the number in the low bits.
            #[must_use]
            pub const fn from_u128(number: u128) -> Self {
                Self(Uuid::from_u128(number))
            }

            /// The uuid itself.
            #[must_use]
            pub const fn uuid(&self) -> Uuid {
                self.0
            }

            /// The sixteen bytes of the uuid, as they are stored.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId::Uuid { kind: $kind })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0.simple().encode_lower(&mut [0; 32]))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.serialize_str(self.0.simple().encode_lower(&mut [0; 32]))
                } else {
                    self.0.as_bytes().serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a ", $kind, " id"))
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                if deserializer.is_human_readable() {
                    deserializer.deserialize_str(Visitor)
                } else {
                    let bytes = <[u8; 16]>::deserialize(deserializer).map_err(D::Error::custom)?;
                    Ok(Self(Uuid::from_bytes(bytes)))
                }
            }
        }
    };
}

slug_id!(
    /// A company on the platform. Every fact belongs to exactly one tenant.
    TenantId,
    "tenant"
);
slug_id!(
    /// One of a tenant's stores.
    ShopId,
    "shop"
);
slug_id!(
    /// A reception group (接待组) of a tenant's agents.
    GroupId,
    "group"
);
slug_id!(
    /// A way in and out that a tenant connected: a marketplace, a messenger, an app of its own.
    ChannelId,
    "channel"
);

uuid_id!(
    /// A person or machine known to a tenant: customer, agent, robot, supervisor, integration.
    UserId,
    "user"
);
uuid_id!(
    /// The long-lived thread between a customer and a shop, or a group thread.
    ChatId,
    "chat"
);
uuid_id!(
    /// One service session inside a chat.
    ConversationId,
    "conversation"
);
uuid_id!(
    /// One problem: minted at the first hand-off to a human and kept until the last agent ends it.
    TaskId,
    "task"
);
uuid_id!(
    /// One message, unique everywhere.
    MessageId,
    "message"
);
uuid_id!(
    /// A message's id as its sender minted it (UUIDv7), the key of exactly-once posting.
    ClientMessageId,
    "client message"
);
uuid_id!(
    /// One sign-in of a user on one device.
    SessionId,
    "session"
);
uuid_id!(
    /// An API key of an integration (its public part).
    ApiKeyId,
    "api key"
);
uuid_id!(
    /// One file that was uploaded into a chat.
    AttachmentId,
    "attachment"
);
uuid_id!(
    /// One canned reply.
    CannedReplyId,
    "canned reply"
);
uuid_id!(
    /// One message of the platform to many customers of a shop.
    CampaignId,
    "campaign"
);
uuid_id!(
    /// One attempt to start contact with a customer.
    OutreachId,
    "outreach"
);
uuid_id!(
    /// One stored event.
    EventId,
    "event"
);
uuid_id!(
    /// One command; derived from an idempotency key or from the event that caused it, so that a repeat is recognised.
    CommandId,
    "command"
);
uuid_id!(
    /// Sixteen bytes of a keyed hash, written like an id.
    DigestHex,
    "digest"
);

impl ClientMessageId {
    /// Milliseconds since the Unix epoch that the sender wrote into this UUIDv7, or `None` for another kind of uuid.
    #[must_use]
    pub fn minted_at_ms(&self) -> Option<u64> {
        if self.0.get_version_num() != 7 {
            return None;
        }
        let bytes = self.0.as_bytes();
        Some(bytes[..6].iter().fold(0, |ms, byte| (ms << 8) | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_holds_lower_case_letters_and_digits_only() {
        assert_eq!("acme1".parse::<TenantId>().expect("valid").as_str(), "acme1");
        for bad in ["", "A", "a-b", "a.b", "a b", "a*", "a>", "ä", &"a".repeat(33)] {
            assert_eq!(bad.parse::<TenantId>(), Err(InvalidId::Slug { kind: "tenant" }), "{bad:?}");
        }
        assert!("a".repeat(32).parse::<ShopId>().is_ok());
    }

    #[test]
    fn an_id_is_written_without_dashes_and_read_with_or_without() {
        let id = ChatId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
        assert_eq!(id.to_string(), "01900000000070008000000000000001");
        assert_eq!("01900000-0000-7000-8000-000000000001".parse::<ChatId>(), Ok(id));
        assert_eq!("nonsense".parse::<ChatId>(), Err(InvalidId::Uuid { kind: "chat" }));
    }

    #[test]
    fn a_client_id_tells_when_it_was_minted_only_if_it_is_a_uuid_v7() {
        let minted = ClientMessageId::from_u128((1_700_000_000_000_u128 << 80) | (7 << 76) | (2 << 62));
        assert_eq!(minted.minted_at_ms(), Some(1_700_000_000_000));
        assert_eq!(ClientMessageId::from_u128(1).minted_at_ms(), None);
    }
}
