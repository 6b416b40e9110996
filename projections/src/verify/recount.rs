//! Feeds and unread counts, counted naively from raw events, and compared with what the views answer.

mod fields;

use application::log::commit::ChainHash;
use application::log::stream::StreamKey;
use application::queries::{EventRef, FeedKind};
use domain::ids::{ChatId, ConversationId, TenantId, UserId};
use domain::message::{ChatRole, Visibility};
use hashbrown::{HashMap, HashSet};

use self::fields::{
    Answered, Assigned, Begun, Created, Hidden, Invited, Joined, Left, Opened, Posted, Read, Recalled, Replaced, Resumed, Ticket,
};
use super::InvariantReport;
use super::invariants::{Check, Raw};
use crate::engine::Engine;
use crate::view_set::ViewSet;

/// Feed items read from a view at a time.
const PAGE: usize = 1_024;

#[derive(Clone, Copy)]
struct Member {
    role: ChatRole,
    read: u64,
    /// The last place before they came; 0 where everybody reads everything.
    floor: u64,
}

#[derive(Default)]
struct Chat {
    customer: Option<UserId>,
    members: HashMap<UserId, Member>,
    sent: HashMap<UserId, u64>,
    /// Of each message, whether it is for staff only.
    staff_only: Vec<bool>,
}

impl Chat {
    fn unread(&self, user: UserId) -> Option<u64> {
        let Member { role, read, floor } = *self.members.get(&user)?;
        let seen = read.max(floor).max(self.sent.get(&user).copied().unwrap_or(0));
        let beyond = self.staff_only.iter().skip(usize::try_from(seen).unwrap_or(usize::MAX));
        Some(beyond.filter(|staff_only| role.is_staff() || !**staff_only).count() as u64)
    }
}

struct Conversation {
    chat: ChatId,
    customer: UserId,
    agent: Option<UserId>,
}

/// The length of a feed and a fingerprint of its items.
#[derive(Clone, Copy, Default)]
struct FeedCount {
    length: u64,
    fingerprint: u64,
    ended: bool,
}

impl FeedCount {
    fn add(&mut self, at: EventRef, kind: FeedKind) {
        if self.ended {
            return;
        }
        self.ended = kind == FeedKind::MergedInto;
        self.length += 1;
        for part in [at.commit.0, u64::from(at.index), u64::from(kind as u8)] {
            // FNV-1a over whole numbers.
            self.fingerprint = (self.fingerprint ^ part).wrapping_mul(0x0100_0000_01b3).rotate_left(17);
        }
    }
}

/// See the file's head.
pub(super) struct Recount {
    chats: HashMap<(TenantId, ChatId), Chat>,
    conversations: HashMap<(TenantId, ConversationId), Conversation>,
    feeds: HashMap<(TenantId, UserId), FeedCount>,
    client_ids: HashSet<[u8; 16]>,
    /// Views that an operator let leave something out: they rightly differ from the count.
    skipped: HashSet<(String, TenantId)>,
    places: Check,
    posted_once: Check,
    floors: Check,
}

impl Default for Recount {
    fn default() -> Self {
        Self {
            chats: HashMap::new(),
            conversations: HashMap::new(),
            feeds: HashMap::new(),
            client_ids: HashSet::new(),
            skipped: HashSet::new(),
            places: Check::new("messages of a chat take contiguous places from 1"),
            posted_once: Check::new("a client id is posted once per sender and chat"),
            floors: Check::new("a new member of a group thread reads what is said after they came"),
        }
    }
}

impl Recount {
    /// Takes an event in; `None` when its fields are others.
    pub(super) fn event(&mut self, raw: &Raw<'_>) -> Option<()> {
        let tenant = raw.header.stream.tenant;
        match raw.header.stream.key {
            StreamKey::Chat(chat) => self.chat_event(tenant, chat, raw),
            StreamKey::Conversation(conversation) => self.conversation_event(tenant, conversation, raw),
            StreamKey::User(user) if raw.name == "user.merged" => {
                self.give(tenant, user, raw.at, FeedKind::MergedInto);
                Some(())
            }
            StreamKey::Tenant if raw.name == "tenant.consumer_resumed" => {
                let resumed: Resumed = raw.fields()?;
                if resumed.verdict == "skip" {
                    self.skipped.insert((resumed.consumer, tenant));
                }
                Some(())
            }
            StreamKey::User(_) | StreamKey::Tenant | StreamKey::Desk | StreamKey::Campaign(_) | StreamKey::Retrieval => Some(()),
        }
    }

    fn give(&mut self, tenant: TenantId, user: UserId, at: EventRef, kind: FeedKind) {
        self.feeds.entry((tenant, user)).or_default().add(at, kind);
    }

    fn chat_event(&mut self, tenant: TenantId, id: ChatId, raw: &Raw<'_>) -> Option<()> {
        let chat = self.chats.entry((tenant, id)).or_default();
        let everybody: Vec<(UserId, Member)> = chat.members.iter().map(|(user, member)| (*user, *member)).collect();
        let who_see = |seq: u64| everybody.iter().filter(move |(_, member)| member.floor < seq);
        let mut readers: Vec<(UserId, FeedKind)> = Vec::new();
        match raw.name {
            "chat.opened" => {
                let opened: Opened = raw.fields()?;
                chat.customer = Some(opened.customer);
                chat.members.insert(opened.customer, Member { role: ChatRole::Customer, read: 0, floor: 0 });
                readers.push((opened.customer, FeedKind::Joined));
            }
            "chat.group_created" => {
                let created: Created = raw.fields()?;
                chat.members.insert(created.owner, Member { role: ChatRole::Participant, read: 0, floor: 0 });
                readers.push((created.owner, FeedKind::Joined));
            }
            "chat.member_invited" => {
                let Invited { user, floor } = raw.fields()?;
                chat.members.insert(user, Member { role: ChatRole::Participant, read: 0, floor });
                let said = chat.staff_only.len() as u64;
                self.floors.that(floor == said, || format!("{user} in chat {id} of {tenant}"));
                readers.extend(everybody.iter().filter(|(known, _)| *known != user).map(|(known, _)| (*known, FeedKind::MemberJoined)));
                readers.push((user, FeedKind::Joined));
            }
            "chat.permissions_changed" | "chat.ownership_passed" | "chat.group_renamed" | "chat.dissolved" => {
                readers.extend(everybody.iter().map(|(user, _)| (*user, FeedKind::Thread)));
            }
            "chat.muted" | "chat.unmuted" | "chat.archived" | "chat.unarchived" => {
                readers.push((raw.fields::<Left>()?.user, FeedKind::Thread));
            }
            "chat.member_joined" => {
                let joined: Joined = raw.fields()?;
                let newcomer = Member { role: joined.role, read: 0, floor: 0 };
                chat.members.entry(joined.user).or_insert(newcomer).role = joined.role;
                readers.extend(everybody.iter().filter(|(user, _)| *user != joined.user).map(|(user, _)| (*user, FeedKind::MemberJoined)));
                readers.push((joined.user, FeedKind::Joined));
            }
            "chat.member_left" => {
                let left: Left = raw.fields()?;
                chat.members.remove(&left.user);
                readers.extend(everybody.iter().map(|(user, _)| (*user, FeedKind::MemberLeft)));
            }
            "chat.customer_replaced" => {
                let replaced: Replaced = raw.fields()?;
                chat.customer = Some(replaced.into);
                if let Some(member) = chat.members.remove(&replaced.from) {
                    chat.members.insert(replaced.into, member);
                }
                if let Some(sent) = chat.sent.remove(&replaced.from) {
                    let last = chat.sent.entry(replaced.into).or_default();
                    *last = sent.max(*last);
                }
                readers.extend([(replaced.from, FeedKind::MergedInto), (replaced.into, FeedKind::Joined)]);
            }
            "chat.message_posted" => {
                let posted: Posted = raw.fields()?;
                let next = chat.staff_only.len() as u64 + 1;
                let place = || format!("place {} in chat {id} of {tenant}", posted.seq);
                self.places.that(posted.seq == next, place);
                let key = [&id.as_bytes()[..], posted.sender.as_bytes(), posted.client_message.as_bytes(), tenant.as_str().as_bytes()];
                self.posted_once.that(self.client_ids.insert(ChainHash::of(&key.concat()).0), place);
                let staff_only = posted.visibility == Visibility::Staff;
                chat.staff_only.push(staff_only);
                chat.sent.insert(posted.sender, posted.seq);
                let may = everybody.iter().filter(|(_, member)| member.role.is_staff() || !staff_only);
                readers.extend(may.map(|(user, _)| (*user, FeedKind::Message)));
            }
            "chat.message_recalled" => {
                let recalled: Recalled = raw.fields()?;
                let may_know = |member: &Member| recalled.visibility == Visibility::All || member.role.is_staff();
                let readers_of_it = who_see(recalled.seq).filter(|(_, member)| may_know(member));
                readers.extend(readers_of_it.map(|(user, _)| (*user, FeedKind::Recalled)));
            }
            "chat.message_hidden" => readers.push((raw.fields::<Hidden>()?.reader, FeedKind::Hidden)),
            "chat.messages_read" => {
                let read: Read = raw.fields()?;
                if let Some(member) = chat.members.get_mut(&read.reader) {
                    member.read = read.up_to_seq.max(member.read);
                }
                let hears = |member: &Member| member.role.is_staff() || read.shown_seq != Some(0);
                readers.extend(who_see(read.up_to_seq).filter(|(_, member)| hears(member)).map(|(user, _)| (*user, FeedKind::Read)));
            }
            _ => {}
        }
        for (user, kind) in readers {
            self.give(tenant, user, raw.at, kind);
        }
        Some(())
    }

    fn conversation_event(&mut self, tenant: TenantId, id: ConversationId, raw: &Raw<'_>) -> Option<()> {
        if raw.name == "conversation.opened" {
            let begun: Begun = raw.fields()?;
            self.conversations.insert((tenant, id), Conversation { chat: begun.chat, customer: begun.customer, agent: None });
        }
        let conversation = self.conversations.get_mut(&(tenant, id))?;
        match raw.name {
            // What follows from them is told: a message, or the hand-off.
            "conversation.still_waiting"
            | "conversation.robot_engaged"
            | "conversation.robot_answered"
            | "conversation.answer_rated"
            | "conversation.human_wanted" => return Some(()),
            "conversation.ticket_changed" => {
                let ticket: Ticket = raw.fields()?;
                let staff: HashSet<UserId> = conversation.agent.into_iter().chain(ticket.owner).collect();
                staff.into_iter().for_each(|user| self.give(tenant, user, raw.at, FeedKind::Conversation));
                return Some(());
            }
            "conversation.provider_answered" if !raw.fields::<Answered>()?.answer.keeps_it() => return Some(()),
            _ => {}
        }
        let customer = self.chats.get(&(tenant, conversation.chat)).and_then(|chat| chat.customer).unwrap_or(conversation.customer);
        let mut readers: HashSet<UserId> = HashSet::from_iter([customer]);
        readers.extend(conversation.agent);
        if raw.name == "conversation.agent_assigned" {
            let assigned: Assigned = raw.fields()?;
            conversation.agent = Some(assigned.agent);
            readers.insert(assigned.agent);
        }
        for user in readers {
            self.give(tenant, user, raw.at, FeedKind::Conversation);
        }
        Some(())
    }

    /// Compares with the views. Tenants for whom a view stands still or left something out are passed over.
    pub(super) fn report(mut self, engine: &Engine) -> [InvariantReport; 5] {
        self.skipped.extend(engine.stopped().into_iter().map(|stop| (stop.consumer, stop.tenant)));
        let views = engine.views();
        let feeds = self.compare_feeds(&views);
        let unread = self.compare_unread(&views);
        [self.places.report(), self.posted_once.report(), self.floors.report(), feeds.report(), unread.report()]
    }

    fn compare_feeds(&self, views: &ViewSet) -> Check {
        let mut check = Check::new("feeds are contiguous from 1 and equal to a recount");
        let passed_over: HashSet<TenantId> = self.passed_over(crate::feed::INFO.name);
        let mut feeds: Vec<_> = self.feeds.iter().filter(|((tenant, _), _)| !passed_over.contains(tenant)).collect();
        feeds.sort_unstable_by_key(|(place, _)| **place);
        for ((tenant, user), counted) in feeds {
            let found = feed_of(views, *tenant, *user);
            let holds = found.is_some_and(|found| (found.length, found.fingerprint) == (counted.length, counted.fingerprint));
            check.that(holds, || format!("user {user} of {tenant}: counted {}", counted.length));
        }
        check
    }

    fn compare_unread(&self, views: &ViewSet) -> Check {
        let mut check = Check::new("unread equals a recount");
        let passed_over: HashSet<TenantId> = self.passed_over(crate::unread::INFO.name);
        let mut chats: Vec<_> = self.chats.iter().filter(|((tenant, _), _)| !passed_over.contains(tenant)).collect();
        chats.sort_unstable_by_key(|(place, _)| **place);
        for ((tenant, chat), counted) in chats {
            let mut members: Vec<UserId> = counted.members.keys().copied().collect();
            members.sort_unstable();
            for user in members {
                let found = views.unread().unread(*tenant, *chat, user).ok().flatten();
                let expected = counted.unread(user);
                check.that(found == expected, || format!("user {user} in chat {chat} of {tenant}: {found:?}, counted {expected:?}"));
            }
        }
        check
    }

    fn passed_over(&self, view: &str) -> HashSet<TenantId> {
        self.skipped.iter().filter(|(consumer, _)| consumer == view).map(|(_, tenant)| *tenant).collect()
    }
}

/// A feed as the view shows it, page by page; `None` when its numbers are not contiguous.
fn feed_of(views: &ViewSet, tenant: TenantId, user: UserId) -> Option<FeedCount> {
    let mut count = FeedCount::default();
    loop {
        let page = views.feed().items(tenant, user, count.length, PAGE).ok()?;
        if page.is_empty() {
            let head = views.feed().head(tenant, user).ok()?;
            return (head == count.length).then_some(count);
        }
        for item in page {
            if item.index != count.length + 1 {
                return None;
            }
            count.add(item.at, item.kind);
            count.ended = false;
        }
    }
}
