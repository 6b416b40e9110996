//! The rounds, told without a clock: each test says what time it is.

use domain::ids::UserId;

use super::*;

const MIDDLE: u32 = u32::MAX / 2;

fn who(number: u128) -> Who {
    ("acme".parse().unwrap(), UserId::from_u128(number))
}

fn channel(name: &str) -> ChannelId {
    name.parse().unwrap()
}

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn woken(rounds: &mut Rounds, customers: std::ops::Range<u128>) {
    for number in customers {
        rounds.wake(who(number), channel("wechat"), 0);
    }
}

#[test]
fn a_customer_travels_once_at_a_time_and_again_for_what_came_meanwhile() {
    let mut rounds = Rounds::new(10);
    rounds.wake(who(1), channel("wechat"), 4);
    assert_eq!(rounds.next_trip(), Some(Trip { who: who(1), channel: channel("wechat"), after: 4 }));
    rounds.wake(who(1), channel("wechat"), 4);
    assert_eq!(rounds.next_trip(), None);
    rounds.ended(who(1), 6, Ended::CaughtUp, s(0), MIDDLE);
    assert_eq!(rounds.next_trip().map(|trip| trip.after), Some(6), "there was news");
    rounds.ended(who(1), 7, Ended::More, s(0), MIDDLE);
    assert_eq!(rounds.next_trip().map(|trip| trip.after), Some(7), "there was more");
    rounds.ended(who(1), 8, Ended::CaughtUp, s(0), MIDDLE);
    assert_eq!(rounds.next_trip(), None);
}

#[test]
fn pauses_double_up_to_a_minute_and_vary_by_half() {
    let mut rounds = Rounds::new(10);
    woken(&mut rounds, 1..2);
    let mut now = s(0);
    for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert!(rounds.next_trip().is_some());
        rounds.ended(who(1), 0, Ended::Failed, now, MIDDLE);
        let due = rounds.next_due().unwrap();
        assert!((due - now).abs_diff(s(expected)) < Duration::from_millis(1), "{:?}", due - now);
        rounds.tick(due - Duration::from_millis(1));
        assert_eq!(rounds.next_trip(), None);
        now = due;
        rounds.tick(now);
    }
    assert_eq!((pause(1, 0), pause(1, u32::MAX)), (RETRY_FIRST / 2, RETRY_FIRST * 3 / 2));
    assert_eq!(pause(u32::MAX, u32::MAX), RETRY_MAX * 3 / 2);
}

#[test]
fn whatever_was_received_shortens_the_next_pause_again() {
    let mut rounds = Rounds::new(10);
    woken(&mut rounds, 1..2);
    for reached in [0, 0, 3] {
        rounds.tick(s(1_000));
        assert!(rounds.next_trip().is_some());
        rounds.ended(who(1), reached, Ended::Failed, s(0), MIDDLE);
    }
    let (retry, _) = rounds.retries.first().copied().unwrap();
    assert!(retry.abs_diff(RETRY_FIRST) < Duration::from_millis(1), "{retry:?}");
}

#[test]
fn an_endpoint_that_says_it_is_back_is_tried_at_once() {
    let mut rounds = Rounds::new(10);
    woken(&mut rounds, 1..3);
    rounds.wake(who(9), channel("app"), 0);
    while let Some(trip) = rounds.next_trip() {
        rounds.ended(trip.who, 0, Ended::Failed, s(0), MIDDLE);
    }
    rounds.hurry(("acme".parse().unwrap(), channel("wechat")));
    let tried: Vec<Who> = std::iter::from_fn(|| rounds.next_trip()).map(|trip| trip.who).collect();
    assert_eq!(tried, [who(1), who(2)], "the other channel waits on");
}

#[test]
fn a_trip_that_failed_before_the_endpoint_was_back_is_made_again_at_once() {
    let mut rounds = Rounds::new(10);
    woken(&mut rounds, 1..2);
    assert!(rounds.next_trip().is_some());
    rounds.hurry(("acme".parse().unwrap(), channel("wechat")));
    rounds.ended(who(1), 0, Ended::Failed, s(0), MIDDLE);
    assert!(rounds.next_trip().is_some());
    rounds.ended(who(1), 0, Ended::Failed, s(0), MIDDLE);
    assert_eq!(rounds.next_trip(), None, "once");
}

#[test]
fn a_failing_endpoint_is_tried_by_one_and_leaves_room_for_others() {
    let mut rounds = Rounds::new(1_000);
    woken(&mut rounds, 0..50);
    assert_eq!(std::iter::from_fn(|| rounds.next_trip()).count(), TRIPS_OF_A_CHANNEL);
    for number in 0..TRIPS_OF_A_CHANNEL as u128 {
        rounds.ended(who(number), 0, Ended::Failed, s(0), MIDDLE);
    }
    assert_eq!(std::iter::from_fn(|| rounds.next_trip()).count(), 1, "one finds out");
    rounds.wake(who(100), channel("app"), 0);
    assert_eq!(rounds.next_trip().map(|trip| trip.who), Some(who(100)));
    rounds.ended(who(8), 1, Ended::CaughtUp, s(0), MIDDLE);
    assert_eq!(std::iter::from_fn(|| rounds.next_trip()).count(), TRIPS_OF_A_CHANNEL, "it is well again");
}

#[test]
fn all_channels_together_are_bounded_and_take_turns() {
    let mut rounds = Rounds::new(3);
    woken(&mut rounds, 0..5);
    rounds.wake(who(100), channel("app"), 0);
    let first: Vec<Who> = std::iter::from_fn(|| rounds.next_trip()).map(|trip| trip.who).collect();
    assert_eq!(first, [who(0), who(100), who(1)]);
}

#[test]
fn cursors_are_written_down_after_a_while_or_after_many_items() {
    let mut rounds = Rounds::new(10);
    woken(&mut rounds, 1..2);
    assert!(rounds.next_trip().is_some());
    rounds.ended(who(1), 3, Ended::CaughtUp, s(10), MIDDLE);
    assert_eq!(rounds.due_records(s(10)), []);
    assert_eq!(rounds.next_due(), Some(s(10) + RECORD_AFTER));
    assert_eq!(rounds.due_records(s(15)), [(who(1), channel("wechat"), 3)]);
    rounds.wake(who(1), channel("wechat"), 0);
    assert_eq!(rounds.next_trip().map(|trip| trip.after), Some(3), "what is on its way into the log is not forgotten");
    rounds.ended(who(1), 3 + RECORD_ITEMS, Ended::CaughtUp, s(15), MIDDLE);
    assert_eq!(rounds.due_records(s(15)), [], "one at a time");
    rounds.recorded(who(1), Some(3), s(16));
    assert_eq!(rounds.due_records(s(16)), [(who(1), channel("wechat"), 3 + RECORD_ITEMS)], "many items");
    assert_eq!(rounds.customers.len(), 1);
    rounds.recorded(who(1), Some(3 + RECORD_ITEMS), s(16));
    assert_eq!((rounds.customers.len(), rounds.next_due()), (0, None), "nothing is kept of who has everything");
}

#[test]
fn a_cursor_that_could_not_be_written_down_is_tried_again() {
    let mut rounds = Rounds::new(10);
    woken(&mut rounds, 1..2);
    assert!(rounds.next_trip().is_some());
    rounds.ended(who(1), 3, Ended::CaughtUp, s(0), MIDDLE);
    assert_eq!(rounds.due_records(RECORD_AFTER).len(), 1);
    rounds.recorded(who(1), None, RECORD_AFTER);
    assert_eq!(rounds.unrecorded().collect::<Vec<_>>(), [(who(1), channel("wechat"), 3)]);
    assert_eq!(rounds.due_records(RECORD_AFTER * 2).len(), 1);
}

#[test]
fn who_is_not_delivered_to_any_more_is_forgotten_until_woken() {
    let mut rounds = Rounds::new(10);
    woken(&mut rounds, 1..2);
    assert!(rounds.next_trip().is_some());
    rounds.ended(who(1), 0, Ended::Stopped, s(0), MIDDLE);
    assert_eq!((rounds.customers.len(), rounds.next_trip()), (0, None));
    woken(&mut rounds, 1..2);
    assert!(rounds.next_trip().is_some());
}

#[test]
fn a_stop_from_before_the_channel_was_connected_again_loses_nothing() {
    let mut rounds = Rounds::new(10);
    woken(&mut rounds, 1..3);
    assert_eq!(std::iter::from_fn(|| rounds.next_trip()).count(), 2);
    rounds.wake(who(1), channel("wechat"), 0);
    rounds.ended(who(1), 0, Ended::Stopped, s(0), MIDDLE);
    assert_eq!(rounds.next_trip().map(|trip| trip.who), Some(who(1)), "there was news");
    rounds.hurry(("acme".parse().unwrap(), channel("wechat")));
    for number in 1..3 {
        rounds.ended(who(number), 0, Ended::Stopped, s(0), MIDDLE);
    }
    let tried: Vec<Who> = std::iter::from_fn(|| rounds.next_trip()).map(|trip| trip.who).collect();
    assert_eq!(tried, [who(1), who(2)], "the endpoint is back");
    for number in 1..3 {
        rounds.ended(who(number), 0, Ended::Stopped, s(0), MIDDLE);
    }
    assert_eq!((rounds.customers.len(), rounds.next_trip()), (0, None), "once");
}
