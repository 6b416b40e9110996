//! What a seed leaves behind, falsified: every check must be able to fail.

use super::check::Evidence;
use super::device::{Item, Outcome, Shown};

/// How it is falsified.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tamper {
    /// A device never showed a message.
    LoseOne,
    /// It showed one twice.
    DoubleOne,
    /// It showed two in another order.
    SwapTwo,
    /// It showed one that is not its user's to see.
    LeakOne,
    /// It showed another text.
    ChangeText,
    /// It was told that somebody read further.
    ReadFurther,
    /// It was acknowledged another place.
    MoveAck,
    /// It was acknowledged a message that the log has not.
    InventAck,
    /// The log has a message twice.
    PostTwice,
    /// The feed is numbered in another way when it is made anew.
    Renumber,
}

/// All of them.
pub(super) const EVERY: [Tamper; 10] = [
    Tamper::LoseOne,
    Tamper::DoubleOne,
    Tamper::SwapTwo,
    Tamper::LeakOne,
    Tamper::ChangeText,
    Tamper::ReadFurther,
    Tamper::MoveAck,
    Tamper::InventAck,
    Tamper::PostTwice,
    Tamper::Renumber,
];

/// Falsified evidence; `None` where there is nothing to falsify.
pub(super) fn tampered(evidence: &Evidence, how: Tamper) -> Option<Evidence> {
    let mut false_one = evidence.clone();
    match how {
        Tamper::LoseOne => shown(&mut false_one, |items, first, _| _ = items.remove(first))?,
        Tamper::DoubleOne => shown(&mut false_one, |items, first, _| items.insert(first, items[first].clone()))?,
        Tamper::SwapTwo => shown(&mut false_one, |items, first, second| items.swap(first, second))?,
        Tamper::ChangeText => shown(&mut false_one, |items, _, _| {
            items.iter_mut().filter_map(|item| item.said.as_mut()?.content.as_mut()).for_each(|text| text.push('!'));
        })?,
        Tamper::ReadFurther => {
            let all = false_one.devices.iter_mut().flat_map(|device| &mut device.shown);
            *all.flat_map(|shown| &mut shown.items).find_map(|item| item.up_to.as_mut())? += 1;
        }
        Tamper::LeakOne => {
            let devices = &mut false_one.devices;
            let tenant = |shown: &Shown| evidence.cast.actors[shown.actor].tenant;
            let all: Vec<&Shown> = evidence.devices.iter().flat_map(|device| &device.shown).collect();
            let shown = devices.iter_mut().flat_map(|device| &mut device.shown).find(|shown| !messages(shown).is_empty())?;
            let foreign = all.iter().find(|other| tenant(other) != tenant(shown) && !messages(other).is_empty())?;
            shown.items.push(foreign.items[*messages(foreign).first()?].clone());
            number(&mut shown.items);
        }
        Tamper::MoveAck => {
            let outcomes = false_one.devices.iter_mut().flat_map(|device| &mut device.sent);
            let seq = outcomes.filter_map(|(_, outcome)| match outcome {
                Some(Outcome::Acknowledged { seq, .. }) => Some(seq),
                Some(Outcome::Refused { .. }) | None => None,
            });
            *seq.last()? += 1;
        }
        Tamper::InventAck => {
            let mut sent = false_one.devices.iter_mut().flat_map(|device| &mut device.sent);
            let (_, outcome) = sent.find(|(_, outcome)| matches!(outcome, Some(Outcome::Refused { .. })))?;
            *outcome = Some(Outcome::Acknowledged { message: String::new(), seq: 1 });
        }
        Tamper::PostTwice => {
            let last = false_one.commits.last()?.position;
            let mut again = false_one.commits.clone();
            // Every commit lies there once more, behind all the others.
            again.iter_mut().for_each(|stored| stored.position.0 += last.0);
            false_one.commits.extend(again);
        }
        Tamper::Renumber => {
            let (_, feeds) = false_one.feeds.last_mut()?;
            let feed = feeds.iter_mut().find(|feed| feed.len() > 1)?;
            feed.swap(0, 1);
        }
    }
    Some(false_one)
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
