//! What must hold when a seed is over, by code that reads the raw events and shares nothing with the views.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use application::log::stream::StreamKey;
use application::ports::event_log::CommitPosition;
use domain::chat::event::{ChatEvent, MessagePosted};
use domain::event::Event;
use domain::ids::{ChatId, TenantId, UserId};

use super::cast::Cast;
use super::device::{Draft, Item, Outcome, Shown};
use crate::recount::{Checked, Placed, Recount, Told, ensure};

/// What a device leaves behind.
#[derive(Clone)]
pub(super) struct Left {
    pub(super) name: String,
    pub(super) shown: Vec<Shown>,
    pub(super) sent: Vec<(Draft, Option<Outcome>)>,
    pub(super) reordered: BTreeSet<String>,
}

/// A feed as views number it: place in the log, and kind.
pub(super) type Numbers = Vec<(String, String)>;

/// Everything that a seed leaves behind.
#[derive(Clone)]
pub(super) struct Evidence {
    pub(super) cast: Arc<Cast>,
    pub(super) events: Vec<Placed>,
    /// Up to here every device must have shown everything.
    pub(super) rest: CommitPosition,
    /// Whether no append failed: then what a device sent first is first.
    pub(super) is_ordered: bool,
    pub(super) devices: Vec<Left>,
    /// The feeds that the node had at the end, and those that were made anew from the log, by actor.
    pub(super) feeds: Vec<(&'static str, Vec<Numbers>)>,
}

/// A message as the log has it.
#[derive(Clone, Debug)]
struct Posted {
    chat: ChatId,
    seq: u64,
    message: String,
    client: String,
    position: String,
    commit: CommitPosition,
}

/// What the log says.
#[derive(Default)]
struct Truth {
    /// By client id.
    posted: BTreeMap<String, Vec<Posted>>,
    /// What each must see, in order.
    seen: BTreeMap<(TenantId, UserId), Vec<Posted>>,
    /// Message ids whose content is gone for everybody, or for one.
    recalled: BTreeSet<String>,
    hidden: BTreeSet<(UserId, String)>,
    merged: BTreeSet<(TenantId, UserId)>,
    /// What each hears of others' reading: the place in the log, and up to where.
    heard: BTreeMap<(TenantId, UserId), BTreeMap<String, u64>>,
}

impl Truth {
    fn read(events: &[Placed]) -> Result<Self, String> {
        let (mut truth, mut recount) = (Self::default(), Recount::default());
        for placed in events {
            let tenant = placed.stream.tenant;
            match recount.take(placed)? {
                Told::Said { said, to } => truth.said(placed, said, &to),
                Told::Read(readers) => {
                    for (user, up_to) in readers {
                        truth.heard.entry((tenant, user)).or_default().insert(placed.position().to_string(), up_to);
                    }
                }
                Told::Nothing => {}
            }
            if let Event::Chat(ChatEvent::MessageRecalled(recalled)) = &placed.event {
                truth.recalled.insert(recalled.message.to_string());
            }
            if let Event::Chat(ChatEvent::MessageHidden(hidden)) = &placed.event {
                truth.hidden.insert((hidden.reader, hidden.message.to_string()));
            }
        }
        truth.merged = recount.merged;
        Ok(truth)
    }

    fn said(&mut self, placed: &Placed, said: &MessagePosted, to: &[UserId]) {
        let StreamKey::Chat(chat) = placed.stream.key else { return };
        let client = said.client_message.to_string();
        let (message, position) = (said.message.to_string(), placed.position().to_string());
        let posted = Posted { chat, seq: said.seq, message, client: client.clone(), position, commit: placed.at.commit };
        for user in to {
            self.seen.entry((placed.stream.tenant, *user)).or_default().push(posted.clone());
        }
        self.posted.entry(client).or_default().push(posted);
    }
}

/// Every promise; the first that is broken.
pub(super) fn check(evidence: &Evidence) -> Checked {
    let truth = Truth::read(&evidence.events)?;
    let mut contents = BTreeMap::new();
    for device in &evidence.devices {
        sent(device, &truth, evidence)?;
        contents.extend(device.sent.iter().map(|(draft, _)| (draft.id.as_str(), draft.content.as_str())));
    }
    for device in &evidence.devices {
        for shown in &device.shown {
            seen(&device.name, shown, evidence, &truth, &contents)?;
        }
    }
    let [(_, first), others @ ..] = evidence.feeds.as_slice() else { return Err("no feeds".to_owned()) };
    for (name, feeds) in others {
        for (actor, (feed, known)) in evidence.cast.actors.iter().zip(feeds.iter().zip(first)) {
            let different = (0..known.len()).find(|nth| feed.get(*nth) != known.get(*nth));
            let at = |feed: &Numbers| different.and_then(|nth| feed.get(nth).cloned());
            ensure(different.is_none(), || {
                format!("{}'s feed {name} differs after {different:?}: {:?}, and was {:?}", actor.name, at(feed), at(known))
            })?;
        }
    }
    let Some((_, anew)) = others.last() else { return Err("no feeds made anew".to_owned()) };
    for device in &evidence.devices {
        for shown in &device.shown {
            numbers(&device.name, shown, &anew[shown.actor])?;
        }
    }
    Ok(())
}

/// What was acknowledged lies in the log once and where it was said to; what was refused does not; nothing lies there twice.
fn sent(device: &Left, truth: &Truth, evidence: &Evidence) -> Checked {
    let name = &device.name;
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    // Elsewhere a refusal that was lost with its link may be followed by a membership, and the repetition comes behind.
    let owner = device.shown.first().map(|shown| shown.actor);
    let is_own = |id: &str| evidence.cast.chats.iter().any(|chat| chat.id == id && chat.customer.is_some() && chat.customer == owner);
    for (draft, outcome) in &device.sent {
        let posted = truth.posted.get(&draft.id).map(Vec::as_slice).unwrap_or_default();
        ensure(posted.len() <= 1, || format!("{name}: {} was posted {} times: {posted:?}", draft.id, posted.len()))?;
        match (outcome, posted.first()) {
            (Some(Outcome::Acknowledged { message, seq, .. }), Some(posted)) => {
                let place = (&posted.message, posted.seq, posted.chat.to_string());
                ensure(place == (message, *seq, draft.chat.clone()), || {
                    format!("{name}: {} was acknowledged as {message} at {seq} of {}, and is {posted:?}", draft.id, draft.chat)
                })?;
                if evidence.is_ordered && is_own(&draft.chat) && !device.reordered.contains(&draft.chat) {
                    let before = last.insert(&draft.chat, *seq).unwrap_or_default();
                    ensure(before < *seq, || format!("{name}: {} was sent after what lies at {before}, and lies at {seq}", draft.id))?;
                }
            }
            (Some(Outcome::Acknowledged { .. }), None) => return Err(format!("{name}: {} was acknowledged and is lost", draft.id)),
            // A repetition may be stored after the first was refused, and never the other way round.
            (Some(Outcome::Refused { code, given_at }), Some(posted)) => ensure(posted.commit > *given_at, || {
                format!("{name}: {} was given when the log ended at {}, refused for good ({code}), and is {posted:?}", draft.id, given_at.0)
            })?,
            (Some(Outcome::Refused { .. }) | None, None) | (None, Some(_)) => {}
        }
    }
    Ok(())
}

/// A device has shown every message that its user may see, once, in the order of the log, and no other.
fn seen(name: &str, shown: &Shown, evidence: &Evidence, truth: &Truth, contents: &BTreeMap<&str, &str>) -> Checked {
    let actor = &evidence.cast.actors[shown.actor];
    let name = format!("{name} as {}", actor.name);
    ensure(!shown.is_over || truth.merged.contains(&(actor.tenant, actor.user)), || format!("{name}: was signed out and was not merged"))?;
    let nothing = Vec::new();
    let expected = truth.seen.get(&(actor.tenant, actor.user)).unwrap_or(&nothing);
    let items: Vec<&Item> = shown.items.iter().filter(|item| item.said.is_some()).collect();
    for (nth, item) in items.iter().enumerate() {
        let Some(said) = &item.said else { continue };
        let place = (item.position.as_str(), said.chat.as_str(), said.seq, said.message.as_str(), said.client.as_str());
        let wanted = expected.get(nth).map(|posted| {
            let chat = posted.chat.to_string();
            (posted, place == (posted.position.as_str(), chat.as_str(), posted.seq, posted.message.as_str(), posted.client.as_str()))
        });
        match wanted {
            Some((_, true)) => {}
            Some((posted, false)) => return Err(format!("{name}: item {} is {said:?}, and {posted:?} is next", item.index)),
            None => return Err(format!("{name}: item {} is {said:?}, which is not theirs to see", item.index)),
        }
        let is_gone = truth.recalled.contains(&said.message) || truth.hidden.contains(&(actor.user, said.message.clone()));
        match (&said.content, contents.get(said.client.as_str())) {
            (Some(content), Some(written)) => ensure(content == written, || format!("{name}: {content:?} was written as {written:?}"))?,
            (None, _) => ensure(is_gone, || format!("{name}: item {} has no content, and nobody took it away", item.index))?,
            // Said before the seed began.
            (Some(_), None) => {}
        }
    }
    let nothing = BTreeMap::new();
    let heard = truth.heard.get(&(actor.tenant, actor.user)).unwrap_or(&nothing);
    for item in shown.items.iter().filter(|item| item.kind == "read") {
        let wanted = heard.get(&item.position);
        ensure(wanted == item.up_to.as_ref(), || {
            format!("{name}: item {} says that somebody read up to {:?}, and {wanted:?} is theirs to hear", item.index, item.up_to)
        })?;
    }
    let due = expected.iter().filter(|posted| posted.commit <= evidence.rest).count();
    ensure(shown.is_over || items.len() >= due, || {
        format!("{name}: has shown {} messages of {}; next is {:?}", items.len(), expected.len(), expected.get(items.len()))
    })
}

/// The numbers that a device has seen are those of the feed.
fn numbers(name: &str, shown: &Shown, feed: &Numbers) -> Checked {
    for (nth, item) in shown.items.iter().enumerate() {
        let known = feed.get(nth).map(|(position, kind)| (position.as_str(), kind.as_str()));
        let own = (item.position.as_str(), item.kind.as_str());
        ensure(item.index == nth as u64 + 1, || format!("{name}: item {} at place {}", item.index, nth + 1))?;
        ensure(known == Some(own), || format!("{name}: item {} is {own:?}, and {known:?} in the feed", item.index))?;
    }
    Ok(())
}

/// The log in words, for a failure.
pub(super) fn trace(evidence: &Evidence) -> String {
    let line = |placed: &Placed| format!("{} {} {:?}\n", placed.position(), placed.stream, placed.event);
    evidence.events.iter().map(line).collect()
}
