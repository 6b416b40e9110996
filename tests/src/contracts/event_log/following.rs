//! Rules of subscriptions: no gap, no repeat, wherever they begin and however they are polled.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use application::ports::event_log::{CommitPosition, StoredCommit, Subscription};

use super::{Author, Engine, fill, read_all, stream};

/// Follows until so many commits came.
async fn follow(subscription: &mut dyn Subscription, count: usize) -> Vec<StoredCommit> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let page = subscription.next().await.unwrap();
        assert!(!page.is_empty(), "at least one commit comes at a time");
        seen.extend(page);
    }
    seen
}

/// Polls once and says whether it was ready.
fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Subscribers that begin at different places while writers go on.
pub async fn a_subscription_catches_up_and_goes_on_live_without_gap_or_repeat(mut engine: impl Engine) {
    const WRITERS: u128 = 8;
    const COMMITS: usize = 60;
    const BEFORE: usize = 700;
    fill(&*engine.log(), 5, BEFORE).await;
    engine.reopen().await;
    let log = engine.log();
    let total = BEFORE + WRITERS as usize * COMMITS;
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut author = Author::of(stream(100 + number));
                for _ in 0..COMMITS {
                    log.append(author.next_commit()).await.unwrap();
                }
            })
        })
        .collect();
    let followers: Vec<_> = [0, 1, 350, BEFORE - 1, BEFORE]
        .into_iter()
        .map(|after| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut subscription = log.subscribe(CommitPosition(after as u64)).await.unwrap();
                (after, follow(&mut *subscription, total - after).await)
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let all = read_all(&*log).await;
    assert_eq!(all.len(), total);
    for follower in followers {
        let (after, seen) = follower.await.unwrap();
        assert!(seen == all[after..], "the follower after {after} saw something else than the log");
    }
}

/// Nothing old is repeated.
pub async fn a_subscription_from_the_head_sees_only_what_comes(engine: impl Engine) {
    let log = engine.log();
    fill(&*log, 2, 5).await;
    let mut subscription = log.subscribe(log.head().await.unwrap()).await.unwrap();
    assert!(poll_once(subscription.next()).is_none(), "there is nothing yet");
    let commit = Author::of(stream(9)).next_commit();
    log.append(commit.clone()).await.unwrap();
    let seen = subscription.next().await.unwrap();
    assert_eq!(seen, [StoredCommit::read(CommitPosition(6), commit.bytes)]);
}

/// A slow subscriber costs the log nothing and loses nothing.
pub async fn a_subscriber_that_pauses_misses_nothing(engine: impl Engine) {
    let log = engine.log();
    let mut subscription = log.subscribe(CommitPosition(0)).await.unwrap();
    let mut all = Vec::new();
    let mut seen = Vec::new();
    let mut authors: Vec<Author> = (0..4).map(|number| Author::of(stream(number))).collect();
    // Pauses get longer, so that the subscriber falls out of whatever memory the engine keeps for it.
    for pause in [1, 10, 100, 1500] {
        for index in 0..pause {
            let commit = authors[index % 4].commit(1, 200);
            let bytes = commit.bytes.clone();
            let position = log.append(commit).await.unwrap().position;
            all.push(StoredCommit::read(position, bytes));
        }
        let missing = all.len() - seen.len();
        seen.extend(follow(&mut *subscription, missing).await);
        assert!(seen == all);
    }
}

/// The caller may select between `next` and something else.
pub async fn a_wait_that_is_given_up_loses_nothing(engine: impl Engine) {
    let log = engine.log();
    let mut subscription = log.subscribe(CommitPosition(0)).await.unwrap();
    let mut author = Author::of(stream(1));
    let mut seen = Vec::new();
    for _ in 0..50 {
        if let Some(page) = poll_once(subscription.next()) {
            seen.extend(page.unwrap());
        }
        log.append(author.next_commit()).await.unwrap();
        // Begun and dropped: an answer that was not taken is not lost.
        drop(subscription.next());
    }
    let missing = 50 - seen.len();
    seen.extend(follow(&mut *subscription, missing).await);
    assert!(seen == read_all(&*log).await);
}
