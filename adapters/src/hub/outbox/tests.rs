//! What waits for a device, and what it is woken for.

use std::task::Waker;

use super::*;

const LIMITS: OutboxLimits = OutboxLimits { frames_max: 3, bytes_max: 100 };

fn take(outbox: &Outbox) -> (Vec<String>, Poll<Option<Bye>>) {
    let mut out = Taken::default();
    let poll = outbox.poll_take(&mut Context::from_waker(Waker::noop()), &mut out);
    (out.items.into_iter().map(|frame| frame.text).collect(), poll)
}

fn typing(user: u128, on: bool) -> Signal {
    Signal::Typing { chat: domain::ids::ChatId::from_u128(1), user: domain::ids::UserId::from_u128(user), on }
}

fn deliver(outbox: &Outbox, index: u64) {
    if outbox.wants(index) {
        outbox.push_item(Frame { index, biz_code: "message", text: index.to_string() });
    }
}

#[test]
fn what_goes_by_while_resuming_is_read_from_the_feed_and_never_doubled() {
    let outbox = Outbox::new(LIMITS);
    deliver(&outbox, 5);
    assert!(!outbox.go_live(4), "item 5 went by and must be read from the feed first");
    assert!(outbox.go_live(6), "the feed was read up to 6");
    deliver(&outbox, 6);
    deliver(&outbox, 7);
    assert_eq!(take(&outbox), (vec!["7".to_owned()], Poll::Ready(None)));
    assert_eq!(take(&outbox).1, Poll::Pending);
}

#[test]
fn a_full_queue_tells_the_device_that_it_is_slow_and_keeps_nothing() {
    let outbox = Outbox::new(LIMITS);
    assert!(outbox.go_live(0));
    for index in 1..=3 {
        deliver(&outbox, index);
    }
    assert_eq!(outbox.bye(), None);
    deliver(&outbox, 4);
    assert_eq!(take(&outbox), (vec![], Poll::Ready(Some(Bye::Slow))));
    let outbox = Outbox::new(LIMITS);
    assert!(outbox.go_live(0));
    let of = |index, bytes| Frame { index, biz_code: "message", text: "x".repeat(bytes) };
    outbox.push_item(of(1, 100));
    assert_eq!(outbox.bye(), None);
    outbox.push_item(of(2, 1));
    assert_eq!(outbox.bye(), Some(Bye::Slow));
}

#[test]
fn of_signals_about_the_same_only_the_latest_waits() {
    let outbox = Outbox::new(LIMITS);
    for on in [true, false, true] {
        outbox.push_signal(typing(1, on));
    }
    outbox.push_signal(typing(2, false));
    let mut out = Taken::default();
    assert_eq!(outbox.poll_take(&mut Context::from_waker(Waker::noop()), &mut out), Poll::Ready(None));
    assert_eq!(out.signals, vec![typing(1, true), typing(2, false)]);
}

#[test]
fn a_device_that_resumes_again_reads_from_the_feed_what_waited() {
    let outbox = Outbox::new(LIMITS);
    assert!(outbox.go_live(0));
    deliver(&outbox, 1);
    outbox.resume();
    assert_eq!(take(&outbox), (vec![], Poll::Pending));
    deliver(&outbox, 2);
    assert!(!outbox.go_live(1), "item 2 went by");
    assert!(outbox.go_live(2));
    outbox.push_item(Frame { index: 2, biz_code: "message", text: "wanted before".to_owned() });
    assert_eq!(take(&outbox), (vec![], Poll::Pending), "read from the feed meanwhile");
}

#[test]
fn an_echo_and_an_unread_count_wait_for_what_presses_and_keep_their_place() {
    let outbox = Outbox::new(LIMITS);
    assert!(outbox.go_live(0));
    let mut out = Taken::default();
    let mut pressing = || {
        let told = outbox.poll_take_pressing(&mut Context::from_waker(Waker::noop()), &mut out);
        (out.items.drain(..).map(|frame| frame.index).collect::<Vec<_>>(), out.signals.drain(..).count(), told)
    };
    let of = |index: u64| Frame { index, biz_code: "message", text: index.to_string() };
    outbox.push_echo(of(1));
    outbox.push_signal(Signal::Unread { chat: domain::ids::ChatId::from_u128(1), count: 1 });
    assert_eq!(pressing(), (vec![], 0, Poll::Pending));
    outbox.push_item(of(2));
    assert_eq!(pressing(), (vec![1, 2], 1, Poll::Ready(None)));
    outbox.push_echo(of(3));
    assert_eq!(pressing(), (vec![], 0, Poll::Pending), "taken is taken");
    outbox.push_signal(typing(1, true));
    assert_eq!(pressing(), (vec![3], 1, Poll::Ready(None)));
    outbox.push_echo(of(4));
    assert_eq!(take(&outbox), (vec!["4".to_owned()], Poll::Ready(None)), "who is not patient gets it at once");
}

#[test]
fn whoever_goes_back_to_the_feed_is_not_pressed_by_what_was_dropped() {
    let outbox = Outbox::new(LIMITS);
    assert!(outbox.go_live(0));
    deliver(&outbox, 1);
    outbox.resume();
    assert!(outbox.go_live(1));
    let mut out = Taken::default();
    assert_eq!(outbox.poll_take_pressing(&mut Context::from_waker(Waker::noop()), &mut out), Poll::Pending);
}

#[test]
fn what_waits_is_sent_before_the_device_goes_and_nothing_after() {
    let outbox = Outbox::new(LIMITS);
    assert!(outbox.go_live(0));
    deliver(&outbox, 1);
    outbox.close(Bye::Revoked);
    outbox.close(Bye::Shutdown);
    deliver(&outbox, 2);
    assert_eq!(take(&outbox), (vec!["1".to_owned()], Poll::Ready(Some(Bye::Revoked))));
}

#[test]
fn growing_texts_that_nobody_takes_count_and_the_newer_takes_the_place_of_the_older() {
    let outbox = Outbox::new(LIMITS);
    let chunk = |user, bytes: usize| Signal::Chunk {
        chat: domain::ids::ChatId::from_u128(1),
        user: domain::ids::UserId::from_u128(user),
        growing: crate::hub::signal::Growing {
            id: domain::ids::ClientMessageId::from_u128(1),
            content: "x".repeat(bytes).into(),
            visibility: domain::message::Visibility::All,
        },
    };
    for bytes in 0..=LIMITS.bytes_max {
        outbox.push_signal(chunk(1, bytes));
    }
    assert_eq!(outbox.bye(), None, "it is one text, however often it grew");
    let mut taken = Taken::default();
    assert_eq!(outbox.take(&mut taken), None);
    assert_eq!(taken.signals, [chunk(1, LIMITS.bytes_max)]);
    outbox.push_signal(chunk(1, LIMITS.bytes_max));
    outbox.resume();
    outbox.push_signal(chunk(2, 1));
    assert_eq!(outbox.bye(), Some(Bye::Slow));
}

/// Counts how often a device is woken.
#[derive(Default)]
struct Wakes(std::sync::atomic::AtomicUsize);

impl std::task::Wake for Wakes {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

#[test]
fn whoever_looks_by_the_clock_is_not_woken_for_what_does_not_press_and_leaves_nothing_lying() {
    let outbox = Outbox::new(OutboxLimits { frames_max: 10, bytes_max: 1_000 });
    assert!(outbox.go_live(0));
    let wakes = std::sync::Arc::new(Wakes::default());
    let waker = Waker::from(std::sync::Arc::clone(&wakes));
    let woken = || wakes.0.swap(0, std::sync::atomic::Ordering::Relaxed);
    let indexes = |out: &mut Taken| out.items.drain(..).map(|frame| frame.index).collect::<Vec<_>>();
    let mut out = Taken::default();
    let look = |out: &mut Taken| outbox.poll_take_or_leave(&mut Context::from_waker(&waker), out);
    let of = |index: u64| Frame { index, biz_code: "message", text: index.to_string() };

    assert_eq!(look(&mut out), Look::Nothing);
    outbox.push_echo(of(1));
    assert_eq!((woken(), look(&mut out)), (1, Look::Lies), "woken once, to begin its watch");
    outbox.push_echo(of(2));
    assert_eq!(woken(), 0);
    outbox.push_item(of(3));
    assert_eq!((woken(), look(&mut out), indexes(&mut out)), (1, Look::Took(None), vec![1, 2, 3]), "all leave together, in order");

    outbox.push_echo(of(4));
    assert_eq!((woken(), look(&mut out)), (0, Look::Lies), "the watch goes on");
    assert!(outbox.take_overdue(&mut out), "this came after something was taken: it gets as long again");
    assert_eq!(indexes(&mut out), Vec::<u64>::new());
    outbox.push_signal(Signal::Unread { chat: domain::ids::ChatId::from_u128(1), count: 1 });
    assert!(!outbox.take_overdue(&mut out), "and no longer");
    assert_eq!((indexes(&mut out), out.signals.drain(..).count(), woken()), (vec![4], 1, 0));

    outbox.push_echo(of(5));
    assert_eq!((woken(), look(&mut out)), (1, Look::Lies), "a watch that ended begins anew");
    assert_eq!((outbox.poll_take(&mut Context::from_waker(&waker), &mut out), indexes(&mut out)), (Poll::Ready(None), vec![5]));
    assert!(!outbox.take_overdue(&mut out), "nothing lies there any more");
    outbox.close(Bye::Revoked);
    assert_eq!((woken(), look(&mut out)), (1, Look::Took(Some(Bye::Revoked))), "and a farewell always presses");
}
