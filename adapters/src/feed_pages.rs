//! Pages of a user's feed as item frames: for devices that resume, for gaps, and for `GET /feed`.
//!
//! An item keeps its index whatever became of it: recalled, removed and erased messages come without content.

use application::log::stream::StreamKey;
use application::ports::event_log::ReadError;
use application::queries::{ChatRow, FeedItem, FeedKind};
use domain::chat::event::{ChatEvent, MessagePosted};
use domain::event::Event;
use domain::ids::{ChatId, OutreachId, TenantId, UserId};
use domain::message::Origin;
use hashbrown::HashMap;

use crate::biz_code::biz_code;
use crate::http::error::ApiError;
use crate::hub::outbox::Frame;
use crate::quotes;
use crate::reading::{OpenError, Opened, Reader};
use crate::render::{Item, Marks, View, item_body, item_frame};
use crate::state::AppState;

/// Items read from the feed at a time while resuming.
pub const PAGE_ITEMS: usize = 200;

/// An attempt to start contact, and the chat in which it was made.
pub type Attempt = (ChatId, OutreachId);

/// Reads a user's feed.
pub struct FeedPages<'a> {
    app: &'a AppState,
    tenant: TenantId,
    user: UserId,
    view: View,
    reader: Reader<'a>,
    chats: HashMap<ChatId, Option<ChatRow>>,
}

impl<'a> FeedPages<'a> {
    /// The feed of a user.
    #[must_use]
    pub fn new(app: &'a AppState, tenant: TenantId, user: UserId, view: View) -> Self {
        Self { app, tenant, user, view, reader: Reader::new(app), chats: HashMap::new() }
    }

    /// The items after an index.
    ///
    /// # Errors
    /// [`ApiError::Read`], [`ApiError::Decode`].
    pub async fn after(&mut self, index: u64, limit: usize) -> Result<Vec<Frame>, ApiError> {
        Ok(self.on_their_way(index, limit).await?.into_iter().map(|(frame, _)| frame).collect())
    }

    /// The items after an index, each with the attempt to start contact that it is the message of, if it is one.
    ///
    /// # Errors
    /// As [`Self::after`].
    pub async fn on_their_way(&mut self, index: u64, limit: usize) -> Result<Vec<(Frame, Option<Attempt>)>, ApiError> {
        // Read marks move on; a page is short enough to look at them once.
        self.chats.clear();
        let items = self.app.ports.views.feed(self.tenant, self.user, index, limit);
        let mut frames = Vec::with_capacity(items.len());
        for item in items {
            frames.push(self.frame(item).await?);
        }
        Ok(frames)
    }

    async fn frame(&mut self, item: FeedItem) -> Result<(Frame, Option<Attempt>), ApiError> {
        let opened = match self.reader.open(item.at).await {
            Ok(opened) => opened,
            Err(OpenError::Read(ReadError::Gone)) => return Ok((tombstone(item), None)),
            Err(error) => return Err(error.into()),
        };
        let attempt = attempt(&opened, item.kind);
        let marks = match (&opened.event, opened.header.stream.key) {
            (Event::Chat(ChatEvent::MessagePosted(posted)), StreamKey::Chat(chat)) => self.marks(chat, posted),
            (
                Event::Chat(_)
                | Event::Conversation(_)
                | Event::User(_)
                | Event::Desk(_)
                | Event::Tenant(_)
                | Event::Campaign(_)
                | Event::Retrieval(_),
                _,
            ) => Marks::default(),
        };
        // Staff see everybody as they are.
        let customer = match opened.header.stream.key {
            StreamKey::Chat(chat) if self.view == View::Customer => self.row(chat).and_then(ChatRow::customer),
            StreamKey::Chat(_) | StreamKey::Conversation(_) | StreamKey::User(_) | StreamKey::Desk | StreamKey::Tenant => None,
            StreamKey::Campaign(_) | StreamKey::Retrieval => None,
        };
        let Opened { at, header, meta, event } = &opened;
        let shard = self.app.ports.log.shard();
        let body = item_body(&Item { shard, at: *at, kind: item.kind, header, meta, event, customer }, marks, self.view);
        Ok((Frame { index: item.index, biz_code: biz_code(item.kind, event), text: item_frame(item.index, &body) }, attempt))
    }

    fn row(&mut self, chat: ChatId) -> Option<&ChatRow> {
        let views = &self.app.ports.views;
        self.chats.entry(chat).or_insert_with(|| views.chat(self.tenant, chat)).as_ref()
    }

    fn marks(&mut self, chat: ChatId, posted: &MessagePosted) -> Marks {
        let (app, tenant, user) = (self.app, self.tenant, self.user);
        marks(app, tenant, chat, self.row(chat), posted, user)
    }
}

/// What became of a message, as a reader sees it.
#[must_use]
pub fn marks(app: &AppState, tenant: TenantId, chat: ChatId, row: Option<&ChatRow>, posted: &MessagePosted, reader: UserId) -> Marks {
    let views = &app.ports.views;
    let members = row.map(|row| row.members.as_slice()).unwrap_or_default();
    let own = posted.sender == reader;
    Marks {
        recalled: views.is_recalled(tenant, chat, posted.seq),
        hidden: views.is_hidden(tenant, chat, posted.seq, reader),
        quote_gone: quotes::is_gone(views.as_ref(), tenant, chat, posted, Some(reader)),
        read: members.iter().any(|member| (member.user != reader) == own && member.has_read(posted.seq)),
    }
}

/// The attempt whose message an item shows.
fn attempt(opened: &Opened, kind: FeedKind) -> Option<Attempt> {
    let (Event::Chat(ChatEvent::MessagePosted(posted)), StreamKey::Chat(chat)) = (&opened.event, opened.header.stream.key) else {
        return None;
    };
    match posted.origin {
        Origin::Outreach { attempt } if kind == FeedKind::Message => Some((chat, attempt)),
        Origin::Outreach { .. }
        | Origin::Human
        | Origin::Assisted { .. }
        | Origin::Robot
        | Origin::System
        | Origin::Campaign
        | Origin::Provider => None,
    }
}

/// An item whose stream was ended for good.
fn tombstone(item: FeedItem) -> Frame {
    let kind = serde_json::to_string(&item.kind).expect("a kind is a word");
    let text = item_frame(item.index, &format!("\"k\":{kind},\"gone\":true}}"));
    Frame { index: item.index, biz_code: "notice", text }
}
