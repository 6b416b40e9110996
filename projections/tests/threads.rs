//! Given what happened in a group thread, then the feeds, the unread counts and the rows; and nothing from before a member came.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use application::ports::event_log::CommitPosition;
use application::queries::{ChatRow, FeedKind};
use domain::chat::event as chat;
use domain::chat::permissions::Permissions;
use domain::ids::{MessageId, UserId};
use domain::message::ChatRole;
use domain::private::Private;
use projections::store::MemoryStore;
use projections::verify::verify;
use projections::view_set::ViewSet;
use support::History;
use support::people::acme;
use support::threads::{CARRIER, INFLUENCER, LATE, MERCHANT, THREAD, Thread, whole_story};

struct Seen(Arc<ViewSet>);

fn given(story: impl FnOnce(&mut History)) -> Seen {
    let mut history = History::new();
    story(&mut history);
    Seen(history.viewed().1.views())
}

impl Seen {
    fn kinds(&self, user: UserId) -> Vec<FeedKind> {
        self.0.feed().items(acme(), user, 0, 1_000).unwrap().into_iter().map(|item| item.kind).collect()
    }

    fn unread(&self, user: UserId) -> Option<u64> {
        self.0.unread().unread(acme(), THREAD, user).unwrap()
    }

    fn row(&self) -> ChatRow {
        self.0.conversation_list().chat(acme(), THREAD).unwrap().unwrap()
    }
}

#[test]
fn the_first_members_hear_of_each_other_and_of_every_message() {
    let seen = given(|history| Thread::created(history, acme()).says(MERCHANT).says(INFLUENCER).end());
    assert_eq!(seen.kinds(MERCHANT), [FeedKind::Joined, FeedKind::MemberJoined, FeedKind::Message, FeedKind::Message]);
    assert_eq!(seen.kinds(INFLUENCER), [FeedKind::Joined, FeedKind::Message, FeedKind::Message]);
    let row = seen.row();
    assert_eq!((row.shop(), row.customer(), row.conversation, row.last_seq), (None, None, None, 2));
    let part = |user| row.member(user).map(|member| (member.role, member.participant.clone().unwrap().permissions));
    assert_eq!(part(MERCHANT), Some((ChatRole::Participant, Permissions::ALL)));
    assert_eq!(part(INFLUENCER), Some((ChatRole::Participant, Permissions::POST)));
    assert_eq!(row.thread().unwrap().owner, Some(MERCHANT));
    assert_eq!(seen.0.conversation_list().chats_of(acme(), INFLUENCER).unwrap(), [THREAD]);
}

#[test]
fn a_newcomer_gets_one_item_and_counts_from_their_coming() {
    let before = |history: &mut History| Thread::created(history, acme()).says(MERCHANT).says(MERCHANT).invited(LATE).end();
    let seen = given(before);
    assert_eq!(seen.kinds(LATE), [FeedKind::Joined]);
    assert_eq!(seen.unread(LATE), Some(0));
    assert_eq!(seen.unread(INFLUENCER), Some(2));
    assert_eq!(seen.row().member(LATE).unwrap().floor(), 2);
    let seen = given(|history| Thread::created(history, acme()).says(MERCHANT).says(MERCHANT).invited(LATE).says(MERCHANT).end());
    assert_eq!(seen.kinds(LATE), [FeedKind::Joined, FeedKind::Message]);
    assert_eq!(seen.unread(LATE), Some(1));
}

#[test]
fn what_became_of_older_messages_does_not_reach_a_newcomer() {
    let seen = given(|history| {
        let thread = Thread::created(history, acme()).says(MERCHANT).invited(LATE).says(MERCHANT);
        thread.recalled(1, MERCHANT).read(INFLUENCER, 1).recalled(2, MERCHANT).read(INFLUENCER, 2).end();
    });
    assert_eq!(seen.kinds(LATE), [FeedKind::Joined, FeedKind::Message, FeedKind::Recalled, FeedKind::Read]);
    let of_influencer = seen.kinds(INFLUENCER);
    assert_eq!(of_influencer.iter().filter(|kind| **kind == FeedKind::Recalled).count(), 2);
    assert_eq!(of_influencer.iter().filter(|kind| **kind == FeedKind::Read).count(), 2);
}

#[test]
fn a_newcomer_has_not_read_what_they_never_saw() {
    let seen = given(|history| Thread::created(history, acme()).says(MERCHANT).invited(LATE).says(MERCHANT).read(LATE, 2).end());
    let row = seen.row();
    let late = row.member(LATE).unwrap();
    assert!(!late.has_read(1) && late.has_read(2) && !late.has_read(3));
}

#[test]
fn who_has_gone_hears_and_counts_nothing_more_and_comes_back_as_a_newcomer() {
    let gone = given(|history| Thread::created(history, acme()).says(INFLUENCER).left(INFLUENCER).says(MERCHANT).end());
    assert_eq!(gone.kinds(INFLUENCER).last(), Some(&FeedKind::MemberLeft));
    assert_eq!(gone.unread(INFLUENCER), None);
    assert!(gone.row().member(INFLUENCER).is_none());
    assert_eq!(gone.0.conversation_list().chats_of(acme(), INFLUENCER).unwrap(), []);
    let back = given(|history| {
        Thread::created(history, acme()).says(INFLUENCER).left(INFLUENCER).says(MERCHANT).invited(INFLUENCER).says(MERCHANT).end();
    });
    assert_eq!(back.kinds(INFLUENCER)[2..], [FeedKind::MemberLeft, FeedKind::Joined, FeedKind::Message]);
    assert_eq!(back.unread(INFLUENCER), Some(1));
}

#[test]
fn what_becomes_of_a_thread_reaches_all_members_and_ones_own_wishes_oneself() {
    let seen = given(|history| {
        Thread::created(history, acme())
            .and(chat::PermissionsChanged { user: INFLUENCER, permissions: Permissions::ALL })
            .and(chat::GroupRenamed { by: MERCHANT, private: Private::Closed })
            .and(chat::ThreadMuted { user: INFLUENCER })
            .and(chat::ThreadArchived { user: INFLUENCER })
            .and(chat::OwnershipPassed { from: MERCHANT, to: INFLUENCER })
            .and(chat::GroupDissolved { by: INFLUENCER });
    });
    assert_eq!(seen.kinds(MERCHANT)[2..], [FeedKind::Thread; 4]);
    assert_eq!(seen.kinds(INFLUENCER)[1..], [FeedKind::Thread; 6]);
    let row = seen.row();
    let part = row.member(INFLUENCER).unwrap().participant.clone().unwrap();
    assert_eq!((part.permissions, part.muted, part.archived), (Permissions::ALL, true, true));
    assert_eq!(row.thread().unwrap().owner, None, "dissolved");
    assert_eq!(row.thread().unwrap().title.commit, CommitPosition(4), "the newest title");
}

#[test]
fn what_is_hidden_is_hidden_from_oneself() {
    let hidden = chat::MessageHidden { message: MessageId::from_u128(1), seq: 1, reader: INFLUENCER };
    let seen = given(|history| Thread::created(history, acme()).says(MERCHANT).and(hidden).end());
    assert!(seen.0.unread().is_hidden(acme(), THREAD, 1, INFLUENCER).unwrap());
    assert_eq!(seen.kinds(INFLUENCER).last(), Some(&FeedKind::Hidden));
    assert_eq!(seen.kinds(MERCHANT).last(), Some(&FeedKind::Message));
}

#[tokio::test]
async fn a_thread_is_verified_and_one_altered_row_of_it_is_found() {
    let mut history = History::new();
    whole_story(&mut history, acme());
    let (memory, mut engine) = history.viewed();
    engine.checkpoint().unwrap();
    let sound: BTreeMap<String, BTreeMap<Vec<u8>, Vec<u8>>> = memory.dump();
    let report = verify(history.log(), Arc::new(MemoryStore::restored(sound.clone()))).await.unwrap();
    assert!(report.ok, "{report:#?}");
    let floors = report.invariants.iter().find(|invariant| invariant.name.contains("new member")).unwrap();
    assert_eq!((floors.checked, floors.violated), (4, 0));
    let mut altered_tables = 0;
    for (table, rows) in &sound {
        for (key, value) in rows.iter().filter(|_| table != "meta") {
            let mut altered = sound.clone();
            let mut wrong = value.clone();
            match wrong.last_mut() {
                Some(byte) => *byte ^= 1,
                None => wrong.push(1),
            }
            altered.get_mut(table).unwrap().insert(key.clone(), wrong);
            let report = verify(history.log(), Arc::new(MemoryStore::restored(altered))).await.unwrap();
            assert!(!report.ok, "an altered row of {table} was not found");
            altered_tables += 1;
        }
    }
    assert!(altered_tables >= 10, "chats, marks, members and feeds of four people: {altered_tables}");
}

#[tokio::test]
async fn a_floor_that_is_not_where_the_member_came_in_breaks_the_invariant() {
    let mut history = History::new();
    let wrong = chat::MemberInvited { user: LATE, label: "guest".parse().unwrap(), permissions: Permissions::POST, floor: 1 };
    Thread::created(&mut history, acme()).says(MERCHANT).says(MERCHANT).and(wrong).invited(CARRIER).end();
    let (memory, mut engine) = history.viewed();
    engine.checkpoint().unwrap();
    let report = verify(history.log(), Arc::new(MemoryStore::restored(memory.dump()))).await.unwrap();
    let floors = report.invariants.iter().find(|invariant| invariant.name.contains("new member")).unwrap();
    assert!(!report.ok && (floors.checked, floors.violated) == (3, 1), "{report:#?}");
}
