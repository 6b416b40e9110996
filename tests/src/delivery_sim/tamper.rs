//! What a seed leaves behind, falsified: every check must be able to fail.

use std::collections::BTreeSet;

use application::ports::event_log::CommitPosition;
use application::queries::EventRef;
use domain::chat::event::ChatEvent;
use domain::event::Event;

use super::cast::Part;
use super::check::Evidence;
use super::device::{Draft, Item, Outcome, Shown};
use crate::recount::Placed;

/// How it is falsified.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tamper {
    /// A device never showed a message.
    LoseOne,
    /// It showed nothing from its second message on.
    LoseTheRest,
    /// It showed one twice.
    DoubleOne,
    /// It showed two in another order.
    SwapTwo,
    /// It showed one that is not its user's to see.
    LeakOne,
    /// It showed another text.
    ChangeText,
    /// It showed no text.
    EraseText,
    /// It was told that somebody read further.
    ReadFurther,
    /// It was signed out although nobody merged its account.
    SignOut,
    /// It gave an item another number.
    Misnumber,
    /// It took an item for something else.
    CallOtherwise,
    /// It was acknowledged another place.
    MoveAck,
    /// It was acknowledged a message that the log has not.
    InventAck,
    /// It was refused a message that the log has.
    RefuseStored,
    /// It sent its messages in another order than they lie in.
    SendOtherwise,
    /// The log has a message twice.
    PostTwice,
    /// A message has the place behind its own.
    SkipPlace,
    /// Somebody was invited behind what was not said yet.
    RaiseFloor,
    /// The feed is numbered in another way when it is made anew.
    Renumber,
}

/// All of them, each with the words of the check that must notice it.
pub(super) const EVERY: [(Tamper, &str); 19] = [
    (Tamper::LoseOne, "is next"),
    (Tamper::LoseTheRest, "has shown 1 messages of"),
    (Tamper::DoubleOne, "is next"),
    (Tamper::SwapTwo, "is next"),
    (Tamper::LeakOne, "is not theirs to see"),
    (Tamper::ChangeText, "was written as"),
    (Tamper::EraseText, "nobody took it away"),
    (Tamper::ReadFurther, "is theirs to hear"),
    (Tamper::SignOut, "was not merged"),
    (Tamper::Misnumber, "at place"),
    (Tamper::CallOtherwise, "in the feed"),
    (Tamper::MoveAck, "was acknowledged as"),
    (Tamper::InventAck, "was acknowledged and is lost"),
    (Tamper::RefuseStored, "refused for good"),
    (Tamper::SendOtherwise, "was sent after"),
    (Tamper::PostTwice, "was posted 2 times"),
    (Tamper::SkipPlace, "has place"),
    (Tamper::RaiseFloor, "invited with floor"),
    (Tamper::Renumber, "differs after"),
];

/// Falsified evidence; `None` where there is nothing to falsify.
pub(super) fn tampered(evidence: &Evidence, how: Tamper) -> Option<Evidence> {
    let mut false_one = evidence.clone();
    match how {
        Tamper::LoseOne => shown(&mut false_one, |items, first, _| _ = items.remove(first))?,
        Tamper::LoseTheRest => shown(&mut false_one, |items, _, second| items.truncate(second))?,
        Tamper::DoubleOne => shown(&mut false_one, |items, first, _| items.insert(first, items[first].clone()))?,
        Tamper::SwapTwo => shown(&mut false_one, |items, first, second| items.swap(first, second))?,
        Tamper::ChangeText => shown(&mut false_one, |items, _, _| {
            items.iter_mut().filter_map(|item| item.said.as_mut()?.content.as_mut()).for_each(|text| text.push('!'));
        })?,
        Tamper::EraseText => shown(&mut false_one, |items, _, _| {
            items.iter_mut().filter_map(|item| item.said.as_mut()).for_each(|said| said.content = None);
        })?,
        Tamper::ReadFurther => {
            let read = items(&mut false_one).filter(|item| item.kind == "read");
            *read.filter_map(|item| item.up_to.as_mut()).next()? += 1;
        }
        Tamper::CallOtherwise => {
            let mut others = items(&mut false_one).filter(|item| item.said.is_none() && item.kind != "read");
            others.next()?.kind.push('!');
        }
        Tamper::Misnumber => items(&mut false_one).next()?.index += 1,
        Tamper::LeakOne => {
            let tenant = |shown: &Shown| evidence.cast.actors[shown.actor].tenant;
            let all: Vec<&Shown> = evidence.devices.iter().flat_map(|device| &device.shown).collect();
            let mut whole = false_one.devices.iter_mut().flat_map(|device| &mut device.shown).filter(|shown| !shown.is_over);
            let shown = whole.find(|shown| !messages(shown).is_empty())?;
            let foreign = all.iter().find(|other| tenant(other) != tenant(shown) && !messages(other).is_empty())?;
            shown.items.push(foreign.items[*messages(foreign).first()?].clone());
            number(&mut shown.items);
        }
        Tamper::SignOut => {
            let stays = |shown: &Shown| !matches!(evidence.cast.actors[shown.actor].part, Part::Visitor { .. });
            false_one.devices.iter_mut().flat_map(|device| &mut device.shown).find(|shown| stays(shown))?.is_over = true;
        }
        Tamper::MoveAck => {
            let (_, Outcome::Acknowledged { seq, .. }) = acknowledged(&mut false_one).next()? else { return None };
            *seq += 1;
        }
        Tamper::InventAck => acknowledged(&mut false_one).next()?.0.id = "invented".to_owned(),
        Tamper::RefuseStored => {
            let (_, outcome) = acknowledged(&mut false_one).next()?;
            *outcome = Outcome::Refused { code: "invented".to_owned(), given_at: CommitPosition(u64::MAX) };
        }
        Tamper::SendOtherwise => send_otherwise(&mut false_one)?,
        Tamper::PostTwice => post_twice(&mut false_one)?,
        Tamper::SkipPlace => {
            let said = |placed: &&mut Placed| matches!(placed.event, Event::Chat(ChatEvent::MessagePosted(_)));
            let Event::Chat(ChatEvent::MessagePosted(said)) = &mut false_one.events.iter_mut().find(said)?.event else { return None };
            said.seq += 1;
        }
        Tamper::RaiseFloor => {
            let invited = |placed: &&mut Placed| matches!(placed.event, Event::Chat(ChatEvent::MemberInvited(_)));
            let Event::Chat(ChatEvent::MemberInvited(invited)) = &mut false_one.events.iter_mut().find(invited)?.event else { return None };
            invited.floor += 1;
        }
        Tamper::Renumber => {
            let (_, feeds) = false_one.feeds.last_mut()?;
            let feed = feeds.iter_mut().find(|feed| feed.len() > 1)?;
            feed.swap(0, 1);
        }
    }
    Some(false_one)
}

/// Everything that devices have shown.
fn items(evidence: &mut Evidence) -> impl Iterator<Item = &mut Item> {
    evidence.devices.iter_mut().flat_map(|device| &mut device.shown).flat_map(|shown| &mut shown.items)
}

/// Everything that was acknowledged.
fn acknowledged(evidence: &mut Evidence) -> impl Iterator<Item = (&mut Draft, &mut Outcome)> {
    let sent = evidence.devices.iter_mut().flat_map(|device| &mut device.sent);
    sent.filter_map(|(draft, outcome)| match outcome {
        Some(Outcome::Acknowledged { .. }) => Some((draft, outcome.as_mut()?)),
        Some(Outcome::Refused { .. }) | None => None,
    })
}

/// Two messages of a customer in their own chat change places, where the order of sending is that of the log.
fn send_otherwise(evidence: &mut Evidence) -> Option<()> {
    let Evidence { cast, devices, is_ordered: true, .. } = evidence else { return None };
    devices.iter_mut().find_map(|device| {
        let owner = device.shown.first()?.actor;
        cast.chats.iter().filter(|chat| chat.customer == Some(owner) && !device.reordered.contains(&chat.id)).find_map(|chat| {
            let is_there = |outcome: &Option<Outcome>| matches!(outcome, Some(Outcome::Acknowledged { .. }));
            let sent = device.sent.iter().enumerate();
            let mut there = sent.filter(|(_, (draft, outcome))| draft.chat == chat.id && is_there(outcome)).map(|(nth, _)| nth);
            let (first, second) = (there.next()?, there.next()?);
            device.sent.swap(first, second);
            Some(())
        })
    })
}

/// What a device sent lies in its chat once more, behind everything.
fn post_twice(evidence: &mut Evidence) -> Option<()> {
    let sent: BTreeSet<&str> = evidence.devices.iter().flat_map(|device| &device.sent).map(|(draft, _)| draft.id.as_str()).collect();
    let said = |placed: &Placed| {
        let Event::Chat(ChatEvent::MessagePosted(said)) = &placed.event else { return None };
        Some(said.client_message.to_string())
    };
    let mut again = evidence.events.iter().find(|placed| said(placed).is_some_and(|id| sent.contains(id.as_str())))?.clone();
    let before = evidence.events.iter().filter(|placed| placed.stream == again.stream && said(placed).is_some()).count();
    if let Event::Chat(ChatEvent::MessagePosted(said)) = &mut again.event {
        said.seq = before as u64 + 1;
    }
    again.at = EventRef { commit: CommitPosition(evidence.events.last()?.at.commit.0 + 1), index: 0 };
    evidence.events.push(again);
    Some(())
}

/// Falsifies what the device with the most messages has shown, given where its first two are.
fn shown(evidence: &mut Evidence, falsify: impl Fn(&mut Vec<Item>, usize, usize)) -> Option<()> {
    let shown = evidence.devices.iter_mut().flat_map(|device| &mut device.shown);
    let shown = shown.filter(|shown| !shown.is_over).max_by_key(|shown| messages(shown).len())?;
    let at = messages(shown);
    falsify(&mut shown.items, *at.first()?, *at.get(1)?);
    number(&mut shown.items);
    Some(())
}

fn messages(shown: &Shown) -> Vec<usize> {
    (0..shown.items.len()).filter(|nth| shown.items[*nth].said.is_some()).collect()
}

fn number(items: &mut [Item]) {
    (1..).zip(items).for_each(|(index, item)| item.index = index);
}
