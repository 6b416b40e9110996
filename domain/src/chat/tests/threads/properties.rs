//! What holds for a group thread under any commands in any order, and for any history.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::chat::state::{ChatState, GroupThread};
use crate::decider::Decider;
use crate::testing::assert_survives_a_snapshot;

const WINDOW: Millis = Millis::hours(1);

fn person() -> impl Strategy<Value = UserId> {
    prop_oneof![
        4 => Just(MERCHANT), 4 => Just(INFLUENCER), 3 => Just(CARRIER), 2 => Just(LATE), 1 => Just(STRANGER)
    ]
}

fn by() -> impl Strategy<Value = By> {
    prop_oneof![8 => person().prop_map(By::Member), 1 => Just(By::Host(ADMIN))]
}

fn permissions() -> impl Strategy<Value = Permissions> {
    proptest::collection::vec(
        prop_oneof![Just(Permission::Post), Just(Permission::Invite), Just(Permission::Remove), Just(Permission::Manage)],
        0..6,
    )
    .prop_map(|permissions| permissions.into_iter().collect())
}

fn command() -> impl Strategy<Value = ChatCommand> {
    prop_oneof![
        12 => (person(), 1_u64..60).prop_map(|(sender, number)| post(message(sender, number))),
        2 => (person(), 1_u64..60).prop_map(|(by, number)| ChatCommand::Recall { by, message: message_id(number), window: WINDOW }),
        2 => (person(), 0_u64..40).prop_map(|(reader, seq)| ChatCommand::Hide { reader, message: message_id(seq), seq }),
        3 => (person(), 0_u64..40).prop_map(|(reader, up_to_seq)| ChatCommand::MarkRead { reader, up_to_seq }),
        5 => (by(), person(), permissions()).prop_map(|(by, user, permissions)| invite(by, user, permissions)),
        3 => (by(), person()).prop_map(|(by, user)| remove(by, user)),
        3 => person().prop_map(leave),
        3 => (by(), person(), permissions()).prop_map(|(by, user, permissions)| change(by, user, permissions)),
        2 => (by(), person()).prop_map(|(by, to)| pass(by, to)),
        1 => by().prop_map(|by| rename(by, "another")),
        1 => person().prop_map(|user| ChatCommand::Thread(ThreadCommand::Mute { user })),
        1 => person().prop_map(|user| ChatCommand::Thread(ThreadCommand::Archive { user })),
        1 => by().prop_map(dissolve),
        1 => Just(ChatCommand::FollowAssignment { conversation: FIRST, agent: CARRIER, assignment: 1, accept_within: None, answer_within: None }),
    ]
}

/// The thread as its events alone tell it, kept apart from the state on purpose.
#[derive(Default)]
struct Witness {
    last_seq: u64,
    /// Each member with the last place before they came.
    members: BTreeMap<UserId, u64>,
    permissions: BTreeMap<UserId, Permissions>,
    owner: Option<UserId>,
    dissolved: bool,
    posted: BTreeSet<(UserId, ClientMessageId)>,
}

impl Witness {
    fn see(&mut self, event: &ChatEvent) {
        match event {
            ChatEvent::GroupCreated(created) => {
                assert!(self.members.insert(created.owner, 0).is_none());
                self.permissions.insert(created.owner, Permissions::ALL);
                self.owner = Some(created.owner);
            }
            ChatEvent::MemberInvited(invited) => {
                assert!(!self.dissolved, "nobody comes after the end");
                assert_eq!(invited.floor, self.last_seq, "history begins with the coming");
                assert!(self.members.insert(invited.user, invited.floor).is_none(), "nobody comes twice");
                self.permissions.insert(invited.user, invited.permissions);
            }
            ChatEvent::MemberLeft(left) => {
                assert!(self.members.remove(&left.user).is_some(), "only members leave");
                assert!(self.dissolved || self.owner != Some(left.user), "the owner stays");
            }
            ChatEvent::PermissionsChanged(changed) => {
                assert!(!self.dissolved && self.owner != Some(changed.user));
                assert_ne!(self.permissions.insert(changed.user, changed.permissions), Some(changed.permissions), "a change changes");
            }
            ChatEvent::OwnershipPassed(passed) => {
                assert!(!self.dissolved && self.owner == Some(passed.from) && passed.from != passed.to);
                self.owner = Some(passed.to);
                self.permissions.insert(passed.to, Permissions::ALL);
            }
            ChatEvent::GroupRenamed(_) => assert!(!self.dissolved),
            ChatEvent::GroupDissolved(_) => assert!(!std::mem::replace(&mut self.dissolved, true), "it ends once"),
            ChatEvent::MessagePosted(posted) => {
                assert!(!self.dissolved, "nobody posts after the end");
                assert_eq!(posted.seq, self.last_seq + 1, "places are contiguous from 1");
                assert!(self.members.contains_key(&posted.sender) && self.permissions[&posted.sender].has(Permission::Post));
                assert!(self.posted.insert((posted.sender, posted.client_message)), "posted twice");
                assert_eq!((posted.conversation, posted.assignment, posted.visibility), (None, None, Visibility::All));
                self.last_seq = posted.seq;
            }
            ChatEvent::MessageHidden(hidden) => self.reads(hidden.reader, hidden.seq),
            ChatEvent::MessagesRead(read) => self.reads(read.reader, read.up_to_seq),
            ChatEvent::ThreadMuted(ThreadMuted { user })
            | ChatEvent::ThreadUnmuted(ThreadUnmuted { user })
            | ChatEvent::ThreadArchived(ThreadArchived { user })
            | ChatEvent::ThreadUnarchived(ThreadUnarchived { user }) => assert!(self.members.contains_key(user)),
            ChatEvent::MessageRecalled(_) | ChatEvent::UploadExpired(_) => {}
            ChatEvent::ChatOpened(_)
            | ChatEvent::MemberJoined(_)
            | ChatEvent::CustomerReplaced(_)
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
            | ChatEvent::OutreachHandedOver(_) => panic!("a group thread is no chat with a customer: {event:?}"),
        }
    }

    /// Only a member reads, and only what was said since they came.
    fn reads(&self, reader: UserId, seq: u64) {
        let floor = self.members.get(&reader).expect("only members read");
        assert!((floor + 1..=self.last_seq).contains(&seq), "{reader} reads {seq}, and came after {floor}");
    }
}

fn take_in(state: &mut ChatState, event: &ChatEvent, at: Timestamp) {
    Chat::evolve(state, event, at);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_thread_keeps_the_rules_under_any_commands(story in proptest::collection::vec(command(), 1..120)) {
        let (mut state, mut witness) = (ChatState::default(), Witness::default());
        for event in thread_with(Permissions::ALL) {
            witness.see(&event);
            take_in(&mut state, &event, NOW);
        }
        for command in story {
            for event in Chat::decide(&command, &state, NOW).unwrap_or_default() {
                witness.see(&event);
                take_in(&mut state, &event, NOW);
            }
            let chat = state.open().unwrap();
            prop_assert_eq!(chat.last_seq, witness.last_seq);
            let floors: BTreeMap<UserId, u64> = chat.members.iter().map(|(user, member)| (*user, member.floor())).collect();
            prop_assert_eq!(&floors, &witness.members);
            prop_assert!(chat.members.values().all(|member| member.read_seq >= member.floor()), "what one never saw is not unread");
            match chat.thread() {
                Some(GroupThread::Live { owner }) => {
                    prop_assert!(!witness.dissolved);
                    prop_assert_eq!(Some(owner), witness.owner);
                    let owning = chat.members.get(&owner).and_then(|member| member.participant());
                    prop_assert_eq!(owning.map(|participant| participant.permissions), Some(Permissions::ALL), "an owner is always there");
                }
                Some(GroupThread::Dissolved) => prop_assert!(witness.dissolved),
                None => prop_assert!(false, "it stays a thread"),
            }
        }
        assert_survives_a_snapshot(&state);
    }
}

fn any_event() -> impl Strategy<Value = ChatEvent> {
    prop_oneof![
        1 => Just(created()),
        1 => Just(opened()),
        4 => (person(), permissions(), any::<u64>()).prop_map(|(user, permissions, floor)| invited(user, permissions, floor)),
        2 => person().prop_map(|user| joined(user, ChatRole::Robot)),
        3 => person().prop_map(left),
        2 => (person(), permissions()).prop_map(|(user, permissions)| changed(user, permissions)),
        2 => (person(), person()).prop_map(|(from, to)| passed(from, to)),
        1 => person().prop_map(|by| GroupRenamed { by, private: Private::Closed }.into()),
        1 => person().prop_map(|user| ThreadMuted { user }.into()),
        1 => person().prop_map(|user| ThreadUnarchived { user }.into()),
        1 => person().prop_map(dissolved),
        4 => (person(), any::<u64>()).prop_map(|(sender, seq)| {
            MessagePosted { seq, private: Private::Closed, ..fact_of(&message(sender, seq % 8), seq % 8, None, None) }.into()
        }),
        2 => (person(), any::<u64>()).prop_map(|(reader, seq)| read_up_to(reader, seq)),
        1 => Just(started(FIRST)),
        1 => Just(replaced(INFLUENCER, SIGNED_IN_BUYER, None)),
    ]
}

proptest! {
    #[test]
    fn any_history_of_both_kinds_is_taken_in_and_kept(
        history in proptest::collection::vec((any_event(), any::<i64>()), 0..60),
        begins in any::<bool>(),
    ) {
        let mut state = ChatState::default();
        if begins {
            take_in(&mut state, &created(), NOW);
        }
        for (event, at) in history {
            take_in(&mut state, &event, Timestamp(at));
        }
        assert_survives_a_snapshot(&state);
    }
}
