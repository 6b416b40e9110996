//! Somebody who works for a shop starts contact with a customer, or may not.

use application::log::commit::Actor;
use application::log::stream::StreamKey;
use domain::chat::event as chat;
use domain::event::Event;
use domain::ids::{ChatId, ClientMessageId, MessageId, OutreachId, ShopId, TenantId, UserId};
use domain::message::{Category, ContentDigest, Kind, Origin, Persona, Style, Visibility};
use domain::outreach::{AGE_MAX, OutreachRefusal, OutreachVerdict, QualifyingMessage, RULE, Ruling};
use domain::private::Private;
use domain::time::{Millis, Timestamp};

use super::History;

pub const BUYER: UserId = UserId::from_u128(0xb1);
pub const ALICE: UserId = UserId::from_u128(0xa1);
pub const CHAT: ChatId = ChatId::from_u128(0xc1);
pub const NOWHERE: ChatId = ChatId::from_u128(0xc2);
pub const SENT: OutreachId = OutreachId::from_u128(0xd1);
pub const TOO_LATE: OutreachId = OutreachId::from_u128(0xd2);
pub const NEVER_WROTE: OutreachId = OutreachId::from_u128(0xd3);

fn shop() -> ShopId {
    "s1".parse().unwrap()
}

/// A message at a place of the chat.
pub fn posted(seq: u64, sender: UserId, category: Category, origin: Origin) -> Event {
    let said = chat::MessagePosted {
        message: MessageId::from_u128(u128::from(seq)),
        seq,
        client_message: ClientMessageId::from_u128(u128::from(seq)),
        digest: ContentDigest(seq),
        sender,
        category,
        origin,
        persona: Persona::Oneself,
        visibility: Visibility::All,
        style: Style::Normal,
        kind: Kind::Text,
        conversation: None,
        assignment: None,
        quote: None,
        quote_seq: None,
        attachment: None,
        body_bytes: 1,
        private: Private::Closed,
    };
    Event::Chat(said.into())
}

pub fn opened() -> Event {
    Event::Chat(chat::ChatOpened { shop: shop(), customer: BUYER }.into())
}

/// What the rule said at a time of a message at the first place.
pub fn ruling(wrote: Option<Timestamp>, at: Timestamp, verdict: OutreachVerdict) -> Ruling {
    let qualifying = wrote.map(|wrote| QualifyingMessage { message: MessageId::from_u128(1), seq: 1, sender: BUYER, at: wrote });
    Ruling { rule: RULE, age_max: AGE_MAX, qualifying, age: wrote.map(|wrote| at - wrote), verdict }
}

pub fn attempted(attempt: OutreachId, ruling: Ruling) -> Event {
    let entry = "order_page".parse().unwrap();
    Event::Chat(chat::OutreachAttempted { attempt, shop: shop(), customer: BUYER, by: ALICE, entry, order: None, ruling }.into())
}

pub fn outreach(seq: u64, attempt: OutreachId) -> Event {
    posted(seq, ALICE, Category::Agent, Origin::Outreach { attempt })
}

/// One attempt that was sent, and handed over too late; one that came too late itself; and one without a chat.
pub fn whole_story(history: &mut History, whose: TenantId) {
    history.actor = Some(Actor::User(ALICE));
    let wrote = history.now;
    let chat = StreamKey::Chat(CHAT);
    history.commit(whose, chat, [opened(), posted(1, BUYER, Category::Customer, Origin::Human)]);
    let allowed = ruling(Some(wrote), history.now, OutreachVerdict::Allowed);
    history.commit(whose, chat, [attempted(SENT, allowed), outreach(2, SENT)]);
    history.now = history.now + AGE_MAX + Millis(1);
    let too_old = ruling(Some(wrote), history.now, OutreachVerdict::Refused(OutreachRefusal::TooOld));
    let handed_over = chat::OutreachHandedOver { attempt: SENT, channel: "wechat".parse().unwrap(), ruling: too_old };
    history.commit(whose, chat, [Event::Chat(handed_over.into())]);
    history.commit(whose, chat, [attempted(TOO_LATE, too_old)]);
    let never = ruling(None, history.now, OutreachVerdict::Refused(OutreachRefusal::NoMessage));
    history.commit(whose, StreamKey::Chat(NOWHERE), [attempted(NEVER_WROTE, never)]);
    history.actor = None;
}
