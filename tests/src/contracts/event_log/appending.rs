//! Rules of appending: versions, retries, doubt, tombstones.

use std::sync::Arc;

use application::log::commit;
use application::log::decoded::Decoded;
use application::ports::event_log::{AppendError, Appended, COMMIT_BYTES_MAX, CommitPosition, ReadError};

use super::{Author, Engine, InDoubtOutcome, assert_dense, read_all, stream};

/// The version is the one promise between a reader and the log.
pub async fn an_append_at_another_version_is_refused_with_the_current_one(engine: impl Engine) {
    let log = engine.log();
    let mut author = Author::of(stream(1));
    log.append(author.commit(3, 10)).await.unwrap();
    let mut late = Author::of(stream(1)).salted(1);
    assert_eq!(log.append(late.next_commit()).await, Err(AppendError::Conflict { current: 3 }));
    let mut early = author.salted(1);
    early.next_commit();
    assert_eq!(log.append(early.next_commit()).await, Err(AppendError::Conflict { current: 3 }));
    let mut nowhere = Author::of(stream(2));
    nowhere.next_commit();
    assert_eq!(log.append(nowhere.next_commit()).await, Err(AppendError::Conflict { current: 0 }));
    assert_eq!(log.head().await, Ok(CommitPosition(1)));
}

/// Also when they come at the same moment.
pub async fn of_many_appends_at_one_version_exactly_one_wins(engine: impl Engine) {
    let log = engine.log();
    for round in 0..5_u64 {
        let tail = log.read_tail(stream(1)).await.unwrap();
        let base = tail.map_or(Author::of(stream(1)), |tail| Author::after(&tail.bytes));
        let tasks: Vec<_> = (1..=20)
            .map(|salt| {
                let (log, commit) = (Arc::clone(&log), base.salted(salt).next_commit());
                tokio::spawn(async move { log.append(commit).await })
            })
            .collect();
        let mut wins = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => wins += 1,
                Err(error) => assert_eq!(error, AppendError::Conflict { current: round + 1 }),
            }
        }
        assert_eq!(wins, 1);
    }
    assert_dense(&read_all(&*log).await);
}

/// One that is refused does not keep the others out.
pub async fn commits_appended_together_lie_in_that_order_and_are_answered_like_each_of_them(mut engine: impl Engine) {
    let log = engine.log();
    let mut first = Author::of(stream(1));
    let before = first.next_commit();
    log.append(before.clone()).await.unwrap();
    let mut late = Author::of(stream(2));
    late.next_commit();
    let mut damaged = Author::of(stream(3)).next_commit();
    damaged.events = 2;
    let together = vec![
        Author::of(stream(4)).next_commit(),
        late.next_commit(),
        first.next_commit(),
        damaged,
        before,
        Author::of(stream(5)).next_commit(),
    ];
    let answers = log.append_together(together.clone()).await;
    let position = |position| Ok(Appended { position: CommitPosition(position) });
    assert_eq!(answers[..3], [position(2), Err(AppendError::Conflict { current: 0 }), position(3)]);
    assert!(matches!(answers[3], Err(AppendError::Unavailable { .. })));
    assert_eq!(answers[4..], [position(1), position(4)]);
    assert_eq!(log.append_together(vec![]).await, []);
    let stored: Vec<_> = read_all(&*log).await.into_iter().map(|commit| commit.bytes).collect();
    assert_eq!(stored, [4, 0, 2, 5].map(|nth: usize| together[nth].bytes.clone()));
    drop(log);
    engine.reopen().await;
    assert_dense(&read_all(&*engine.log()).await);
}

/// The commit id decides, however late the retry comes.
pub async fn a_retry_of_a_stored_commit_answers_its_first_position(mut engine: impl Engine) {
    let mut author = Author::of(stream(1));
    let first = author.commit(2, 10);
    let second = author.next_commit();
    let log = engine.log();
    let position = log.append(first.clone()).await.unwrap();
    assert_eq!(log.append(first.clone()).await, Ok(position));
    let second_position = log.append(second.clone()).await.unwrap();
    assert_eq!(log.append(first.clone()).await, Ok(position));
    // Both at once, too.
    let third = author.next_commit();
    let (one, other) = tokio::join!(log.append(third.clone()), log.append(third));
    assert_eq!(one, other);
    assert!(one.is_ok());
    drop(log);
    engine.reopen().await;
    let log = engine.log();
    assert_eq!(log.append(first).await, Ok(position));
    assert_eq!(log.append(second).await, Ok(second_position));
    assert_eq!(log.head().await, Ok(CommitPosition(3)));
}

/// Only the same commit is a retry.
pub async fn another_commit_at_a_stored_version_is_a_conflict_and_not_a_retry(engine: impl Engine) {
    let log = engine.log();
    let mut author = Author::of(stream(1));
    let mut rival = author.salted(1);
    log.append(author.commit(3, 10)).await.unwrap();
    log.append(author.next_commit()).await.unwrap();
    assert_eq!(log.append(rival.next_commit()).await, Err(AppendError::Conflict { current: 4 }));
    // A version inside a stored commit, and the next one.
    assert_eq!(log.append(rival.next_commit()).await, Err(AppendError::Conflict { current: 4 }));
}

/// Whatever became of it, the tail says so, and the same commit can be sent again.
pub async fn an_append_in_doubt_is_settled_by_the_tail_and_may_be_retried(mut engine: impl Engine) {
    let log = engine.log();
    let mut author = Author::of(stream(1));
    log.append(author.next_commit()).await.unwrap();
    let doubtful = author.next_commit();
    let outcome = engine.put_next_append_in_doubt();
    assert_eq!(log.append(doubtful.clone()).await, Err(AppendError::InDoubt));
    let tail = loop {
        // The engine may still be busy with finding out; that is no settled answer.
        match log.read_tail(stream(1)).await {
            Err(ReadError::Unavailable { .. }) => tokio::task::yield_now().await,
            settled => break settled.unwrap().expect("the first commit is there"),
        }
    };
    let stored = commit::header(&tail.bytes).unwrap().id == doubtful.id;
    assert_eq!(stored, outcome == InDoubtOutcome::Stored);
    let position = log.append(doubtful.clone()).await.unwrap().position;
    assert_eq!(position, CommitPosition(2));
    log.append(author.next_commit()).await.unwrap();
    drop(log);
    engine.reopen().await;
    let all = read_all(&*engine.log()).await;
    assert_dense(&all);
    assert_eq!(all.len(), 3);
    assert_eq!(all[1].bytes, doubtful.bytes);
}

/// What enters the log can be read by whoever comes later.
pub async fn bytes_that_are_no_such_commit_are_never_stored(engine: impl Engine) {
    let log = engine.log();
    let good = Author::of(stream(1)).next_commit();
    let mut damaged = good.clone();
    let mut bytes = damaged.bytes.to_vec();
    bytes[30] ^= 1;
    damaged.bytes = bytes.into();
    let mut of_another_stream = good.clone();
    of_another_stream.stream = stream(2);
    let mut of_another_size = good.clone();
    of_another_size.events = 2;
    let mut without_events = Author::of(stream(1)).commit(0, 0);
    without_events.events = 0;
    let mut saying_what_another_says = good.clone();
    let another = Decoded::read(&Author::of(stream(1)).salted(1).next_commit().bytes).unwrap();
    saying_what_another_says.decided = Some(Arc::new(another));
    for bad in [damaged, of_another_stream, of_another_size, without_events, saying_what_another_says] {
        assert!(matches!(log.append(bad).await, Err(AppendError::Unavailable { .. })));
    }
    // An ordinary commit does not become a tombstone by the way it is sent, nor the other way round.
    assert!(matches!(log.tombstone(good).await, Err(AppendError::Unavailable { .. })));
    let tombstone = Author::of(stream(1)).tombstone();
    assert!(matches!(log.append(tombstone).await, Err(AppendError::Unavailable { .. })));
    assert_eq!(log.head().await, Ok(CommitPosition(0)));
}

/// The limit is the same in every engine.
pub async fn a_commit_of_the_largest_size_is_stored(mut engine: impl Engine) {
    let overhead = Author::of(stream(1)).commit(1, 0).bytes.len();
    let commit = Author::of(stream(1)).commit(1, COMMIT_BYTES_MAX - overhead);
    assert_eq!(commit.bytes.len(), COMMIT_BYTES_MAX);
    engine.log().append(commit.clone()).await.unwrap();
    engine.reopen().await;
    let read = engine.log().read_commit(CommitPosition(1)).await.unwrap().unwrap();
    assert_eq!(read.bytes, commit.bytes);
}

/// Gone is gone, before and after opening again.
pub async fn a_tombstone_ends_a_stream_for_good(mut engine: impl Engine) {
    let mut author = Author::of(stream(1));
    let first = author.next_commit();
    engine.log().append(first.clone()).await.unwrap();
    engine.log().append(Author::of(stream(2)).next_commit()).await.unwrap();
    engine.log().tombstone(author.tombstone()).await.unwrap();
    for _ in 0..2 {
        let log = engine.log();
        assert_eq!(log.append(author.next_commit()).await, Err(AppendError::Gone));
        assert_eq!(log.append(first.clone()).await, Err(AppendError::Gone));
        assert_eq!(log.read_stream(stream(1), 1, 10).await, Err(ReadError::Gone));
        assert_eq!(log.read_tail(stream(1)).await, Err(ReadError::Gone));
        assert_eq!(log.read_stream(stream(2), 1, 10).await.unwrap().len(), 1);
        drop(log);
        engine.reopen().await;
    }
}

/// Positions stay dense, and a projection learns of the end.
pub async fn a_tombstone_is_a_commit_without_events_for_readers_of_the_shard(engine: impl Engine) {
    let log = engine.log();
    let mut author = Author::of(stream(1));
    log.append(author.next_commit()).await.unwrap();
    let position = log.tombstone(author.tombstone()).await.unwrap().position;
    log.append(Author::of(stream(2)).next_commit()).await.unwrap();
    let all = read_all(&*log).await;
    assert_dense(&all);
    assert_eq!((all.len(), position), (3, CommitPosition(2)));
    let header = commit::check(&all[1].bytes).unwrap();
    assert!(header.tombstone);
    assert_eq!(header.events, 0);
    assert_eq!(log.read_commit(position).await.unwrap().as_ref(), Some(&all[1]));
}

/// It is an append like any other.
pub async fn a_tombstone_needs_the_expected_version_and_may_be_retried(mut engine: impl Engine) {
    let log = engine.log();
    let mut author = Author::of(stream(1));
    let mut late = author.salted(1);
    log.append(author.next_commit()).await.unwrap();
    assert_eq!(log.tombstone(late.tombstone()).await, Err(AppendError::Conflict { current: 1 }));
    let tombstone = author.tombstone();
    let position = log.tombstone(tombstone.clone()).await.unwrap();
    assert_eq!(log.tombstone(tombstone.clone()).await, Ok(position));
    drop(log);
    engine.reopen().await;
    assert_eq!(engine.log().tombstone(tombstone).await, Ok(position));
    assert_eq!(engine.log().tombstone(author.salted(2).tombstone()).await, Err(AppendError::Gone));
}
