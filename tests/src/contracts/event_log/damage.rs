//! Rules of damage: it is named, and it hides nothing that is intact.

use application::ports::event_log::{CommitPosition, ReadError};

use super::{Engine, fill, stream};

fn is_corrupt<T>(outcome: &Result<T, ReadError>) -> bool {
    matches!(outcome, Err(ReadError::Corrupt { place }) if !place.is_empty())
}

/// Every way to read a damaged commit says so; the others are still read.
pub async fn a_damaged_commit_is_reported_and_never_returned(mut engine: impl Engine) {
    let stored = fill(&*engine.log(), 3, 12).await;
    // The second commit of stream 1.
    engine.damage(&stored[4]).await;
    let log = engine.log();
    assert!(is_corrupt(&log.read_commit(CommitPosition(5)).await));
    assert!(is_corrupt(&log.read_stream(stream(1), 1, 10).await));
    assert!(is_corrupt(&log.read_shard(CommitPosition(0), 12).await));
    assert!(is_corrupt(&log.read_shard(CommitPosition(4), 1).await));
    assert_eq!(log.read_shard(CommitPosition(0), 4).await.unwrap(), stored[..4]);
    assert_eq!(log.read_shard(CommitPosition(5), 10).await.unwrap(), stored[5..]);
    assert_eq!(log.read_stream(stream(1), 3, 10).await.unwrap(), [stored[7].clone(), stored[10].clone()]);
    assert_eq!(log.read_tail(stream(1)).await.unwrap().as_ref(), Some(&stored[10]));
    assert_eq!(log.read_stream(stream(0), 1, 10).await.unwrap().len(), 4);
}

/// What is before the damage arrives; what is after it does not, for it would be out of order.
pub async fn a_subscription_delivers_up_to_the_damage_and_stays_there(mut engine: impl Engine) {
    let stored = fill(&*engine.log(), 3, 12).await;
    engine.damage(&stored[4]).await;
    let mut subscription = engine.log().subscribe(CommitPosition(0)).await.unwrap();
    let mut seen = Vec::new();
    let place = loop {
        match subscription.next().await {
            Ok(page) => seen.extend(page),
            Err(error) => break error,
        }
    };
    assert_eq!(seen, stored[..4]);
    assert!(matches!(place, ReadError::Corrupt { .. }));
    assert_eq!(subscription.next().await, Err(place));
}
