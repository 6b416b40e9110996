//! Given what happened in a chat, then the feeds, the unread counts, the lists and the timers.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use application::log::stream::StreamKey;
use application::ports::event_log::CommitPosition;
use application::queries::{AttachmentPlace, AttachmentUses, ConversationFilter, ConversationStatus, EventRef, FeedKind, TimerName};
use domain::chat::event as chat;
use domain::conversation::event as conversation;
use domain::event::Event;
use domain::ids::{AttachmentId, ConversationId, EventId, MessageId, TaskId, UserId};
use domain::message::{Category, ChatRole, Party, Visibility};
use domain::private::Private;
use domain::tenant::event::{Limits, LimitsChanged};
use domain::time::{Millis, Timestamp};
use domain::user::event as user;
use projections::timers::UNANSWERED_EXPIRY;
use support::START;
use support::people::*;

const MINUTE: Millis = Millis::minutes(1);

fn feed(story: &Story, user: UserId) -> Vec<(u64, u64, FeedKind)> {
    let items = story.views().feed().items(acme(), user, 0, 1_000).unwrap();
    items.into_iter().map(|item| (item.index, item.at.commit.0, item.kind)).collect()
}

fn kinds(story: &Story, user: UserId) -> Vec<FeedKind> {
    feed(story, user).into_iter().map(|(_, _, kind)| kind).collect()
}

fn at(commit: u64) -> Option<EventRef> {
    Some(EventRef { commit: CommitPosition(commit), index: 0 })
}

#[test]
fn a_feed_counts_from_one_and_says_where_each_fact_lies() {
    let story = Story::new().chat([chat::ChatOpened { shop: shop(), customer: BUYER }.into()]).says(BUYER).read(BUYER, 1);
    assert_eq!(feed(&story, BUYER), [(1, 1, FeedKind::Joined), (2, 2, FeedKind::Message), (3, 3, FeedKind::Read)]);
}

#[test]
fn a_newcomer_gets_one_item_and_reads_the_history_from_the_chat() {
    let story = Story::in_conversation().says(BUYER).joined(ALICE, ChatRole::Agent).says(ALICE);
    assert_eq!(kinds(&story, ALICE), [FeedKind::Joined, FeedKind::Message]);
    assert_eq!(kinds(&story, BUYER)[2..], [FeedKind::Message, FeedKind::MemberJoined, FeedKind::Message]);
    let messages = story.views().feed().messages(acme(), CHAT, 1, 10).unwrap();
    assert_eq!(messages.iter().map(|(seq, at)| (*seq, at.commit.0)).collect::<Vec<_>>(), [(1, 4), (2, 6)]);
    assert_eq!(story.views().feed().messages(acme(), CHAT, 2, 10).unwrap().len(), 1);
}

#[test]
fn a_note_enters_the_feeds_of_staff_only() {
    let story = Story::in_conversation().joined(ALICE, ChatRole::Agent).joined(SUPERVISOR, ChatRole::Supervisor).notes(ALICE);
    assert_eq!(kinds(&story, ALICE).last(), Some(&FeedKind::Message));
    assert_eq!(kinds(&story, SUPERVISOR).last(), Some(&FeedKind::Message));
    assert_eq!(kinds(&story, BUYER).last(), Some(&FeedKind::MemberJoined));
}

#[test]
fn who_leaves_is_told_and_gets_nothing_afterwards() {
    let story = Story::in_conversation().joined(ALICE, ChatRole::Agent).left(ALICE).says(BUYER);
    assert_eq!(kinds(&story, ALICE), [FeedKind::Joined, FeedKind::MemberLeft]);
    assert_eq!(kinds(&story, BUYER).last(), Some(&FeedKind::Message));
}

#[test]
fn what_one_hides_nobody_else_hears_of() {
    let hidden = chat::MessageHidden { message: MessageId::from_u128(1), seq: 1, reader: BUYER };
    let recalled = chat::MessageRecalled { message: MessageId::from_u128(1), seq: 1, by: BUYER, visibility: Visibility::All };
    let story = Story::in_conversation().joined(ALICE, ChatRole::Agent).says(BUYER).chat([hidden.into()]).chat([recalled.into()]);
    assert_eq!(kinds(&story, BUYER)[4..], [FeedKind::Hidden, FeedKind::Recalled]);
    assert_eq!(kinds(&story, ALICE), [FeedKind::Joined, FeedKind::Message, FeedKind::Recalled]);
    let views = story.views();
    assert!(views.unread().is_hidden(acme(), CHAT, 1, BUYER).unwrap());
    assert!(!views.unread().is_hidden(acme(), CHAT, 1, ALICE).unwrap());
    assert!(views.unread().is_recalled(acme(), CHAT, 1).unwrap());
    assert!(!views.unread().is_recalled(acme(), CHAT, 2).unwrap());
}

#[test]
fn what_staff_read_of_notes_is_no_item_of_the_customer() {
    let read = |up_to_seq, shown_seq| chat::MessagesRead { reader: ALICE, up_to_seq, shown_seq };
    let story = Story::in_conversation().joined(ALICE, ChatRole::Agent).says(BUYER).notes(ALICE).notes(ALICE);
    let story = story.chat([read(2, Some(1)).into()]).chat([read(3, Some(0)).into()]);
    assert_eq!(kinds(&story, BUYER)[4..], [FeedKind::Read]);
    assert_eq!(kinds(&story, ALICE)[4..], [FeedKind::Read, FeedKind::Read]);
    let row = story.views().conversation_list().chat(acme(), CHAT).unwrap().unwrap();
    let alice = row.member(ALICE).unwrap();
    assert_eq!((alice.read_seq, alice.shown_seq, row.last_seq, row.last_shown_seq), (3, 1, 3, 1));
}

#[test]
fn the_messages_that_use_an_attachment_are_known_by_their_places() {
    let picture = AttachmentId::from_u128(9);
    let shows = |seq, visibility| {
        let message = message(seq, ALICE, Category::Agent, visibility);
        chat::ChatEvent::from(chat::MessagePosted { attachment: Some(picture), ..message })
    };
    let story = Story::in_conversation().joined(ALICE, ChatRole::Agent).says(BUYER);
    let story = story.chat([shows(2, Visibility::Staff)]).chat([shows(3, Visibility::All)]);
    let views = story.views();
    let place = |seq, visibility| AttachmentPlace { seq, visibility };
    let uses = AttachmentUses { chat: CHAT, places: vec![place(2, Visibility::Staff), place(3, Visibility::All)] };
    assert_eq!(views.unread().attachment_uses(acme(), picture).unwrap(), Some(uses));
    assert_eq!(views.unread().attachment_uses(acme(), AttachmentId::from_u128(8)).unwrap(), None);
    assert_eq!(views.unread().attachment_uses(support::tenant("other"), picture).unwrap(), None);
}

#[test]
fn a_merge_ends_the_anonymous_feed_once_and_adds_one_item_to_the_other() {
    let replaced = chat::CustomerReplaced { from: BUYER, into: SIGNED_IN_BUYER, conversation: Some(CONVERSATION) };
    let registered = user::UserRegistered { role: user::Role::Customer, anonymous: true, private: Private::Closed };
    let story = Story::in_conversation()
        .event(StreamKey::User(BUYER), Event::User(registered.into()))
        .says(BUYER)
        .event(StreamKey::User(BUYER), Event::User(user::CustomerMerged { into: SIGNED_IN_BUYER, blocked: false }.into()))
        .joined(ALICE, ChatRole::Agent)
        .chat([replaced.into()])
        .conversation([conversation::CustomerReplaced { chat: CHAT, into: SIGNED_IN_BUYER }.into()])
        .says(SIGNED_IN_BUYER);
    assert_eq!(kinds(&story, BUYER)[2..], [FeedKind::Message, FeedKind::MergedInto]);
    assert_eq!(kinds(&story, SIGNED_IN_BUYER), [FeedKind::Joined, FeedKind::Conversation, FeedKind::Message]);
    let views = story.views();
    let list = views.conversation_list();
    assert_eq!(list.conversation(acme(), CONVERSATION).unwrap().unwrap().customer, SIGNED_IN_BUYER);
    assert_eq!(list.chats_of(acme(), SIGNED_IN_BUYER).unwrap(), [CHAT]);
    assert_eq!(list.chats_of(acme(), BUYER).unwrap(), []);
}

#[test]
fn conversation_facts_go_to_the_customer_and_whoever_serves_or_served_last() {
    let assigned = |agent, assignment| conversation::AgentAssigned { chat: CHAT, agent, assignment, provider: false };
    let released = conversation::AgentReleased { chat: CHAT, agent: ALICE, assignment: 1, group: None };
    let invited = conversation::RatingInvited { chat: CHAT, by: Party::System };
    let story = Story::in_conversation()
        .conversation([assigned(ALICE, 1).into()])
        .conversation([released.into()])
        .conversation([assigned(BOB, 2).into()])
        .conversation([invited.into()]);
    assert_eq!(kinds(&story, BUYER).len(), 6);
    assert_eq!(feed(&story, ALICE).iter().map(|item| item.1).collect::<Vec<_>>(), [4, 5, 6]);
    assert_eq!(feed(&story, BOB).iter().map(|item| item.1).collect::<Vec<_>>(), [6, 7]);
}

#[test]
fn unread_counts_what_one_may_see_after_what_one_has_read_or_sent() {
    let unread = |story: &Story, user| story.views().unread().unread(acme(), CHAT, user).unwrap();
    let story = Story::in_conversation().says(BUYER).says(BUYER).joined(ALICE, ChatRole::Agent);
    assert_eq!((unread(&story, BUYER), unread(&story, ALICE), unread(&story, BOB)), (Some(0), Some(2), None));
    let story = story.read(ALICE, 1).says(BUYER);
    assert_eq!(unread(&story, ALICE), Some(2));
    let story = story.notes(ALICE);
    assert_eq!((unread(&story, ALICE), unread(&story, BUYER)), (Some(0), Some(0)));
    let story = story.says(ALICE).notes(ALICE).says(ALICE);
    assert_eq!(unread(&story, BUYER), Some(2));
    let story = story.read(BUYER, 6);
    assert_eq!(unread(&story, BUYER), Some(1));
    let story = story.left(ALICE);
    assert_eq!(unread(&story, ALICE), None);
}

fn waiting_since(story: &Story) -> Option<Timestamp> {
    story.views().conversation_list().conversation(acme(), CONVERSATION).unwrap().unwrap().waiting_since
}

#[test]
fn a_customer_waits_from_their_first_message_until_an_agent_answers_for_all_to_see() {
    let story = Story::in_conversation();
    assert_eq!(waiting_since(&story), None);
    let story = story.later(MINUTE).says(BUYER).later(MINUTE).says(BUYER).joined(ALICE, ChatRole::Agent).notes(ALICE);
    assert_eq!(waiting_since(&story), Some(START + MINUTE));
    let story = story.says(ALICE);
    assert_eq!(waiting_since(&story), None);
    let story = story.later(MINUTE).says(BUYER);
    assert_eq!(waiting_since(&story), Some(START + Millis::minutes(3)));
}

#[test]
fn nobody_waits_in_a_conversation_that_ended_unless_the_end_overlooked_a_message() {
    let ended = chat::ConversationEnded { conversation: CONVERSATION };
    let closed = conversation::ConversationClosed {
        chat: CHAT,
        reason: conversation::CloseReason::EndedByAgent,
        by: Party::User(ALICE),
        seen_seq: 0,
        in_reception: false,
        label: None,
    };
    let story = Story::in_conversation().later(MINUTE).says(BUYER).conversation([closed.into()]).later(MINUTE).chat([ended.into()]);
    assert_eq!(waiting_since(&story), None);
    let resumed = chat::ConversationResumed { conversation: CONVERSATION, overlooked_seq: Some(1) };
    let story = story.chat([resumed.into()]).conversation([conversation::ConversationReopened { chat: CHAT, group: None }.into()]);
    assert_eq!(waiting_since(&story), Some(START + MINUTE));
    let row = story.views().conversation_list().conversation(acme(), CONVERSATION).unwrap().unwrap();
    assert_eq!((row.status, row.closed_at, row.messages), (ConversationStatus::Reception, None, 1));
}

#[test]
fn a_row_shows_where_the_conversation_stands() {
    let task = TaskId::from_u128(9);
    let handed = conversation::HandedOff {
        chat: CHAT,
        task,
        group: "sales".parse().unwrap(),
        left_message: false,
        route: None,
        skills: vec![],
        patience: conversation::Patience::default(),
        robot: None,
    };
    let assigned = conversation::AgentAssigned { chat: CHAT, agent: ALICE, assignment: 1, provider: false };
    let story = Story::in_conversation().conversation([handed.into()]);
    let row = |story: &Story| story.views().conversation_list().conversation(acme(), CONVERSATION).unwrap().unwrap();
    assert_eq!((row(&story).status, row(&story).task), (ConversationStatus::Waiting, Some(task)));
    let story = story.conversation([assigned.into()]).joined(ALICE, ChatRole::Agent).says(ALICE).notes(ALICE);
    let serving = row(&story);
    assert_eq!((serving.status, serving.agent, serving.assignment), (ConversationStatus::Serving, Some(ALICE), Some(1)));
    assert_eq!((serving.messages, serving.last_message), (2, at(7)));
    let chat = story.views().conversation_list().chat(acme(), CHAT).unwrap().unwrap();
    assert_eq!((chat.last_seq, chat.last_message, chat.members.len(), chat.conversation), (2, at(7), 2, Some(CONVERSATION)));
}

/// Many conversations, one a minute, each with one agent.
fn many(count: u128) -> Story {
    (1..=count).fold(Story::new(), |story, number| {
        let agent = if number.is_multiple_of(2) { ALICE } else { BOB };
        let id = ConversationId::from_u128(number);
        let opened = conversation::ConversationOpened { chat: CHAT, shop: shop(), customer: BUYER, entry: conversation::Entry::default() };
        let assigned = conversation::AgentAssigned { chat: CHAT, agent, assignment: 1, provider: false };
        story
            .later(MINUTE)
            .event(StreamKey::Conversation(id), Event::Conversation(opened.into()))
            .event(StreamKey::Conversation(id), Event::Conversation(assigned.into()))
    })
}

#[test]
fn lists_are_newest_first_complete_and_go_on_where_a_page_ended() {
    let story = many(300);
    let (_, store) = support::memory_store();
    let mut engine = projections::engine::Engine::open(store, story.history.log()).unwrap();
    let commits = story.history.decoded();
    let half = commits.len() / 2;
    engine.apply(commits[..half].to_vec(), CommitPosition(u64::MAX)).unwrap();
    engine.checkpoint().unwrap();
    // The other half is not written yet: both are in the lists.
    engine.apply(commits[half..].to_vec(), CommitPosition(u64::MAX)).unwrap();
    let views = engine.views();
    let list = |filter, after, limit| views.conversation_list().conversations(acme(), filter, after, limit).unwrap();
    let everything = ConversationFilter::default();
    for filter in [
        everything,
        ConversationFilter { customer: Some(BUYER), ..everything },
        ConversationFilter { shop: Some(shop()), ..everything },
        ConversationFilter { status: Some(ConversationStatus::Serving), ..everything },
    ] {
        let mut after = None;
        let mut ids = Vec::new();
        loop {
            let page = list(filter, after, 7);
            let Some(last) = page.last() else { break };
            after = Some((last.last_activity, last.conversation));
            ids.extend(page.iter().map(|row| row.conversation));
        }
        assert_eq!(ids, (1..=300).rev().map(ConversationId::from_u128).collect::<Vec<_>>(), "{filter:?}");
    }
    let of_alice = list(ConversationFilter { agent: Some(ALICE), ..everything }, None, 1_000);
    assert_eq!(of_alice.len(), 150);
    assert!(of_alice.iter().all(|row| row.agent == Some(ALICE)));
    assert_eq!(list(ConversationFilter { status: Some(ConversationStatus::Closed), ..everything }, None, 10), vec![]);
    assert_eq!(list(ConversationFilter { shop: Some("other".parse().unwrap()), ..everything }, None, 10), vec![]);
}

#[test]
fn silence_is_due_after_the_tenants_limit_and_an_unanswered_customer_is_overdue_then_and_given_up_after_seven_days() {
    let due = |story: &Story| story.views().timers().next().unwrap();
    let limit = Limits::default().idle_expiry;
    let story = Story::in_conversation();
    assert_eq!(due(&story), Some(START + limit));
    let story = story.later(MINUTE).says(BUYER);
    assert_eq!(due(&story), Some(START + MINUTE + limit));
    let cause = |story: &Story| story.views().timers().due(Timestamp(i64::MAX), 10).unwrap()[0].1;
    let name = TimerName::IdleExpiry { chat: CHAT, conversation: CONVERSATION };
    assert_eq!((cause(&story).cause, cause(&story).name), (EventId::from_u128(4), name));
    let story = story.later(MINUTE).says(BUYER);
    assert_eq!((due(&story), cause(&story).cause), (Some(START + MINUTE + limit), EventId::from_u128(4)));
    let story = story.chat([chat::AnswerOverdue { conversation: CONVERSATION }.into()]);
    assert_eq!((due(&story), cause(&story).cause), (Some(START + MINUTE + UNANSWERED_EXPIRY), EventId::from_u128(6)));
    let story = story.says(ALICE);
    assert_eq!(due(&story), Some(START + Millis::minutes(2) + limit));
    let views = story.views();
    assert_eq!(views.timers().due(START + Millis::minutes(2) + limit - Millis(1), 10).unwrap(), vec![]);
    assert_eq!(views.timers().due(START + Millis::minutes(2) + limit, 10).unwrap().len(), 1);
    let idled = chat::ConversationIdled { conversation: CONVERSATION, unanswered: false, last_seq: 3 };
    let story = story.chat([idled.into()]);
    assert_eq!(due(&story), None);
    let story = story.says(ALICE).chat([chat::ConversationEnded { conversation: CONVERSATION }.into()]);
    assert_eq!(due(&story), None);
}

#[test]
fn a_changed_limit_holds_for_what_happens_afterwards() {
    let limits = Limits { idle_expiry: MINUTE, ..Limits::default() };
    let story = Story::in_conversation().event(StreamKey::Tenant, Event::Tenant(LimitsChanged { limits }.into()));
    // The directory refuses a tenant that was never created; the timers do not care.
    let (_, store) = support::memory_store();
    let mut engine = projections::engine::Engine::open(store, story.history.log()).unwrap();
    engine.apply(story.history.decoded(), CommitPosition(u64::MAX)).unwrap();
    assert_eq!(engine.stopped().len(), 1);
    assert_eq!(engine.views().timers().next().unwrap(), Some(START + Limits::default().idle_expiry));
    let story = story.says(ALICE);
    engine.apply(story.history.decoded(), CommitPosition(u64::MAX)).unwrap();
    assert_eq!(engine.views().timers().next().unwrap(), Some(START + MINUTE));
}
