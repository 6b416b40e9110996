//! What holds for a chat under any commands in any order, and for any history.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::chat::error::ChatError;
use crate::chat::state::{CLIENT_IDS_KEPT, CLIENT_IDS_KEPT_FOR, ChatState};
use crate::decider::Decider;
use crate::testing::assert_survives_a_snapshot;

const RECALL_WINDOW: Millis = Millis::hours(1);
const IDLE_EXPIRY: Millis = Millis::hours(2);
const UNANSWERED_EXPIRY: Millis = Millis::days(1);
/// Distance of two neighbouring client ids in these stories: the memory of 72 hours spans twelve of them.
const MINTED_EVERY: Millis = Millis::hours(6);

/// One step of a story; what depends on the time or on earlier steps is filled in when it is told.
#[derive(Clone, Debug)]
enum Step {
    Post { sender: UserId, ids_ago: i64, digest: u64, visibility: Visibility, assignment: Option<u64> },
    Recall { by: UserId, message: u64 },
    ReplaceCustomer,
    Command(ChatCommand),
}

fn person() -> impl Strategy<Value = UserId> {
    prop_oneof![4 => Just(BUYER), 4 => Just(ALICE), 2 => Just(BOB), 1 => Just(SUPERVISOR), 1 => Just(ROBOT), 1 => Just(SIGNED_IN_BUYER)]
}

fn conversation() -> impl Strategy<Value = ConversationId> {
    prop_oneof![5 => Just(FIRST), 5 => Just(SECOND), 2 => (300_u128..420).prop_map(ConversationId::from_u128)]
}

fn visibility() -> impl Strategy<Value = Visibility> {
    prop_oneof![5 => Just(Visibility::All), 1 => Just(Visibility::Staff)]
}

fn term() -> impl Strategy<Value = Option<Millis>> {
    proptest::option::of((1_i64..20).prop_map(Millis::minutes))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (person(), -1_i64..15, 1_u64..3, visibility(), proptest::option::weighted(0.3, 1_u64..12))
            .prop_map(|(sender, ids_ago, digest, visibility, assignment)| Step::Post { sender, ids_ago, digest, visibility, assignment }),
        4 => (person(), 1_u64..40).prop_map(|(by, message)| Step::Recall { by, message }),
        1 => Just(Step::ReplaceCustomer),
        2 => (person(), 0_u64..40).prop_map(|(reader, seq)| Step::Command(ChatCommand::Hide { reader, message: message_id(seq), seq })),
        2 => (person(), 0_u64..40).prop_map(|(reader, up_to_seq)| Step::Command(ChatCommand::MarkRead { reader, up_to_seq })),
        1 => Just(Step::Command(ChatCommand::Join { user: ROBOT, role: ChatRole::Robot })),
        1 => Just(Step::Command(ChatCommand::Join { user: SUPERVISOR, role: ChatRole::Supervisor })),
        1 => person().prop_map(|user| Step::Command(ChatCommand::Leave { user })),
        3 => conversation().prop_map(|conversation| Step::Command(ChatCommand::StartConversation { conversation, entry: Entry::default() })),
        4 => (conversation(), 0_u64..40)
            .prop_map(|(conversation, seen_seq)| Step::Command(ChatCommand::EndConversation { conversation, seen_seq })),
        3 => conversation().prop_map(|conversation| Step::Command(ChatCommand::ExpireIdle {
            conversation,
            idle_expiry: IDLE_EXPIRY,
            unanswered_expiry: UNANSWERED_EXPIRY,
        })),
        6 => (conversation(), prop_oneof![Just(ALICE), Just(BOB), Just(SUPERVISOR)], 1_u64..12, term(), term()).prop_map(
            |(conversation, agent, assignment, accept_within, answer_within)| {
                Step::Command(ChatCommand::FollowAssignment { conversation, agent, assignment, accept_within, answer_within })
            }
        ),
        2 => person().prop_map(|agent| Step::Command(ChatCommand::AcceptAssignment { agent })),
        4 => (1_u64..12).prop_map(|assignment| Step::Command(ChatCommand::TimeOutAssignment { assignment })),
        2 => (conversation(), term(), term()).prop_map(|(conversation, remind_after, close_after)| {
            Step::Command(ChatCommand::SetIdleLimits(IdleLimitsSet { conversation, remind_after, close_after }))
        }),
        3 => conversation().prop_map(|conversation| Step::Command(ChatCommand::RemindIdle { conversation })),
        3 => conversation().prop_map(|conversation| Step::Command(ChatCommand::EngageRobot { conversation })),
        2 => conversation().prop_map(|conversation| Step::Command(ChatCommand::DismissRobot { conversation })),
        2 => (1_u64..12).prop_map(|assignment| Step::Command(ChatCommand::FollowRelease { assignment })),
    ]
}

/// Mostly quick steps, now and then hours of silence, so that every window is crossed.
fn pause() -> impl Strategy<Value = Millis> {
    prop_oneof![6 => (0_i64..5).prop_map(Millis), 3 => (0_i64..20).prop_map(Millis::minutes), 1 => (1_i64..30).prop_map(Millis::hours)]
}

fn story() -> impl Strategy<Value = Vec<(Step, Millis)>> {
    proptest::collection::vec((step(), pause()), 1..150)
}

/// The chat as its events alone tell it, kept apart from the state on purpose.
#[derive(Default)]
struct Witness {
    last_seq: u64,
    members: BTreeSet<UserId>,
    /// Under whose name each message was posted, when, and whether it was recalled.
    messages: BTreeMap<MessageId, (UserId, Timestamp, bool)>,
    posted: BTreeMap<(UserId, ClientMessageId), ContentDigest>,
    open: Option<ConversationId>,
    last_ended: Option<(ConversationId, Timestamp)>,
    serving: Option<(UserId, u64)>,
    last_assignment: u64,
    customer_replaced: bool,
}

impl Witness {
    /// The anonymous customer and the identified one are the same person once that is known.
    fn person(&self, user: UserId) -> UserId {
        if self.customer_replaced && user == BUYER { SIGNED_IN_BUYER } else { user }
    }

    fn see(&mut self, event: &ChatEvent, at: Timestamp) {
        match event {
            ChatEvent::ChatOpened(opened) => assert!(self.members.insert(opened.customer)),
            ChatEvent::MemberJoined(joined) => {
                self.members.insert(joined.user);
                if let Some(assignment) = joined.assignment {
                    assert!(assignment > self.last_assignment, "assignments only grow");
                    assert!(self.open.is_some(), "nobody serves when nothing is open");
                    assert!(self.serving.is_none_or(|(before, _)| before == joined.user), "one agent at a time");
                    self.last_assignment = assignment;
                    self.serving = Some((joined.user, assignment));
                }
            }
            ChatEvent::MemberLeft(left) => {
                assert!(self.members.remove(&left.user), "only members leave");
                self.serving = self.serving.filter(|(agent, _)| *agent != left.user);
            }
            ChatEvent::CustomerReplaced(replaced) => {
                assert!(self.members.remove(&replaced.from));
                self.members.insert(replaced.into);
                self.customer_replaced = true;
                self.posted = std::mem::take(&mut self.posted)
                    .into_iter()
                    .map(|((user, client_message), digest)| ((self.person(user), client_message), digest))
                    .collect();
            }
            ChatEvent::MessagePosted(posted) => self.see_message(posted, at),
            ChatEvent::MessageRecalled(recalled) => {
                let by = self.person(recalled.by);
                let (sender, sent_at, already) = self.messages[&recalled.message];
                assert_eq!(self.person(sender), by, "recalled by another");
                assert!(at - sent_at <= RECALL_WINDOW && !already, "recalled late or twice");
                self.messages.insert(recalled.message, (sender, sent_at, true));
            }
            ChatEvent::MessageHidden(hidden) => {
                assert!(self.members.contains(&hidden.reader) && (1..=self.last_seq).contains(&hidden.seq));
            }
            ChatEvent::MessagesRead(read) => {
                assert!(self.members.contains(&read.reader) && (1..=self.last_seq).contains(&read.up_to_seq));
            }
            ChatEvent::UploadExpired(_) => {}
            ChatEvent::ConversationStarted(started) => assert!(self.open.replace(started.conversation).is_none(), "two are open"),
            ChatEvent::ConversationResumed(resumed) => {
                let (ended, when) = self.last_ended.expect("only what ended is resumed");
                assert_eq!(ended, resumed.conversation, "only the last one is resumed");
                assert!(at - when <= REOPEN_WINDOW, "resumed too late");
                assert!(self.open.replace(ended).is_none(), "two are open");
            }
            ChatEvent::ConversationEnded(ended) => {
                assert_eq!(self.open.take(), Some(ended.conversation), "only the open one ends");
                self.last_ended = Some((ended.conversation, at));
            }
            ChatEvent::ConversationIdled(idled) => assert_eq!(self.open, Some(idled.conversation)),
            ChatEvent::IdleLimitsSet(set) => assert_eq!(self.open, Some(set.conversation)),
            ChatEvent::RobotEngaged(event) => assert_eq!(self.open, Some(event.conversation)),
            ChatEvent::RobotDismissed(event) => assert_eq!(self.open, Some(event.conversation)),
            ChatEvent::QuestionAsked(event) => assert_eq!((self.open, self.last_seq >= event.seq), (Some(event.conversation), true)),
            ChatEvent::IdleReminded(reminded) => assert_eq!(self.open, Some(reminded.conversation)),
            ChatEvent::AnswerOverdue(overdue) => assert_eq!(self.open, Some(overdue.conversation)),
            ChatEvent::AssignmentAccepted(accepted) => assert_eq!(self.serving, Some((accepted.agent, accepted.assignment))),
            ChatEvent::AssignmentTimedOut(timed_out) => assert_eq!(self.serving, Some((timed_out.agent, timed_out.assignment))),
            ChatEvent::OutreachAttempted(_) | ChatEvent::OutreachHandedOver(_) => panic!("nobody reaches out in these stories: {event:?}"),
            ChatEvent::GroupCreated(_)
            | ChatEvent::MemberInvited(_)
            | ChatEvent::PermissionsChanged(_)
            | ChatEvent::OwnershipPassed(_)
            | ChatEvent::GroupRenamed(_)
            | ChatEvent::ThreadMuted(_)
            | ChatEvent::ThreadUnmuted(_)
            | ChatEvent::ThreadArchived(_)
            | ChatEvent::ThreadUnarchived(_)
            | ChatEvent::GroupDissolved(_) => panic!("a chat with a customer is no group thread: {event:?}"),
        }
    }

    fn see_message(&mut self, posted: &MessagePosted, at: Timestamp) {
        assert_eq!(posted.seq, self.last_seq + 1, "places are contiguous from 1");
        self.last_seq = posted.seq;
        assert!(self.members.contains(&posted.sender), "only members speak");
        assert_eq!(posted.conversation, self.open, "a message belongs to the open conversation");
        assert!(posted.category != Category::Customer || self.open.is_some(), "a customer's message opens a conversation");
        if posted.category == Category::Agent && posted.visibility == Visibility::All {
            assert!(self.serving.is_some() && posted.assignment == self.serving.map(|(_, number)| number), "only the owner answers");
            assert_eq!(self.serving.map(|(agent, _)| agent), Some(posted.sender));
        }
        let key = (self.person(posted.sender), posted.client_message);
        assert!(self.posted.insert(key, posted.digest).is_none(), "the same client id was posted twice");
        assert!(self.messages.insert(posted.message, (posted.sender, at, false)).is_none());
    }

    /// Whether the answer to a post says the truth about its client id.
    fn check_answer(&self, post: &PostMessage, at: Timestamp, answer: &Result<Vec<ChatEvent>, ChatError>) {
        let known = self.posted.get(&(self.person(post.sender), post.client_message));
        match answer {
            Ok(events) if events.is_empty() => assert_eq!(known, Some(&post.digest), "acknowledged but never posted"),
            Err(ChatError::ClientIdReused) => assert!(known.is_some_and(|digest| *digest != post.digest)),
            Err(ChatError::ClientIdTooOld { floor }) => {
                assert_eq!(*floor, at - CLIENT_IDS_KEPT_FOR, "so few ids are forgotten by age alone");
                assert!(post.client_message.minted_at_ms().unwrap() <= u64::try_from(floor.0).unwrap());
            }
            Ok(_) | Err(_) => {}
        }
    }
}

fn command_of(step: Step, number: u64, at: Timestamp) -> ChatCommand {
    match step {
        Step::Post { sender, ids_ago, digest, visibility, assignment } => {
            let id = (at - NOW).0 / MINTED_EVERY.0 - ids_ago;
            post(PostMessage {
                client_message: client_id(Timestamp(NOW.0 + id * MINTED_EVERY.0), 1),
                fresh_conversation: ConversationId::from_u128(1_000 + u128::from(number)),
                digest: ContentDigest(digest),
                visibility,
                assignment,
                ..message(sender, number)
            })
        }
        Step::Recall { by, message } => ChatCommand::Recall { by, message: message_id(message), window: RECALL_WINDOW },
        Step::ReplaceCustomer => ChatCommand::ReplaceCustomer { from: BUYER, into: SIGNED_IN_BUYER },
        Step::Command(command) => command,
    }
}

fn take_in(state: &mut ChatState, events: &[ChatEvent], at: Timestamp) {
    for event in events {
        Chat::evolve(state, event, at);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_chat_keeps_the_rules_under_any_commands(story in story()) {
        let mut state = ChatState::default();
        let mut witness = Witness::default();
        let mut at = NOW;
        take_in(&mut state, &[opened()], at);
        witness.see(&opened(), at);
        for (number, (step, pause)) in (1..).zip(story) {
            at = at + pause;
            let command = command_of(step, number, at);
            let answer = Chat::decide(&command, &state, at);
            if let ChatCommand::Post(post) = &command {
                witness.check_answer(post, at, &answer);
            }
            let events = answer.unwrap_or_default();
            for event in &events {
                witness.see(event, at);
            }
            take_in(&mut state, &events, at);
            let chat = state.open().unwrap();
            prop_assert_eq!(chat.last_seq, witness.last_seq);
            let service = chat.service().unwrap();
            prop_assert_eq!(service.session.conversation(), witness.open);
            prop_assert_eq!(service.serving, witness.serving);
        }
        assert_survives_a_snapshot(&state);
    }

    #[test]
    fn a_message_is_recalled_exactly_until_the_window_is_over(window in 0_i64..100_000_000, age in 0_i64..100_000_000, near in -2_i64..3) {
        for age in [age, window + near] {
            let answer = given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into()]).at(NOW + Millis(age.max(0)));
            let answer = answer.when(ChatCommand::Recall { by: BUYER, message: message_id(1), window: Millis(window) });
            if age <= window { answer.then([recalled(BUYER, 1)]) } else { answer.then_refused(ChatError::RecallWindowOver) };
        }
    }

    #[test]
    fn a_conversation_reopens_exactly_until_the_window_is_over(window in 0_i64..100_000_000, age in 0_i64..100_000_000, near in -2_i64..3) {
        for age in [age, window + near] {
            let next = PostMessage { reopen_window: Millis(window), ..message(BUYER, 1) };
            let answer = given([opened(), started(FIRST), ended(FIRST)]).at(NOW + Millis(age.max(0))).when(post(next));
            if age <= window {
                answer.then([resumed(FIRST), posted(BUYER, 1, FIRST).into()]);
            } else {
                answer.then([started(SECOND), posted(BUYER, 1, SECOND).into()]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Ids come in any order and are retried at any time, and there are more than are remembered.
    #[test]
    fn more_ids_than_are_remembered_are_never_posted_twice(
        order in Just((1..=CLIENT_IDS_KEPT as u64 + 300).collect::<Vec<_>>()).prop_shuffle(),
        nearly_sorted in any::<bool>(),
        retries in proptest::collection::vec(0_usize..CLIENT_IDS_KEPT + 300, 1_000),
    ) {
        let mut order = order;
        if nearly_sorted {
            order.sort_unstable_by_key(|number| number / 64);
        }
        let mut state = ChatState::default();
        let mut posted = BTreeSet::new();
        take_in(&mut state, &[opened(), started(FIRST)], NOW);
        let all = order.iter().chain(retries.iter().map(|index| &order[*index])).copied();
        for number in all {
            let at = NOW + Millis(10_000);
            let next = minted(NOW + Millis(i64::try_from(number).unwrap()), message(BUYER, number));
            match Chat::decide(&post(next), &state, at) {
                Ok(events) if events.is_empty() => prop_assert!(posted.contains(&number)),
                Ok(events) => {
                    prop_assert!(posted.insert(number), "posted twice");
                    take_in(&mut state, &events, at);
                }
                Err(refusal) => prop_assert!(matches!(refusal, ChatError::ClientIdTooOld { .. }), "{refusal:?}"),
            }
            prop_assert!(state.open().unwrap().sent[&BUYER].count() <= CLIENT_IDS_KEPT);
        }
        prop_assert!(posted.len() >= CLIENT_IDS_KEPT);
    }
}

fn any_message() -> impl Strategy<Value = MessagePosted> {
    (person(), any::<u64>(), any::<u128>(), visibility(), proptest::option::of(conversation()), proptest::option::of(any::<u64>()))
        .prop_map(|(sender, number, client_message, visibility, conversation, assignment)| MessagePosted {
            seq: number,
            client_message: ClientMessageId::from_u128(client_message),
            visibility,
            assignment,
            ..posted(sender, number % 8, conversation)
        })
}

fn any_event() -> impl Strategy<Value = ChatEvent> {
    let role = prop_oneof![Just(ChatRole::Customer), Just(ChatRole::Agent), Just(ChatRole::Robot)];
    prop_oneof![
        1 => Just(opened()),
        4 => (person(), role, proptest::option::of(any::<u64>()))
            .prop_map(|(user, role, assignment)| MemberJoined { user, role, assignment, accept_within: None, answer_within: None }.into()),
        2 => person().prop_map(left),
        1 => (person(), person()).prop_map(|(from, into)| replaced(from, into, None)),
        8 => any_message().prop_map(ChatEvent::from),
        2 => (person(), 0_u64..8).prop_map(|(by, seq)| recalled(by, seq)),
        2 => (person(), any::<u64>()).prop_map(|(reader, seq)| MessageHidden { message: message_id(seq % 8), seq, reader }.into()),
        2 => (person(), any::<u64>()).prop_map(|(reader, seq)| read_up_to(reader, seq)),
        2 => conversation().prop_map(started),
        2 => (conversation(), proptest::option::of(any::<u64>()))
            .prop_map(|(conversation, overlooked_seq)| ConversationResumed { conversation, overlooked_seq }.into()),
        2 => conversation().prop_map(ended),
        1 => (conversation(), any::<bool>()).prop_map(|(conversation, unanswered)| ran_out(conversation, unanswered, 0)),
    ]
}

proptest! {
    #[test]
    fn any_history_is_taken_in_and_kept(history in proptest::collection::vec((any_event(), any::<i64>()), 0..60), opens in any::<bool>()) {
        let mut state = ChatState::default();
        if opens {
            take_in(&mut state, &[opened()], NOW);
        }
        for (event, at) in history {
            take_in(&mut state, &[event], Timestamp(at));
        }
        assert_survives_a_snapshot(&state);
    }
}
