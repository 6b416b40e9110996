//! What a commit says goes with its bytes.

use super::*;
use crate::log::decoded::{Decoded, DecodedEvent};

const POSTED: [&str; 1] = ["chat.message_posted"];

/// A commit of two messages, as the log has it while it is in memory.
fn two_messages() -> StoredCommit {
    let mut rig = Rig::opened_chat(OwnerLimits::default());
    rig.ask(chat(), post(9, "first"), 9, 0);
    rig.ask(chat(), post(10, "my secret"), 10, 0);
    rig.ask(chat(), post(11, "another"), 11, 0);
    rig.append_next();
    let NewCommit { bytes, decided, .. } = rig.next_append();
    StoredCommit { position: CommitPosition(3), bytes, decided }
}

fn private_states(commit: &Decoded) -> Vec<domain::private::PrivateState> {
    let known = commit.events.iter().filter_map(|event| match event {
        DecodedEvent::Known(_, event) => Some(event.private_state()),
        DecodedEvent::Poison(_) => None,
    });
    known.collect()
}

#[test]
fn what_was_decided_is_at_hand_open_and_what_is_read_is_closed() {
    use domain::private::PrivateState;
    let at_hand = two_messages();
    let from_disk = StoredCommit::read(at_hand.position, at_hand.bytes.clone());
    assert_eq!(at_hand, from_disk, "the bytes say all there is");
    assert_eq!(private_states(&at_hand.decoded().expect("ours")), [PrivateState::Known; 2]);
    assert_eq!(private_states(&from_disk.decoded().expect("ours")), [PrivateState::Closed; 2]);
    assert_eq!(at_hand.header(), from_disk.header());
}

#[test]
fn what_is_kept_of_an_event_is_closed_wherever_it_came_from() {
    let at_hand = two_messages();
    let from_disk = StoredCommit::read(at_hand.position, at_hand.bytes.clone());
    let kept = at_hand.events_named(&POSTED);
    assert_eq!(kept.iter().map(|(index, ..)| *index).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(kept, from_disk.events_named(&POSTED));
    assert_eq!(at_hand.events_named(&["chat.opened"]), []);
}

#[test]
fn a_commit_as_text_says_nothing_private() {
    let text = format!("{:?}", two_messages());
    assert!(text.contains("chat.message_posted") && !text.contains("secret"), "{text}");
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "a commit reads otherwise than it was decided")]
fn a_commit_that_reads_otherwise_is_not_made_where_assertions_are_on() {
    let commit = two_messages();
    let decided = commit.decoded().expect("ours");
    let _never = Decoded::decided(decided.header, decided.events[1..].to_vec(), &commit.bytes);
}
