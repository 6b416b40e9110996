//! The body of a request that posts a message: what every such request says in the same words, declared once.

/// Declares a body: its own fields, then those of every message; and how it becomes a draft. Flattening one body into another would
/// do the same, but then neither unknown fields are refused nor further JSON is kept as it was written.
macro_rules! message_body {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$attribute:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$attribute])* $field: $kind,)*
            /// The text.
            content: String,
            /// `text`, `picture`, `video`, `audio`, `file` or `unknown`.
            #[serde(default)]
            #[schema(value_type = Option<String>)]
            kind: domain::message::Kind,
            /// `normal`, `card`, `order`, `rating` or `toast`.
            #[serde(default)]
            #[schema(value_type = Option<String>)]
            style: domain::message::Style,
            /// The quoted message.
            #[schema(value_type = Option<String>)]
            quote: Option<domain::ids::MessageId>,
            /// Where a click leads: the address of an attachment, or any other.
            url: Option<String>,
            /// Further JSON.
            #[schema(value_type = Option<serde_json::Value>)]
            ext: Option<Box<serde_json::value::RawValue>>,
        }

        impl $name {
            /// The message, in a chat and under its sender's id; refused when nobody could read its further JSON.
            fn into_draft(
                self,
                id: domain::ids::ClientMessageId,
                chat: domain::ids::ChatId,
                visibility: domain::message::Visibility,
                assignment: Option<u64>,
            ) -> Result<$crate::messaging::Draft, $crate::http::error::InputError> {
                let ext = self.ext.as_deref().map($crate::further_json::checked).transpose()?;
                Ok($crate::messaging::Draft {
                    id,
                    chat,
                    content: self.content,
                    url: self.url,
                    ext,
                    quote: self.quote,
                    kind: self.kind,
                    style: self.style,
                    visibility,
                    assignment,
                    suggestion: None,
                })
            }
        }
    };
}

pub(crate) use message_body;
