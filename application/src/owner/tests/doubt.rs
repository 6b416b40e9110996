//! In doubt: the stream halts, and its tail decides.

use super::*;

#[test]
fn in_doubt_the_stream_halts_and_its_tail_decides() {
    let mut rig = Rig::opened_chat(OwnerLimits::default());
    let first = rig.ask(chat(), post(10, "hello"), 10, 0);
    let second = rig.ask(chat(), post(11, "still there?"), 11, 0);
    let commit = rig.next_append();
    rig.owner.appended(chat(), Err(AppendError::InDoubt));
    rig.run();
    assert_eq!(rig.resolves.len(), 1);
    assert!(rig.appends.is_empty() && !rig.answers.contains_key(&first), "nothing moves while in doubt");
    rig.store(&commit);
    let tail = rig.streams[&chat()].last().cloned();
    rig.owner.resolved(chat(), Ok(tail));
    rig.run();
    assert!(rig.answer(first).is_ok());
    rig.append_next();
    assert!(rig.answer(second).is_ok());
}

#[test]
fn in_doubt_and_not_in_the_log_the_very_same_commit_is_appended_again() {
    let mut rig = Rig::opened_chat(OwnerLimits::default());
    rig.ask(chat(), post(10, "hello"), 10, 0);
    let lost = rig.next_append();
    rig.owner.appended(chat(), Err(AppendError::InDoubt));
    rig.run();
    let tail = rig.streams[&chat()].last().cloned();
    rig.owner.resolved(chat(), Ok(tail));
    rig.run();
    let again = rig.next_append();
    assert_eq!((again.id, again.bytes), (lost.id, lost.bytes));
}

#[test]
fn in_doubt_and_another_commit_in_the_log_it_is_decided_anew() {
    let mut rig = Rig::opened_chat(OwnerLimits::default());
    let ticket = rig.ask(chat(), post(10, "hello"), 10, 0);
    let mine = rig.next_append();
    rig.owner.appended(chat(), Err(AppendError::InDoubt));
    rig.run();
    // Another instance posted the same first place meanwhile.
    let mut rival = Rig { streams: rig.streams.clone(), stored: rig.stored, ..Rig::new(OwnerLimits::default()) };
    rival.ask(chat(), post(20, "me first"), 20, 0);
    rival.append_next();
    rig.streams = rival.streams;
    rig.stored = rival.stored;
    let tail = rig.streams[&chat()].last().cloned();
    rig.owner.resolved(chat(), Ok(tail));
    rig.run();
    assert_ne!(rig.appends[0].id, mine.id);
    rig.append_next();
    let answer = rig.answer(ticket).as_ref().expect("posted");
    assert_eq!(answer.chat.and_then(|chat| chat.message).map(|message| message.seq), Some(2));
}

#[test]
fn askers_of_a_doubtful_commit_are_told_so_in_the_end() {
    let mut rig = Rig::opened_chat(OwnerLimits { resolves: 2, ..OwnerLimits::default() });
    let ticket = rig.ask(chat(), post(10, "hello"), 10, 0);
    rig.next_append();
    rig.owner.appended(chat(), Err(AppendError::InDoubt));
    for _ in 0..3 {
        rig.run();
        rig.owner.resolved(chat(), Err(ReadError::Unavailable { reason: "no leader".into() }));
    }
    rig.run();
    assert_eq!(*rig.answer(ticket), Err(CommandError::InDoubt));
}
