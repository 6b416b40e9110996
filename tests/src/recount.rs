//! A log counted anew, for the checks of the simulations: every event with its place, and who must learn of it.
//!
//! It reads the raw events and shares nothing with the views. What a feed or a device shows it must not know.

use std::collections::{BTreeMap, BTreeSet};

use application::log::codec::{self, Reading};
use application::log::commit;
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::{Position, ShardId, StoredCommit};
use application::queries::EventRef;
use domain::chat::event::{ChatEvent, MessagePosted};
use domain::event::Event;
use domain::ids::{TenantId, UserId};
use domain::message::Visibility;
use domain::time::Timestamp;
use domain::user::event::UserEvent;

/// What a check answers: what is broken.
pub type Checked = Result<(), String>;

/// Whether something holds that must.
///
/// # Errors
/// What is broken.
pub fn ensure(holds: bool, broken: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(broken()) }
}

/// An event with its place.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Of which stream.
    pub stream: StreamId,
    /// Where in the log.
    pub at: EventRef,
    /// When.
    pub time: Timestamp,
    /// With its private half closed.
    pub event: Event,
}

impl Placed {
    /// Where it is, as frames write it.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { shard: ShardId(0), commit: self.at.commit, index: self.at.index }
    }
}

/// Every event of some commits, oldest first.
///
/// # Panics
/// When a commit is not ours.
#[must_use]
pub fn placed(commits: &[StoredCommit]) -> Vec<Placed> {
    let mut events = Vec::new();
    for stored in commits {
        let header = commit::header(&stored.bytes).expect("our own commit");
        for (index, raw) in (0..).zip(commit::events(&stored.bytes).expect("our own commit")) {
            let event = codec::decode(&header.stream, &raw.expect("our own commit"), Reading::Closed).expect("our own event");
            let at = EventRef { commit: stored.position, index };
            events.push(Placed { stream: header.stream, at, time: header.time, event });
        }
    }
    events
}

/// Who must learn what of an event.
pub enum Told<'a> {
    /// Nobody anything that is counted here.
    Nothing,
    /// These hear what was said.
    Said {
        /// What.
        said: &'a MessagePosted,
        /// To whom.
        to: Vec<UserId>,
    },
    /// Each of these hears that somebody has read up to a place.
    Read(Vec<(UserId, u64)>),
}

/// Who takes part in the chats of a log, told event by event.
#[derive(Default)]
pub struct Recount {
    rooms: BTreeMap<StreamId, Room>,
    /// Accounts that are another one now.
    pub merged: BTreeSet<(TenantId, UserId)>,
}

impl Recount {
    /// Takes the next event of the log.
    ///
    /// # Errors
    /// When its place in a chat is none.
    pub fn take<'a>(&mut self, placed: &'a Placed) -> Result<Told<'a>, String> {
        let (tenant, stream) = (placed.stream.tenant, placed.stream);
        match (stream.key, &placed.event) {
            (StreamKey::User(user), Event::User(UserEvent::CustomerMerged(_))) => {
                self.merged.insert((tenant, user));
                Ok(Told::Nothing)
            }
            (StreamKey::Chat(_), Event::Chat(event)) => {
                let merged = &self.merged;
                let told = self.rooms.entry(stream).or_default().take(event, |user| merged.contains(&(tenant, user)));
                told.map_err(|broken| format!("{stream}: {broken}"))
            }
            _ => Ok(Told::Nothing),
        }
    }
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

    fn take<'a>(&mut self, event: &'a ChatEvent, is_merged: impl Fn(UserId) -> bool) -> Result<Told<'a>, String> {
        let last = self.last();
        match event {
            ChatEvent::ChatOpened(opened) => self.enters(opened.customer, false, 0),
            ChatEvent::GroupCreated(created) => self.enters(created.owner, false, 0),
            ChatEvent::MemberJoined(joined) => self.enters(joined.user, joined.role.is_staff(), 0),
            ChatEvent::MemberInvited(invited) => {
                self.enters(invited.user, false, invited.floor);
                ensure(invited.floor == last, || format!("invited with floor {} after {last}", invited.floor))?;
            }
            ChatEvent::MemberLeft(left) => _ = self.members.remove(&left.user),
            ChatEvent::CustomerReplaced(replaced) => {
                let read = self.members.remove(&replaced.from).map_or(0, |member| member.read);
                self.enters(replaced.into, false, read);
            }
            ChatEvent::MessagesRead(read) => return Ok(Told::Read(self.hear(read.reader, read.up_to_seq))),
            ChatEvent::MessagePosted(said) => {
                ensure(said.seq == last + 1, || format!("has place {} after {last}", said.seq))?;
                self.notes.push(said.visibility == Visibility::Staff);
                let may_see = |member: &Member| member.is_staff || said.visibility == Visibility::All;
                let readers = self.members.iter().filter(|(user, member)| may_see(member) && !is_merged(**user));
                return Ok(Told::Said { said, to: readers.map(|(user, _)| *user).collect() });
            }
            ChatEvent::MessageRecalled(_)
            | ChatEvent::MessageHidden(_)
            | ChatEvent::UploadExpired(_)
            | ChatEvent::ConversationStarted(_)
            | ChatEvent::ConversationResumed(_)
            | ChatEvent::ConversationEnded(_)
            | ChatEvent::ConversationIdled(_)
            | ChatEvent::IdleLimitsSet(_)
            | ChatEvent::IdleReminded(_)
            | ChatEvent::AnswerOverdue(_)
            | ChatEvent::AssignmentAccepted(_)
            | ChatEvent::AssignmentTimedOut(_)
            | ChatEvent::RobotEngaged(_)
            | ChatEvent::RobotDismissed(_)
            | ChatEvent::QuestionAsked(_)
            | ChatEvent::OutreachAttempted(_)
            | ChatEvent::OutreachHandedOver(_)
            | ChatEvent::PermissionsChanged(_)
            | ChatEvent::OwnershipPassed(_)
            | ChatEvent::GroupRenamed(_)
            | ChatEvent::ThreadMuted(_)
            | ChatEvent::ThreadUnmuted(_)
            | ChatEvent::ThreadArchived(_)
            | ChatEvent::ThreadUnarchived(_)
            | ChatEvent::GroupDissolved(_) => {}
        }
        Ok(Told::Nothing)
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
