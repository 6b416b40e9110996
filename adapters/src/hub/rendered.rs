//! What is delivered, as frames: written once for all who are shown the same. This file must not know who is connected.

use std::borrow::Cow;

use application::log::codec;
use application::log::commit;
use application::log::stream::StreamKey;
use application::ports::key_store::KeyStore;
use application::queries::{Delivery, FeedKind};
use domain::chat::event::ChatEvent;
use domain::event::Event;
use domain::ids::UserId;
use domain::private::PrivateState;

use super::Hub;
use crate::quotes;
use crate::render::{self, Item, Marks, View};

/// A delivery as JSON, written when the first device needs it.
pub(super) struct Rendered<'a> {
    hub: &'a Hub,
    delivery: &'a Delivery,
    opened: Option<Cow<'a, Event>>,
    bodies: Vec<(FeedKind, View, Marks, String)>,
}

impl<'a> Rendered<'a> {
    /// Nothing of it is written yet.
    pub(super) const fn new(hub: &'a Hub, delivery: &'a Delivery) -> Self {
        Self { hub, delivery, opened: None, bodies: Vec::new() }
    }

    /// Its frame for a reader.
    pub(super) fn frame(&mut self, index: u64, kind: FeedKind, view: View, reader: UserId) -> String {
        let marks = self.marks(reader);
        let known = self.bodies.iter().position(|(known, for_view, marked, _)| (*known, *for_view, *marked) == (kind, view, marks));
        let at = known.unwrap_or_else(|| {
            let body = self.body(kind, view, marks);
            self.bodies.push((kind, view, marks, body));
            self.bodies.len() - 1
        });
        render::item_frame(index, &self.bodies[at].3)
    }

    /// Nothing became of it yet, because it has just been posted; but of what it quotes.
    fn marks(&self, reader: UserId) -> Marks {
        let (Event::Chat(ChatEvent::MessagePosted(posted)), StreamKey::Chat(chat)) =
            (self.delivery.event(), self.delivery.header().stream.key)
        else {
            return Marks::default();
        };
        let views = self.hub.views.get().filter(|_| posted.quote.is_some());
        let quote_gone = views.is_some_and(|views| quotes::is_gone(views.as_ref(), self.delivery.tenant(), chat, posted, Some(reader)));
        Marks { quote_gone, ..Marks::default() }
    }

    fn body(&mut self, kind: FeedKind, view: View, marks: Marks) -> String {
        let Self { hub, delivery, opened, .. } = self;
        let event = opened.get_or_insert_with(|| open(delivery, &*hub.keys));
        let item = Item {
            shard: hub.shard,
            at: delivery.at,
            kind,
            header: delivery.header(),
            meta: delivery.meta(),
            event,
            customer: delivery.customer,
        };
        render::item_body(&item, marks, view)
    }
}

/// The delivered event with its private half open.
fn open<'a>(delivery: &'a Delivery, keys: &dyn KeyStore) -> Cow<'a, Event> {
    match delivery.event().private_state() {
        PrivateState::Absent | PrivateState::Known | PrivateState::Erased => return Cow::Borrowed(delivery.event()),
        PrivateState::Closed => {}
    }
    let mut event = delivery.event().clone();
    let nth = usize::try_from(delivery.at.index).unwrap_or(usize::MAX);
    // It is there: the views decoded this commit a moment ago.
    if let Some(raw) = commit::events(&delivery.bytes).ok().and_then(|mut events| events.nth(nth)?.ok())
        && let Err(error) = codec::open(&mut event, &delivery.header().stream, &raw, keys)
    {
        tracing::error!(stream = %delivery.header().stream, commit = delivery.at.commit.0, %error, "private half cannot be opened");
    }
    Cow::Owned(event)
}
