//! The words of a message: who speaks, how it is shown, what it carries.
//!
//! The names follow the field (category, style, kind); the enums are shared by the chat aggregate and its readers.

use serde::{Deserialize, Serialize};

use crate::ids::{MessageId, OutreachId, UserId};

/// Longest message text in bytes of UTF-8. Longer texts belong into an attachment.
pub const CONTENT_BYTES_MAX: usize = 16 * 1024;
/// Longest link in bytes.
pub const URL_BYTES_MAX: usize = 2 * 1024;
/// Longest `ext` document in bytes.
pub const EXT_BYTES_MAX: usize = 16 * 1024;

/// Whose message it is, as every reader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// The platform itself.
    System,
    /// The customer.
    Customer,
    /// A human of the shop.
    Agent,
    /// A robot.
    Robot,
}

/// How the message is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// A plain bubble.
    #[default]
    Normal,
    /// A card, such as a product link.
    Card,
    /// An order.
    Order,
    /// An invitation to rate, or a rating.
    Rating,
    /// A grey line, such as "agent joined".
    Toast,
}

/// What the content is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Text, emoji included.
    #[default]
    Text,
    /// A picture.
    Picture,
    /// A video.
    Video,
    /// Sound.
    Audio,
    /// Another file.
    File,
    /// A format that the sender could not name.
    Unknown,
}

/// How the message came about; KPIs count only some origins as a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Typed by a person.
    #[default]
    Human,
    /// A suggestion that a person sent; the id of the suggestion.
    Assisted {
        /// The suggestion that was taken.
        suggestion: uuid::Uuid,
    },
    /// Written by a robot.
    Robot,
    /// Written by the platform.
    System,
    /// One of a platform campaign.
    Campaign,
    /// Written at a provider's own desk.
    Provider,
    /// Somebody who works for the shop started contact with it; the attempt under which it was allowed.
    Outreach {
        /// Which.
        attempt: OutreachId,
    },
}

impl Origin {
    /// Whether nobody in a conversation said it: neither its customer, nor anybody or anything that answers. What starts contact
    /// answers nothing.
    #[must_use]
    pub const fn is_nobodys(self) -> bool {
        match self {
            Self::System | Self::Campaign | Self::Outreach { .. } => true,
            Self::Human | Self::Assisted { .. } | Self::Robot | Self::Provider => false,
        }
    }
}

/// Under which identity the customer sees the sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Persona {
    /// The sender's own profile.
    #[default]
    Oneself,
    /// The shop's service account, with the display name and avatar of the answering agent.
    Shop,
}

/// Who may see the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Every member.
    #[default]
    All,
    /// Staff only: notes and whispers.
    Staff,
}

impl Visibility {
    /// Whether every member may see it; where that is what was always so, it is not written down.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::All
    }
}

/// A member's part in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatRole {
    /// The customer the chat belongs to.
    Customer,
    /// The agent who serves, or served.
    Agent,
    /// A supervisor who watches or took over.
    Supervisor,
    /// A robot seat.
    Robot,
    /// A provider's desk.
    Provider,
    /// A member of a group thread, whatever they are to the tenant.
    Participant,
}

impl ChatRole {
    /// Whether the member works for the shop, and so sees staff-only messages. A group thread has none: who is in it sees all of it.
    #[must_use]
    pub const fn is_staff(self) -> bool {
        match self {
            Self::Customer | Self::Participant => false,
            Self::Agent | Self::Supervisor | Self::Robot | Self::Provider => true,
        }
    }

    /// The category of the messages that this member posts; `None` for a participant, whose account says it.
    #[must_use]
    pub const fn category(self) -> Option<Category> {
        match self {
            Self::Customer => Some(Category::Customer),
            Self::Robot => Some(Category::Robot),
            Self::Agent | Self::Supervisor | Self::Provider => Some(Category::Agent),
            Self::Participant => None,
        }
    }
}

/// One thing that a member of a group thread may do, beside reading it and leaving it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Post messages. Whoever is to be silent is left without it.
    Post,
    /// Bring others in.
    Invite,
    /// Put others out.
    Remove,
    /// Change the title and what others may do.
    Manage,
}

/// What a message quotes, as it was looked up for its sender. What was posted before is answered all the same, whatever is found now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quoted {
    /// Nothing.
    #[default]
    Nothing,
    /// A message of this chat that its sender may read.
    Message {
        /// Which.
        message: MessageId,
        /// Its place.
        seq: u64,
        /// Who may see it.
        visibility: Visibility,
    },
    /// A message that is not there for its sender.
    Missing,
}

impl Quoted {
    /// Which message.
    #[must_use]
    pub const fn message(self) -> Option<MessageId> {
        match self {
            Self::Message { message, .. } => Some(message),
            Self::Nothing | Self::Missing => None,
        }
    }

    /// Its place.
    #[must_use]
    pub const fn seq(self) -> Option<u64> {
        match self {
            Self::Message { seq, .. } => Some(seq),
            Self::Nothing | Self::Missing => None,
        }
    }
}

/// A keyed digest of a message's content, to tell a retry from another message without keeping the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentDigest(pub u64);

/// What a message says: its private half.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageContent {
    /// The text, or the name of what it carries.
    pub content: String,
    /// Where a click leads, or where the media is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The quoted text as it stood when quoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_text: Option<String>,
    /// Further JSON, kept as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext: Option<String>,
    /// The name under which the customer sees whoever speaks for the shop, as it stood when it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// The picture, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_avatar: Option<String>,
}

impl MessageContent {
    /// A plain text.
    #[must_use]
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }

    /// Size of all that is said in bytes; who says it is not counted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let len = |part: &Option<String>| part.as_ref().map_or(0, String::len);
        self.content.len() + len(&self.url) + len(&self.quote_text) + len(&self.ext)
    }

    /// Whether every part keeps its limit, and the first that does not.
    ///
    /// # Errors
    /// The name of the first part that is empty or over its limit.
    pub fn check(&self) -> Result<(), ContentRefused> {
        if self.content.len() > CONTENT_BYTES_MAX {
            return Err(ContentRefused::TooLong { part: "content", bytes_max: CONTENT_BYTES_MAX });
        }
        if self.url.as_ref().is_some_and(|url| url.len() > URL_BYTES_MAX) {
            return Err(ContentRefused::TooLong { part: "url", bytes_max: URL_BYTES_MAX });
        }
        if self.quote_text.as_ref().is_some_and(|quote| quote.len() > CONTENT_BYTES_MAX) {
            return Err(ContentRefused::TooLong { part: "quote_text", bytes_max: CONTENT_BYTES_MAX });
        }
        if self.ext.as_ref().is_some_and(|ext| ext.len() > EXT_BYTES_MAX) {
            return Err(ContentRefused::TooLong { part: "ext", bytes_max: EXT_BYTES_MAX });
        }
        if self.content.is_empty() && self.url.is_none() && self.ext.is_none() {
            return Err(ContentRefused::Empty);
        }
        Ok(())
    }
}

/// Why a content is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentRefused {
    /// Nothing to say.
    #[error("the message is empty")]
    Empty,
    /// A part is over its limit.
    #[error("{part} is longer than {bytes_max} bytes")]
    TooLong {
        /// Which part.
        part: &'static str,
        /// Its limit.
        bytes_max: usize,
    },
}

/// Longest title of a canned reply in bytes of UTF-8: one line of a page.
pub const CANNED_TITLE_BYTES_MAX: usize = 512;

/// What a canned reply says: its private half.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CannedText {
    /// What it is found by.
    pub title: String,
    /// What is put into the message.
    pub text: String,
}

impl CannedText {
    /// Whether there is a text, and every part keeps its limit.
    ///
    /// # Errors
    /// The first part that does not.
    pub fn check(&self) -> Result<(), ContentRefused> {
        if self.text.is_empty() {
            return Err(ContentRefused::Empty);
        }
        if self.title.len() > CANNED_TITLE_BYTES_MAX {
            return Err(ContentRefused::TooLong { part: "title", bytes_max: CANNED_TITLE_BYTES_MAX });
        }
        // It becomes a message, so it must fit one.
        if self.text.len() > CONTENT_BYTES_MAX {
            return Err(ContentRefused::TooLong { part: "text", bytes_max: CONTENT_BYTES_MAX });
        }
        Ok(())
    }
}

/// Who gave a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// A person or machine with an account.
    User(UserId),
    /// The platform: a policy or a timer.
    System,
}
