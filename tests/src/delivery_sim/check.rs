//! What must hold when a seed is over, by code that reads the raw events and shares nothing with the views.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use application::log::codec::{self, Reading};
use application::log::commit;
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::{CommitPosition, Position, ShardId, StoredCommit};
use domain::chat::event::ChatEvent;
use domain::event::Event;
use domain::ids::{ChatId, TenantId, UserId};
use domain::message::Visibility;
use domain::user::event::UserEvent;

use super::cast::Cast;
use super::device::{Draft, Item, Outcome, Shown};

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
    pub(super) commits: Vec<StoredCommit>,
    /// Up to here every device must have shown everything.
    pub(super) rest: CommitPosition,
    /// Whether no append failed: then what a device sent first is first.
    pub(super) is_ordered: bool,
    pub(super) devices: Vec<Left>,
    /// The feeds that the node had at the end, and those that were made anew from the log, by actor.
    pub(super) feeds: Vec<(&'static str, Vec<Numbers>)>,
}

type Checked = Result<(), String>;

fn ensure(holds: bool, broken: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(broken()) }
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

/// Somebody who takes part in a chat at some moment.
#[derive(Clone, Copy)]
struct Member {
    is_staff: bool,
    /// Read up to here.
    read: u64,
}

/// A chat at some moment.
#[derive(Default)]
struct Room {
    members: BTreeMap<UserId, Member>,
    /// Of each message, whether it is a note.
    notes: Vec<bool>,
}

impl Room {
    fn last(&self) -> u64 {
        self.notes.len() as u64
    }

    fn enters(&mut self, user: UserId, is_staff: bool, read: u64) {
        self.members.entry(user).or_insert(Member { is_staff, read }).is_staff = is_staff;
    }

    /// Who hears that somebody has read up to a place, and up to which.
    fn hear(&mut self, reader: UserId, up_to_seq: u64) -> Vec<(UserId, u64)> {
        let Some(before) = self.members.get_mut(&reader).map(|member| (member.is_staff, std::mem::replace(&mut member.read, up_to_seq)))
        else {
            return Vec::new();
        };
        let (by_staff, before) = before;
        let is_note = |seq: &u64| usize::try_from(*seq - 1).ok().and_then(|at| self.notes.get(at)).copied().unwrap_or_default();
        let shown = if by_staff { (before + 1..=up_to_seq).rev().find(|seq| !is_note(seq)) } else { Some(up_to_seq) };
        let heard = |member: &Member| if member.is_staff { Some(up_to_seq) } else { shown };
        self.members.iter().filter_map(|(user, member)| Some((*user, heard(member)?))).collect()
    }
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

/// Every event of a log, with its place.
fn events(commits: &[StoredCommit]) -> impl Iterator<Item = (StreamId, Position, Event)> {
    commits.iter().flat_map(|stored| {
        let header = commit::header(&stored.bytes).expect("our own commit");
        let events = commit::events(&stored.bytes).expect("our own commit");
        (0..).zip(events).map(move |(index, raw)| {
            let event = codec::decode(&header.stream, &raw.expect("our own commit"), Reading::Closed).expect("our own event");
            let position = Position { shard: ShardId(0), commit: stored.position, index };
            (header.stream, position, event)
        })
    })
}

impl Truth {
    fn read(commits: &[StoredCommit]) -> Result<Self, String> {
        let (mut truth, mut chats) = (Self::default(), BTreeMap::<StreamId, Room>::new());
        for (stream, position, event) in events(commits) {
            match (stream.key, event) {
                (StreamKey::User(user), Event::User(UserEvent::CustomerMerged(_))) => {
                    truth.merged.insert((stream.tenant, user));
                }
                (StreamKey::Chat(chat), Event::Chat(event)) => {
                    truth.chat_event(stream.tenant, chat, position, &event, chats.entry(stream).or_default())?;
                }
                _ => {}
            }
        }
        Ok(truth)
    }

    fn chat_event(&mut self, tenant: TenantId, chat: ChatId, at: Position, event: &ChatEvent, room: &mut Room) -> Checked {
        let last = room.last();
        match event {
            ChatEvent::ChatOpened(opened) => room.enters(opened.customer, false, 0),
            ChatEvent::GroupCreated(created) => room.enters(created.owner, false, 0),
            ChatEvent::MemberJoined(joined) => room.enters(joined.user, joined.role.is_staff(), 0),
            ChatEvent::MemberInvited(invited) => {
                room.enters(invited.user, false, invited.floor);
                ensure(invited.floor == last, || format!("{chat}: invited with floor {} after {last}", invited.floor))?;
            }
            ChatEvent::MemberLeft(left) => _ = room.members.remove(&left.user),
            ChatEvent::CustomerReplaced(replaced) => {
                let read = room.members.remove(&replaced.from).map_or(0, |member| member.read);
                room.enters(replaced.into, false, read);
            }
            ChatEvent::MessagesRead(read) => {
                for (user, up_to) in room.hear(read.reader, read.up_to_seq) {
                    self.heard.entry((tenant, user)).or_default().insert(at.to_string(), up_to);
                }
            }
            ChatEvent::MessagePosted(said) => {
                ensure(said.seq == last + 1, || format!("{chat}: place {} after {last}", said.seq))?;
                room.notes.push(said.visibility == Visibility::Staff);
                let client = said.client_message.to_string();
                let (message, position) = (said.message.to_string(), at.to_string());
                let posted = Posted { chat, seq: said.seq, message, client: client.clone(), position, commit: at.commit };
                for (user, member) in &room.members {
                    let may_see = member.is_staff || said.visibility == Visibility::All;
                    if may_see && !self.merged.contains(&(tenant, *user)) {
                        self.seen.entry((tenant, *user)).or_default().push(posted.clone());
                    }
                }
                self.posted.entry(client).or_default().push(posted);
            }
            ChatEvent::MessageRecalled(recalled) => _ = self.recalled.insert(recalled.message.to_string()),
            ChatEvent::MessageHidden(hidden) => _ = self.hidden.insert((hidden.reader, hidden.message.to_string())),
            ChatEvent::UploadExpired(_)
            | ChatEvent::ConversationStarted(_)
            | ChatEvent::ConversationResumed(_)
            | ChatEvent::ConversationEnded(_)
            | ChatEvent::ConversationIdled(_)
            | ChatEvent::PermissionsChanged(_)
            | ChatEvent::OwnershipPassed(_)
            | ChatEvent::GroupRenamed(_)
            | ChatEvent::ThreadMuted(_)
            | ChatEvent::ThreadUnmuted(_)
            | ChatEvent::ThreadArchived(_)
            | ChatEvent::ThreadUnarchived(_)
            | ChatEvent::GroupDissolved(_) => {}
        }
        Ok(())
    }
}

/// Every promise; the first that is broken.
pub(super) fn check(evidence: &Evidence) -> Checked {
    let truth = Truth::read(&evidence.commits)?;
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
    let lines = events(&evidence.commits).map(|(stream, position, event)| format!("{position} {stream} {event:?}\n"));
    lines.collect()
}
