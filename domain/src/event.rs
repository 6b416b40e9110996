//! Every event of every aggregate, with stored names and versions.
//!
//! The stored name is a constant beside the variant and never derived from the Rust name, so that renaming code is free. The
//! clear half is what serde writes for the variant's struct; the private half is written apart and sealed by the application.

use serde::{Deserializer, Serializer};

use crate::private::PrivateState;

/// A stored event type: its name, and the schema version that today's code writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType {
    /// `aggregate.fact`, never reused for another meaning.
    pub name: &'static str,
    /// Counts up when the shape changes; older ones are upcast on reading.
    pub version: u16,
    /// Whether the event has a private half.
    pub private: bool,
}

/// Defines an aggregate's event enum together with its stored names, versions and private halves.
#[macro_export]
macro_rules! stored_events {
    (
        $(#[$enum_doc:meta])*
        pub enum $enum_name:ident {
            $( $(#[$doc:meta])* $variant:ident = $name:literal, $version:literal $(, $private:ident)? ; )*
        }
    ) => {
        $(#[$enum_doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $enum_name {
            $( $(#[$doc])* $variant($variant), )*
        }

        $(
            impl From<$variant> for $enum_name {
                fn from(event: $variant) -> Self {
                    Self::$variant(event)
                }
            }
        )*

        impl $enum_name {
            /// Every stored type of this aggregate, in the order of declaration.
            pub const TYPES: &'static [$crate::event::EventType] = &[
                $( $crate::event::EventType {
                    name: $name,
                    version: $version,
                    private: $crate::stored_events!(@is $($private)?),
                }, )*
            ];

            /// The stored name and version of this event.
            #[must_use]
            pub const fn event_type(&self) -> $crate::event::EventType {
                match self {
                    $( Self::$variant(_) => $crate::event::EventType {
                        name: $name,
                        version: $version,
                        private: $crate::stored_events!(@is $($private)?),
                    }, )*
                }
            }

            /// Writes the clear half.
            ///
            /// # Errors
            /// Whatever the serializer reports.
            pub fn serialize_clear<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $( Self::$variant(event) => serde::Serialize::serialize(event, serializer), )*
                }
            }

            /// Reads the clear half of a stored event; `Ok(None)` when this aggregate has no such name and version.
            ///
            /// # Errors
            /// Whatever the deserializer reports.
            pub fn deserialize_clear<'de, D: serde::Deserializer<'de>>(
                name: &str,
                version: u16,
                deserializer: D,
            ) -> Result<Option<Self>, D::Error> {
                match (name, version) {
                    $( ($name, $version) => <$variant as serde::Deserialize>::deserialize(deserializer).map(|event| Some(Self::$variant(event))), )*
                    _ => Ok(None),
                }
            }

            /// Whether this event has a private half, and whether its reader holds it.
            #[must_use]
            pub fn private_state(&self) -> $crate::private::PrivateState {
                match self {
                    $( Self::$variant(_event) => $crate::stored_events!(@state _event $(, $private)?), )*
                }
            }

            /// Writes the private half of an event that is known; unit otherwise.
            ///
            /// # Errors
            /// Whatever the serializer reports.
            pub fn serialize_private<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $( Self::$variant(_event) => $crate::stored_events!(@write _event, serializer $(, $private)?), )*
                }
            }

            /// Puts the private half back.
            ///
            /// # Errors
            /// Whatever the deserializer reports.
            pub fn deserialize_private<'de, D: serde::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
                match self {
                    $( Self::$variant(_event) => $crate::stored_events!(@read _event, deserializer $(, $private)?), )*
                }
            }

            /// Marks the private half as gone for good.
            pub fn mark_erased(&mut self) {
                match self {
                    $( Self::$variant(_event) => $crate::stored_events!(@become Erased, _event $(, $private)?), )*
                }
            }

            /// Forgets the private half, which can be opened again.
            pub fn close_private(&mut self) {
                match self {
                    $( Self::$variant(_event) => $crate::stored_events!(@become Closed, _event $(, $private)?), )*
                }
            }
        }
    };
    (@is) => { false };
    (@is private) => { true };
    (@state $event:ident) => { $crate::private::PrivateState::Absent };
    (@state $event:ident, private) => {
        match &$event.private {
            $crate::private::Private::Known(_) => $crate::private::PrivateState::Known,
            $crate::private::Private::Erased => $crate::private::PrivateState::Erased,
            $crate::private::Private::Closed => $crate::private::PrivateState::Closed,
        }
    };
    (@write $event:ident, $serializer:ident) => { $serializer.serialize_unit() };
    (@write $event:ident, $serializer:ident, private) => {
        match &$event.private {
            $crate::private::Private::Known(value) => serde::Serialize::serialize(value, $serializer),
            $crate::private::Private::Erased | $crate::private::Private::Closed => $serializer.serialize_unit(),
        }
    };
    (@read $event:ident, $deserializer:ident) => {{ let _ = $deserializer; Ok(()) }};
    (@read $event:ident, $deserializer:ident, private) => {{
        $event.private = $crate::private::Private::Known(serde::Deserialize::deserialize($deserializer)?);
        Ok(())
    }};
    (@become $state:ident, $event:ident) => { () };
    (@become $state:ident, $event:ident, private) => { $event.private = $crate::private::Private::$state };
}

/// Any event of any aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What is said.
    Chat(crate::chat::event::ChatEvent),
    /// One service session.
    Conversation(crate::conversation::event::ConversationEvent),
    /// People and machines.
    User(crate::user::event::UserEvent),
    /// Dispatch.
    Desk(crate::desk::event::DeskEvent),
    /// Shops, keys, settings.
    Tenant(crate::tenant::event::TenantEvent),
    /// One message to many.
    Campaign(crate::campaign::event::CampaignEvent),
    /// Of a tenant's articles.
    Retrieval(crate::retrieval::event::RetrievalEvent),
}

macro_rules! each {
    ($self:expr, $event:ident => $body:expr) => {
        match $self {
            Event::Chat($event) => $body,
            Event::Conversation($event) => $body,
            Event::User($event) => $body,
            Event::Desk($event) => $body,
            Event::Tenant($event) => $body,
            Event::Campaign($event) => $body,
            Event::Retrieval($event) => $body,
        }
    };
}

impl Event {
    /// Every stored type that today's code writes.
    pub fn types() -> impl Iterator<Item = EventType> {
        [
            crate::chat::event::ChatEvent::TYPES,
            crate::conversation::event::ConversationEvent::TYPES,
            crate::user::event::UserEvent::TYPES,
            crate::desk::event::DeskEvent::TYPES,
            crate::tenant::event::TenantEvent::TYPES,
            crate::campaign::event::CampaignEvent::TYPES,
            crate::retrieval::event::RetrievalEvent::TYPES,
        ]
        .into_iter()
        .flatten()
        .copied()
    }

    /// The stored name and version of this event.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        each!(self, event => event.event_type())
    }

    /// Writes the clear half.
    ///
    /// # Errors
    /// Whatever the serializer reports.
    pub fn serialize_clear<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        each!(self, event => event.serialize_clear(serializer))
    }

    /// Reads the clear half; `Ok(None)` when no aggregate has such a name and version.
    ///
    /// # Errors
    /// Whatever the deserializer reports.
    pub fn deserialize_clear<'de, D: Deserializer<'de>>(name: &str, version: u16, deserializer: D) -> Result<Option<Self>, D::Error> {
        use crate::{campaign, chat, conversation, desk, retrieval, tenant, user};
        match name.split_once('.').map(|(aggregate, _)| aggregate) {
            Some("chat") => Ok(chat::event::ChatEvent::deserialize_clear(name, version, deserializer)?.map(Self::Chat)),
            Some("conversation") => {
                Ok(conversation::event::ConversationEvent::deserialize_clear(name, version, deserializer)?.map(Self::Conversation))
            }
            Some("user") => Ok(user::event::UserEvent::deserialize_clear(name, version, deserializer)?.map(Self::User)),
            Some("desk") => Ok(desk::event::DeskEvent::deserialize_clear(name, version, deserializer)?.map(Self::Desk)),
            Some("tenant") => Ok(tenant::event::TenantEvent::deserialize_clear(name, version, deserializer)?.map(Self::Tenant)),
            Some("retrieval") => Ok(retrieval::event::RetrievalEvent::deserialize_clear(name, version, deserializer)?.map(Self::Retrieval)),
            Some("campaign") => Ok(campaign::event::CampaignEvent::deserialize_clear(name, version, deserializer)?.map(Self::Campaign)),
            _ => Ok(None),
        }
    }

    /// Whether the event has a private half, and whether its reader holds it.
    #[must_use]
    pub fn private_state(&self) -> PrivateState {
        each!(self, event => event.private_state())
    }

    /// Writes the private half.
    ///
    /// # Errors
    /// Whatever the serializer reports.
    pub fn serialize_private<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        each!(self, event => event.serialize_private(serializer))
    }

    /// Puts the private half back.
    ///
    /// # Errors
    /// Whatever the deserializer reports.
    pub fn deserialize_private<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        each!(self, event => event.deserialize_private(deserializer))
    }

    /// Marks the private half as gone for good.
    pub fn mark_erased(&mut self) {
        each!(self, event => event.mark_erased());
    }

    /// Forgets the private half, which can be opened again.
    pub fn close_private(&mut self) {
        each!(self, event => event.close_private());
    }
}
