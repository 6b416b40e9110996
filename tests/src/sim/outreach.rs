//! In the simulation agents start contact with customers, and whatever comes of it is checked on the raw log: every attempt names the
//! customer's newest message and its age, and a message starts contact exactly where one was allowed.

use std::collections::BTreeMap;

use application::log::stream::StreamId;
use domain::chat::command::{ChatCommand, ReachOut};
use domain::chat::event::ChatEvent;
use domain::event::Event;
use domain::ids::{ClientMessageId, MessageId, OutreachId, ShopId, UserId};
use domain::message::{Category, ContentDigest, Kind, MessageContent, Origin, Style};
use domain::outreach::OutreachVerdict;
use domain::time::{ClockState, Millis, Timestamp};

use super::Random;
use crate::random::v7;
use crate::recount::{Checked, Placed, ensure};

/// Somebody wants to start contact, mostly from where that may be done.
#[must_use]
pub fn order(shop: ShopId, customer: UserId, by: UserId, random: &mut Random, now: Timestamp) -> ChatCommand {
    let entry = random.pick(&["order_page", "agent_console", "agent_console", "shop_page"]);
    ChatCommand::ReachOut(Box::new(ReachOut {
        attempt: OutreachId::from_uuid(v7(now, random.number() & 0xFFFF_FFFF)),
        shop,
        customer,
        account_closed: random.once_in(8),
        by,
        entry: entry.parse().expect("a label"),
        order: None,
        clock: ClockState::Jumped,
        client_message: ClientMessageId::from_uuid(v7(now, random.number() & 0xFFFF_FFFF)),
        message: MessageId::from_uuid(v7(now, random.number() & 0xFFFF_FFFF)),
        digest: ContentDigest(random.number()),
        content: MessageContent::text("how may we help?"),
        style: Style::Normal,
        kind: Kind::Text,
    }))
}

/// What must hold of it.
///
/// # Errors
/// What is broken.
pub fn check(events: &[Placed]) -> Checked {
    let mut wrote: BTreeMap<StreamId, (u64, Timestamp)> = BTreeMap::new();
    let mut allowed: BTreeMap<StreamId, OutreachId> = BTreeMap::new();
    for Placed { stream, event, time, .. } in events {
        let Event::Chat(event) = event else { continue };
        let before = allowed.remove(stream);
        let said = if let ChatEvent::MessagePosted(said) = event { Some(said) } else { None };
        let under = said.and_then(|said| if let Origin::Outreach { attempt } = said.origin { Some(attempt) } else { None });
        ensure(before == under, || format!("{stream}: {before:?} was allowed, and under {under:?} was said"))?;
        if let Some(said) = said.filter(|said| said.category == Category::Customer) {
            wrote.insert(*stream, (said.seq, *time));
        }
        if let ChatEvent::OutreachAttempted(attempted) = event {
            let newest = wrote.get(stream).copied();
            let ruling = &attempted.ruling;
            ensure(ruling.qualifying.map(|named| (named.seq, named.at)) == newest, || format!("{stream}: {ruling:?}, not {newest:?}"))?;
            let age = newest.map(|(_, wrote)| *time - wrote);
            ensure(ruling.age == age, || format!("{stream}: {ruling:?} is {age:?} old"))?;
            if ruling.verdict == OutreachVerdict::Allowed {
                ensure(age.is_some_and(|age| age <= Millis::hours(72)), || format!("{stream}: allowed after {age:?}"))?;
                allowed.insert(*stream, attempted.attempt);
            }
        }
    }
    ensure(allowed.is_empty(), || format!("allowed and not said: {allowed:?}"))
}
