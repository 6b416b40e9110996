//! Rules of reading: order, density, pages, what survives.

use std::collections::HashMap;
use std::sync::Arc;

use application::log::commit;
use application::ports::event_log::{CommitPosition, StoredCommit};

use super::{Author, Engine, assert_dense, fill, read_all, stream};

/// Nothing is an answer, not an error.
pub async fn an_empty_log_has_no_head_and_no_commits(engine: impl Engine) {
    let log = engine.log();
    assert_eq!(log.head().await, Ok(CommitPosition(0)));
    assert_eq!(log.read_shard(CommitPosition(0), 10).await, Ok(vec![]));
    assert_eq!(log.read_stream(stream(1), 1, 10).await, Ok(vec![]));
    assert_eq!(log.read_tail(stream(1)).await, Ok(None));
    assert_eq!(log.read_commit(CommitPosition(0)).await, Ok(None));
    assert_eq!(log.read_commit(CommitPosition(1)).await, Ok(None));
}

/// The bytes are the truth, and every way to read gives the same.
pub async fn a_commit_is_read_back_byte_for_byte(mut engine: impl Engine) {
    let commit = Author::of(stream(1)).commit(3, 300);
    let position = engine.log().append(commit.clone()).await.unwrap().position;
    let stored = StoredCommit::read(position, commit.bytes);
    for _ in 0..2 {
        let log = engine.log();
        assert_eq!(log.read_stream(stream(1), 1, 10).await.unwrap(), std::slice::from_ref(&stored));
        assert_eq!(log.read_tail(stream(1)).await.unwrap().as_ref(), Some(&stored));
        assert_eq!(log.read_shard(CommitPosition(0), 10).await.unwrap(), std::slice::from_ref(&stored));
        assert_eq!(log.read_commit(position).await.unwrap().as_ref(), Some(&stored));
        drop(log);
        engine.reopen().await;
    }
}

/// Under concurrent appends: one total order, and each stream's own order inside it.
pub async fn positions_are_dense_and_every_reader_sees_one_order(engine: impl Engine) {
    const WRITERS: u128 = 16;
    const COMMITS: usize = 30;
    let log = engine.log();
    let tasks: Vec<_> = (0..WRITERS)
        .map(|number| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut author = Author::of(stream(number));
                let mut positions = Vec::new();
                for _ in 0..COMMITS {
                    positions.push(log.append(author.commit(2, 30)).await.unwrap().position);
                }
                positions
            })
        })
        .collect();
    let mut answered: Vec<CommitPosition> = Vec::new();
    for task in tasks {
        let positions = task.await.unwrap();
        assert!(positions.is_sorted());
        answered.extend(positions);
    }
    let all = read_all(&*log).await;
    assert_dense(&all);
    answered.sort_unstable();
    assert_eq!(answered, all.iter().map(|commit| commit.position).collect::<Vec<_>>());
    let mut versions = HashMap::new();
    for stored in &all {
        let header = commit::check(&stored.bytes).unwrap();
        let version = versions.insert(header.stream, header.last_version()).unwrap_or(0);
        assert_eq!(header.first_version, version + 1);
    }
    for number in 0..WRITERS {
        let of_stream = |stored: &&StoredCommit| commit::header(&stored.bytes).unwrap().stream == stream(number);
        let in_shard: Vec<StoredCommit> = all.iter().filter(of_stream).cloned().collect();
        assert_eq!(log.read_stream(stream(number), 1, usize::MAX).await.unwrap(), in_shard);
        assert_eq!(log.read_tail(stream(number)).await.unwrap().as_ref(), in_shard.last());
    }
}

/// A version may lie in the middle of a commit.
pub async fn a_stream_is_read_from_the_commit_that_holds_the_version(mut engine: impl Engine) {
    let mut author = Author::of(stream(1));
    for events in [3, 1, 2] {
        engine.log().append(author.commit(events, 10)).await.unwrap();
        engine.log().append(Author::of(stream(100 + u128::from(events))).next_commit()).await.unwrap();
    }
    for _ in 0..2 {
        let log = engine.log();
        for (from_version, positions) in
            [(0, &[1, 3, 5][..]), (1, &[1, 3, 5]), (3, &[1, 3, 5]), (4, &[3, 5]), (5, &[5]), (6, &[5]), (7, &[])]
        {
            let read = log.read_stream(stream(1), from_version, 10).await.unwrap();
            assert_eq!(read.iter().map(|commit| commit.position.0).collect::<Vec<_>>(), positions, "from version {from_version}");
        }
        drop(log);
        engine.reopen().await;
    }
}

/// Old ones, new ones, ended ones and those that are not there, in any order: each answers as if it were asked for alone.
pub async fn several_streams_are_read_like_each_of_them(mut engine: impl Engine) {
    let mut old = Author::of(stream(1));
    let mut ended = Author::of(stream(2));
    for _ in 0..3 {
        engine.log().append(old.commit(2, 10)).await.unwrap();
        engine.log().append(ended.commit(1, 10)).await.unwrap();
    }
    engine.log().tombstone(ended.tombstone()).await.unwrap();
    engine.reopen().await;
    engine.log().append(old.commit(1, 10)).await.unwrap();
    engine.log().append(Author::of(stream(3)).next_commit()).await.unwrap();
    let log = engine.log();
    assert_eq!(log.read_streams(&[], 9).await, []);
    let streams: Vec<_> = [3, 9, 1, 2, 8, 1].map(stream).into();
    for commits_max in [0, 2, 9] {
        let mut apart = Vec::new();
        for stream in &streams {
            apart.push(log.read_stream(*stream, 1, commits_max).await);
        }
        assert_eq!(log.read_streams(&streams, commits_max).await, apart, "at most {commits_max}");
    }
}

/// However the pages fall, also where some commits are new and some are old.
pub async fn a_stream_is_read_in_pages(mut engine: impl Engine) {
    let mut author = Author::of(stream(1));
    for _ in 0..2 {
        for _ in 0..10 {
            engine.log().append(author.commit(2, 10)).await.unwrap();
            engine.log().append(Author::of(stream(1000 + u128::from(author.version()))).next_commit()).await.unwrap();
        }
        engine.reopen().await;
    }
    for _ in 0..5 {
        engine.log().append(author.commit(2, 10)).await.unwrap();
    }
    let log = engine.log();
    let whole = log.read_stream(stream(1), 1, 100).await.unwrap();
    assert_eq!(whole.len(), 25);
    for size in [1, 2, 3, 7, 24, 25, 26] {
        let mut paged = Vec::new();
        loop {
            let page = log.read_stream(stream(1), paged.len() as u64 * 2 + 1, size).await.unwrap();
            assert!(page.len() <= size);
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, whole, "pages of {size}");
    }
    assert_eq!(log.read_stream(stream(1), 1, 0).await, Ok(vec![]));
}

/// After means after.
pub async fn the_shard_is_read_in_pages_after_a_position(mut engine: impl Engine) {
    let stored = fill(&*engine.log(), 3, 20).await;
    for _ in 0..2 {
        let log = engine.log();
        assert_eq!(read_all(&*log).await, stored);
        for after in 0..=22_u64 {
            let page = log.read_shard(CommitPosition(after), 3).await.unwrap();
            let expected: Vec<_> = stored.iter().filter(|commit| commit.position.0 > after).take(3).cloned().collect();
            assert_eq!(page, expected, "after {after}");
        }
        assert_eq!(log.read_shard(CommitPosition(0), 0).await, Ok(vec![]));
        assert_eq!(log.read_shard(CommitPosition(u64::MAX), 10).await, Ok(vec![]));
        drop(log);
        engine.reopen().await;
    }
}

/// Exactly that one.
pub async fn one_commit_is_read_by_its_position(mut engine: impl Engine) {
    let stored = fill(&*engine.log(), 3, 10).await;
    for _ in 0..2 {
        let log = engine.log();
        for commit in &stored {
            assert_eq!(log.read_commit(commit.position).await.unwrap().as_ref(), Some(commit));
        }
        assert_eq!(log.read_commit(CommitPosition(0)).await, Ok(None));
        assert_eq!(log.read_commit(CommitPosition(11)).await, Ok(None));
        assert_eq!(log.read_commit(CommitPosition(u64::MAX)).await, Ok(None));
        drop(log);
        engine.reopen().await;
    }
}

/// And the next commit takes the next position.
pub async fn everything_is_there_after_opening_again(mut engine: impl Engine) {
    let mut stored = fill(&*engine.log(), 4, 25).await;
    for round in 0..3_u64 {
        engine.reopen().await;
        let log = engine.log();
        assert_eq!(log.head().await, Ok(CommitPosition(stored.len() as u64)));
        let commit = Author::of(stream(500 + u128::from(round))).next_commit();
        let bytes = commit.bytes.clone();
        let position = log.append(commit).await.unwrap().position;
        stored.push(StoredCommit::read(position, bytes));
        assert_eq!(read_all(&*log).await, stored);
    }
    assert_dense(&stored);
}
